import pytest
from outline import outline

from codefit.source.functions import units_of

CASES = {
    "class and members": (
        """\
        /** A list. */
        @Deprecated
        public final class Items<T> extends Base implements Iterable<T> {
            /** Makes one. */
            public Items() {}
            /** Counts. */
            @Override
            public <R> int size(List<R>... lists) throws IOException { return 0; }
            /** How many. */
            private int count;
        }
        """,
        [("type", "Items", "A list."), ("method", "Items.Items", "Makes one."), ("method", "Items.size", "Counts.")],
    ),
    "interface: a declaration is no unit, a default is": (
        "/** Shape. */ interface Shape {\n /** A. */ double area();\n /** B. */ default int sides() { return 0; }\n}",
        [("type", "Shape", "Shape."), ("method", "Shape.sides", "B.")],
    ),
    "abstract and native": (
        "abstract class A {\n  /** A. */ abstract void a();\n  /** B. */ native void b();\n}",
        [("type", "A", "")],
    ),
    "enum, record, annotation": (
        """\
        /** Colours. */
        enum Colour { RED { /** Red's. */ void show() {} }; /** All. */ static void all() {} }
        /** A pair. */
        record Pair(int a, int b) { /** Checks. */ Pair { check(a); } }
        /** Marks. */
        @interface Mark {}
        """,
        [
            ("type", "Colour", "Colours."),
            ("method", "Colour.show", "Red's."),
            ("method", "Colour.all", "All."),
            ("type", "Pair", "A pair."),
            ("method", "Pair.Pair", "Checks."),
            ("type", "Mark", "Marks."),
        ],
    ),
    "inner and anonymous": (
        "class A {\n  static class B { void c() { new D() { /** Runs. */ public void run() {} }; } }\n}",
        [("type", "A", ""), ("type", "A.B", ""), ("method", "A.B.c", ""), ("method", "A.B.c.run", "Runs.")],
    ),
    "markup": (
        """\
        class A {
            /**
             * Returns the {@linkplain Map.Entry#getKey() key} of <code>x</code> &amp; {@code y<z>}.
             * <p>A second paragraph.
             *
             * @param x {@inheritDoc}
             */
            int key(int x) { return x; }
        }
        """,
        [("type", "A", ""), ("method", "A.key", "Returns the key of x & y<z>.")],
    ),
    "an inherited doc says nothing": (
        "class A {\n  /** {@inheritDoc} */\n  void f() {}\n}",
        [("type", "A", ""), ("method", "A.f", "")],
    ),
    "other comments may stand between": (
        "class A {\n  /** Adds. */\n  // NOPMD\n  void add() {}\n}",
        [("type", "A", ""), ("method", "A.add", "Adds.")],
    ),
    "line and block comments are no doc": (
        "class A {\n  // Not.\n  void f() {}\n  /* Nor. */\n  void g() {}\n}",
        [("type", "A", ""), ("method", "A.f", ""), ("method", "A.g", "")],
    ),
    "a licence above the class": ("/** Licensed under the Apache License. */\nclass A {}", [("type", "A", "")]),
}


@pytest.mark.parametrize("case", CASES)
def test_java(case):
    source, expected = CASES[case]
    assert outline(source, "java") == expected


def test_annotations_are_part_of_the_definition():
    source = (
        'class A {\n    /** Runs. */\n    @Override\n    @SuppressWarnings("x")\n'
        "    void run() {\n        go();\n    }\n}"
    )
    unit = units_of(source, "java")[1]
    assert unit.code == unit.definition == '@Override\n@SuppressWarnings("x")\nvoid run() {\n    go();\n}'
    assert (unit.start_line, unit.end_line) == (3, 7)
