// A page that edits results of ward-policy from another origin: it reads with ETags, writes with If-Match, shows each fault
// at its field, and follows what others change.

const open = document.querySelector("#open");
const edit = document.querySelector("#edit");
const target = document.querySelector("#target");
const unit = document.querySelector("#unit");
const status = document.querySelector("#status");

let service; // where the service is, without a slash at its end
let token; // kept in memory only: whoever reloads the page types it again
let indicators = [];
let stored; // the chosen result as it was read: its address, its tag and itself; no tag where there is none yet
let cursor; // how far the changes have been followed

// One request. Problems are answers too: `problem` says what is wrong, in the reader's language.
async function ask(method, path, { headers, body } = {}) {
  const answer = await fetch(`${service}${path}`, {
    method,
    headers: { Authorization: `Bearer ${token}`, "Accept-Language": document.documentElement.lang, ...headers },
    body: body && JSON.stringify(body),
  });
  const text = await answer.text();
  const read = text ? JSON.parse(text) : null;
  return { status: answer.status, tag: answer.headers.get("ETag"), [answer.ok ? "body" : "problem"]: read };
}

function say(words) {
  status.textContent = words;
}

// Shows each fault at the field that it is about, and the rest below.
function showFaults(problem) {
  for (const field of edit.querySelectorAll("[data-place]")) {
    const faults = problem?.errors.filter((fault) => [fault.pointer, fault.header].includes(field.dataset.place)) ?? [];
    field.setAttribute("aria-invalid", String(faults.length > 0));
    edit.querySelector(`[data-of="${field.dataset.place}"]`).textContent = faults.map((fault) => fault.detail).join(" ");
  }
  say(problem ? `${problem.title}（${problem.detail}）` : "");
}

// Reads the result of the chosen indicator; where it is still the one that was read, the answer is 304 without a body.
async function readResult() {
  const chosen = indicators.find((indicator) => indicator.id === edit.indicator.value);
  const path = `/v1/indicators/${chosen.id}/results/${chosen.year}`;
  const known = stored?.path === path ? stored : null;
  stored = known; // until the answer is here, nothing is stored
  const answer = await ask("GET", path, { headers: known?.tag ? { "If-None-Match": known.tag } : {} });
  if (answer.status === 304) return;
  if (edit.indicator.value !== chosen.id) return; // another one was chosen meanwhile
  if (![200, 404].includes(answer.status)) return showFaults(answer.problem);
  stored = { path, tag: answer.tag, result: answer.body };
  target.textContent = `目標: ${chosen.target.text}`;
  unit.textContent = chosen.unit;
  edit.value.value = answer.body?.value ?? "";
  showFaults(null);
}

// Stores what was typed, unless somebody else has changed the result meanwhile.
async function store() {
  if (!stored) return;
  const typed = edit.value.value.trim();
  // What is no number goes as it was typed: the service says what is wrong with it.
  const value = typed === "" ? null : Number.isNaN(Number(typed)) ? typed : Number(typed);
  const change = { value, value_status: value === null ? "not_reported" : "reported" };
  const headers = { "Change-Reason": encodeURIComponent(edit.reason.value) };
  if (!edit.reason.value) delete headers["Change-Reason"];
  const answer = stored.tag
    ? await ask("PATCH", stored.path, {
        headers: { ...headers, "If-Match": stored.tag, "Content-Type": "application/merge-patch+json" },
        body: change,
      })
    : await ask("PUT", stored.path, {
        headers: { ...headers, "If-None-Match": "*", "Content-Type": "application/json" },
        body: { ...change, fiscal_year: Number(stored.path.split("/").at(-1)), observation_status: "final" },
      });
  if (answer.status === 412) {
    // What was typed stays; the tag is that of what others have stored, so that storing again replaces it knowingly.
    const mine = edit.value.value;
    await readResult();
    edit.value.value = mine;
    return say(`ほかの人が先に ${stored?.result?.value ?? "—"} に変更しました。置き換えるにはもう一度保存してください。`);
  }
  if (answer.problem) return showFaults(answer.problem);
  stored = { ...stored, tag: answer.tag, result: answer.body };
  showFaults(null);
  say("保存しました。");
}

// Follows changes. EventSource cannot send a token: a ticket opens one stream, once. When the stream ends, after ten minutes or
// with the network, another ticket opens the next one, from the last change that was heard of.
async function follow() {
  const made = await ask("POST", "/v1/changes/tickets");
  if ([429, 503].includes(made.status)) return followAgain();
  if (made.problem) return say(made.problem.detail);
  const query = new URLSearchParams({ ticket: made.body.ticket, type: "result", cursor });
  const changes = new EventSource(`${service}/v1/changes/stream?${query}`);
  changes.addEventListener("change", async (event) => {
    cursor = event.lastEventId;
    const before = stored?.tag;
    const typed = edit.value.value !== String(stored?.result?.value ?? "");
    // What somebody is typing is not overwritten: storing it will say that the result has changed.
    if (typed) return;
    await readResult();
    if (stored?.tag !== before) say("ほかの人の変更を表示しました。");
  });
  changes.onerror = () => {
    changes.close();
    followAgain();
  };
}

function followAgain() {
  setTimeout(() => follow().catch(followAgain), 1000);
}

// A request that got no answer: the service is away, or its settings do not name this page's origin.
addEventListener("unhandledrejection", () => say("サービスにつながりません。"));

open.addEventListener("submit", async (event) => {
  event.preventDefault();
  service = open.service.value.replace(/\/$/, "");
  token = open.token.value;
  const head = await ask("GET", "/v1/changes/head");
  const tree = await ask("GET", `/v1/policies/${open.policy.value}/tree`);
  const problem = head.problem ?? tree.problem;
  if (problem) return say(problem.detail);
  cursor = head.body.cursor;
  indicators = tree.body.goals
    .flatMap((goal) => goal.indicators)
    .map((indicator) => ({ ...indicator, year: tree.body.fiscal_year }));
  edit.indicator.replaceChildren(...indicators.map((indicator) => new Option(indicator.name, indicator.id)));
  open.hidden = true;
  edit.hidden = false;
  await readResult();
  await follow();
});

edit.indicator.addEventListener("change", readResult);

edit.addEventListener("submit", (event) => {
  event.preventDefault();
  store();
});
