/** What the knowledge base could not answer, or answered badly; and how to mend it. */
import { useState } from 'react';
import { useMutation, useQuery } from '@tanstack/react-query';
import { Link } from 'wouter';
import type { DocumentAccepted, DocumentView } from '../../shared/python-backend-types.ts';
import { Answer } from '../components/answer.tsx';
import { Card, Dialog, Empty, Input, Loaded, Page, TextArea, Trouble } from '../components/parts.tsx';
import { call } from '../data/api.ts';
import { mayEdit, useSession } from '../data/session.ts';
import { dateTime } from '../data/settings.ts';
import { tried } from '../data/trial.ts';

const POLL_MS = 500;
const READING_MS = 120_000;

interface Group {
  question: string;
  count: number;
  downs: number;
  askedAt: string;
  examples: { messageId: string; sessionId: string; question: string; comment: string | null }[];
}

export default function Unanswered() {
  const { client } = useSession();
  const [chosen, setChosen] = useState<string | null>(null);
  const query = useQuery({ queryKey: ['unanswered'], queryFn: () => call<{ groups: Group[] }>('/unanswered') });
  return (
    <Page title="Unanswered" intro="Questions without evidence, and answers with a thumb down; those alike together.">
      <Loaded query={query}>
        {({ groups }) =>
          groups.length === 0 ? (
            <Empty title="Nothing is unanswered">Questions that your documents do not answer will be here.</Empty>
          ) : (
            <ul className="groups">
              {groups.map((group) => (
                <li key={group.examples[0]?.messageId ?? group.question} className="card">
                  <h2>{group.question}</h2>
                  <p className="hint">
                    {group.count === 1 ? 'asked once' : `asked ${String(group.count)} times`}
                    {group.downs === 0 ? '' : `, ${String(group.downs)} thumbs down`} · {dateTime(group.askedAt)}
                  </p>
                  <Examples group={group} />
                  {mayEdit(client) ? (
                    <button
                      type="button"
                      onClick={() => {
                        setChosen(group.question);
                      }}
                    >
                      Add to the knowledge base
                    </button>
                  ) : null}
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
      {chosen === null ? null : (
        <Answering
          question={chosen}
          onClose={() => {
            setChosen(null);
          }}
        />
      )}
    </Page>
  );
}

function Examples({ group }: { group: Group }) {
  return (
    <details>
      <summary>Where it was asked</summary>
      <ul>
        {group.examples.map(({ messageId, sessionId, question, comment }) => (
          <li key={messageId}>
            <Link href={`/conversations/${encodeURIComponent(sessionId)}`}>{question}</Link>
            {comment === null ? '' : ` “${comment}”`}
          </li>
        ))}
      </ul>
    </details>
  );
}

/** Writes a document of a question and its answer, waits until it is read, and asks again. */
function Answering({ question, onClose }: { question: string; onClose: () => void }) {
  const [asked, setAsked] = useState(question);
  const [answer, setAnswer] = useState('');
  const adding = useMutation({
    mutationFn: async () => {
      const { id } = await call<DocumentAccepted>('/documents/answers', 'POST', { question: asked, answer });
      await untilReady(id);
      return (await tried(asked)).answer;
    },
  });
  return (
    <Dialog title="Add to the knowledge base" onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          adding.mutate();
        }}
      >
        <Input label="Question" required value={asked} onValue={setAsked} />
        <TextArea label="Answer" rows={5} required value={answer} onValue={setAnswer} />
        <Trouble error={adding.error} />
        <div role="status">
          {adding.isPending ? 'It is being read, then asked again…' : null}
          {adding.data === undefined ? null : (
            <Card title="Asked again, the answer is">
              <Answer text={adding.data.reply} sources={adding.data.sources} />
            </Card>
          )}
        </div>
        <div className="buttons">
          <button type="button" onClick={onClose}>
            Close
          </button>
          <button type="submit" className="main" disabled={adding.isPending || adding.isSuccess}>
            Add and ask again
          </button>
        </div>
      </form>
    </Dialog>
  );
}

async function untilReady(id: string): Promise<void> {
  const deadline = Date.now() + READING_MS;
  for (;;) {
    const { status, reason } = await call<DocumentView>(`/documents/${encodeURIComponent(id)}/status`);
    if (status === 'ready') return;
    if (status === 'failed') throw new Error(reason ?? 'The answer could not be read.');
    if (Date.now() > deadline) throw new Error('It is still being read: see Knowledge.');
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
