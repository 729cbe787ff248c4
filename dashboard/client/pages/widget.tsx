/** How the widget looks and answers, where it may be, and how it gets there. */
import { useState } from 'react';
import { useMutation, useQuery } from '@tanstack/react-query';
import { Link } from 'wouter';
import { Card, Copied, Input, Loaded, Page, Select, TextArea, Trouble } from '../components/parts.tsx';
import { Preview } from '../components/preview.tsx';
import { call } from '../data/api.ts';
import { isOwner, mayEdit, useSession } from '../data/session.ts';
import type { Theme, WidgetSettings } from '../../shared/dashboard-types.ts';
import { ModelSettings } from '../components/model-settings.tsx';
import type { WidgetAnswer } from '../data/settings.ts';

export default function Widget() {
  const { client } = useSession();
  const query = useQuery({ queryKey: ['widget'], queryFn: () => call<WidgetAnswer>('/widget') });
  return (
    <Page title="Widget">
      <Loaded query={query}>
        {(found) => (
          <>
            <Origins known={found.origins} canEdit={isOwner(client)} />
            <Look known={found.widget} canEdit={mayEdit(client)} tier={found.tier} />
            <Connect gatewayUrl={found.gatewayUrl} isOwner={isOwner(client)} />
          </>
        )}
      </Loaded>
    </Page>
  );
}

function Origins({ known, canEdit }: { known: string[]; canEdit: boolean }) {
  const [text, setText] = useState(known.join('\n'));
  const saving = useMutation({
    mutationFn: () => {
      const origins = text.split(/\s+/).filter((one) => one !== '');
      return call('/origins', 'PUT', { origins });
    },
  });
  return (
    <Card title="Your sites">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          saving.mutate();
        }}
      >
        <TextArea
          label="Sites whose visitors may ask"
          hint="One a line, as https://www.example.com. A * allows every site."
          rows={3}
          value={text}
          onValue={setText}
        />
        <Trouble error={saving.error} />
        <Save canEdit={canEdit} what="An owner" isPending={saving.isPending} isSaved={saving.isSuccess} />
      </form>
    </Card>
  );
}

function Save({
  canEdit,
  what,
  isPending,
  isSaved,
}: {
  canEdit: boolean;
  what: string;
  isPending: boolean;
  isSaved: boolean;
}) {
  if (!canEdit) return <p className="hint">{what} may change this.</p>;
  return (
    <p className="buttons">
      <button type="submit" className="main" disabled={isPending}>
        Save
      </button>
      <span role="status">{isSaved ? 'Saved. It holds within 10 seconds.' : ''}</span>
    </p>
  );
}

function Look({ known, canEdit, tier }: { known: WidgetSettings; canEdit: boolean; tier: string }) {
  const [widget, setWidget] = useState(known);
  const { theme } = widget;
  const style = (changed: Partial<Theme>) => {
    setWidget({ ...widget, theme: { ...theme, ...changed } });
  };
  const saving = useMutation({ mutationFn: () => call('/widget', 'PUT', sent(widget)) });
  return (
    <Card title="Look and answers">
      <form
        className="halves"
        onSubmit={(event) => {
          event.preventDefault();
          saving.mutate();
        }}
      >
        <div>
          <Input
            label="Name"
            maxLength={100}
            value={theme.title ?? ''}
            onValue={(title) => {
              style({ title });
            }}
          />
          <Input
            label="Colour"
            type="color"
            value={theme.color ?? '#2456c7'}
            onValue={(color) => {
              style({ color });
            }}
          />
          <Select
            label="Position"
            value={theme.position ?? 'right'}
            onValue={(position) => {
              style({ position: position === 'left' ? 'left' : 'right' });
            }}
            options={[
              ['right', 'right'],
              ['left', 'left'],
            ]}
          />
          <TextArea
            label="Greeting"
            rows={2}
            value={theme.greeting ?? ''}
            onValue={(greeting) => {
              style({ greeting });
            }}
          />
          <TextArea
            label="Starter questions"
            hint="One a line, at most six."
            rows={3}
            value={(theme.starters ?? []).join('\n')}
            onValue={(lines) => {
              style({ starters: lines.split('\n') });
            }}
          />
          <TextArea
            label="When nothing is found"
            rows={2}
            value={widget.noAnswerText ?? ''}
            onValue={(noAnswerText) => {
              setWidget({ ...widget, noAnswerText });
            }}
          />
          <TextArea
            label="How answers should be"
            hint="Goes to the model before every question."
            rows={4}
            value={widget.systemPrompt ?? ''}
            onValue={(systemPrompt) => {
              setWidget({ ...widget, systemPrompt });
            }}
          />
          <ModelSettings widget={widget} setWidget={setWidget} tier={tier} />
          <Trouble error={saving.error} />
          <Save canEdit={canEdit} what="An editor" isPending={saving.isPending} isSaved={saving.isSuccess} />
        </div>
        <Preview theme={theme} />
      </form>
    </Card>
  );
}

function sent({ widgetId: _, ...widget }: WidgetSettings): object {
  const orNull = (text: string | null) => (text === null || text.trim() === '' ? null : text);
  const { starters = [], ...theme } = widget.theme;
  return {
    ...widget,
    model: orNull(widget.model),
    systemPrompt: orNull(widget.systemPrompt),
    noAnswerText: orNull(widget.noAnswerText),
    theme: { ...theme, starters: starters.map((one) => one.trim()).filter((one) => one !== '') },
  };
}

function Connect({ gatewayUrl, isOwner: mayMakeKeys }: { gatewayUrl: string; isOwner: boolean }) {
  const key = 'YOUR_PUBLISHABLE_KEY';
  const request = `curl -N ${gatewayUrl}/chat/stream \\
  -H 'x-api-key: ${key}' -H 'content-type: application/json' \\
  -H 'origin: https://www.example.com' -d '{"message": "Hello"}'`;
  return (
    <Card title="Put it on your site">
      <p>
        Pages ask with a publishable key, from the sites above.{' '}
        {mayMakeKeys ? <Link href="/keys">Make a key</Link> : 'An owner makes keys.'}
      </p>
      <Copied label="A request" text={request} />
    </Card>
  );
}
