/** Keys: made, named, revoked, replaced. */
import { useState } from 'react';
import { useMutation, useQuery } from '@tanstack/react-query';
import { Card, Copied, Dialog, Empty, Input, Loaded, Page, Select, Trouble } from '../components/parts.tsx';
import { call } from '../data/api.ts';
import { dateTime } from '../data/settings.ts';
import type { Key } from '../data/settings.ts';

export default function Keys() {
  const query = useQuery({ queryKey: ['keys'], queryFn: async () => (await call<{ keys: Key[] }>('/keys')).keys });
  const [made, setMade] = useState<string | null>(null);
  return (
    <Page
      title="Keys"
      intro="Publishable keys are for pages and work on allowed sites only. Secret keys are for servers: never put one into a page."
    >
      <Make onMade={setMade} />
      {made === null ? null : (
        <Card title="Your new key">
          <p>Copy it now: it is shown once.</p>
          <Copied label="The new key" text={made} />
        </Card>
      )}
      <Loaded query={query}>
        {(keys) =>
          keys.length === 0 ? (
            <Empty title="There are no keys">Make one for your pages.</Empty>
          ) : (
            <Card title="Valid keys">
              <ul className="documents">
                {keys.map((key) => (
                  <KeyRow key={key.keyId} known={key} onMade={setMade} />
                ))}
              </ul>
            </Card>
          )
        }
      </Loaded>
    </Page>
  );
}

function Make({ onMade }: { onMade: (key: string) => void }) {
  const [name, setName] = useState('');
  const [kind, setKind] = useState('publishable');
  const making = useMutation({
    mutationFn: () => call<{ key: string }>('/keys', 'POST', { kind, name }),
    onSuccess: ({ key }) => {
      onMade(key);
      setName('');
    },
  });
  return (
    <Card title="New key">
      <form
        className="filters"
        onSubmit={(event) => {
          event.preventDefault();
          making.mutate();
        }}
      >
        <Input label="What it is for" required maxLength={100} value={name} onValue={setName} />
        <Select
          label="Kind"
          value={kind}
          onValue={setKind}
          options={[
            ['publishable', 'publishable, for pages'],
            ['secret', 'secret, for servers'],
          ]}
        />
        <button type="submit" className="main" disabled={making.isPending}>
          Make a key
        </button>
      </form>
      <Trouble error={making.error} />
    </Card>
  );
}

function KeyRow({ known, onMade }: { known: Key; onMade: (key: string) => void }) {
  const [asking, setAsking] = useState(false);
  const shown = known.name === '' ? 'Unnamed key' : known.name;
  const revoke = useMutation({ mutationFn: () => call(`/keys/${known.keyId}`, 'DELETE') });
  const rotate = useMutation({
    mutationFn: () => call<{ key: string }>('/keys', 'POST', { kind: known.kind, name: shown }),
    onSuccess: ({ key }) => {
      onMade(key);
    },
  });
  return (
    <li>
      <div className="row">
        <div>
          <strong>{shown}</strong>
          <span className="hint">
            {known.kind} · made {dateTime(known.createdAt)} ·{' '}
            {known.lastUsedAt === null ? 'never used' : `last used ${dateTime(known.lastUsedAt)}`}
          </span>
        </div>
        <div className="buttons">
          <button
            type="button"
            disabled={rotate.isPending}
            onClick={() => {
              rotate.mutate();
            }}
          >
            Replace<span className="unseen"> {shown}</span>
          </button>
          <button
            type="button"
            onClick={() => {
              setAsking(true);
            }}
          >
            Revoke<span className="unseen"> {shown}</span>
          </button>
        </div>
      </div>
      {rotate.isSuccess ? <p role="status">Put the new key in place, then revoke this one.</p> : null}
      <Trouble error={revoke.error ?? rotate.error} />
      {asking ? (
        <Dialog
          title={`Revoke ${shown}?`}
          onClose={() => {
            setAsking(false);
          }}
        >
          <p>Within 10 seconds nothing works with it any more.</p>
          <form method="dialog" className="buttons">
            <button type="submit">Keep it</button>
            <button
              type="submit"
              className="danger"
              onClick={() => {
                revoke.mutate();
              }}
            >
              Revoke
            </button>
          </form>
        </Dialog>
      ) : null}
    </li>
  );
}
