// The results of one policy in a grid: grades are previewed while somebody types, and all rows are stored at once.

import { all, ask, codesOf, follow, hasToken, label, Problem, useToken } from "./api.js";
import { announce, dayPicker, disagreement, facts, gradeBadge, h, heading, ja, link, more, named, to } from "./dom.js";
import { fiscalYear, lang, measured, say } from "./words.js";

const PAUSE = 250; // milliseconds without typing before a grade is previewed
const typedBefore = new Map(); // by policy: what was typed and not stored when its grid was left

export async function view({ parts: [, organization, year], parameters: { on } }, stop) {
  const path = `policies/${organization}/${year}`;
  const body = h("div", {});
  const { name, name_en: english } = await ask(`organizations/${organization}`);
  const title = heading(say("edit"), ": ", link(to(path), named(name, english), " ", Number(year) ? fiscalYear(Number(year)) : year));
  if (hasToken()) await open().catch(refused);
  else body.append(asker(""));
  return [title, h("p", {}, say("editLead")), body];

  // A token that is worth nothing is forgotten, and another one asked for.
  function refused(problem) {
    if (problem.status !== 401) throw problem;
    useToken(null);
    body.replaceChildren(asker(say("badToken")));
  }

  // Asks for a token, and opens the grid with it.
  function asker(words) {
    const fault = h("p", { class: "fault", id: "token-fault", role: "alert" }, words);
    const input = h("input", { type: "password", required: true, autocomplete: "off", "aria-describedby": "token-lead token-fault" });
    const submit = async (event) => {
      event.preventDefault();
      useToken(input.value.trim());
      try {
        await open();
      } catch (problem) {
        useToken(null);
        fault.textContent = problem.status === 401 ? say("badToken") : problem.message;
        input.focus();
      }
    };
    return h("form", { class: "token", onsubmit: submit },
      h("label", {}, say("token"), input), h("button", {}, say("open")), h("p", { id: "token-lead", class: "quiet" }, say("tokenLead")), fault);
  }

  async function open() {
    const [me, policy, { stage }, head] = await Promise.all([ask("me"), ask(`${path}/tree`, { with: "evaluation", on }), ask(path), ask("changes/head")]);
    const closing = new AbortController(); // with the view, or when the token is forgotten
    const isOver = AbortSignal.any([stop, closing.signal]);
    const grid = new Grid(policy, { path, on, isPublic: stage === "results" }, isOver);
    const forget = () => {
      useToken(null);
      closing.abort();
      body.replaceChildren(asker(""));
      body.querySelector("input").focus();
    };
    const mayEdit = me.admin || me.edit.includes(policy.organization);
    body.replaceChildren(
      h("p", { class: "day" }, say("enters", me.name), h("button", { type: "button", class: "plain", onclick: forget }, say("forget"))),
      dayPicker(policy.on, `${path}/results`),
      mayEdit ? grid.form : h("p", { class: "fault" }, say("notAllowed", policy.organization_name)));
    follow({ cursor: head.cursor, type: "result", organization: policy.organization }, isOver, () => grid.reread());
  }
}

