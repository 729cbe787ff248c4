/** What was found for a question, whether it was enough, and what the answer took. */
import type { Trial } from '../data/trial.ts';
import { placeOf } from './answer.tsx';
import { Card } from './parts.tsx';

export function TrialDetails({ trial }: { trial: Trial }) {
  const { answer, found, threshold, totalMs } = trial;
  const { inputTokens, outputTokens, cacheReadTokens, estimated } = answer.usage;
  return (
    <>
      <Card title="Why this answer">
        {found === null ? (
          <p>What was found did not arrive here in time.</p>
        ) : (
          <Gate found={found} threshold={threshold} />
        )}
        <dl className="facts">
          <dt>Model</dt>
          <dd>{answer.finishReason === 'no_answer' ? 'not asked' : answer.model}</dd>
          <dt>Tokens</dt>
          <dd>
            {inputTokens.toLocaleString()} in ({cacheReadTokens.toLocaleString()} from the cache),{' '}
            {outputTokens.toLocaleString()} out{estimated ? ', estimated' : ''}
          </dd>
          <dt>Time</dt>
          <dd>
            {found === null ? '' : `${found.retrievalMs.toFixed(0)} ms to search, `}
            {(totalMs / 1_000).toFixed(2)} s in all
          </dd>
        </dl>
      </Card>
      {found === null || found.passages.length === 0 ? null : (
        <Card title="Passages that were found">
          <p className="hint">Searched for: {found.query}</p>
          <div className="wide" tabIndex={0} role="region" aria-label="Passages">
            <table>
              <thead>
                <tr>
                  <th scope="col">Score</th>
                  <th scope="col">Where</th>
                  <th scope="col">Passage</th>
                </tr>
              </thead>
              <tbody>
                {found.passages.map((passage, place) => (
                  <tr key={`${passage.documentId} ${String(place)}`}>
                    <td className="number">{passage.score.toFixed(3)}</td>
                    <td>{placeOf(passage)}</td>
                    <td className="passage">{passage.text}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </Card>
      )}
    </>
  );
}

function Gate({ found, threshold }: { found: NonNullable<Trial['found']>; threshold: number }) {
  const isEnough = found.passages.length > 0 && found.confidence >= threshold;
  return (
    <p>
      <span className={`status ${isEnough ? 'ready' : 'failed'}`}>
        {isEnough ? 'enough evidence' : 'not enough evidence'}
      </span>{' '}
      {found.passages.length === 0
        ? 'Nothing was found.'
        : `The evidence weighs ${found.confidence.toFixed(2)}; from ${threshold.toFixed(2)} on the question is answered.`}
    </p>
  );
}
