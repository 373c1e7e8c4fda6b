import pytest
from outline import only, outline

from codefit.source.functions import units_of

JAVASCRIPT = {
    "declaration": (
        "/** Adds two. */\nfunction add(a, b) { return a + b; }",
        [("function", "add", "Adds two.")],
    ),
    "async and generator": (
        "/** Waits. */ async function a() {}\n/** Counts. */\nfunction* b() {}",
        [("function", "a", "Waits."), ("function", "b", "Counts.")],
    ),
    "arrow in a constant, exported": (
        "/** Doubles. */\nexport const twice = async (x) => x * 2;",
        [("function", "twice", "Doubles.")],
    ),
    "two in one statement have no common doc": (
        "/** First. */\nconst a = () => 1, b = function () {};",
        [("function", "a", ""), ("function", "b", "")],
    ),
    "exports and prototype": (
        """\
        /** Opens. */
        exports.open = function () {};
        /** Closes. */
        module.exports.close = () => {};
        /** Moves. */
        geo.Point.prototype.move = function (x) { this.x = x; };
        """,
        [("function", "open", "Opens."), ("function", "close", "Closes."), ("method", "geo.Point.move", "Moves.")],
    ),
    "class": (
        """\
        /** A stack. */
        export default class Stack extends Base {
          /** Makes one. */
          constructor() { super(); }
          /** The top. */
          get top() { return this.#items.at(-1); }
          /** Puts on top. */
          static async push(x) {}
          /** Hidden. */
          #grow() {}
          /** Bound. */
          onClick = (event) => {};
          size = 3;
        }
        """,
        [
            ("type", "Stack", "A stack."),
            ("method", "Stack.constructor", "Makes one."),
            ("method", "Stack.top", "The top."),
            ("method", "Stack.push", "Puts on top."),
            ("method", "Stack.#grow", "Hidden."),
            ("method", "Stack.onClick", "Bound."),
        ],
    ),
    "class in a constant": (
        "/** A queue. */\nconst Queue = class { add() {} };",
        [("type", "Queue", "A queue."), ("method", "Queue.add", "")],
    ),
    "object literal": (
        """\
        const api = {
          /** Reads. */
          read(path) {},
          /** Writes. */
          'write-all': function () {},
          /** Lists. */
          list: () => [],
          limit: 3,
        };
        """,
        [("method", "api.read", "Reads."), ("method", "api.write-all", "Writes."), ("method", "api.list", "Lists.")],
    ),
    "nested functions are units, callbacks are none": (
        "function outer() {\n  function inner() {}\n  items.map((x) => x + 1);\n  (function () {})();\n}",
        [("function", "outer", ""), ("function", "outer.inner", "")],
    ),
    "markup becomes plain text and tags stay out of the first paragraph": (
        """\
        /**
         * Turns a {@link Vector|vector} or {@code null} into <b>one</b> line,
         * as in `a <b> c`.
         * @param {Vector} v What to turn.
         */
        function show(v) {}
        """,
        [("function", "show", "Turns a vector or null into one line, as in `a <b> c`.")],
    ),
    "a tag that announces the description": (
        "/**\n * @private\n * @description Hides.\n */\nfunction hide() {}",
        [("function", "hide", "Hides.")],
    ),
    "other comments may stand between": (
        "/** Checks. */\n// eslint-disable-next-line complexity\nfunction check() {}",
        [("function", "check", "Checks.")],
    ),
    "plain comments are no doc": ("// Adds.\nfunction add() {}\n/* Adds. */\nfunction sum() {}", 2),
    "a blank line parts": ("/** About something else. */\n\nfunction add() {}", 1),
    "a comment at the end of a line belongs to the line": ("let x = 1; /** The x. */\nfunction add() {}", 1),
    "a licence is no doc": ("/** Copyright 2020 Someone. Licensed under MIT. */\nfunction add() {}", 1),
    "a file's overview is no doc": ("/** Tools.\n * @fileoverview Of all kinds. */\nfunction f() {}", 1),
    "an empty comment is no doc": ("/** Adds. */\n/**/\nfunction add() {}", "Adds."),
    "Flow's types": ("/** Adds. */\nfunction add(a: number, b: ?string): Array<number> { return []; }", "Adds."),
    "JSX": ("/** Shows. */\nconst View = ({ name }) => <b>{name}</b>;", "Shows."),
}

TYPESCRIPT = {
    "types": (
        """\
        /** A shape. */
        export interface Shape { area(): number; }
        /** Colours. */
        export const enum Colour { Red }
        /** A name. */
        type Name = string | undefined;
        /** Half done. */
        export abstract class Base<T> implements Shape {
          /** To be done. */
          abstract area(): number;
        }
        """,
        [
            ("type", "Shape", "A shape."),
            ("type", "Colour", "Colours."),
            ("type", "Name", "A name."),
            ("type", "Base", "Half done."),
        ],
    ),
    "overloads: only the implementation has a body": (
        "/** Of a number. */\nfunction f(a: number): void;\n/** Of anything. */\nfunction f(a: any): void { use(a); }",
        [("function", "f", "Of anything.")],
    ),
    "decorators stand between doc and member": (
        """\
        /** A part. */
        @Component({ selector: 'x' })
        export class Part {
          /** Reacts. */
          @HostListener('click')
          @Once()
          onClick(): void {}

          /** Bound. */
          private readonly run = (): void => {};
        }
        """,
        [("type", "Part", "A part."), ("method", "Part.onClick", "Reacts."), ("method", "Part.run", "Bound.")],
    ),
    "namespaces lend their name": (
        "namespace Geo.Flat {\n  /** Far. */\n  export function far(): void {}\n}\ndeclare function not(): void;",
        [("function", "Geo.Flat.far", "Far.")],
    ),
    "generics and type assertions": (
        "/** Casts. */\nconst cast = <T>(x: unknown): T => <T>x;",
        [("function", "cast", "Casts.")],
    ),
    "elements, which the other grammar reads": (
        """\
        /** Shows. */
        export function View(p: Props): Node {
          return <ul>{p.all.map((x) => <li key={x}/>)}</ul>;
        }
        """,
        [("function", "View", "Shows.")],
    ),
    "this in the head": (
        "/** Binds. */\nexport default async function* bind(this: Window, ...rest: string[]) {}",
        [("function", "bind", "Binds.")],
    ),
}


@pytest.mark.parametrize("case", JAVASCRIPT)
def test_javascript(case):
    source, expected = JAVASCRIPT[case]
    found = outline(source, "javascript")
    if isinstance(expected, int):
        assert [doc for _, _, doc in found] == [""] * expected
    elif isinstance(expected, str):
        assert [doc for _, _, doc in found] == [expected]
    else:
        assert found == expected


@pytest.mark.parametrize("case", TYPESCRIPT)
def test_typescript(case):
    source, expected = TYPESCRIPT[case]
    assert outline(source, "typescript") == expected


def test_the_code_is_the_whole_statement():
    unit = only("  /** Doubles. */\n  export const twice = (x) =>\n    x * 2;", "javascript")
    assert unit.code == "export const twice = (x) =>\n  x * 2;"
    assert (unit.start_line, unit.end_line) == (2, 3)


def test_decorators_of_members_are_the_prelude():
    _, unit = units_of("class A {\n  @Once()\n  go(): void {\n    run();\n  }\n}", "typescript")
    assert unit.code == "@Once()\ngo(): void {\n  run();\n}"
    assert unit.definition == "go(): void {\n  run();\n}"
    assert unit.start_line == 2