class Grid {
  constructor(policy, { path, on, isPublic }, isOver) {
    Object.assign(this, { path, on: policy.on, isPublic, isOver, asked: { with: "evaluation", on } });
    this.place = { organization: policy.organization, fiscal_year: policy.fiscal_year, on };
    this.rows = policy.goals.flatMap((goal) => goal.indicators.map((indicator) => new Row(this, goal, indicator, policy)));
    this.reason = h("input", { name: "reason", maxlength: 1000, autocomplete: "off", "aria-describedby": "reason-fault" });
    this.fault = h("p", { class: "fault", id: "reason-fault", role: "alert" });
    this.button = h("button", { disabled: true }, say("store", 0));
    const submit = (event) => {
      event.preventDefault();
      this.store();
    };
    this.form = h("form", { class: "grid", novalidate: true, autocomplete: "off", onsubmit: submit, onkeydown: (event) => this.step(event), onpaste: (event) => this.paste(event) },
      more(say("fields"), facts(...Object.entries(Row.names).map(([name, word]) => [say(word), say(`help.${name}`)]))),
      h("div", { class: "rows" }, this.rows.map((row) => row.element)),
      h("div", { class: "storing" }, h("label", {}, say("reason"), h("small", {}, say("reasonHint")), this.reason), this.button, this.fault));
    addEventListener("beforeunload", (event) => this.changed().length > 0 && event.preventDefault(), { signal: isOver });
    // Who looks elsewhere and comes back finds what was typed.
    isOver.addEventListener("abort", () => typedBefore.set(path, new Map(this.changed().map((row) => [row.indicator.id, row]))));
    for (const row of this.rows) row.goOn(typedBefore.get(path)?.get(row.indicator.id));
    this.count();
    this.check();
  }

  // What is stored and does not fit is told in its row; a rating that differs is there already.
  async check() {
    const { items } = await all("findings", this.place).catch(() => ({ items: [] }));
    const told = items.filter(({ kind }) => kind !== "rating_differs");
    for (const row of this.rows) row.findings.replaceChildren(...told.filter((one) => one.indicator_id === row.indicator.id).map(({ sentence }) => h("li", {}, sentence[lang])));
  }

  changed = () => this.rows.filter((row) => row.isChanged());

  count() {
    const { length } = this.changed();
    this.button.textContent = say("store", length);
    this.button.disabled = length === 0;
  }

  // Up and down go to the same field of another row; Enter stores, as in any form.
  step(event) {
    const way = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    const place = this.rows.findIndex((row) => row.element.contains(event.target));
    if (!way || place < 0 || event.target.tagName !== "INPUT") return;
    event.preventDefault();
    this.rows[place + way]?.fields.get(event.target.name)?.focus();
  }

  // A column of a spreadsheet goes into this row and those below.
  paste(event) {
    const lines = event.clipboardData.getData("text").trimEnd().split(/\r?\n/);
    const place = this.rows.findIndex((row) => row.element.contains(event.target));
    if (lines.length < 2 || place < 0 || event.target.tagName !== "INPUT") return;
    event.preventDefault();
    lines.forEach((line, below) => this.rows[place + below]?.type(event.target.name, line.trim()));
  }

  // Stores what was changed, all rows or none. Each row says which version it was read in: nobody's work is overwritten.
  async store() {
    const rows = this.changed();
    const items = rows.map((row) => ({ indicator_id: row.indicator.id, version: row.version, result: row.result() }));
    this.button.disabled = true;
    this.tell([]);
    try {
      const { created, changed, unchanged } = await ask("results", {}, { method: "POST", body: { items, reason: this.reason.value.trim() || null } });
      for (const row of rows) row.settle();
      this.reason.value = "";
      await this.reread();
      const told = [say("stored", created, changed, unchanged), !this.isPublic && say("notPublic")].filter(Boolean).join(" ");
      announce(told);
      this.fault.textContent = told;
      this.fault.className = "said";
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      await this.refused(problem, rows);
    }
    this.count();
  }

  // Each fault goes to its field; 412 and 409 say that others were faster: what they stored is read, what was typed stays.
  async refused(problem, rows) {
    const left = problem.errors.filter(({ pointer, detail }) => {
      const [, place, name] = /^\/items\/(\d+)\/(?:result\/)?(\w+)/.exec(pointer ?? "") ?? [];
      return place === undefined || (name !== "version" && !rows[place].tell(name, detail));
    });
    if ([409, 412].includes(problem.status)) await this.reread();
    if (left.length || problem.errors.length === 0) this.tell([problem.message, ...left.map((fault) => fault.detail)], left.length > 0);
    else this.tell([say("faultyRows")]);
    const first = this.form.querySelector("[aria-invalid=true]") ?? (left.length ? this.reason : null);
    first?.focus();
  }

