// What the programs of all generators share: where the service is, and what they say and check.

declare const process: { env: Record<string, string | undefined> };

function setting(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
}

export const url = setting('URL');
export const token = setting('TOKEN');
/** Sent with every change, since the policy is public. */
export const reason = encodeURIComponent('試験');

export function expect(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(`not as expected: ${what}`);
}

/** A value that is another one. */
export const changed = (value: number): number => Math.round(value * 10 + 1) / 10;

/** A table of one result, as a spreadsheet program saves it. */
export const table = (indicator: string, value: number): Blob =>
  new Blob([`指標ID,年度,実績値\r\n${indicator},2024,${value}\r\n`], { type: 'text/csv' });
