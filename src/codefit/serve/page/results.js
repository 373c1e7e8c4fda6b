// The list of functions, and what is behind the score of the one that is open.

const MOST_ROWS = 500; // a browser takes seconds for ten thousand; the highest scores are among those that are shown
const MOST_REASONS = 200;
const METRICS = [
  ["cyclomatic", "Cyclomatic complexity"],
  ["cognitive", "Cognitive complexity"],
  ["nesting", "Deepest nesting"],
  ["parameters", "Parameters"],
  ["lines", "Lines of code"],
  ["tokens", "Tokens"],
  ["ccn", "Branches as lizard counts"],
  ["maintainability", "Maintainability, of 100"],
  ["halstead_volume", "Halstead volume"],
  ["halstead_difficulty", "Halstead difficulty"],
  ["halstead_effort", "Halstead effort"],
];
const MODULE = "(module)";

const list = {
  table: document.getElementById("functions"),
  columns: document.getElementById("columns"),
  rows: document.getElementById("rows"),
  order: document.getElementById("order"),
  entries: [], // functions and the code outside of them, as in the code
  open: null, // the key of the function that is open
  model: null,
};

function counted() {
  return document.getElementById("counted").value;
}

// Functions are known again after a change by their name, and which of that name they are.
function withKeys(functions) {
  const seen = new Map();
  return functions.map((each) => {
    const number = seen.get(each.qualified) ?? 0;
    seen.set(each.qualified, number + 1);
    return { ...each, key: `${each.qualified}#${number}` };
  });
}

function showFunctions(entries, model) {
  list.entries = withKeys(entries);
  list.model = model;
  if (!list.entries.some((each) => each.key === list.open)) list.open = null;
  drawFunctions();
}

function chosenFunction() {
  return list.entries.find((each) => each.key === list.open) ?? null;
}

function drawFunctions() {
  const focused = list.rows.contains(document.activeElement) ? document.activeElement.closest("[data-key]") : null;
  const shown = [...list.entries];
  const byScore = (a, b) => b.score - a.score || a.line - b.line;
  if (list.order.value === "score" || shown.length > MOST_ROWS) shown.sort(byScore);
  const rows = shown.slice(0, MOST_ROWS);
  if (list.order.value !== "score") rows.sort((a, b) => list.entries.indexOf(a) - list.entries.indexOf(b));
  drawColumns();
  list.rows.replaceChildren(...rows.flatMap((each) => (each.key === list.open ? [rowOf(each), reasonsOf(each)] : [rowOf(each)])));
  list.table.hidden = !rows.length;
  list.table.classList.toggle("with-learned", list.model !== null);
  document.getElementById("order-field").hidden = list.entries.length < 2;
  setMarks(list.entries, chosenFunction());
  if (focused) buttonOf(focused.dataset.key)?.focus({ preventScroll: true });
}

function buttonOf(key) {
  return [...list.rows.querySelectorAll(".name-button")].find((each) => each.dataset.key === key) ?? null;
}

function drawColumns() {
  const names = [["Function", ""], ["Score", "n"]];
  if (list.model !== null) names.push(["Learned", "n"]);
  names.push(["Cognitive", "n second"], ["Cyclomatic", "n spare"], ["Lines", "n spare"]);
  list.columns.replaceChildren(
    ...names.map(([name, kind]) => element("th", { scope: "col", className: kind, textContent: name })),
  );
}

function rowOf(own) {
  const isModule = own.qualified === MODULE;
  const isOpen = own.key === list.open;
  const name = isModule ? (own.isWhole ? "the code as a whole" : "outside of functions") : own.qualified;
  const button = element("button", {
    type: "button",
    className: isModule ? "name-button plain" : "name-button",
    ariaExpanded: String(isOpen),
    data: { "data-key": own.key },
  });
  // A long name breaks after its dots.
  name.split(".").forEach((part, number) => button.append(...(number ? [".", element("wbr"), part] : [part])));
  button.addEventListener("click", () => choose(own));
  const range = element("span", { className: "range" }, own.line === own.end_line ? `line ${own.line}` : `lines ${own.line}–${own.end_line}`);
  if (!own.complete) range.append(element("span", { className: "broken", textContent: ", with a syntax error" }));
  const row = element("tr", { className: isOpen ? "open" : "" }, element("th", { scope: "row" }, button, range));
  row.append(scoreCell(own.score, own.label));
  if (list.model !== null) row.append(learnedCell(own.learned, isModule && !own.isWhole));
  row.append(
    element("td", { className: "second", textContent: own.metrics.cognitive }),
    element("td", { className: "spare", textContent: own.metrics.cyclomatic }),
    element("td", { className: "spare", textContent: own.metrics.lines }),
  );
  return row;
}