  tell(words, isOfReason = false) {
    this.fault.className = "fault";
    this.fault.textContent = [...new Set(words)].join(" ");
    this.reason.setAttribute("aria-invalid", String(isOfReason && this.reason.value === ""));
  }

  // Reads what is stored by now, after a change of others too. Where it cannot be read, a store says so.
  async reread() {
    const policy = await ask(`${this.path}/tree`, this.asked).catch(() => null);
    if (policy === null || this.isOver.aborted) return;
    const read = new Map(policy.goals.flatMap((goal) => goal.indicators).map((indicator) => [indicator.id, indicator]));
    for (const row of this.rows) if (read.has(row.indicator.id)) row.reread(read.get(row.indicator.id));
    this.count();
    await this.check();
  }
}

class Row {
  // What the fields are called.
  static names = { value: "result", cumulative_value: "cumulative", value_status: "valueStatus", observation_status: "settled", declared_rating: "declared", text: "printed" };

  constructor(grid, goal, indicator, policy) {
    Object.assign(this, { grid, indicator, year: policy.fiscal_year, due: policy.results_due_on, faults: new Map(), fields: new Map() });
    const { target, name, unit } = indicator;
    const hasSum = target.period.kind === "cumulative" || indicator.results.some((result) => result.cumulative_value !== null);
    this.grade = h("div", { class: "grade", role: "status" });
    this.conflict = h("p", { class: "fault" });
    this.findings = h("ul", { class: "findings", "aria-label": say("findings") });
    this.element = h("div", { class: "row", role: "group", "aria-label": name },
      h("div", {}, h("h2", {}, h("span", { class: "code" }, goal.code), " ", ja(name)), h("p", { class: "quiet" }, `${say("target")}: `, ja(target.text ?? "—"))),
      h("div", { class: "inputs" },
        this.field("value", h("input", { inputmode: "decimal" }), unit && ` (${unit})`),
        hasSum && this.field("cumulative_value", h("input", { inputmode: "decimal" })),
        this.field("value_status", choice([["", say("stated")], ...coded("value_status", (code) => !["reported", "not_yet_due", "not_reported"].includes(code))])),
        this.field("observation_status", choice(coded("observation_status"))),
        this.field("declared_rating", choice([["", "—"], ...coded("rating").map(([code, words]) => [code, `${code} ${words}`])])),
        this.field("text", h("input", {}))),
      h("div", {}, this.grade, this.conflict, this.findings));
    this.take(indicator);
  }

  field(name, control, unit = "") {
    const id = `${this.indicator.id}-${name}`;
    const fault = h("span", { class: "fault", id });
    Object.entries({ name, "aria-describedby": id }).forEach(([attribute, value]) => control.setAttribute(attribute, value));
    control.addEventListener("input", () => this.typed(name));
    this.fields.set(name, control);
    this.faults.set(name, fault);
    return h("label", { class: name, title: say(`help.${name}`) }, say(Row.names[name]), unit, control, fault);
  }

  // Shows what is stored.
  take(indicator) {
    this.indicator = indicator;
    this.stored = indicator.results.find((result) => result.fiscal_year === this.year) ?? null;
    this.version = this.stored?.version ?? 0;
    const shown = { observation_status: "final", ...this.stored };
    for (const [name, field] of this.fields) {
      const isOption = field.tagName !== "SELECT" || [...field.options].some((option) => option.value === shown[name]);
      field.value = isOption ? (shown[name] ?? "") : "";
    }
    this.settle();
    this.judge(indicator.evaluation);
  }

  // What is typed is what is stored.
  settle() {
    this.known = this.typing();
    this.conflict.replaceChildren();
    for (const name of this.fields.keys()) this.tell(name, "");
  }

