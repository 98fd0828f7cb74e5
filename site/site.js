// The site: which view the address names, and what stands around every view.

import { Problem } from "./api.js";
import { announce, h, heading, here, link, to } from "./dom.js";
import { lang, say, speak } from "./words.js";

// The views by the first part of their path. Each gives what stands in the page, its heading first.
const VIEWS = [
  [/^$/, () => import("./overview.js")],
  [/^(policies\/[^/]+|indicators)\/[^/]+$/, () => import("./policy.js")],
  [/^policies\/[^/]+\/[^/]+\/results$/, () => import("./results.js")],
  [/^series\/[^/]+$/, () => import("./series.js")],
  [/^search$/, () => import("./search.js")],
  [/^changes$/, () => import("./changes.js")],
];

const main = document.querySelector("main");
let leaving = new AbortController(); // aborted when the view is left
let isFirst = true;

function frame({ parts, parameters }) {
  const path = parts.map(encodeURIComponent).join("/");
  const other = lang === "ja" ? "en" : "ja";
  const current = (wanted) => (path === wanted ? "page" : null);
  const entry = (wanted, words) => h("a", { href: to(wanted), "aria-current": current(wanted) }, words);
  const seek = (event) => {
    event.preventDefault();
    location.hash = to("search", { q: event.target.elements.q.value.trim() });
  };
  document.querySelector(".skip").textContent = say("skip");
  document.querySelector("header").replaceChildren(
    h("a", { href: to(""), class: "brand" }, h("img", { src: new URL("icon.svg", import.meta.url), alt: "", width: 28, height: 28 }), say("name")),
    h("nav", { "aria-label": say("name") }, entry("", say("home")), entry("changes", say("changes")),
      h("a", { href: to(path, { ...parameters, lang: other }), lang: other, hreflang: other }, say("language"))),
    h("form", { role: "search", onsubmit: seek },
      h("input", { type: "search", name: "q", required: true, maxlength: 100, "aria-label": say("search"), placeholder: say("searchHint"), value: parameters.q }),
      h("button", {}, say("search"))));
  document.querySelector("footer").replaceChildren(
    h("p", {}, say("about"), " ", link("docs/", say("api")), " ", link("openapi.json", "OpenAPI")));
}

// Shows the view that the address names. What comes late for a view that was left is dropped.
async function show() {
  const place = here();
  const own = new AbortController();
  leaving.abort();
  leaving = own;
  speak(place.parameters.lang);
  frame(place);
  main.setAttribute("aria-busy", "true");
  const slow = setTimeout(() => own.signal.aborted || announce(say("loading")), 1000);
  let view;
  try {
    const [, load] = VIEWS.find(([path]) => path.test(place.parts.join("/"))) ?? [];
    const module = await load?.();
    view = module ? await module.view(place, own.signal) : [heading(say("notFound")), h("p", {}, link(to(""), say("home")))];
  } catch (problem) {
    view = failure(problem);
  }
  clearTimeout(slow);
  if (own.signal.aborted) return;
  main.removeAttribute("aria-busy");
  main.replaceChildren(...view.flat(Infinity).filter(Boolean));
  document.title = `${main.querySelector("h1").textContent} — ${say("name")}`;
  const chosen = main.querySelector(".chosen");
  if (!isFirst) (chosen ?? main.querySelector("h1")).focus({ preventScroll: true });
  if (chosen) chosen.scrollIntoView();
  else if (!isFirst) scrollTo(0, 0);
  isFirst = false;
}

function failure(problem) {
  // A mistake of the site itself is for its console, and a refusal for its reader.
  if (!(problem instanceof Problem)) console.error(problem);
  return [
    heading(problem.title ?? say("failed")),
    h("p", {}, problem.message),
    h("ul", {}, (problem.errors ?? []).map((fault) => h("li", {}, fault.detail))),
    h("p", {}, h("button", { type: "button", onclick: show }, say("retry")), " ", link(to(""), say("home"))),
  ];
}

addEventListener("hashchange", show);
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault(); // the part of the address behind # is the view
  main.querySelector("h1").focus();
});
// What is folded is printed unfolded, and what a field holds as a text, which is not cut at its end.
let folded = [];
addEventListener("beforeprint", () => {
  folded = [...main.querySelectorAll("details:not([open])")];
  for (const details of folded) details.open = true;
  for (const field of main.querySelectorAll(".inputs label > :is(input, select)")) field.parentElement.dataset.holds = field.selectedOptions?.[0].text ?? field.value;
});
addEventListener("afterprint", () => {
  for (const details of folded) details.open = false;
});
show();