function scoreCell(score, label) {
  return element("td", {}, element("span", { className: "points", textContent: score.toFixed(1) }), element("span", { className: `word ${label}`, textContent: label }));
}

function learnedCell(learned, isNone) {
  if (isNone) return element("td", { ariaLabel: "not estimated", textContent: "–" });
  if (!learned) return element("td", { ariaLabel: "not yet estimated", textContent: "…" });
  if (learned.error) return element("td", { title: learned.error, textContent: "no answer" });
  const cell = element("td", {}, element("span", { className: "points", textContent: learned.score.toFixed(1) }));
  if (learned.low !== undefined && learned.high !== undefined) {
    cell.append(element("span", { className: "ci", textContent: `${learned.low.toFixed(1)}–${learned.high.toFixed(1)}` }));
  }
  return cell;
}

// Open a function and come to its code; the one that is open closes.
function choose(own) {
  list.open = own.key === list.open ? null : own.key;
  drawFunctions();
  if (list.open === null) buttonOf(own.key)?.focus();
  else goToLine(own.line, own.end_line);
}

// The three parts of the formula, as `formula` of codefit.source.metrics.figures has them.
function formulaText(own) {
  const { ccn, tokens, lines } = own.metrics;
  const parts = [[0.5, 2 * Math.log2(ccn + 1), `${ccn} ${ccn === 1 ? "branch" : "branches"}`], [0.3, tokens / 40, `${tokens} ${tokens === 1 ? "token" : "tokens"}`], [0.2, lines / 8, `${lines} ${lines === 1 ? "line" : "lines"}`]];
  const sum = parts.reduce((all, [share, value]) => all + share * Math.min(10, value), 0);
  const said = parts.map(([share, value, what]) => `${(share * Math.min(10, value)).toFixed(2)} for ${what}`).join(" + ");
  const least = sum < 1 ? ", and 1.0 is the least" : "";
  return `${own.score.toFixed(1)} = ${said}${least}.`;
}

function reasonsOf(own) {
  const cell = element("td", { colSpan: list.columns.children.length });
  cell.append(element("h3", { textContent: "Exact score" }), element("p", { textContent: formulaText(own) }));
  if (own.learned?.error) cell.append(element("h3", { textContent: "No learned score" }), element("p", { textContent: own.learned.error }));
  const figures = METRICS.map(([key, name]) => element("div", {}, element("dt", { textContent: name }), element("dd", { textContent: own.metrics[key].toLocaleString("en") })));
  cell.append(element("h3", { textContent: "Metrics" }), element("dl", {}, ...figures));
  const amount = counted();
  const reasons = (own.increments ?? []).filter((each) => each[amount]);
  cell.append(element("h3", { textContent: `What adds to its ${amount} complexity` }));
  if (!reasons.length) cell.append(element("p", { textContent: amount === "cyclomatic" ? "Nothing: it is 1, as for all code without a branch." : "Nothing." }));
  cell.append(element("ol", {}, ...reasons.slice(0, MOST_REASONS).map((each) => reasonOf(each, amount))));
  if (reasons.length > MOST_REASONS) cell.append(element("p", { textContent: `and ${reasons.length - MOST_REASONS} more` }));
  return element("tr", { className: "why" }, cell);
}

function reasonOf(increment, amount) {
  const button = element("button", { type: "button", textContent: `Line ${increment.line}` });
  button.addEventListener("click", () => goToLine(increment.line));
  const nesting = amount === "cognitive" && increment.nesting ? `${increment.what}, ${increment.nesting} of it for nesting` : increment.what;
  return element("li", {}, button, element("span", { className: "plus", textContent: `+${increment[amount]}` }), element("span", { textContent: nesting }));
}
