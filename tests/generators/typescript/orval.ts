import { changed, expect, reason, table, token } from './expect';
import { importResults, listEvaluations, readPolicyTree, readResult, replaceResult } from './client';
import type { EvaluationRowPage, Outcome } from './client';

const headers = { Authorization: `Bearer ${token}` };

// All evaluations, page by page.
const read = async (cursor: string | null): Promise<EvaluationRowPage> => {
  const page = await listEvaluations({ limit: 4, include_total: true, ...(cursor === null ? {} : { cursor }) });
  expect(page.status === 200, 'a page of evaluations');
  return page.data;
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
const tree = await readPolicyTree('nishi', 2024);
expect(tree.status === 200, 'a tree');
const indicators = tree.data.goals.flatMap((goal) => goal.indicators);
expect(indicators.length === rows.length, 'the indicators of the tree');
const indicator = indicators.find((it) => typeof it.results[0]?.value === 'number')?.id;
expect(typeof indicator === 'string', 'an indicator with a value');

// A result, as long as nobody has changed it.
const found = await readResult(indicator, 2024);
expect(found.status === 200, 'a result');
const etag = found.headers.get('etag');
const value = changed(found.data.value ?? 0);
expect(etag !== null, 'a tag');
const store = (tag: string) =>
  replaceResult(
    indicator,
    2024,
    { fiscal_year: 2024, value, value_status: 'reported', observation_status: 'final' },
    { headers: { ...headers, 'If-Match': tag, 'Change-Reason': reason } },
  );
const stored = await store(etag);
expect(stored.status === 200 && stored.data.value === value, 'the stored value');
expect(![null, etag].includes(stored.headers.get('etag')), 'a new tag');
const late = await store(etag);
expect(late.status === 412 && late.data.type === '/problems/precondition-failed', 'a problem');

// A table as CSV.
const imported = await importResults(table(indicator, changed(value)), undefined, {
  headers: { ...headers, 'Change-Reason': reason },
});
expect(imported.status === 200, 'a report');
expect(imported.data.format === 'csv' && imported.data.stored && imported.data.changed === 1, 'a report');
