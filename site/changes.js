// What changed lately, the latest first, and what changes while somebody looks.

import { all, ask, follow, hasToken, label } from "./api.js";
import { announce, h, heading, ja, link, more, named, to } from "./dom.js";
import { fiscalYear, moment, say } from "./words.js";

const BACK = 500; // how many changes before the last one are looked at
const SHOWN = 60; // how many requests are shown at most
const NAMED = 100; // how many changes of one request are named

export async function view(_, stop) {
  const [head, organizations] = await Promise.all([ask("changes/head"), all("organizations", { limit: 1000 })]);
  const names = new Map(organizations.items.map((one) => [one.slug, one]));
  const from = await ask("changes/head", { seq: Math.max(0, head.seq - BACK) });
  let cursor = from.cursor;
  const changes = [];
  // A page may be empty though there are more: the end is where `next` stays. What comes after all these pages, the stream tells.
  for (let page = 0, before = null; page < 5 && cursor !== before; page += 1) {
    before = cursor;
    const { items, next } = await ask("changes", { cursor, limit: 1000 });
    changes.push(...items);
    cursor = next;
  }
  const list = h("ol", { class: "changes" }, byRequest(changes).reverse().slice(0, SHOWN).map((request) => entry(request, names)));
  const state = h("p", { class: "quiet noprint" }, say("reconnecting"));
  let fresh = [];
  let collecting = null;
  const show = () => {
    for (const request of byRequest(fresh)) list.prepend(entry(request, names, "fresh"));
    announce(say("newChanges", fresh.length));
    [fresh, collecting] = [[], null];
  };
  // What one request changed comes one by one: it is shown together.
  const heard = (change) => {
    fresh.push(change);
    collecting ??= setTimeout(show, 500);
  };
  follow({ cursor }, stop, heard, (isOpen) => (state.textContent = `${isOpen ? "● " : "○ "}${say(isOpen ? "live" : "reconnecting")}`));
  return [heading(say("changes")), h("p", {}, say("changesLead"), hasToken() && ` ${say("draft")}`), state, changes.length === 0 && h("p", {}, say("none")), list];
}

// Changes in the order in which they came; those of one moment and policy together.
function byRequest(changes) {
  const of = ({ at, organization, key }) => [at, organization, key.fiscal_year].join(" ");
  return [...Map.groupBy(changes, of).values()];
}

function entry(changes, names, kind = "") {
  const [{ at, organization, key, reason }] = changes;
  const revision = changes.find(({ type, after }) => type === "revision" && after);
  const others = changes.filter((change) => change !== revision);
  const counted = Map.groupBy(others, ({ type, op }) => `${label("change_type", type)} ${label("change_op", op)}`);
  const { name: called, name_en: english } = names.get(organization) ?? { name: organization };
  const name = named(called, english);
  return h("li", { class: kind },
    h("time", { datetime: at }, moment(at)),
    h("h2", {}, key.fiscal_year ? link(to(`policies/${organization}/${key.fiscal_year}`), name, " ", fiscalYear(key.fiscal_year)) : name,
      revision && h("span", { class: "tag" }, label("revision_kind", revision.after.kind), " ", say("revision", revision.after.number))),
    h("p", {}, [...counted].map(([words, { length }]) => `${words} ${length}`).join(" · ")),
    reason && h("p", { class: "quiet" }, `${say("reason")}: `, ja(reason)),
    others.length > 0 && more(say("allChanges"),
      h("ul", {}, others.slice(0, NAMED).map(oneOf)), others.length > NAMED && h("p", {}, say("more", others.length - NAMED))));
}

function oneOf({ type, op, key, fields, before, after }) {
  const name = key.indicator ?? key.goal ?? "";
  const plain = (value) => (value === null || value === undefined || value === "" ? "—" : String(typeof value === "object" ? JSON.stringify(value) : value));
  const told = op === "update" && before && after ? fields.filter((field) => !["version", "updated_at"].includes(field)) : [];
  return h("li", {}, `${label("change_type", type)} ${label("change_op", op)} `, ja(name),
    told.map((field) => h("small", {}, `${label(`${type}s_column`, field)}: `, ja(`${plain(before[field])} → ${plain(after[field])}`))));
}
