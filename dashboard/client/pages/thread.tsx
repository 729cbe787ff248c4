/** One conversation, as the visitor saw it. */
import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from 'wouter';
import { Answer } from '../components/answer.tsx';
import { Empty, Loaded, Page } from '../components/parts.tsx';
import { call } from '../data/api.ts';
import { dateTime } from '../data/settings.ts';
import type { Logged } from '../data/conversations.ts';

export default function Thread() {
  const { session = '' } = useParams();
  const query = useQuery({
    queryKey: ['thread', session],
    queryFn: () => call<{ answers: Logged[] }>(`/conversations/${encodeURIComponent(decodeURIComponent(session))}`),
  });
  return (
    <Page title="Conversation">
      <p>
        <Link href="/conversations">All conversations</Link>
      </p>
      <Loaded query={query}>
        {({ answers }) =>
          answers.length === 0 ? (
            <Empty title="There is no such conversation">It may belong to another business.</Empty>
          ) : (
            <ol className="thread">
              {answers.map((one) => (
                <li key={one.messageId}>
                  <p className="question">{one.question}</p>
                  <Answer text={one.answer} sources={one.sources} />
                  <p className="hint">
                    {dateTime(one.requestedAt)} · {one.model} · {(one.answerMs / 1_000).toFixed(1)} s · {one.outcome}
                    {one.rating === null ? '' : ` · thumbs ${one.rating}`}
                    {one.ratingComment === null ? '' : `: “${one.ratingComment}”`}
                  </p>
                </li>
              ))}
            </ol>
          )
        }
      </Loaded>
    </Page>
  );
}
