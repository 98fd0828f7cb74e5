import createClient from 'openapi-fetch';
import { changed, expect, reason, table, token, url } from './expect';
import type { components, paths } from './client/schema';

const api = createClient<paths>({ baseUrl: url, headers: { Authorization: `Bearer ${token}` } });

// All evaluations, page by page.
const read = async (cursor: string | null): Promise<components['schemas']['EvaluationRowPage']> => {
  const { data } = await api.GET('/v1/evaluations', {
    params: { query: { limit: 4, include_total: true, ...(cursor === null ? {} : { cursor }) } },
  });
  expect(data !== undefined, 'a page of evaluations');
  return data;
};
let page = await read(null);
const rows = [...page.items];
while (page.next_cursor !== null) {
  page = await read(page.next_cursor);
  rows.push(...page.items);
}
expect(rows.length > 4 && rows.length === page.total, `${rows.length} of ${page.total} evaluations`);
const outcomes: components['schemas']['Outcome'][] = rows.map((row) => row.outcome);
expect(outcomes.includes('achieved'), 'an outcome that is one of its codes');

// A policy with everything below it.
const { data: tree } = await api.GET('/v1/policies/{organization}/{fiscal_year}/tree', {
  params: { path: { organization: 'nishi', fiscal_year: 2024 } },
});
const indicators = tree?.goals.flatMap((goal) => goal.indicators) ?? [];
expect(indicators.length === rows.length, 'the indicators of the tree');
const indicator = indicators.find((it) => typeof it.results[0]?.value === 'number')?.id;
expect(typeof indicator === 'string', 'an indicator with a value');

// A result, as long as nobody has changed it.
const path = { id: indicator, fiscal_year: 2024 };
const found = await api.GET('/v1/indicators/{id}/results/{fiscal_year}', { params: { path } });
const etag = found.response.headers.get('etag');
const value = changed(found.data?.value ?? 0);
expect(etag !== null, 'a tag');
const store = (tag: string) =>
  api.PUT('/v1/indicators/{id}/results/{fiscal_year}', {
    params: { path, header: { 'If-Match': tag, 'Change-Reason': reason } },
    body: { fiscal_year: 2024, value, value_status: 'reported', observation_status: 'final' },
  });
const stored = await store(etag);
expect(stored.data?.value === value, 'the stored value');
expect(![null, etag].includes(stored.response.headers.get('etag')), 'a new tag');
const late = await store(etag);
expect(late.response.status === 412 && late.error?.type === '/problems/precondition-failed', 'a problem');

// A table as CSV.
const imported = await api.POST('/v1/imports/results', {
  params: { header: { 'Change-Reason': reason } },
  // What is binary is a string in the types of this generator.
  body: table(indicator, changed(value)) as unknown as string,
  bodySerializer: (body) => body,
  headers: { 'Content-Type': 'text/csv' },
});
expect(imported.data?.format === 'csv' && imported.data.stored && imported.data.changed === 1, 'a report');
