"use strict";

// What each language's code shows and others' hardly does, with how much it weighs.
const SIGNS = {
  python: [[/^\s*(?:async )?def \w+\(.*\).*:\s*(?:#.*)?$/, 4], [/^\s*(?:from \S+ )?import [\w., ]+$/, 2], [/^\s*(?:if|for|while|with|elif|else|try|except|class)\b[^{;]*:\s*(?:#.*)?$/, 2], [/\bself\.|\bNone\b|\bTrue\b|\belif\b/, 1]],
  javascript: [[/\b(?:function\b\s*\*?\s*\w*\s*\(|=>)/, 3], [/\b(?:const|let|var)\s+[\w${[]/, 2], [/===|!==|\bconsole\.|\bmodule\.exports\b|\brequire\(/, 3], [/\bawait\b|\basync\b|\bundefined\b/, 1]],
  typescript: [[/\b(?:const|let|function|=>)/, 2], [/(?:\b(?:const|let|var) \w+|[(,]\s*\w+\??)\s*:\s*[\w<[{"'|]/, 4], [/^\s*(?:export\s+)?(?:interface|type) \w+(?:<[^>]*>)?\s*[={]/, 4], [/\b(?:readonly|implements|keyof|as const|as \w+)\b|\)\s*:\s*(?:void|string|number|boolean|Promise)\b/, 3]],
  rust: [[/\bfn \w+\s*(?:<[^>]*>)?\s*\(/, 4], [/\blet mut\b|\bimpl\b|->\s*\w+|\bmatch\b.*\{|&mut\b|&str\b|::\w+/, 2], [/^\s*(?:use|pub|mod) \w/, 2], [/println!|vec!|#\[/, 2]],
  go: [[/^package \w+/, 5], [/^func (?:\([^)]*\) )?\w+\(/, 4], [/:=|\bnil\b|\bdefer\b|\bchan\b/, 2], [/\berr != nil\b|\bfmt\./, 3]],
  java: [[/\b(?:public|private|protected)\s+(?:static\s+|final\s+)*[\w<>[\]]+\s+\w+\s*\(/, 4], [/\bimport java|^package [\w.]+;/, 5], [/\b(?:String|List<|System\.out|@Override|throws)\b/, 2], [/\bnew \w+(?:<.*>)?\(.*\);/, 1]],
  ruby: [[/^\s*def [\w.]+[?!]?(?:\(.*\))?\s*$/, 4], [/^\s*end\s*$/, 3], [/\bputs\b|\.each\b|\bdo \||\bunless\b|\belsif\b|@\w+ =|\battr_/, 2], [/^\s*require ['"]/, 3]],
  php: [[/<\?php/, 8], [/\$\w+\s*(?:=|->|\[)/, 4], [/\bfunction \w+\([^)]*\$/, 4], [/\becho\b/, 1]],
  c: [[/^\s*#\s*include\s*<\w+\.h>/, 4], [/^[\w\s*]+\b\w+\([^;{}]*\)\s*\{/, 2], [/\b(?:int|char|void|struct|size_t|unsigned)\s+\**\w+/, 2], [/\bmalloc\(|\bprintf\(|->\w|\bNULL\b/, 2]],
  cpp: [[/^\s*#\s*include\s*<\w+>/, 4], [/\bstd::|\btemplate\s*<|\bnullptr\b|\bcout\b|\bnamespace\b/, 5], [/^[\w\s*&:<>]+\b\w+\([^;{}]*\)\s*(?:const)?\s*\{/, 2], [/\b(?:int|auto|void|bool|double|class)\s+[\w&*]+/, 2]],
};

// How languages are written, where it is not their name with a capital.
const TITLES = { javascript: "JavaScript", typescript: "TypeScript", php: "PHP", cpp: "C++" };

function titleOf(name) {
  return TITLES[name] ?? name[0].toUpperCase() + name.slice(1);
}

// What is looked at, each line by itself: enough to tell, and quick at every key whatever is written.
const LOOKED_AT = 400; // lines
const LINE = 160; // characters

// The language that the text looks most like, among `names`; null where nothing speaks for any.
function guessFromText(text, names) {
  const lines = text
    .slice(0, LOOKED_AT * LINE)
    .split("\n")
    .filter((line) => line.trim())
    .slice(0, LOOKED_AT)
    .map((line) => line.slice(0, LINE));
  let best = null;
  let most = 2;
  for (const name of names) {
    const shown = (SIGNS[name] ?? []).filter(([sign]) => lines.some((line) => sign.test(line)));
    const weight = shown.reduce((sum, [, weighs]) => sum + weighs, 0);
    if (weight > most) [best, most] = [name, weight];
  }
  return best;
}

// The language of a file by its name or extension; null where it is none that is scored.
function guessFromName(name, languages) {
  const extension = name.includes(".") ? name.slice(name.lastIndexOf(".")).toLowerCase() : "";
  return languages.find((each) => each.file_names.includes(name) || each.extensions.includes(extension))?.name ?? null;
}
