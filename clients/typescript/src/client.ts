import type { Change, ChangePage, SnapshotEnd, SnapshotHead, SnapshotRow } from './contract.js';
import { parse, stringify } from './json.js';
import { ProblemError, problemOf } from './problem.js';
import { MemoryStore } from './store.js';
import type { Store } from './store.js';
import type { Answer, Given, Item, ListPath, Parameters, PathOf, Sent } from './types.js';

export type { Given };

export interface Options {
  /** The token; what is public needs none. */
  token?: string;
  /** The language of problems: Japanese unless said otherwise. */
  language?: 'ja' | 'en';
  /** Where answers are kept to be asked for again by their tags. */
  store?: Store;
  /** How often at most a request is made, or a change tried. */
  attempts?: number;
  /** How many seconds at most the service may ask to wait before the next attempt. */
  longestWait?: number;
  /** After how many seconds a request is given up; while it is streamed, nobody counts. */
  timeout?: number;
  /** Gives up whatever is under way. */
  signal?: AbortSignal;
  /** What makes a request, instead of the platform's `fetch`. */
  fetch?: typeof fetch;
}

/** Something that was read, and the tag of its state. */
export interface Tagged<T> {
  value: T;
  etag: string;
}

type Method = 'post' | 'put' | 'patch' | 'delete';

/** What goes with a write; an address, a body and parameters have types of their own. */
interface Conditions {
  /** Why something public changes. */
  reason?: string;
  /** The tag of the state that is changed, or `*` for any. */
  ifMatch?: string;
  /** `*`: only if there is nothing yet. */
  ifNoneMatch?: '*';
  /** A key that is new for every write: with it a write is made once, however often it is sent. */
  idempotencyKey?: string;
}
export type WriteOptions<M extends Method, P extends PathOf<M>> = Conditions &
  (object extends Parameters<M, P> ? { params?: Parameters<M, P> } : { params: Parameters<M, P> }) &
  (Sent<M, P> extends undefined ? unknown : { body: Sent<M, P> });

/** A thing of the service as it is now; `state` is null where it is gone, or the caller may not see it any more. */
export interface Row {
  type: Change['type'];
  id: string;
  state: Record<string, unknown> | null;
}

export interface Snapshot {
  head: SnapshotHead;
  /** Throws where the snapshot broke off. */
  rows: AsyncGenerator<SnapshotRow, void, undefined>;
  /** Lets go of what was not read. */
  close(): Promise<void>;
}

/** What a copy has to do next, in one transaction. */
export interface MirrorStep {
  /** Whether everything is to be dropped first. */
  anew: boolean;
  rows: AsyncIterable<Row> | Iterable<Row>;
  /** To be stored with the rows; `mirror` goes on from it. */
  cursor: string;
}

export interface Waiting {
  /** For how many seconds the service may hold an answer until there is a change; with 0, nobody waits for changes. */
  wait?: number;
}

/** The service. */
export class WardPolicy {
  readonly #url: string;
  readonly #options: Options;
  readonly #store: Store;
  readonly #attempts: number;
  /** Of the last write: what is read after it is at least as new. */
  #consistency: string | null = null;

  constructor(url: string, options: Options = {}) {
    this.#url = url.replace(/\/+$/, '');
    this.#options = options;
    this.#store = options.store ?? new MemoryStore();
    this.#attempts = options.attempts ?? 5;
  }

