/** One question and its answer, as the visitor saw it. */
import { lazy, Suspense } from 'react';
import type { Source } from '../../shared/python-backend-types.ts';

const Text = lazy(() => import('./text.tsx'));

export function Answer({ text, sources }: { text: string; sources: Source[] }) {
  return (
    <div className="answer">
      <Suspense fallback={<p>{text}</p>}>
        <Text>{text}</Text>
      </Suspense>
      {sources.length === 0 ? null : (
        <ol className="sources" aria-label="Sources">
          {sources.map((source) => (
            <li key={source.n} value={source.n}>
              <details>
                <summary>{placeOf(source)}</summary>
                <p>{source.snippet}</p>
              </details>
            </li>
          ))}
        </ol>
      )}
    </div>
  );
}

/** Title, page and heading. */
export function placeOf(source: Pick<Source, 'title' | 'page' | 'pageEnd' | 'row' | 'heading'>): string {
  const { title, page, pageEnd, row, heading } = source;
  const pages =
    page === undefined
      ? undefined
      : pageEnd === undefined
        ? `p. ${String(page)}`
        : `pp. ${String(page)}–${String(pageEnd)}`;
  const rowName = row === undefined ? undefined : `row ${String(row)}`;
  return [title, pages, rowName, heading].filter((part) => part !== undefined && part !== '').join(' · ');
}
