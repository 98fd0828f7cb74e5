import { changed, expect, reason, table, token, url } from './expect';
import { importResults, listEvaluations, readPolicyTree, readResult, replaceResult } from './client';
import type { EvaluationRowPage, Outcome } from './client';
import { client } from './client/client.gen';

client.setConfig({ baseUrl: url, auth: token });

// All evaluations, page by page. Answers are checked by the schemas of zod.
const read = async (cursor: string | null): Promise<EvaluationRowPage> => {
  const query = { limit: 4, include_total: true, ...(cursor === null ? {} : { cursor }) };
  const { data } = await listEvaluations({ query, throwOnError: true });
  return data;
};
let page = await read(null);
const rows = [...page.items];
while (page.next_cursor !== null) {
  page = await read(page.next_cursor);
  rows.push(...page.items);
}
expect(rows.length > 4 && rows.length === page.total, `${rows.length} of ${page.total} evaluations`);
const outcomes: Outcome[] = rows.map((row) => row.outcome);
expect(outcomes.includes('achieved'), 'an outcome that is one of its codes');

// A policy with everything below it.
const { data: tree } = await readPolicyTree({ path: { organization: 'nishi', fiscal_year: 2024 }, throwOnError: true });
const indicators = tree.goals.flatMap((goal) => goal.indicators);
expect(indicators.length === rows.length, 'the indicators of the tree');
const indicator = indicators.find((it) => typeof it.results[0]?.value === 'number')?.id;
expect(typeof indicator === 'string', 'an indicator with a value');

// A result, as long as nobody has changed it.
const path = { id: indicator, fiscal_year: 2024 };
const found = await readResult({ path, throwOnError: true });
const etag = found.response.headers.get('etag');
const value = changed(found.data.value ?? 0);
expect(etag !== null, 'a tag');
const store = (tag: string) =>
  replaceResult({
    path,
    headers: { 'If-Match': tag, 'Change-Reason': reason },
    body: { fiscal_year: 2024, value, value_status: 'reported', observation_status: 'final' },
  });
const stored = await store(etag);
expect(stored.data?.value === value, 'the stored value');
expect(![null, undefined, etag].includes(stored.response?.headers.get('etag')), 'a new tag');
const late = await store(etag);
expect(late.response?.status === 412 && late.error?.type === '/problems/precondition-failed', 'a problem');

// A table as CSV.
const { data: report } = await importResults({
  headers: { 'Change-Reason': reason },
  body: table(indicator, changed(value)),
  throwOnError: true,
});
expect(report.format === 'csv' && report.stored && report.changed === 1, 'a report');
