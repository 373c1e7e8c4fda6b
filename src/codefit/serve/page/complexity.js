// The page: what was written goes to the server, what comes back is shown.

const PAUSE = 300; // ms without a key until the code is scored
const LONG_PAUSE = 1200; // until the model is asked, which takes longer
const LARGEST_FILE = 4000000; // bytes: the server takes a tenth of it
const EXAMPLE = `// A function with branches, one in another.
function cheapest(offers, limit) {
  let best = null;
  for (const offer of offers) {
    if (offer.price > limit || offer.isSold) {
      continue;
    }
    if (best === null || offer.price < best.price) {
      best = offer;
    } else if (offer.price === best.price && offer.rating > best.rating) {
      best = offer;
    }
  }
  return best;
}

const total = (offers) => offers.reduce((sum, offer) => sum + offer.price, 0);
`;

const page = {
  token: null, // in memory alone
  languages: [],
  model: null,
  timer: null,
  request: null, // what can be aborted
};
const byId = (id) => document.getElementById(id);

function say(text) {
  if (byId("told").textContent !== text) byId("told").textContent = text;
}

function complain(text) {
  byId("problem").hidden = !text;
  if (byId("problem").textContent !== text) byId("problem").textContent = text;
}

// The server's answer as JSON. Throws an error whose message is for people; one with `isRefused` asks for the token.
async function ask(path, body, signal) {
  const headers = body ? { "Content-Type": "application/json" } : {};
  // A header takes bytes: those of UTF-8, as the server compares them.
  if (page.token !== null) headers.Authorization = `Bearer ${unescape(encodeURIComponent(page.token))}`;
  let answer;
  try {
    answer = await fetch(path, { method: body ? "POST" : "GET", headers, signal, body: body && JSON.stringify(body) });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("The server does not answer. Is it still running?");
  }
  const told = await answer.json().catch(() => null);
  if (answer.ok && told) return told;
  const error = new Error(told?.error?.message ?? `The server answered with status ${answer.status}.`);
  error.isRefused = answer.status === 401;
  error.wait = answer.status === 503 ? Number(answer.headers.get("Retry-After") ?? 1) : 0;
  throw error;
}

async function start() {
  try {
    const told = await ask("v1/complexity/languages");
    page.languages = told.languages;
    page.model = told.model;
    byId("token-form").hidden = true;
    byId("language").append(...told.languages.map(({ name }) => element("option", { value: name, textContent: titleOf(name) })));
    byId("model").textContent = told.model ?? "";
    byId("learned-told").hidden = told.model === null;
    changed(0);
  } catch (error) {
    failed(error, start);
  }
}

function failed(error, again) {
  if (error.name === "AbortError") return;
  if (error.isRefused) {
    const isWrong = page.token !== null;
    byId("token-form").hidden = false;
    byId("token-told").textContent = isWrong ? "The server does not take this token." : "";
    byId("token").focus();
    return;
  }
  if (error.wait) {
    say("The server is busy; this is tried again in a moment.");
    page.timer = setTimeout(again, error.wait * 1000);
    return;
  }
  say("");
  complain(error.message);
}

function language() {
  const names = page.languages.map((each) => each.name);
  const guessed = guessFromText(editor.text.value, names);
  byId("language").options[0].textContent = guessed ? `Guess (${titleOf(guessed)})` : "Guess";
  return byId("language").value || guessed;
}

// The code or the language is another: score it when no more keys come.
function changed(pause = PAUSE) {
  clearTimeout(page.timer);
  page.request?.abort();
  const isEmpty = !editor.text.value.trim();
  byId("start").hidden = !isEmpty;
  const chosen = language();
  if (!page.languages.length) return;
  if (isEmpty) {
    say("");
    complain("");
    showFunctions([], page.model);
  } else if (chosen === null) {
    complain("Which language is this? Please choose it above.");
  } else {
    page.timer = setTimeout(() => score(chosen, false), pause);
  }
}

async function score(chosen, learned) {
  page.request = new AbortController();
  const { signal } = page.request;
  try {
    const body = { code: editor.text.value, language: chosen, explain: true, learned };
    show((await ask("v1/complexity", body, signal)).results[0], chosen);
    if (page.model !== null && !learned) page.timer = setTimeout(() => score(chosen, true), LONG_PAUSE);
  } catch (error) {
    failed(error, () => score(chosen, learned));
  }
}

function show(result, chosen) {
  if (result.error) {
    say("");
    complain(`It cannot be scored: ${result.error}.`);
    showFunctions([], page.model);
    return;
  }
  const { functions, module } = result;
  const isWhole = result.scored_as === "module";
  // Heads and braces around functions belong to it: that alone is nothing to show.
  const isMore = module.metrics.cyclomatic > 1 || module.score >= 2;
  const outside = isWhole || isMore ? [{ ...module, isWhole }] : [];
  complain(result.complete ? "" : "There is a syntax error in it: what could be read is scored.");
  showFunctions([...functions, ...outside], page.model);
  say(isWhole ? "There is no function in it: the code is scored as a whole." : summary(functions, chosen));
}

function summary(functions, chosen) {
  const highest = functions.reduce((best, each) => (each.score > best.score ? each : best));
  const count = functions.length === 1 ? "1 function" : `${functions.length.toLocaleString("en")} functions`;
  const shown = functions.length > MOST_ROWS ? ` The ${MOST_ROWS} with the highest scores are shown.` : "";
  const most = functions.length > 1 ? `; the highest score has ${highest.qualified}: ${highest.score.toFixed(1)}, ${highest.label}` : "";
  return `${count} of ${titleOf(chosen)}${most}.${shown}`;
}

async function read(file) {
  if (!file) return;
  if (file.size > LARGEST_FILE) {
    complain(`${file.name} is too large: ${file.size.toLocaleString("en")} bytes.`);
    return;
  }
  byId("language").value = guessFromName(file.name, page.languages) ?? "";
  setCode(await file.text());
}

function setCode(text) {
  editor.text.value = text;
  editor.text.setSelectionRange(0, 0);
  editor.text.scrollTop = 0;
  list.open = null;
  readLines();
  changed(0);
}

function backToFunction() {
  const own = chosenFunction();
  if (own) buttonOf(own.key)?.focus();
  return own !== null;
}

startEditor(() => changed(), backToFunction);
byId("language").addEventListener("change", () => changed(0));
byId("counted").addEventListener("change", drawFunctions);
byId("order").addEventListener("change", drawFunctions);
byId("score").addEventListener("click", () => changed(0));
byId("example").addEventListener("click", () => {
  byId("language").value = "";
  setCode(EXAMPLE);
  editor.text.focus();
});
byId("file").addEventListener("change", (event) => {
  read(event.target.files[0]);
  event.target.value = ""; // so that the same file can be opened again
});
byId("token-form").addEventListener("submit", (event) => {
  event.preventDefault();
  page.token = byId("token").value.trim();
  byId("token").value = "";
  start();
});
document.addEventListener("dragover", (event) => {
  event.preventDefault();
  editor.frame.classList.add("dropping");
});
document.addEventListener("dragleave", () => editor.frame.classList.remove("dropping"));
document.addEventListener("drop", (event) => {
  editor.frame.classList.remove("dropping");
  if (!event.dataTransfer.files.length) return; // text: the browser puts it into the editor
  event.preventDefault();
  read(event.dataTransfer.files[0]);
});
start();