  /** Reads something. What is kept and still the newest is not sent again. */
  async get<P extends PathOf<'get'>>(path: P, ...[params]: Given<Parameters<'get', P>>): Promise<Answer<'get', P>> {
    return (await this.#read<Answer<'get', P>>(this.#address(path, params))).value;
  }

  /** Reads something with the tag of its state, by which it can be changed. */
  read<P extends PathOf<'get'>>(path: P, ...[params]: Given<Parameters<'get', P>>): Promise<Tagged<Answer<'get', P>>> {
    return this.#read(this.#address(path, params));
  }

  /** Everything in a list, page by page. The place is kept whatever is written in the meantime. */
  async *items<P extends ListPath>(
    path: P,
    ...[params]: Given<Parameters<'get', P>>
  ): AsyncGenerator<Item<P>, void, undefined> {
    let cursor: { cursor?: string } = {};
    for (;;) {
      const address = this.#address(path, { ...params, ...cursor });
      const { value } = await this.#read<{ items: Item<P>[]; next_cursor: string | null }>(address);
      yield* value.items;
      if (value.next_cursor === null) return;
      cursor = { cursor: value.next_cursor };
    }
  }

  /** Writes something, and gives what is answered. */
  write<M extends Method, P extends PathOf<M>>(
    method: M,
    path: P,
    ...[options]: Given<WriteOptions<M, P>>
  ): Promise<Answer<M, P>> {
    const given: Conditions & { params?: object | undefined; body?: unknown } = options ?? {};
    return this.#write(method, this.#address(path, given.params), given.body, given);
  }

  /**
   * Changes something: `change` gets it as it is, and gives the members that become others, or null for no change. Where
   * somebody else changes it in between, it is read again, and `change` is called again. Gives the thing as it is then.
   */
  async update<P extends PathOf<'get'> & PathOf<'patch'>>(
    path: P,
    params: Parameters<'patch', P>,
    change: (current: Answer<'get', P>) => Sent<'patch', P> | null | Promise<Sent<'patch', P> | null>,
    options: { reason?: string } = {},
  ): Promise<Answer<'get', P> | Answer<'patch', P>> {
    const address = this.#address(path, params);
    for (let attempt = 1; ; attempt++) {
      const { value, etag } = await this.#read<Answer<'get', P>>(address);
      const patch = await change(value);
      if (patch === null) return value;
      const conditions = { ...options, ifMatch: etag, idempotencyKey: crypto.randomUUID() };
      try {
        return await this.#write<Answer<'patch', P>>('patch', address, patch, conditions);
      } catch (error) {
        const changed = error instanceof ProblemError && error.status === 412;
        if (!changed || attempt >= this.#attempts) throw error;
      }
    }
  }

  /** Everything the caller may see, and the cursor from which `changes` goes on. */
  async snapshot(): Promise<Snapshot> {
    const { response } = await this.#send(`${this.#url}/v1/snapshot`, {}, { repeatable: true, streamed: true });
    const lines = linesOf(response);
    const first = await lines.next();
    if (first.done === true) throw new Error('an empty snapshot');
    const close = async (): Promise<void> => {
      await lines.return();
    };
    return { head: parse<SnapshotHead>(first.value), rows: rowsOf(lines), close };
  }

  /** The changes after a cursor, page by page, for ever; or until there is none, with `wait: 0`. */
  async *changes(
    cursor: string,
    { wait = 60, ...filter }: Waiting & Omit<Parameters<'get', '/v1/changes'>, 'wait' | 'cursor'> = {},
  ): AsyncGenerator<ChangePage, void, undefined> {
    for (;;) {
      const address = this.#address('/v1/changes', { ...filter, wait, cursor });
      const { text } = await this.#send(address, {}, { repeatable: true, seconds: wait });
      const page = parse<ChangePage>(text);
      yield page;
      if (wait === 0 && page.next === cursor) return;
      cursor = page.next;
    }
  }

  /**
   * Keeps a copy in step: from nothing, or from the cursor of the last step that was stored. Where the service no longer
   * knows that cursor, as after its database was restored, the copy begins anew. A step comes every `wait` seconds at
   * least, if only an empty one: time to ask again for what a day turns, such as evaluations.
   */
  async *mirror(from: string | null, { wait = 60 }: Waiting = {}): AsyncGenerator<MirrorStep, void, undefined> {
    let cursor = from;
    for (;;) {
      // A cursor of a snapshot that is gone before a single answer: no new snapshot would help.
      let isNew = cursor === null;
      if (cursor === null) {
        const { head, rows, close } = await this.snapshot();
        cursor = head.cursor;
        try {
          yield { anew: true, rows, cursor };
        } finally {
          await close();
        }
      }
      try {
        for await (const page of this.changes(cursor, { wait })) {
          isNew = false;
          cursor = page.next;
          yield { anew: false, rows: page.items.map(rowOf), cursor };
        }
        return;
      } catch (error) {
        if (isNew || !(error instanceof ProblemError && error.status === 410)) throw error;
        cursor = null;
      }
    }
  }

  #address(path: string, params: object = {}): string {
    const rest = new Map(Object.entries(params).filter(([, value]) => value !== undefined));
    const address = path.replace(/\{(\w+)\}/g, (_, name: string) => {
      const value: unknown = rest.get(name);
      rest.delete(name);
      return encodeURIComponent(String(value));
    });
    const query = new URLSearchParams([...rest].map(([name, value]) => [name, String(value)]));
    return `${this.#url}${address}${query.size > 0 ? `?${query}` : ''}`;
  }

  async #read<T>(url: string): Promise<Tagged<T>> {
    const kept = await this.#store.get(url);
    const headers = kept ? { 'If-None-Match': kept.etag } : {};
    const { response, text } = await this.#send(url, headers, { repeatable: true });
    if (response.status === 304 && kept) return { value: parse<T>(kept.body), etag: kept.etag };
    const answer = { etag: response.headers.get('etag') ?? '', body: text };
    const mayBeKept = !response.headers.get('cache-control')?.includes('no-store');
    if (answer.etag !== '' && mayBeKept) await this.#store.set(url, answer);
    return { value: parse<T>(answer.body), etag: answer.etag };
  }

