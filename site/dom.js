// Elements, and what several views are made of. Texts go in as text nodes: nothing that somebody wrote becomes markup.

import { address, label } from "./api.js";
import { day, lang, measured, percent, say } from "./words.js";

function make(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export const h = (tag, attributes, ...children) => make(document.createElement(tag), attributes, children);
export const svg = (tag, attributes, ...children) =>
  make(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);

// A text of the data, which is Japanese whatever language the site speaks.
export const ja = (text) => (lang === "ja" ? text : h("span", { lang: "ja" }, text));

// The name of an organization, with its English one before it where that is asked for and known.
export const named = (name, english) => (lang === "en" && english ? [english, " ", ja(name)] : [ja(name)]);

// The address of a view; the language and the day go with it where the address of this one says them.
export function to(path, parameters = {}) {
  const { lang: language, on } = here().parameters;
  const all = Object.entries({ lang: language, on, ...parameters }).filter(([, value]) => value);
  const query = new URLSearchParams(all).toString();
  return `#/${path}${query && "?"}${query}`;
}

// The view that the address names: its path, in parts, and its parameters.
export function here() {
  const [path, query] = location.hash.replace(/^#\/?/, "").split("?");
  return { parts: path.split("/").filter(Boolean).map(decodeURIComponent), parameters: Object.fromEntries(new URLSearchParams(query)) };
}

export const link = (href, ...children) => h("a", { href }, ...children);

// Shapes on a field of 16 by 16: what something came to is never told by colour alone.
const CHECK = "M4.5 8.5l2.5 2.5 4.5-5.5";
const SHAPES = {
  achieved: [["circle", { cx: 8, cy: 8, r: 7.5, class: "full" }], ["path", { d: CHECK, class: "cut" }]],
  not_achieved: [["path", { d: "M1.5 1.5h13v13h-13z", class: "line" }], ["path", { d: "M5 5l6 6M11 5l-6 6", class: "line" }]],
  in_progress: [["circle", { cx: 8, cy: 8, r: 6.5, class: "line" }], ["path", { d: "M8 1.5a6.5 6.5 0 0 1 0 13z", class: "full" }]],
  pending: [["circle", { cx: 8, cy: 8, r: 6.5, class: "line" }], ["path", { d: "M8 4v4l2.5 2", class: "line" }]],
  overdue: [["path", { d: "M8 1l7.5 14H.5z", class: "full" }], ["path", { d: "M8 6v4M8 12v1", class: "cut" }]],
  not_evaluable: [["circle", { cx: 8, cy: 8, r: 6.5, class: "line dashed" }], ["path", { d: "M5 8h6", class: "line" }]],
};
// What stands for how an organization stands with its year.
const STATES = { results: "achieved", plan: "pending", late: "overdue", missing: "not_evaluable", draft: "in_progress", withdrawn: "not_achieved" };

export function shape(outcome) {
  const parts = (SHAPES[outcome] ?? SHAPES.not_evaluable).map(([tag, attributes]) => svg(tag, attributes));
  return svg("svg", { viewBox: "0 0 16 16", class: "shape", "aria-hidden": "true" }, parts);
}

const badge = (outcome, ...words) => h("span", { class: `badge ${outcome}` }, shape(outcome), h("span", {}, ...words));

export const stateBadge = (state) => badge(STATES[state], label("reporting", state));

// By how many days results are late, or were when they came.
export const lateness = ({ state, days_late: days }) => days && h("strong", { class: "late" }, say(state === "results" ? "daysAfter" : "daysLate", days));

// What an indicator is shown as: the official rating goes before the outcome by the rule.
const shown = ({ outcome, rating }) => ({ A: "achieved", B: "not_achieved" })[rating] ?? outcome;

// The rating and its word, else the outcome; the reason where the outcome does not say it.
export const gradeBadge = ({ outcome, rating, reason }) => badge(shown({ outcome, rating }), rating && h("b", {}, rating), rating && " ",
  rating ? label("rating", rating) : label("outcome", outcome), reason && h("small", {}, label("reason", reason)));

// That the organization declared another rating than the rule gives, if it did.
export const disagreement = ({ declared, computed, consistent }) => consistent === false && h("small", { class: "late" },
  say("declaredAgainst", `${declared} ${label("rating", declared)}`, `${computed} ${label("rating", computed)}`));

export const OUTCOMES = ["achieved", "not_achieved", "in_progress", "pending", "overdue", "not_evaluable"];

// How many indicators are shown as what: counted as a roll-up, which is by the rule alone.
export function counted(evaluations) {
  const counts = Object.fromEntries(OUTCOMES.map((outcome) => [outcome, evaluations.filter((one) => shown(one) === outcome).length]));
  const decided = counts.achieved + counts.not_achieved;
  return { ...counts, total: evaluations.length, achievement_ratio: decided ? counts.achieved / decided : null };
}

// Indicators by outcome: a bar, and below it each count with its shape and its word.
export function tally(counts) {
  const there = OUTCOMES.filter((outcome) => counts[outcome] > 0);
  let before = 0;
  const bars = there.map((outcome) => {
    const bar = svg("rect", { x: (before / counts.total) * 100, width: (counts[outcome] / counts.total) * 100 - 0.5, height: 8, class: outcome });
    before += counts[outcome];
    return bar;
  });
  const words = there.map((outcome) =>
    h("li", { class: outcome }, shape(outcome), h("span", {}, `${label("outcome", outcome)} ${counts[outcome]}`)));
  return h("div", { class: "tally" },
    svg("svg", { viewBox: "0 0 100 8", preserveAspectRatio: "none", class: "bar", "aria-hidden": "true" }, bars),
    h("ul", {}, words));
}

// A ratio is never without what it is the ratio of.
export const ratio = ({ achieved, not_achieved: missed, achievement_ratio: part }, words = "ratio") =>
  part !== null && h("p", { class: "quiet" }, say(words, achieved + missed, achieved, percent(part, 1)));

// Names and values, without those that have none.
export const facts = (...pairs) =>
  h("dl", { class: "facts" }, pairs.filter((pair) => pair?.[1]).map(([name, ...value]) => h("div", {}, h("dt", {}, name), h("dd", {}, ...value))));

export const more = (words, ...children) => h("details", {}, h("summary", {}, words), h("div", {}, ...children));

// A text box of the form: an item a paragraph. Null is a box that is not there, or not published.
export const box = (level, title, items) =>
  items?.length ? [h(`h${level}`, { class: "title" }, title), h("ul", { class: "box", lang: "ja" }, items.map((item) => h("li", {}, item)))] : null;

// A number, or why there is none; a number that is not settled says so.
export function resultOf({ value_status: status }, result, unit, decimals) {
  if (status !== "reported") return [h("span", { class: "quiet" }, label("value_status", status)), status === "text_only" && h("small", {}, ja(result.text))];
  const { value, cumulative_value: sum, observation_status: settled } = result;
  const added = sum !== null && `${say("cumulative")} ${measured(sum, unit, decimals)}`;
  return [
    value === null ? added : [measured(value, unit, decimals), added && h("small", {}, added)],
    settled !== "final" && h("small", {}, label("observation_status", settled)),
  ];
}

export const heading = (text, ...beside) => h("h1", { tabindex: -1 }, text, ...beside);

// The day that the view is judged by, and another one.
export function dayPicker(on, path, parameters = {}) {
  const go = (wanted) => {
    location.hash = to(path, { ...parameters, on: wanted });
  };
  const isChosen = here().parameters.on;
  return h("p", { class: "day noprint" },
    h("label", {}, say("askOn"), " ", h("input", { type: "date", value: on, onchange: (event) => go(event.target.value) })),
    isChosen && h("button", { type: "button", class: "plain", onclick: () => go("") }, say("today")));
}

export const printedDay = (on) => h("p", { class: "printed" }, `${say("askOn")} ${day(on)}`);

export const json = (path, query) => h("a", { href: address(path, query), class: "quiet noprint" }, say("json"));

export const excel = (query) => h("a", { href: address("exports/evaluations", { ...query, format: "xlsx" }), class: "quiet" }, say("excel"));

let spoken = 0;

// Says something to those who do not see it appear.
export function announce(words) {
  const status = document.querySelector("#status");
  status.textContent = "";
  clearTimeout(spoken);
  spoken = setTimeout(() => (status.textContent = words), 100);
}
