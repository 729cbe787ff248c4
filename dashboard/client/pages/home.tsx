/** The first ten minutes, as a list of what is left to do. */
import { useQuery } from '@tanstack/react-query';
import { Link } from 'wouter';
import { call } from '../data/api.ts';
import { useDocuments } from '../data/documents.ts';
import { isOwner, useSession } from '../data/session.ts';
import type { WidgetAnswer } from '../data/settings.ts';
import { Card, Loaded, Page } from '../components/parts.tsx';
import { dollars } from '../data/usage.ts';
import type { UsageDay } from '../../shared/dashboard-types.ts';
import { TRIED } from '../data/settings.ts';

interface Step {
  name: string;
  isDone: boolean;
  what: string;
  path: string;
}

/** How it went: what a visitor would notice first. */
function Week() {
  const usage = useQuery({
    queryKey: ['usage', '7'],
    queryFn: async () => (await call<{ days: UsageDay[] }>('/usage?days=7')).days,
  });
  const unanswered = useQuery({ queryKey: ['unanswered'], queryFn: () => call<{ groups: unknown[] }>('/unanswered') });
  if (usage.data === undefined || usage.data.length === 0) return null;
  const answers = usage.data.reduce((sum, one) => sum + one.answers, 0);
  const open = unanswered.data?.groups.length ?? 0;
  return (
    <Card title="The last seven days">
      <p>
        <Link href="/conversations">{answers.toLocaleString()} answers</Link>, $
        {dollars(usage.data.map(({ costUsd }) => costUsd))},{' '}
        <Link href="/unanswered">{open === 0 ? 'nothing unanswered' : `${String(open)} unanswered questions`}</Link>.
      </p>
    </Card>
  );
}

export function Home() {
  const { client } = useSession();
  const documents = useDocuments();
  const widget = useQuery({ queryKey: ['widget'], queryFn: () => call<WidgetAnswer>('/widget') });
  return (
    <Page title="Home" intro={`What ${client.clientName} still needs, and how it is doing.`}>
      <Loaded query={documents}>
        {(found) => {
          const ready = found.filter(({ status }) => status === 'ready').length;
          const failed = found.filter(({ status }) => status === 'failed').length;
          const steps: Step[] = [
            {
              name: 'Add a document',
              isDone: ready > 0,
              what:
                ready > 0 ? `${String(ready)} can be answered from` : 'Answers come from what you add, nothing else',
              path: '/knowledge',
            },
            {
              name: 'Try a question',
              isDone: localStorage.getItem(TRIED) !== null,
              what: 'See the answer, and the passages it comes from',
              path: '/try',
            },
            {
              name: 'Allow your site',
              isDone: (widget.data?.origins.length ?? 0) > 0,
              what: 'Name the sites whose visitors may ask',
              path: '/widget',
            },
            {
              name: 'Put it on your site',
              isDone: widget.data?.isUsed === true,
              what: isOwner(client) ? 'Copy what goes into your pages' : 'An owner has the key',
              path: '/widget',
            },
          ];
          return (
            <>
              <Card title="The first ten minutes">
                <ol className="steps">
                  {steps.map((step) => (
                    <li key={step.name} className={step.isDone ? 'done' : ''}>
                      <Link href={step.path}>{step.name}</Link>
                      <span className="hint">
                        {step.isDone ? 'Done. ' : ''}
                        {step.what}
                      </span>
                    </li>
                  ))}
                </ol>
              </Card>
              <Week />
              {failed === 0 ? null : (
                <Card>
                  <p>
                    {failed} {failed === 1 ? 'document has' : 'documents have'} failed.{' '}
                    <Link href="/knowledge">See why</Link>
                  </p>
                </Card>
              )}
            </>
          );
        }}
      </Loaded>
    </Page>
  );
}
