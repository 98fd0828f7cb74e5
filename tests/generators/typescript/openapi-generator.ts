import { changed, expect, reason, table, token, url } from './expect';
import { Configuration, EvaluationsApi, ImportsApi, PoliciesApi, ResponseError, ResultsApi } from './client';
import type { EvaluationRowPage, Outcome } from './client';

const configuration = new Configuration({ basePath: url, accessToken: token });

// All evaluations, page by page.
const evaluations = new EvaluationsApi(configuration);
const read = (cursor: string | null): Promise<EvaluationRowPage> =>
  evaluations.listEvaluations({ limit: 4, includeTotal: true, ...(cursor === null ? {} : { cursor }) });
let page = await read(null);
const rows = [...page.items];
while (page.nextCursor !== null) {
  page = await read(page.nextCursor);
  rows.push(...page.items);
}
expect(rows.length > 4 && rows.length === page.total, `${rows.length} of ${page.total} evaluations`);
const outcomes: Outcome[] = rows.map((row) => row.outcome);
expect(outcomes.includes('achieved'), 'an outcome that is one of its codes');

// A policy with everything below it.
const tree = await new PoliciesApi(configuration).readPolicyTree({ organization: 'nishi', fiscalYear: 2024 });
const indicators = tree.goals.flatMap((goal) => goal.indicators);
expect(indicators.length === rows.length, 'the indicators of the tree');
const indicator = indicators.find((it) => typeof it.results[0]?.value === 'number')?.id;
expect(typeof indicator === 'string', 'an indicator with a value');

// A result, as long as nobody has changed it.
const results = new ResultsApi(configuration);
const path = { id: indicator, fiscalYear: 2024 };
const found = await results.readResultRaw(path);
const etag = found.raw.headers.get('etag');
const value = changed((await found.value()).value ?? 0);
expect(etag !== null, 'a tag');
const store = (ifMatch: string) =>
  results.replaceResultRaw({
    ...path,
    ifMatch,
    changeReason: reason,
    resultInput: { fiscalYear: 2024, value, valueStatus: 'reported', observationStatus: 'final' },
  });
const stored = await store(etag);
expect((await stored.value()).value === value, 'the stored value');
expect(![null, etag].includes(stored.raw.headers.get('etag')), 'a new tag');
const late = await store(etag).catch((error: unknown) => error);
expect(late instanceof ResponseError && late.response.status === 412, 'a problem');

// A table as CSV.
const report = await new ImportsApi(configuration).importResults({
  changeReason: reason,
  body: table(indicator, changed(value)),
});
expect(report.format === 'csv' && report.stored && report.changed === 1, 'a report');
