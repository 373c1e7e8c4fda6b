// The editor: a text area, and a gutter beside it that shows what adds to complexity on the lines in sight.

const editor = {
  frame: document.getElementById("editor"),
  gutter: document.getElementById("gutter"),
  text: document.getElementById("code"),
  told: document.getElementById("line-told"),
  starts: [0], // where each line begins
  marks: new Map(), // line -> {plus, nesting, why}
  chosen: null, // {line, end_line} of a function
  told_line: 0,
};

function element(tag, options = {}, ...children) {
  const made = document.createElement(tag);
  const { data, ...properties } = options;
  Object.assign(made, properties);
  for (const [name, value] of Object.entries(data ?? {})) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

function readLines() {
  const text = editor.text.value;
  editor.starts = [0];
  for (let place = text.indexOf("\n"); place >= 0; place = text.indexOf("\n", place + 1)) editor.starts.push(place + 1);
}

function lineOf(place) {
  let low = 0;
  let high = editor.starts.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (editor.starts[middle] <= place) low = middle;
    else high = middle;
  }
  return low + 1;
}

function lineHeight() {
  return parseFloat(getComputedStyle(editor.text).lineHeight);
}

// An increment in words: what it is, and how much of it is for lying deep.
function why(increment) {
  if (counted() === "cyclomatic") return `${increment.what} +${increment.cyclomatic}`;
  const nesting = increment.nesting ? `, ${increment.nesting} of it for nesting` : "";
  return `${increment.what} +${increment.cognitive}${nesting}`;
}

// What each line adds: the chosen function's increments, elsewhere those of the innermost function.
function setMarks(functions, chosen) {
  const places = new Map();
  const inner = functions.map((each) => [each, each === chosen ? Infinity : each.line]);
  for (const [own, rank] of inner) {
    for (const increment of own.increments ?? []) {
      const key = `${increment.line}:${increment.column}`;
      if ((places.get(key)?.rank ?? -1) <= rank) {
        if (places.get(key)?.own === own) places.get(key).all.push(increment);
        else places.set(key, { own, rank, all: [increment] });
      }
    }
  }
  editor.marks = new Map();
  const amount = counted();
  for (const { all } of places.values()) {
    for (const increment of all) {
      if (!increment[amount]) continue;
      const mark = editor.marks.get(increment.line) ?? { plus: 0, nesting: 0, why: [] };
      mark.plus += increment[amount];
      mark.nesting = Math.max(mark.nesting, amount === "cognitive" ? increment.nesting : 0);
      mark.why.push(why(increment));
      editor.marks.set(increment.line, mark);
    }
  }
  editor.chosen = chosen;
  drawGutter();
  tellLine(true);
}

// Only lines in sight have an element: a bundle has tens of thousands.
function drawGutter() {
  const { gutter, text, starts, marks, chosen } = editor;
  const height = lineHeight();
  const first = Math.floor(text.scrollTop / height) + 1;
  const last = Math.min(starts.length, first + Math.ceil(text.clientHeight / height) + 1);
  const at = lineOf(text.selectionStart);
  const rows = [];
  for (let line = first; line <= last; line++) {
    const mark = marks.get(line);
    const row = element("div");
    row.style.top = `${(line - 1) * height - text.scrollTop}px`;
    if (chosen && line >= chosen.line && line <= chosen.end_line) row.classList.add("chosen");
    if (line === at && document.activeElement === text) row.classList.add("at");
    row.append(element("span", { className: "number", textContent: line, ariaHidden: "true" }));
    if (mark) {
      const says = `Line ${line}: ${mark.why.join("; ")}`;
      row.title = says;
      row.setAttribute("role", "listitem");
      row.setAttribute("aria-label", says);
      row.append(element("span", { className: "nest", textContent: "·".repeat(Math.min(mark.nesting, 4)) }));
      row.append(element("span", { className: "plus", textContent: `+${mark.plus}` }));
    } else {
      row.setAttribute("role", "presentation");
    }
    rows.push(row);
  }
  gutter.replaceChildren(...rows);
}

// Why the line of the cursor adds something, for those who use no pointer.
function tellLine(again = false) {
  const line = lineOf(editor.text.selectionStart);
  if (line === editor.told_line && !again) return;
  editor.told_line = line;
  const mark = editor.marks.get(line);
  const says = mark ? `Line ${line}: ${mark.why.join("; ")}` : "";
  if (editor.told.textContent !== says) editor.told.textContent = says;
  drawGutter();
}

function goToLine(line, end = line) {
  const { text, starts } = editor;
  const height = lineHeight();
  const last = Math.min(end, line + 1);
  text.setSelectionRange(starts[line - 1] ?? 0, starts[line - 1] ?? 0);
  // On a phone the keyboard would rise over what is to be seen.
  if (!matchMedia("(pointer: coarse)").matches) text.focus({ preventScroll: true });
  const top = (line - 1) * height;
  if (top < text.scrollTop || last * height > text.scrollTop + text.clientHeight || end > line) {
    text.scrollTop = Math.max(0, top - 2 * height);
  }
  text.scrollLeft = 0;
  const { top: above, bottom } = editor.frame.getBoundingClientRect();
  if (above < 0 || bottom > innerHeight) editor.frame.scrollIntoView({ block: "nearest" });
  tellLine(true);
}

function startEditor(onChange, onLeave) {
  const { text, frame } = editor;
  text.addEventListener("input", () => {
    readLines();
    drawGutter();
    onChange();
  });
  text.addEventListener("scroll", drawGutter, { passive: true });
  document.addEventListener("selectionchange", () => tellLine());
  text.addEventListener("focus", drawGutter);
  text.addEventListener("blur", drawGutter);
  text.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && onLeave()) event.preventDefault();
  });
  new ResizeObserver(drawGutter).observe(frame);
  drawGutter();
}
