// Who has published, and who is late: every ward and bureau in one fiscal year.

import { address, all, ask } from "./api.js";
import { dayPicker, excel, h, heading, ja, json, lateness, link, more, named, printedDay, ratio, stateBadge, tally, to } from "./dom.js";
import { day, fiscalYear, lang, say } from "./words.js";

// The states that are counted above the table, the pressing one first.
const COUNTED = ["late", "results", "plan", "draft", "withdrawn", "missing"];

export async function view({ parameters: { year, on, state } }) {
  const [{ items: scenarios }, latest, counts, organizations] = await Promise.all([
    ask("scenarios"),
    all("coverage", { fiscal_year: year, on }),
    all("evaluations/summary", { group_by: "organization,fiscal_year", on }),
    lang === "en" ? all("organizations", { limit: 1000 }) : { items: [] },
  ]);
  // Invented data says something on a day of its own, which the first view shows.
  if (location.hash === "" && scenarios.length > 0) location.replace(to("", { on: scenarios[0].on }));
  const past = counts.items.map((item) => item.fiscal_year).filter((one) => one < latest.fiscal_years[0]);
  // Unless a year is asked for, it is the latest of which results are in or due.
  const { late, results } = latest.roll_up;
  const coverage = year || late + results > 0 || past.length === 0 ? latest : await all("coverage", { fiscal_year: Math.max(...past), on });
  const shown = coverage.fiscal_years[0];
  const english = new Map(organizations.items.map(({ slug, name_en: name }) => [slug, name]));
  const rollUps = new Map(counts.items.filter((item) => item.fiscal_year === shown).map((item) => [item.organization, item.roll_up]));
  const years = [...new Set([...counts.items.map((item) => item.fiscal_year), ...(shown ? [shown] : [])])].sort();
  const name = (item) => named(item.organization_name, english.get(item.organization));
  const called = (slug) => name(latest.items.find((item) => item.organization === slug));
  const rows = coverage.items.filter((item) => item.fiscal_year === shown && (!state || item.state === state));
  const there = rows.filter((item) => item.state !== "missing");
  const missing = rows.filter((item) => item.state === "missing");
  const sources = h("section", { class: "sources" });
  if (there.length) tellSources(sources, shown);
  return [
    heading(say("overview")),
    scenarios.length > 0 && h("div", { class: "notice" }, h("p", {}, say("invented", day(scenarios[0].on))),
      more(say("scenarios"), h("ul", {}, scenarios.map((scenario) => scenarioOf(scenario, called))))),
    yearNav(years, shown),
    dayPicker(coverage.on, "", { year: shown, state }),
    printedDay(coverage.on),
    h("ul", { class: "states" }, COUNTED.filter((one) => coverage.roll_up[one]).map((one) => h("li", {},
      h("a", { class: one, href: to("", { year, state: one === state ? "" : one }), "aria-current": one === state ? "true" : null },
        h("b", {}, String(coverage.roll_up[one])), stateBadge(one))))),
    h("h2", {}, say("organizations"), state && [" ", link(to("", { year }), say("showAll"))]),
    rows.length === 0 && h("p", {}, say("none")),
    there.length > 0 && h("table", { class: "coverage" },
      h("thead", {}, h("tr", {}, ["called", "status", "byRule"].map((word) => h("th", { scope: "col" }, say(word))))),
      h("tbody", {}, there.map((item) => row(item, name(item), rollUps.get(item.organization))))),
    missing.length > 0 && [
      h("h3", {}, say("noPolicy"), ` (${missing.length})`),
      h("ul", { class: "names" }, missing.map((item) => h("li", {}, name(item)))),
    ],
    sources,
    h("p", { class: "links noprint" }, excel({ fiscal_year: shown, on }), json("coverage", { fiscal_year: shown, on })),
  ];
}

// What the addresses of data without a view are called, by their last part.
const DATA = { evaluations: "verdict", findings: "findings", revisions: "revisions", diff: "allChanges", vintages: "budgets" };

// A scenario of invented data, with where it shows: here, or as data where this site has no view of it.
function scenarioOf({ name, description, addresses }, called) {
  const entry = (where) => {
    const { pathname, searchParams } = new URL(where, location.origin);
    const [on, year, organization] = ["on", "fiscal_year", "organization"].map((name) => searchParams.get(name));
    const [, revision] = /(\d+)\/diff$/.exec(pathname) ?? [];
    const [, kind, slug, key] = /^\/v1\/(policies|indicators|series)\/(?:(?<=policies\/)([^/]+)\/)?([^/]+)(?:\/evaluation)?$/.exec(pathname) ?? [];
    if (slug) return link(to(`policies/${slug}/${key}`, { on }), called(slug), " ", fiscalYear(Number(key)));
    if (kind) return link(to(`${kind}/${key}`, { on }), say(kind === "series" ? "allYears" : "why"));
    if (pathname === "/v1/coverage") return link(to("", { year, on }), say("organizations"), " ", fiscalYear(Number(year)));
    return link(address(where.replace("/v1/", "")), say(DATA[pathname.split("/").at(-1)]), revision && ` ${say("revision", revision)}`, " ", organization && called(organization), " (JSON)");
  };
  return h("li", {}, h("b", {}, name[lang]), " ", description[lang], h("ul", {}, addresses.map((where) => h("li", {}, entry(where)))));
}

function yearNav(years, shown) {
  const entry = (year) => h("li", {}, h("a", { href: to("", { year }), "aria-current": year === shown ? "page" : null }, fiscalYear(year)));
  return h("nav", { class: "years", "aria-label": say("year") }, h("ul", {}, years.map(entry)));
}

function row(item, name, rollUp) {
  const { organization, fiscal_year: year, state, indicators } = item;
  const published = [
    item.plan_published_on && say("planOn", day(item.plan_published_on)),
    item.results_published_on && say("resultsOn", day(item.results_published_on)),
  ];
  return h("tr", {},
    h("th", { scope: "row" }, link(to(`policies/${organization}/${year}`), name)),
    h("td", {}, stateBadge(state), lateness(item),
      published.filter(Boolean).map((words) => h("small", {}, words))),
    h("td", {}, indicators.total > 0 && h("p", { class: "quiet" }, say("resultsIn", indicators.total, indicators.results_in)),
      rollUp && [tally(rollUp), ratio(rollUp)]));
}

// Whose data it is: what the policies say of their source. It comes after the table, which does not wait for it.
async function tellSources(section, year) {
  const { items } = await ask("policies", { fiscal_year: year, limit: 100 }).catch(() => ({ items: [] }));
  const said = Map.groupBy(items.filter(({ source }) => source), ({ source }) => source);
  if (said.size === 0) return;
  const entry = ([source, policies]) => [h("dt", {}, ja(policies.map((policy) => policy.organization_name).join("、"))), h("dd", {}, ja(source))];
  section.append(h("h2", {}, say("data")), h("details", { open: said.size < 4 }, h("summary", {}, say("source")), h("dl", {}, [...said].map(entry))));
}