  async #write<T>(method: Method, url: string, body: unknown, conditions: Conditions): Promise<T> {
    const headers: Record<string, string> = {};
    if (body !== undefined) {
      headers['Content-Type'] = method === 'patch' ? 'application/merge-patch+json' : 'application/json';
    }
    if (conditions.reason !== undefined) headers['Change-Reason'] = encodeURIComponent(conditions.reason);
    if (conditions.ifMatch !== undefined) headers['If-Match'] = conditions.ifMatch;
    if (conditions.ifNoneMatch !== undefined) headers['If-None-Match'] = conditions.ifNoneMatch;
    if (conditions.idempotencyKey !== undefined) headers['Idempotency-Key'] = conditions.idempotencyKey;
    const init = { method: method.toUpperCase(), ...(body === undefined ? {} : { body: stringify(body) }) };
    const repeatable = conditions.idempotencyKey !== undefined;
    const { response, text } = await this.#send(url, headers, { repeatable }, init);
    this.#consistency = response.headers.get('x-consistency-token') ?? this.#consistency;
    return (response.status === 204 ? undefined : parse<T>(text)) as T;
  }

  /**
   * Makes a request, and makes it again where the service is busy. What may be carried out twice without harm
   * (`repeatable`) is also made again where nobody knows what became of it.
   */
  async #send(
    url: string,
    headers: { [name: string]: string },
    how: { repeatable: boolean; streamed?: boolean; seconds?: number },
    init: RequestInit = {},
  ): Promise<{ response: Response; text: string }> {
    const { token, language, timeout = 30, longestWait = 60, signal } = this.#options;
    const request = this.#options.fetch ?? ((...given) => fetch(...given));
    const sent = new Headers({ Accept: '*/*', ...headers });
    if (token !== undefined) sent.set('Authorization', `Bearer ${token}`);
    if (language !== undefined) sent.set('Accept-Language', language);
    if (this.#consistency !== null && init.method === undefined) sent.set('X-Consistency-Token', this.#consistency);
    for (let attempt = 1; ; attempt++) {
      const signals = signal === undefined ? [] : [signal];
      if (how.streamed !== true) signals.push(AbortSignal.timeout((timeout + (how.seconds ?? 0)) * 1000));
      let failure: unknown;
      let wait = 2 ** (attempt - 1);
      try {
        const response = await request(url, { ...init, headers: sent, signal: AbortSignal.any(signals) });
        if (response.ok || response.status === 304) {
          return { response, text: how.streamed === true ? '' : await response.text() };
        }
        failure = await problemOf(response);
        const again = [429, 503].includes(response.status) || (response.status === 504 && how.repeatable);
        wait = secondsUntil(response.headers.get('retry-after')) ?? wait;
        if (!again || wait > longestWait) throw failure;
      } catch (error) {
        if (error === failure || signal?.aborted === true || !how.repeatable) throw error;
        failure = error;
      }
      if (attempt >= this.#attempts) throw failure;
      // Not all who were told to come back come at once.
      await pause(wait * (1 + Math.random() / 2), signal);
    }
  }
}

/** What `Retry-After` says: seconds, or a moment. */
function secondsUntil(said: string | null): number | undefined {
  if (said === null) return undefined;
  const seconds = /^\d+$/.test(said) ? Number(said) : (Date.parse(said) - Date.now()) / 1000;
  return Number.isNaN(seconds) ? undefined : Math.max(0, seconds);
}

function pause(seconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const give_up = (): void => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', give_up);
      resolve();
    }, seconds * 1000);
    signal?.addEventListener('abort', give_up, { once: true });
  });
}

async function* linesOf(response: Response): AsyncGenerator<string, void, undefined> {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  try {
    for (;;) {
      const { done, value } = (await reader?.read()) ?? { done: true };
      if (done) break;
      const lines = (rest + value).split('\n');
      rest = lines.pop() ?? '';
      yield* lines;
    }
    if (rest !== '') yield rest;
  } finally {
    await reader?.cancel();
  }
}

/** The rows of a snapshot, whose last line says how many there are. */
async function* rowsOf(lines: AsyncGenerator<string, void, undefined>): AsyncGenerator<SnapshotRow, void, undefined> {
  let rows = 0;
  for await (const text of lines) {
    const line = parse<SnapshotRow | SnapshotEnd>(text);
    if ('end' in line) {
      if (line.rows !== rows) throw new Error(`a snapshot of ${line.rows} rows has ${rows}`);
      return;
    }
    rows++;
    yield line;
  }
  throw new Error(`a snapshot broke off after ${rows} rows`);
}

function rowOf(change: Change): Row {
  return { type: change.type, id: change.id, state: change.after };
}
