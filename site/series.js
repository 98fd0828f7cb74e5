// An indicator over the years: what it came to against its targets, and where its years cannot simply be compared.

import { ask } from "./api.js";
import { dayPicker, gradeBadge, h, heading, ja, json, link, more, printedDay, resultOf, shape, svg, to } from "./dom.js";
import { fiscalYear, lang, measured, number, say } from "./words.js";

export async function view({ parts: [, id], parameters: { on } }) {
  const [series, { items: [short] }] = await Promise.all([ask(`series/${id}`, { on }), ask("series", { series: id })]);
  // A target over several years is about the sum so far.
  const years = series.years.map((year) => ({ ...year, number: year.target.period.kind === "cumulative" ? year.cumulative_value : year.value }));
  const breaks = years.flatMap((year) => year.breaks.map((one) => ({ ...one, year })));
  breaks.forEach((one, place) => (one.sign = place + 1));
  return [
    heading(ja(series.name)),
    h("p", {}, link(to(`policies/${short.organization}/${years.at(-1).policy_year}`), ja(short.organization_name), " ", fiscalYear(years.at(-1).policy_year))),
    dayPicker(series.on, `series/${id}`),
    printedDay(series.on),
    years.some((year) => year.number !== null) && h("figure", { class: "chart" }, chart(series.name, years, breaks)),
    h("h2", {}, say("breaks")),
    breaks.length === 0
      ? h("p", {}, say("noBreaks"))
      : h("ol", { class: "breaks" }, breaks.map(({ year, sentence }) => h("li", {}, h("b", {}, fiscalYear(year.policy_year)), " ", sentence[lang]))),
    h("h2", {}, say("allYears")),
    h("table", { class: "years-table" },
      h("thead", {}, h("tr", {}, ["year", "target", "result", "verdict"].map((word) => h("th", { scope: "col" }, say(word))))),
      h("tbody", {}, years.toReversed().map(row))),
    h("p", {}, json(`series/${id}`, { on })),
  ];
}

function row(year) {
  const { organization, policy_year: policy, target, unit, decimals } = year;
  return h("tr", {},
    h("th", { scope: "row" }, link(to(`policies/${organization}/${policy}`, { indicator: year.indicator_id }), fiscalYear(year.fiscal_year))),
    h("td", {}, target.text ? ja(target.text) : "—"),
    h("td", {}, resultOf(year, { ...year, text: year.result_text }, unit, decimals)),
    h("td", {}, gradeBadge(year), more(say("why"), h("p", {}, year.explanation[lang]))));
}

// The bounds of a target that stands for itself: one, or two of a range.
function bounds({ comparator, reference, value, upper }) {
  const isNumber = ["gte", "gt", "lte", "lt", "eq", "between"].includes(comparator) && reference.kind === "none";
  return isNumber ? [value, upper].filter((bound) => bound !== null) : [];
}

// Steps of 1, 2 or 5 that cover these numbers.
function scale(numbers) {
  const [least, most] = [Math.min(...numbers), Math.max(...numbers)];
  const rough = (most - least || Math.abs(most) || 1) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((times) => times * power).find((one) => one >= rough);
  const from = Math.floor((least < 0 || least > step ? least - step / 4 : 0) / step) * step;
  const steps = [];
  for (let n = 0; steps.length === 0 || steps.at(-1) < most + step / 4; n += 1) steps.push(Number((from + n * step).toFixed(9)));
  return steps;
}

function chart(name, years, breaks) {
  const [width, height, left, right, top, bottom] = [Math.max(320, Math.min(document.querySelector("main").clientWidth - 48, 944)), 300, 56, 24, 28, 32];
  const [first, last] = [years[0].fiscal_year, years.at(-1).fiscal_year];
  const steps = scale(years.flatMap((year) => [year.number, ...bounds(year.target)]).filter((one) => one !== null));
  const gap = (width - left - right) / (last - first + 1);
  const x = (year) => left + (year - first + 0.5) * gap;
  const y = (value) => top + (1 - (value - steps[0]) / (steps.at(-1) - steps[0])) * (height - top - bottom);
  const text = (at, words, more) => svg("text", { x: at[0], y: at[1], "text-anchor": "middle", ...more }, words);
  const rules = steps.map((step) => [
    svg("path", { d: `M${left} ${y(step)}H${width - right}`, class: "rule" }),
    text([left - 8, y(step) + 4], number(step), { "text-anchor": "end" }),
  ]);
  const names = [];
  for (let year = first; year <= last; year += 1) names.push(text([x(year), height - 8], gap < 70 ? String(year) : fiscalYear(year)));
  const targets = years.flatMap((year) => bounds(year.target).map((bound) =>
    svg("path", { d: `M${x(year.fiscal_year) - gap * 0.3} ${y(bound)}h${gap * 0.6}`, class: "aim" })));
  // Two years are joined where both have a number, one follows the other, and nothing breaks the series between them.
  const joins = years.slice(1).flatMap((year, place) => {
    const before = years[place];
    const isJoined = year.number !== null && before.number !== null && year.breaks.length === 0 && year.fiscal_year - before.fiscal_year === 1;
    return isJoined ? svg("path", { d: `M${x(before.fiscal_year)} ${y(before.number)}L${x(year.fiscal_year)} ${y(year.number)}`, class: "join" }) : [];
  });
  const marks = years.filter((year) => year.breaks.length > 0).map((year) => {
    const signs = breaks.filter((one) => one.year === year).map(({ sign }) => sign);
    const at = x(year.policy_year) - gap / 2;
    const sign = signs.length > 1 ? `(${signs[0]}–${signs.at(-1)})` : `(${signs[0]})`;
    return [svg("path", { d: `M${at} ${top}V${height - bottom}`, class: "broken" }), text([at, top - 8], sign, { class: "sign" })];
  });
  const points = years.map((year) => {
    if (year.number === null) return svg("svg", { x: x(year.fiscal_year) - 8, y: height - bottom - 22, width: 16, height: 16, class: year.outcome }, shape(year.outcome));
    const [cx, cy] = [x(year.fiscal_year), y(year.number)];
    return [
      svg("circle", { cx, cy, r: 11, class: "halo" }),
      svg("svg", { x: cx - 8, y: cy - 8, width: 16, height: 16, class: year.outcome }, shape(year.outcome)),
      text([cx, cy - 16], measured(year.number, year.unit, year.decimals), { class: "value" }),
    ];
  });
  return svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": say("chart", name) }, rules, names, marks, targets, joins, points);
}