  typing = () => JSON.stringify([...this.fields.values()].map((field) => field.value.trim()));
  isChanged = () => this.typing() !== this.known;

  // What others stored is shown, unless somebody is typing here: then it says so, and storing again replaces it.
  reread(indicator) {
    const stored = indicator.results.find((result) => result.fiscal_year === this.year);
    const version = stored?.version ?? 0;
    if (!this.isChanged()) this.take(indicator);
    else if (version !== this.version) {
      this.version = version;
      const value = stored?.value ?? stored?.cumulative_value;
      this.conflict.replaceChildren(say("conflict", stored ? (value === null ? label("value_status", stored.value_status) : measured(value, indicator.unit, indicator.decimals)) : "—"), " ",
        h("button", { type: "button", class: "plain", onclick: () => this.take(indicator) || this.grid.count() }, say("revert")));
      announce(this.conflict.textContent);
    }
  }

  // Takes over what was typed into a row that was left.
  goOn(left) {
    if (!left) return;
    for (const [name, field] of this.fields) field.value = left.fields.get(name)?.value ?? field.value;
    this.version = left.version;
    this.reread(this.indicator);
    this.preview();
  }

  // The result as it was typed. What is no number goes as it is: the service says what is wrong with it.
  result() {
    const text = (name) => this.fields.get(name)?.value.trim() || null;
    const number = (name) => {
      const plain = text(name)?.normalize("NFKC").replaceAll(",", "") ?? null;
      return plain === null || Number.isNaN(Number(plain)) ? plain : Number(plain);
    };
    const { version, ...stored } = this.stored ?? {};
    return {
      ...stored, fiscal_year: this.year, value: number("value"), cumulative_value: this.fields.has("cumulative_value") ? number("cumulative_value") : (stored.cumulative_value ?? null),
      value_status: text("value_status") ?? undefined, observation_status: text("observation_status"), declared_rating: text("declared_rating"), text: text("text"),
    };
  }

  type(name, words) {
    const field = this.fields.get(name);
    field.value = words;
    this.typed(name);
  }

  typed(name) {
    this.tell(name, "");
    this.grid.tell([]);
    this.grid.count();
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.preview(), PAUSE);
  }

  // Asks what the grade would be. Nothing is stored; an answer to what is not typed any more is dropped.
  async preview() {
    const { target, unit, decimals, direction, comparable_with_previous, comparable_reason, evaluation } = this.indicator;
    const { reference } = evaluation.inputs;
    const result = this.result();
    const typed = this.typing();
    const body = {
      target, unit, decimals, direction, comparable_with_previous, comparable_reason, result, due_on: this.due,
      recorded_previous: evaluation.previous.recorded, recorded_reference: reference.source === "recorded" ? reference.value : null,
    };
    try {
      const judged = await ask("evaluations/preview", { on: this.grid.on }, { method: "POST", body });
      if (typed === this.typing()) this.judge(judged);
    } catch (problem) {
      if (!(problem instanceof Problem) || typed !== this.typing()) return;
      const told = problem.errors.filter(({ pointer, detail }) => this.tell(pointer?.replace("/result/", ""), detail));
      this.grade.replaceChildren(told.length ? "—" : problem.message);
    }
  }

  judge(evaluation) {
    this.grade.replaceChildren(gradeBadge(evaluation), disagreement(evaluation.ratings) || "", h("p", { class: "quiet" }, evaluation.explanation[lang]));
  }

  // Shows a fault at its field, if it is of one.
  tell(name, words) {
    const fault = this.faults.get(name);
    if (!fault) return false;
    fault.textContent = words;
    this.fields.get(name).setAttribute("aria-invalid", String(words !== ""));
    return true;
  }
}

const coded = (list, is = () => true) => codesOf(list).filter(is).map((code) => [code, label(list, code)]);
const choice = (codes) => h("select", {}, codes.map(([code, words]) => h("option", { value: code }, words)));
