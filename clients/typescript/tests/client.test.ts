// Against a running service: URL, TOKEN of who may do everything, GONE a cursor of a history that is no more.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryStore, ProblemError, WardPolicy } from 'ward-policy-client';
import type { Kept, Options, OrganizationInput } from 'ward-policy-client';

const url = process.env['URL'] ?? '';
const token = process.env['TOKEN'] ?? '';
const POLICY = { organization: 'nishi', fiscal_year: 2024 };
const RESULT = '/v1/indicators/{id}/results/{fiscal_year}';
const reason = '試験';

/** A client, and the statuses of what it was answered. */
function counted(options: Options = {}): { api: WardPolicy; statuses: number[] } {
  const statuses: number[] = [];
  const api = new WardPolicy(url, {
    ...options,
    fetch: async (...given) => {
      const response = await fetch(...given);
      statuses.push(response.status);
      return response;
    },
  });
  return { api, statuses };
}

/** Without those that said to come back. */
const answered = (statuses: number[]): number[] => statuses.filter((status) => ![429, 503].includes(status));

const api = new WardPolicy(url);
const staff = new WardPolicy(url, { token, language: 'en' });

async function collected<T>(items: AsyncIterable<T> | Iterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** The results of the sample that have a value. */
async function results(): Promise<{ id: string; fiscal_year: number }[]> {
  const all = await collected(api.items('/v1/results', POLICY));
  return all.filter((it) => it.value !== null).map((it) => ({ id: it.indicator_id, fiscal_year: it.fiscal_year }));
}

async function problemOf(promise: Promise<unknown>): Promise<ProblemError> {
  const problem = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  assert(problem instanceof ProblemError, String(problem));
  return problem;
}

function bureau(slug: string): OrganizationInput {
  return { slug, kind: 'bureau', name: slug, display_order: 9000 };
}

test('a list is read to its end, each thing once', async () => {
  const { total } = await api.get('/v1/evaluations', { include_total: true, limit: 1 });
  const rows = await collected(api.items('/v1/evaluations', { limit: 3 }));
  assert.equal(new Set(rows.map((row) => row.indicator_id)).size, rows.length);
  assert.equal(rows.length, total);
  assert((total ?? 0) > 3);
});

test('a list that changes while it is read keeps its place', async () => {
  const create = (slug: string): Promise<unknown> => staff.write('post', '/v1/organizations', { body: bureau(slug) });
  for (const slug of ['zz-a', 'zz-b', 'zz-d', 'zz-e', 'zz-f']) await create(slug);
  const seen: string[] = [];
  for await (const { slug } of staff.items('/v1/organizations', { limit: 2, sort: 'slug', kind: 'bureau' })) {
    seen.push(slug);
    if (slug !== 'zz-b') continue;
    // What was read goes, as do the place itself and what would come next; something comes before, something after.
    for (const organization of ['zz-a', 'zz-b', 'zz-d']) {
      await staff.write('delete', '/v1/organizations/{organization}', { params: { organization }, ifMatch: '*', reason });
    }
    for (const slug of ['zz-0', 'zz-c']) await create(slug);
  }
  assert.deepEqual(
    seen.filter((slug) => slug.startsWith('zz-')),
    ['zz-a', 'zz-b', 'zz-c', 'zz-e', 'zz-f'],
  );
});

test('what has not changed comes from the store', async () => {
  const path = '/v1/organizations/{organization}';
  const kept = new Map<string, Kept>();
  const { api, statuses } = counted({ store: kept });
  const first = await api.get(path, { organization: 'kita' });
  const name = first.name;
  first.name = 'somebody changes what was given';
  assert.equal((await api.get(path, { organization: 'kita' })).name, name);
  // Another client of the same store, as after a restart.
  const later = counted({ store: kept });
  assert.equal((await later.api.get(path, { organization: 'kita' })).name, name);
  await staff.update(path, { organization: 'kita' }, (it) => ({ name_en: `${it.name_en ?? ''}!` }), { reason });
  assert.equal((await api.get(path, { organization: 'kita' })).name_en, `${first.name_en ?? ''}!`);
  assert.deepEqual([answered(statuses), answered(later.statuses)], [[200, 304, 200], [304]]);
  assert.equal(kept.size, 1);
});

test('what is not to be kept is not kept', async () => {
  const kept = new Map<string, Kept>();
  const client = new WardPolicy(url, { token, store: kept });
  const { etag } = await client.read('/v1/me');
  assert.notEqual(etag, '');
  assert.equal(kept.size, 0);
});

test('the store in memory lets the oldest go', () => {
  const store = new MemoryStore(2);
  for (const name of ['a', 'b', 'a', 'c']) store.set(name, { etag: name, body: '' });
  assert.deepEqual(['a', 'b', 'c'].map((name) => store.get(name)?.etag), ['a', undefined, 'c']);
});

test('decimals have the digits that were sent', async () => {
  const [params] = await results();
  assert(params);
  for (const value of ['81.20', '0.1', '100', '999999.123456789', '-0.50', '999999999999999']) {
    const patch = { value, text: value };
    const { value: stored }: { value: string | null } = await staff.update(RESULT, params, () => patch, { reason });
    assert.deepEqual([stored, (await api.get(RESULT, params)).value], [value, value]);
  }
  assert.notEqual(String(Number('81.20')), '81.20');
  // The same in what has no types, and whole numbers stay numbers, also under a name that decimals have elsewhere.
  const { rows } = await api.snapshot();
  const things = await collected(rows);
  const result = things.find((row) => row.type === 'result' && row.state['indicator_id'] === params.id);
  assert.deepEqual([result?.state['value'], result?.state['fiscal_year']], ['999999999999999', 2024]);
  const { items } = await api.get('/v1/budgets/summary', { organization: 'nishi' });
  assert.deepEqual([typeof items[0]?.sum.stated, typeof items[0]?.sum.amount_yen], ['number', 'number']);
  // A text that is no number stays one, and is refused as one.
  const refused = staff.update(RESULT, params, () => ({ value: '1,000' }), { reason });
  assert.deepEqual((await problemOf(refused)).problem.errors.map((error) => error.pointer), ['/value']);
});

test('what is refused names every broken rule and its place', async () => {
  const body = { ...bureau('zz-x'), slug: 'Not a slug', name: '', display_order: -1 };
  const problem = await problemOf(staff.write('post', '/v1/organizations', { body }));
  assert.equal(problem.status, 422);
  assert.equal(problem.problem.type, '/problems/invalid');
  assert.deepEqual(problem.problem.errors.map((error) => error.pointer).sort(), ['/display_order', '/name', '/slug']);
  assert.match(problem.message, /\n {2}\/display_order: /);
  // @ts-expect-error The types know the codes,
  const unknown = await problemOf(api.get('/v1/evaluations', { outcome: 'acheived' }));
  const [error] = unknown.problem.errors;
  assert.deepEqual([unknown.status, error?.parameter, error?.suggestion], [400, 'outcome', 'achieved']);
  // @ts-expect-error and the names of parameters.
  assert.equal((await problemOf(api.get('/v1/evaluations', { fiscal_yaer: 2024 }))).status, 400);
});

test('a change is tried again where somebody else changes the thing in between', async () => {
  const [, params] = await results();
  assert(params);
  const other = new WardPolicy(url, { token });
  const seen: (string | null)[] = [];
  const stored = await staff.update(
    RESULT,
    params,
    async (current) => {
      seen.push(current.comment);
      if (seen.length === 1) await other.update(RESULT, params, () => ({ comment: '別の人' }), { reason });
      return { comment: `${current.comment ?? ''}と私` };
    },
    { reason },
  );
  assert.equal(seen.length, 2);
  assert.deepEqual([seen[1], stored.comment], ['別の人', '別の人と私']);
});

test('a change is given up where there is always somebody else', async () => {
  const [, , params] = await results();
  assert(params);
  const patient = new WardPolicy(url, { token, attempts: 3 });
  let calls = 0;
  const change = async (): Promise<{ comment: string }> => {
    calls++;
    await staff.update(RESULT, params, () => ({ comment: `${calls}` }), { reason });
    return { comment: 'never' };
  };
  assert.equal((await problemOf(patient.update(RESULT, params, change, { reason }))).status, 412);
  assert.equal(calls, 3);
  const untouched = await patient.update(RESULT, params, () => null);
  assert.equal(untouched.comment, '3');
});

test('a write under a key is made once', async () => {
  const write = { body: bureau('zz-key'), idempotencyKey: crypto.randomUUID() };
  const first = await staff.write('post', '/v1/organizations', write);
  assert.deepEqual(await staff.write('post', '/v1/organizations', write), first);
});

test('a former name leads to what it named', async () => {
  await staff.write('post', '/v1/organizations', { body: bureau('zz-former') });
  const path = '/v1/organizations/{organization}';
  await staff.update(path, { organization: 'zz-former' }, () => ({ slug: 'zz-present' }), { reason });
  const stored = await staff.update(path, { organization: 'zz-former' }, () => ({ name: '今の名の局' }), { reason });
  assert.deepEqual([stored.slug, stored.name], ['zz-present', '今の名の局']);
});

test('changes come in their order, until there are none', async () => {
  const { cursor } = await api.get('/v1/changes/head');
  for (const name_en of ['One', 'Two']) {
    await staff.update('/v1/organizations/{organization}', { organization: 'abeno' }, () => ({ name_en }), { reason });
  }
  const pages = await collected(api.changes(cursor, { wait: 0, limit: 1, organization: 'abeno' }));
  const names = pages.flatMap((page) => page.items.map((change) => change.after?.['name_en']));
  assert.deepEqual(names, ['One', 'Two']);
});

test('a cursor of a history that is no more is told, and a copy begins anew', async () => {
  const gone = process.env['GONE'] ?? '';
  const problem = await problemOf(collected(api.changes(gone, { wait: 0 })));
  assert.deepEqual([problem.status, problem.problem.type], [410, '/problems/gone']);
  const steps: boolean[] = [];
  for await (const step of api.mirror(gone, { wait: 0 })) {
    const rows = await collected(step.rows);
    if (step.anew) assert(rows.length > 50);
    steps.push(step.anew);
  }
  assert.equal(steps[0], true);
  assert.equal(steps.filter(Boolean).length, 1);
});

test('a snapshot that is not read to its end is let go', async () => {
  // Two at a time are served.
  for (let n = 0; n < 4; n++) {
    for await (const step of counted({ attempts: 1 }).api.mirror(null)) {
      assert(step.anew);
      break;
    }
  }
});

const NOTHING = { get: () => undefined, set: () => undefined };

/** Asks so many times at once. */
function ask({ api }: { api: WardPolicy }, times: number): Promise<unknown>[] {
  return Array.from({ length: times }, () => api.get('/v1/organizations/{organization}', { organization: 'minato' }));
}

for (const [said, times] of [
  [429, 80],
  [503, 12],
] as const) {
  test(`a service that says ${said} is asked again when it says`, async () => {
    const patient = counted({ attempts: 30, store: NOTHING });
    for (let round = 1; !patient.statuses.includes(said); round++) {
      assert(round <= 50, `nobody was told ${said}`);
      assert.equal((await Promise.all(ask(patient, times))).length, times);
      assert.deepEqual(new Set(answered(patient.statuses)), new Set([200]));
    }
  });
}

test('attempts have an end', async () => {
  const hasty = counted({ attempts: 1, store: NOTHING });
  const settled = await Promise.allSettled(ask(hasty, 80));
  const refused = settled.filter((it) => it.status === 'rejected').map((it) => it.reason as ProblemError);
  assert(refused.length > 0 && refused.every((it) => [429, 503].includes(it.status)));
  assert.equal(hasty.statuses.length, 80);
});

test('whoever gives up is not kept waiting', async () => {
  const { cursor } = await api.get('/v1/changes/head');
  const controller = new AbortController();
  const impatient = new WardPolicy(url, { signal: controller.signal });
  const waiting = impatient.changes(cursor, { wait: 60, organization: 'konohana' }).next();
  controller.abort();
  await assert.rejects(waiting, { name: 'AbortError' });
});
