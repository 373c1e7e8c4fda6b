// The figures that ESLint and eslint-plugin-sonarjs give for every function of the sources on standard input.
//
// Input: a JSON array of {"code", "name"}; the ending of the name tells the language. Output: for each source an array of
// {"start", "end", "complexity", "cognitive", "depth"}, a function each, in UTF-16 offsets, or {"error"}.
import { Linter } from "eslint";
import { builtinRules } from "eslint/use-at-your-own-risk";
import sonarjs from "eslint-plugin-sonarjs";
import tseslint from "typescript-eslint";

const FUNCTION = "FunctionDeclaration, FunctionExpression, ArrowFunctionExpression";

// A rule whose reports are heard instead of printed: they hold the figure that a message would only spell.
const heard = (rule, hear) => ({
  ...rule,
  create: (context) =>
    rule.create(Object.create(context, { report: { value: (descriptor) => hear(descriptor, context) } })),
});

function figuresOf(code, name) {
  const functions = new Map(); // by node
  const cognitive = []; // by the place of a function's name, keyword or arrow
  const owner = (node) => {
    while (node && !functions.has(node)) node = node.parent;
    return functions.get(node);
  };
  const rules = {
    functions: {
      create: () => ({
        [FUNCTION](node) {
          functions.set(node, { start: node.range[0], end: node.range[1], complexity: 1, cognitive: 0, depth: 0 });
        },
      }),
    },
    complexity: heard(builtinRules.get("complexity"), ({ node, data }) => {
      if (functions.has(node)) functions.get(node).complexity = data.complexity;
    }),
    depth: heard(builtinRules.get("max-depth"), ({ node, data }) => {
      const own = owner(node);
      if (own) own.depth = Math.max(own.depth, data.depth);
    }),
    cognitive: heard(sonarjs.rules["cognitive-complexity"], ({ loc, data }, { sourceCode }) => {
      cognitive.push([sourceCode.getIndexFromLoc(loc.start), data.complexityAmount]);
    }),
  };
  const isTyped = /\.[mc]?tsx?$/.test(name);
  const config = {
    files: ["**/*.js", "**/*.mjs", "**/*.cjs", "**/*.jsx", "**/*.ts", "**/*.mts", "**/*.cts", "**/*.tsx"],
    languageOptions: {
      sourceType: /\.mjs$/.test(name) || isTyped ? "module" : "script",
      ...(isTyped && { parser: tseslint.parser }),
      parserOptions: { ecmaFeatures: { jsx: !/\.[mc]?ts$/.test(name) } },
    },
    linterOptions: { noInlineConfig: true, reportUnusedDisableDirectives: "off" },
    plugins: { own: { rules } },
    rules: { "own/functions": 2, "own/complexity": [2, 0], "own/depth": [2, 0], "own/cognitive": [2, 0] },
  };
  const fatal = new Linter().verify(code, [config], name).find((message) => message.fatal);
  if (fatal) return { error: `${fatal.line}:${fatal.column} ${fatal.message}` };
  for (const [place, amount] of cognitive) smallestAround(functions, place).cognitive = amount;
  return [...functions.values()];
}

// A method's name stands before its function node, inside the node around it.
function smallestAround(functions, place) {
  let [best, size] = [null, Infinity];
  for (const [node, figures] of functions) {
    const isMethod = ["MethodDefinition", "Property", "PropertyDefinition"].includes(node.parent.type);
    const [start, end] = isMethod ? node.parent.range : node.range;
    if (start <= place && place < end && end - start < size) [best, size] = [figures, end - start];
  }
  return best;
}

let input = "";
for await (const chunk of process.stdin) input += chunk;
process.stdout.write(JSON.stringify(JSON.parse(input).map(({ code, name }) => figuresOf(code, name))));
