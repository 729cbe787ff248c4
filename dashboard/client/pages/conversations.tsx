/** What visitors asked. */
import { useState } from 'react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link, useSearchParams } from 'wouter';
import { addressOf, call } from '../data/api.ts';
import { dateTime } from '../data/settings.ts';
import { Card, Empty, Input, Page, Select, Trouble } from '../components/parts.tsx';
import type { Logged } from '../data/conversations.ts';

const FILTERS = ['search', 'from', 'to', 'rating', 'outcome', 'unanswered'];

export default function Conversations() {
  const [given, setGiven] = useSearchParams();
  const filters = new URLSearchParams([...given].filter(([name, value]) => FILTERS.includes(name) && value !== ''));
  const query = useInfiniteQuery({
    queryKey: ['conversations', filters.toString()],
    initialPageParam: '',
    queryFn: ({ pageParam }) => {
      const asked = new URLSearchParams(filters);
      if (pageParam !== '') asked.set('before', pageParam);
      return call<{ answers: Logged[]; next: string | null }>(`/conversations?${asked.toString()}`);
    },
    getNextPageParam: ({ next }) => next,
  });
  const answers = query.data?.pages.flatMap((page) => page.answers);
  return (
    <Page title="Conversations">
      <Filters
        given={filters}
        onFilters={(chosen) => {
          setGiven(chosen);
        }}
      />
      <p className="buttons">
        <a className="button" href={addressOf(`/conversations/export?format=csv&${filters.toString()}`)} download>
          Export as CSV
        </a>
        <a className="button" href={addressOf(`/conversations/export?format=json&${filters.toString()}`)} download>
          Export as JSON
        </a>
      </p>
      <Trouble error={query.error} again={() => void query.refetch()} />
      {answers === undefined && query.error === null ? <p className="waiting">Loading…</p> : null}
      {answers?.length === 0 ? (
        <Empty title="No conversations">
          {filters.size > 0 ? 'None fits the filters.' : 'As soon as a visitor asks, it is here.'}
        </Empty>
      ) : null}
      {answers === undefined || answers.length === 0 ? null : <Answers answers={answers} />}
      {query.hasNextPage ? (
        <button type="button" disabled={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
          Show more
        </button>
      ) : null}
    </Page>
  );
}

function Filters({ given, onFilters }: { given: URLSearchParams; onFilters: (filters: URLSearchParams) => void }) {
  const [chosen, setChosen] = useState(() => Object.fromEntries(given));
  const set = (name: string) => (value: string) => {
    setChosen((known) => ({ ...known, [name]: value }));
  };
  const of = (name: string) => chosen[name] ?? '';
  return (
    <form
      className="filters"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        onFilters(new URLSearchParams(Object.entries(chosen).filter(([, value]) => value !== '')));
      }}
    >
      <Input label="Words" type="search" value={of('search')} onValue={set('search')} />
      <Input label="From" type="date" value={of('from')} onValue={set('from')} />
      <Input label="Before" type="date" value={of('to')} onValue={set('to')} />
      <Select
        label="Rating"
        value={of('rating')}
        onValue={set('rating')}
        options={[
          ['', 'any'],
          ['up', 'thumbs up'],
          ['down', 'thumbs down'],
        ]}
      />
      <Select
        label="Outcome"
        value={of('outcome')}
        onValue={set('outcome')}
        options={[
          ['', 'any'],
          ['completed', 'completed'],
          ['failed', 'failed'],
          ['cancelled', 'stopped'],
        ]}
      />
      <Select
        label="Evidence"
        value={of('unanswered')}
        onValue={set('unanswered')}
        options={[
          ['', 'any'],
          ['true', 'none found'],
        ]}
      />
      <button type="submit">Filter</button>
    </form>
  );
}

function Answers({ answers }: { answers: Logged[] }) {
  return (
    <Card>
      <div className="wide" tabIndex={0} role="region" aria-label="Conversations">
        <table>
          <thead>
            <tr>
              <th scope="col">Question</th>
              <th scope="col">Outcome</th>
              <th scope="col">Rating</th>
              <th scope="col">When</th>
            </tr>
          </thead>
          <tbody>
            {answers.map((one) => (
              <tr key={one.messageId}>
                <td>
                  <Link href={`/conversations/${encodeURIComponent(one.sessionId)}`}>{one.question}</Link>
                </td>
                <td>{one.finishReason === 'no_answer' ? 'no evidence' : one.outcome}</td>
                <td>{one.rating === 'up' ? 'up' : one.rating === 'down' ? 'down' : '–'}</td>
                <td className="date">{dateTime(one.requestedAt)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Card>
  );
}
