// A policy: its goals with three years of money, its indicators with target, result and grade, and why.

import { address, ask, label } from "./api.js";
import { box, counted, dayPicker, disagreement, excel, facts, gradeBadge, h, heading, ja, json, lateness, link, more, named, printedDay, ratio, resultOf, stateBadge, svg, tally, to } from "./dom.js";
import { day, fiscalYear, lang, measured, number, percent, say, yen } from "./words.js";

// An indicator alone is shown in its policy, unfolded.
export async function view({ parts: [kind, key, year], parameters }) {
  if (kind !== "indicators") return policyOf(key, year, parameters);
  const { organization, policy_year: its } = await ask(`indicators/${key}`);
  return policyOf(organization, String(its), { ...parameters, indicator: key });
}

async function policyOf(organization, year, { on, indicator: chosen }) {
  const path = `policies/${organization}/${year}`;
  const around = { organization, fiscal_year: Number(year) ? `${Number(year) - 2}..${Number(year) + 2}` : year }; // R6 is a year too
  const [policy, coverage, english] = await Promise.all([
    ask(`${path}/tree`, { with: "evaluation", on }),
    ask("coverage", { ...around, on }),
    lang === "en" ? ask(`organizations/${organization}`) : null,
  ]);
  const stand = coverage.items.find((item) => item.fiscal_year === policy.fiscal_year);
  const years = coverage.items.filter((item) => item.state !== "missing").reverse();
  const entry = (item) => h("li", {}, h("a", { href: to(`policies/${organization}/${item.fiscal_year}`), "aria-current": item === stand ? "page" : null }, fiscalYear(item.fiscal_year)));
  const most = Math.max(...policy.goals.flatMap((goal) => goal.budgets.map((budget) => budget.amount_yen ?? 0)));
  const counts = counted(policy.goals.flatMap((goal) => goal.indicators.map(({ evaluation }) => evaluation)));
  const isByRule = ["achieved", "not_achieved"].every((outcome) => counts[outcome] === policy.roll_up[outcome]);
  return [
    heading(named(policy.organization_name, english?.name_en), " ", say("policyOf", fiscalYear(policy.fiscal_year))),
    h("nav", { class: "years", "aria-label": say("year") }, h("ul", {}, years.map(entry))),
    dayPicker(policy.on, path),
    printedDay(policy.on),
    h("p", { class: "stand" }, stand && stateBadge(stand.state), stand && lateness(stand),
      h("span", {}, `${say("due")} ${day(policy.results_due_on)}`), policy.revision && h("span", {}, say("revision", policy.revision)),
      policy.revision === null && h("span", {}, say("draft"))),
    h("p", { class: "noprint links" }, link(to(`${path}/results`), say("edit")), link(address(`${path}/form`), say("form")), excel({ organization, policy_year: year, on }), json(`${path}/tree`, { with: "evaluation", on })),
    policy.roll_up.total > 0 && [h("p", { class: "quiet" }, say("indicatorCount", counts.total)), tally(counts), ratio(counts), !isByRule && ratio(policy.roll_up, "ratioByRule")],
    more(say("texts"), box(2, say("vision"), policy.vision), box(2, say("mission"), policy.mission), box(2, say("approach"), policy.basic_approach)),
    policy.goals.map((goal) => goalOf(goal, most, chosen)),
    box(2, say("self"), policy.self_evaluation), box(2, say("future"), policy.future_policy),
    policy.source && h("p", { class: "sources" }, h("b", {}, say("source")), " ", ja(policy.source)),
  ];
}

function goalOf(goal, most, chosen) {
  const texts = [box(3, say("issue"), goal.issue_recognition), box(3, say("strategies"), goal.strategies)].filter(Boolean);
  return h("section", { class: "goal" },
    h("h2", {}, h("span", { class: "code" }, goal.code), " ", ja(goal.title)),
    goal.budgets.length > 0 && budgetsOf(goal, most),
    texts.length > 0 && more(lang === "ja" ? `${say("issue")}・${say("strategies")}` : `${say("issue")}, ${say("strategies")}`, texts),
    h("ul", { class: "indicators" }, goal.indicators.map((indicator) => indicatorOf(indicator, indicator.id === chosen))));
}

// The bars of all goals have one scale.
function budgetsOf(goal, most) {
  const row = ({ fiscal_year: year, kind, amount_yen: amount, text, status }) => h("tr", {},
    h("th", { scope: "row" }, fiscalYear(year), " ", h("small", {}, label("budget_kind", kind))),
    h("td", {}, amount !== null && svg("svg", { viewBox: "0 0 100 10", preserveAspectRatio: "none", class: "money", "aria-hidden": "true" },
      svg("rect", { width: amount === 0 ? 0 : Math.max((Math.abs(amount) / most) * 100, 0.5), height: 10, class: kind }))),
    h("td", { class: "number" }, amount === null ? (text ? ja(text) : label("budget_status", status)) : yen(amount)));
  return h("table", { class: "budgets" }, h("caption", { class: "unseen" }, say("budgets")), h("tbody", {}, goal.budgets.map(row)));
}

