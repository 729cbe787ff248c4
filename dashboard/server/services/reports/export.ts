/** Rows as CSV (RFC 4180) and JSON, as they come. */

/** What a spreadsheet would run is text: OWASP, "CSV Injection". */
const RUN = /^[=+\-@\t\r]/;

export function csvLine(cells: unknown[]): string {
  return `${cells.map(csvCell).join(',')}\r\n`;
}

function csvCell(value: unknown): string {
  const text =
    value instanceof Date
      ? value.toISOString()
      : typeof value === 'string'
        ? value
        : value === null || value === undefined
          ? ''
          : JSON.stringify(value);
  const safe = typeof value === 'string' && RUN.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** The lines of a CSV file; the mark in front tells spreadsheets that it is UTF-8. */
export async function* csv<T extends object>(rows: AsyncIterable<T>, columns: (keyof T)[]): AsyncGenerator<string> {
  yield `\uFEFF${csvLine(columns)}`;
  for await (const row of rows) yield csvLine(columns.map((column) => row[column]));
}

/** A JSON array, an element a line. */
export async function* jsonArray(rows: AsyncIterable<object>): AsyncGenerator<string> {
  let separator = '[\n';
  for await (const row of rows) {
    yield separator + JSON.stringify(row);
    separator = ',\n';
  }
  yield separator === '[\n' ? '[]\n' : '\n]\n';
}
