/** Answers, tokens, cost, latency and ratings by day: plots, and the table behind them. */
import { lazy, Suspense, useState } from 'react';
import { useQuery } from '@tanstack/react-query';
import { Card, Empty, Loaded, Page, Select } from '../components/parts.tsx';
import { call } from '../data/api.ts';
import { dollars, perDay } from '../data/usage.ts';
import type { UsageDay } from '../../shared/dashboard-types.ts';

const Plot = lazy(() => import('../components/plot.tsx'));

const SPANS: [string, string][] = [
  ['7', 'the last 7 days'],
  ['30', 'the last 30 days'],
  ['90', 'the last 90 days'],
];

export default function Usage() {
  const [span, setSpan] = useState('30');
  const query = useQuery({
    queryKey: ['usage', span],
    queryFn: async () => (await call<{ days: UsageDay[] }>(`/usage?days=${span}`)).days,
  });
  return (
    <Page title="Usage" intro="Days are by UTC, as they are billed.">
      <Select label="Days" value={span} onValue={setSpan} options={SPANS} />
      <Loaded query={query}>
        {(days) =>
          days.length === 0 ? (
            <Empty title="No answers yet">What visitors ask, and what it costs, will be here.</Empty>
          ) : (
            <>
              <Plots days={days} span={Number(span)} />
              <Table days={days} />
            </>
          )
        }
      </Loaded>
    </Page>
  );
}

function Plots({ days, span }: { days: UsageDay[]; span: number }) {
  const found = perDay(days, span, new Date());
  return (
    <div className="plots">
      <Suspense fallback={<p className="waiting">Loading…</p>}>
        <Plot
          title="Answers"
          days={found.days}
          series={[
            ['answers', found.answers],
            ['failures', found.failures],
          ]}
        />
        <Plot
          title="Tokens"
          days={found.days}
          series={[
            ['in', found.inputs],
            ['out', found.outputs],
            ['from the cache', found.cached],
          ]}
        />
        <Plot title="Cost in dollars" days={found.days} series={[['cost', found.costs]]} />
        <Plot
          title="Median seconds"
          days={found.days}
          series={[
            ['to the first token', found.firsts],
            ['to the whole answer', found.wholes],
          ]}
        />
        <Plot
          title="Ratings"
          days={found.days}
          series={[
            ['thumbs up', found.ups],
            ['thumbs down', found.downs],
          ]}
        />
      </Suspense>
    </div>
  );
}

function Table({ days }: { days: UsageDay[] }) {
  const sum = (pick: (day: UsageDay) => number) => days.reduce((found, day) => found + pick(day), 0).toLocaleString();
  return (
    <Card title="By day and model">
      <div className="wide" tabIndex={0} role="region" aria-label="Usage by day and model">
        <table>
          <thead>
            <tr>
              {[
                'Day',
                'Model',
                'Answers',
                'Failures',
                'Tokens in',
                'Cached',
                'Tokens out',
                'Cost',
                'Median',
                'Up',
                'Down',
              ].map((name) => (
                <th key={name} scope="col">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {days.toReversed().map((one) => (
              <tr key={`${one.day} ${one.model}`}>
                <td className="date">{one.day}</td>
                <td>{one.model}</td>
                <td className="number">{one.answers.toLocaleString()}</td>
                <td className="number">{one.failures.toLocaleString()}</td>
                <td className="number">{one.inputTokens.toLocaleString()}</td>
                <td className="number">{one.cacheReadTokens.toLocaleString()}</td>
                <td className="number">{one.outputTokens.toLocaleString()}</td>
                <td className="number">${one.costUsd}</td>
                <td className="number">{one.answerMs === null ? '–' : `${(one.answerMs / 1_000).toFixed(2)} s`}</td>
                <td className="number">{one.ups}</td>
                <td className="number">{one.downs}</td>
              </tr>
            ))}
          </tbody>
          <tfoot>
            <tr>
              <th scope="row" colSpan={2}>
                Together
              </th>
              <td className="number">{sum((day) => day.answers)}</td>
              <td className="number">{sum((day) => day.failures)}</td>
              <td className="number">{sum((day) => day.inputTokens)}</td>
              <td className="number">{sum((day) => day.cacheReadTokens)}</td>
              <td className="number">{sum((day) => day.outputTokens)}</td>
              <td className="number">${dollars(days.map(({ costUsd }) => costUsd))}</td>
              <td colSpan={3} />
            </tr>
          </tfoot>
        </table>
      </div>
    </Card>
  );
}
