// What has these words in its name.

import { all, ask } from "./api.js";
import { gradeBadge, h, heading, ja, link, named, to } from "./dom.js";
import { fiscalYear, say } from "./words.js";

const MOST = 50;

export async function view({ parameters: { q, on } }) {
  if (!q) return [heading(say("search")), h("p", {}, say("searchHint"))];
  const [everyone, organizations, policies, goals, indicators] = await Promise.all([
    all("organizations", { limit: 1000 }),
    ask("organizations", { q, limit: MOST }),
    ask("policies", { q, limit: MOST }),
    ask("goals", { q, limit: MOST }),
    ask("evaluations", { q, on, limit: MOST, include_total: true, sort: "organization" }),
  ]);
  const policy = ({ organization, policy_year: year }) => to(`policies/${organization}/${year}`);
  const names = new Map(everyone.items.map(({ slug, name }) => [slug, name]));
  const found = [
    part("organization", organizations, (item) => link(to("search", { q: item.name }), named(item.name, item.name_en))),
    part("indicator", indicators, (item) => [
      link(to(`series/${item.series_id}`), ja(item.name)), " ", gradeBadge(item),
      h("small", {}, link(to(`policies/${item.organization}/${item.policy_year}`, { indicator: item.indicator_id }), ja(item.organization_name), " ", fiscalYear(item.fiscal_year)), " ", item.target_text && ja(item.target_text)),
    ]),
    part("goals", goals, (item) => [
      link(policy(item), item.code, " ", ja(item.title)), h("small", {}, ja(names.get(item.organization) ?? item.organization), " ", fiscalYear(item.policy_year)),
    ]),
    part("policies", policies, (item) => link(to(`policies/${item.organization}/${item.fiscal_year}`), ja(item.organization_name), " ", fiscalYear(item.fiscal_year))),
  ].filter(Boolean);
  return [heading(`${say("search")}: ${q}`), found.length ? found : h("p", {}, say("none"))];
}

function part(word, { items, total, next_cursor: next }, entry) {
  const count = total ?? `${items.length}${next ? "+" : ""}`;
  return items.length > 0 && [
    h("h2", {}, say(word), " ", h("small", {}, say("found", count))),
    h("ul", { class: "hits" }, items.map((item) => h("li", {}, entry(item)))), total > items.length && h("p", { class: "quiet" }, say("more", total - items.length)),
  ];
}