function indicatorOf(indicator, isChosen) {
  const { evaluation, target, unit, decimals } = indicator;
  const result = indicator.results.find((one) => one.fiscal_year === evaluation.fiscal_year);
  const { previous } = evaluation;
  const last = previous.stated ?? previous.recorded; // which the change is measured from
  const itsUnit = previous.change.comparable === false ? null : unit; // which may have been another, where nothing can be compared
  const why = more(say("why"), h("p", {}, evaluation.explanation[lang]), evidence(indicator, result));
  why.open = isChosen;
  return h("li", {},
    h("h3", { class: isChosen && "chosen", tabindex: isChosen && -1 }, ja(indicator.name)), link(to(`series/${indicator.series_id}`), say("allYears")),
    h("dl", { class: "figures" },
      figure(say("target"), target.text ? ja(target.text) : label("comparator", target.comparator)),
      figure(say("result"), ...resultOf(evaluation, result, unit, decimals)),
      last !== null && figure(say("previous"), measured(last, itsUnit, decimals), changeOf(previous.change, decimals),
        previous.recorded !== null && previous.recorded !== last && h("small", {}, say("recorded", measured(previous.recorded, itsUnit, decimals)))),
      figure(say("verdict"), gradeBadge(evaluation), disagreement(evaluation.ratings))),
    why);
}

const figure = (name, ...value) => h("div", {}, h("dt", {}, name), h("dd", {}, ...value));

function changeOf({ absolute, unit, direction, comparable }, decimals) {
  if (comparable === false) return h("small", {}, label("change_reason", "not_comparable"));
  if (absolute === null) return null;
  const arrow = { up: "↑", down: "↓", flat: "→" }[direction];
  return h("small", {}, `${arrow} ${absolute > 0 ? "+" : ""}${measured(absolute, unit, decimals)}`);
}

// What was compared with what, and what a percentage is a part of.
function evidence({ id, unit, decimals, evaluation, target }, result) {
  const { inputs, gap, gap_unit: gapUnit, attainment, ratings, fiscal_year: year } = evaluation;
  const { compared_value: compared, reference, period } = inputs;
  const { numerator: part, denominator: whole } = result ?? {};
  const bounds = target.comparator === "between" ? [inputs.target_value, inputs.target_upper] : [inputs.threshold];
  const grade = (rating) => rating && `${rating} ${label("rating", rating)}`;
  const isKnown = (value) => value !== null && value !== undefined;
  return [
    facts(
      isKnown(compared) && [say("compared"), `${measured(compared, unit, decimals)} (${label("compared_field", inputs.compared_field)})`],
      isKnown(part) && isKnown(whole) && [say("share"), `${number(part)} ÷ ${number(whole)} = ${percent(part / whole, 4)}`],
      isKnown(result?.sample_size) && [say("sample"), number(result.sample_size)],
      result?.text && [say("printed"), ja(result.text)],
      isKnown(bounds[0]) && [say("threshold"), `${bounds.map((bound) => measured(bound, unit, decimals)).join(" – ")} (${label("comparator", target.comparator)})`],
      reference.kind !== "none" && [say("reference"), ...referenceOf(reference, unit, decimals)],
      period.kind !== "single_year" && [label("period_kind", period.kind), [period.from, period.to].filter(isKnown).map(fiscalYear).join(" – ")],
      isKnown(gap) && [say("gap"), `${gap > 0 ? "+" : ""}${measured(gap, gapUnit, decimals)}`],
      isKnown(attainment) && [say("attainment"), `${percent(attainment, 2)} = `, say("attainmentOf", number(compared, decimals), number(inputs.target_value, decimals))],
      ratings.declared && [say("declared"), grade(ratings.declared)],
      ratings.computed && [say("rule"), grade(ratings.computed)],
      [say("due"), day(inputs.due_on)],
      result?.measured_on && [say("measured"), day(result.measured_on)],
      result?.comment && [say("comment"), ja(result.comment)]),
    h("p", {}, json(`indicators/${id}/evaluation`, { fiscal_year: year, on: inputs.on })),
  ];
}

function referenceOf({ kind, fiscal_year: year, value, source, name }, unit, decimals) {
  const whose = [label("reference_kind", kind), year && fiscalYear(year), name && ja(name)].filter(Boolean);
  return [whose.flatMap((word) => [word, " "]), measured(value, unit, decimals), source && h("small", {}, label("reference_source", source))];
}
