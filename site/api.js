// The service as the site uses it: the public interface, and nothing else. The browser keeps what was read and asks with
// its ETag (If-None-Match); what has not changed costs a 304 without a body.

import { lang, say } from "./words.js";

// Beside the folder of this file, below whatever path a proxy puts before it.
const service = new URL("../v1/", import.meta.url);

// Kept in memory only: whoever reloads the page types it again.
let token = null;
export const hasToken = () => token !== null;
export function useToken(typed) {
  token = typed;
}

// An answer that is no success: `problem` is its body, with a fault for everything that is wrong.
export class Problem extends Error {
  constructor(status, problem) {
    super(problem?.detail ?? say("offline"));
    Object.assign(this, { status, title: problem?.title ?? say("failed"), errors: problem?.errors ?? [] });
  }
}

// The address of something that the service has; parameters without a value are left out.
export function address(path, query = {}) {
  const url = new URL(path, service);
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== "") url.searchParams.set(name, value);
  }
  return url;
}

// Asks and reads the answer. What it says in codes has its words in the code lists, which are read beside it.
export async function ask(path, query, { method = "GET", body } = {}) {
  const headers = { "Accept-Language": lang };
  if (token) headers.Authorization = `Bearer ${token}`;
  if (body) headers["Content-Type"] = "application/json";
  const request = { method, headers, body: body && JSON.stringify(body), credentials: "omit" };
  const unanswered = () => {
    throw new Problem(0, null);
  };
  const [answer] = await Promise.all([fetch(address(path, query), request).catch(unanswered), path === "codelists" || readCodes()]);
  const read = await answer.json().catch(() => null);
  if (!answer.ok || read === null) throw new Problem(answer.status, read);
  return read;
}

// All items of a list, page by page, and the rest of its first page.
export async function all(path, query) {
  const first = await ask(path, query);
  for (let next = first.next_cursor; next; ) {
    const page = await ask(path, { ...query, cursor: next });
    first.items.push(...page.items);
    next = page.next_cursor;
  }
  return first;
}

let codes = null; // by list and code, once for the page

async function readCodes() {
  codes ??= ask("codelists").then(({ items }) =>
    new Map(items.flatMap(({ name, codes }) => codes.map((code) => [`${name} ${code.code}`, code]))));
  // A failure is not kept: the next view asks anew.
  codes = await Promise.resolve(codes).catch((problem) => {
    codes = null;
    throw problem;
  });
}

// A code for people. A code that came after this page was loaded is shown as it is.
export const label = (list, code) => codes?.get?.(`${list} ${code}`)?.label[lang] ?? code;
export const codesOf = (list) => [...codes.keys()].flatMap((key) => (key.startsWith(`${list} `) ? [key.slice(list.length + 1)] : []));

// Follows changes from a cursor on, until `stop` is aborted. EventSource sends no token: a ticket opens one stream, once.
// A stream ends after ten minutes or with the network; the next one goes on from the last change that was heard of.
export function follow(query, stop, heard, isOpen = () => {}) {
  let { cursor } = query;
  let wait = 1000;
  const open = async () => {
    const ticket = token && (await ask("changes/tickets", {}, { method: "POST" })).ticket;
    if (stop.aborted) return;
    const stream = new EventSource(address("changes/stream", { ...query, cursor, ticket }));
    const close = () => stream.close();
    stop.addEventListener("abort", close, { once: true });
    stream.onopen = () => {
      wait = 1000;
      isOpen(true);
    };
    stream.addEventListener("change", (event) => {
      cursor = event.lastEventId;
      heard(JSON.parse(event.data));
    });
    stream.onerror = () => {
      close();
      stop.removeEventListener("abort", close);
      again();
    };
  };
  const again = () => {
    isOpen(false);
    wait = Math.min(wait * 2, 60000);
    if (!stop.aborted) setTimeout(() => stop.aborted || open().catch(failed), wait);
  };
  // A token that is worth nothing any more will not be worth more later.
  const failed = (problem) => (problem.status === 401 ? isOpen(false) : again());
  open().catch(failed);
}
