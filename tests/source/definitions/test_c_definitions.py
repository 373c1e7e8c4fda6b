import pytest
from outline import only, outline

from codefit.source.functions import units_of

C_CASES = {
    "block above": (
        "int x;\n/* Adds two. */\nint add(int a, int b)\n{\n  return a + b;\n}",
        [("function", "add", "Adds two.")],
    ),
    "doxygen": (
        """\
        /**
         * \\ingroup math
         * @brief Adds \\c a and <b>b</b>.
         *
         * @param a one
         */
        static inline int add(int a, int b) { return a + b; }
        /// Subtracts
        /// two.
        int sub(void) { return 0; }
        /*! Halves. */
        int half(void) { return 0; }
        """,
        [("function", "add", "Adds a and b."), ("function", "sub", "Subtracts two."), ("function", "half", "Halves.")],
    ),
    "line comments": ("// Adds\n// two.\nint add(void) { return 0; }", [("function", "add", "Adds two.")]),
    "a frame around the text": (
        "/*****************\n *  Adds two.    *\n *****************/\nint add(void) { return 0; }",
        [("function", "add", "Adds two. *")],
    ),
    "pointers and functions that return functions": (
        "char **names(void) { return 0; }\nvoid (*signal(int n, void (*f)(int)))(int) { return f; }",
        [("function", "names", ""), ("function", "signal", "")],
    ),
    "types": (
        """\
        /* A point. */
        struct point { int x; };
        /* A pair. */
        typedef struct { int a; } pair;
        /* A node. */
        typedef struct node { struct node *next; } node_t;
        /* Colours. */
        enum colour { RED };
        /* Either. */
        union either { int i; float f; };
        struct declared;
        typedef int number;
        """,
        [
            ("type", "point", "A point."),
            ("type", "pair", "A pair."),
            ("type", "node", "A node."),
            ("type", "colour", "Colours."),
            ("type", "either", "Either."),
        ],
    ),
    "prototypes are none": ("/* Adds. */\nint add(int, int);\nextern int x;", []),
    "macros in the head": (
        "/* G. */\nAPI_EXPORT int g(void) { return 1; }\n/* H. */\nint API_CALL h(void) { return 1; }",
        [("function", "g", "G."), ("function", "h", "H.")],
    ),
    "macros that make a function have no name to give": ("DEFINE_HANDLER(foo) { return 1; }", []),
    "between directives": (
        "#ifdef A\n/* Z. */\nint z(void) { return 1; }\n#else\nint y(void) { return 1; }\n#endif",
        [("function", "z", "Z."), ("function", "y", "")],
    ),
    "attributes": (
        "/* Q. */\n__attribute__((noinline)) static int q(void) { return 1; }",
        [("function", "q", "Q.")],
    ),
    "old style": ("/* Old. */\nint old(a, b)\n  int a; int b;\n{ return a; }", [("function", "old", "Old.")]),
    "members' trailing docs": (
        "struct s {\n  int x; ///< The x.\n};\nint a; /**< The a. */\nint f(void) { return 0; }",
        [("type", "s", ""), ("function", "f", "")],
    ),
    "a licence": (
        "/*\n * Copyright (c) 2020 Someone\n * SPDX-License-Identifier: MIT\n */\nint f(void) { return 0; }",
        [("function", "f", "")],
    ),
    "a file's comment": (
        "int a, b;\nint c;\nint d;\nint e;\n/** @file\n * Tools. */\nint f(void) { return 0; }",
        [("function", "f", "")],
    ),
    "what tools are told": (
        "/* Adds. */\n// NOLINTNEXTLINE\nint add(void) { return 0; }",
        [("function", "add", "Adds.")],
    ),
}

CPP_CASES = {
    "class": (
        """\
        namespace geo::flat {
        /// A point.
        template <typename T>
        class [[nodiscard]] Point final : public Base<T> {
         public:
          /// Makes one.
          explicit Point(T x) : x_(x) {}
          /// Ends it.
          virtual ~Point() {}
          /// Reads.
          T& operator[](int i) { return x_; }
          /// Calls.
          T operator()(int i) const { return x_; }
          /// Truth.
          explicit operator bool() const { return true; }
          /// Sums.
          template <typename U> static auto sum(U u) -> U { return u; }
          void declared();
          virtual void pure() = 0;
          Point(const Point&) = default;
         private:
          T x_;
        };
        }
        """,
        [
            ("type", "geo.flat.Point", "A point."),
            ("method", "geo.flat.Point.Point", "Makes one."),
            ("method", "geo.flat.Point.~Point", "Ends it."),
            ("method", "geo.flat.Point.operator[]", "Reads."),
            ("method", "geo.flat.Point.operator()", "Calls."),
            ("method", "geo.flat.Point.operator bool", "Truth."),
            ("method", "geo.flat.Point.sum", "Sums."),
        ],
    ),
    "out of line": (
        """\
        // Gets.
        template <typename T>
        const T& Stack<std::pair<T, T>>::get(int i) const { return x[i]; }
        // Ends.
        geo::Stack::~Stack() {}
        // Is it?
        geo::Stack::operator bool() const { return true; }
        // Shifts.
        std::ostream& operator<<(std::ostream& out, const Stack& s) { return out; }
        """,
        [
            ("method", "Stack.get", "Gets."),
            ("method", "geo.Stack.~Stack", "Ends."),
            ("method", "geo.Stack.operator bool", "Is it?"),
            ("function", "operator<<", "Shifts."),
        ],
    ),
    "anonymous namespace, extern C, trailing type": (
        'namespace {\n// F.\nauto f() -> int { return 1; }\n}\nextern "C" {\n// G.\nvoid g() {}\n}',
        [("function", "f", "F."), ("function", "g", "G.")],
    ),
    "aliases and enums": (
        """\
        // Number.
        using Number = int;
        // Vector.
        template <class T> using Vec = std::vector<T>;
        // E.
        enum class E : int { A };
        """,
        [("type", "Number", "Number."), ("type", "Vec", "Vector."), ("type", "E", "E.")],
    ),
    "a class behind a macro": (
        "// K.\nclass EXPORTED K {\n  // M.\n  void m() { go(); }\n};",
        [("type", "K", "K."), ("method", "K.m", "M.")],
    ),
    "attributes and friends": (
        """\
        // A.
        [[nodiscard]] static constexpr int a() noexcept { return 1; }
        struct S {
          // B.
          friend int b() { return 1; }
        };
        """,
        [("function", "a", "A."), ("type", "S", ""), ("method", "S.b", "B.")],
    ),
    "statements that a broken file leaves outside of functions": (
        "else if (a) { b(); }\ncatch (...) { c(); }\ndefined(x) { }",
        [],
    ),
    "names that macros cut in two": (
        "class Q {\n  template <class T, int N> INTRINSIC static Wrapper<T, N>\n  f(Wrapper<T, N> x) { return 1; }\n};",
        [],
    ),
    "lambdas are none": ("auto f = [](int x) { return x; };", []),
}


@pytest.mark.parametrize("case", C_CASES)
def test_c(case):
    source, expected = C_CASES[case]
    assert outline(source, "c") == expected


@pytest.mark.parametrize("case", CPP_CASES)
def test_cpp(case):
    source, expected = CPP_CASES[case]
    assert outline(source, "cpp") == expected


def test_a_header_of_cpp_is_read_as_such():
    source = "// A.\nclass A {\n public:\n  // F.\n  int f() const { return 1; }\n};\n"
    expected = [("type", "A", "A."), ("method", "A.f", "F.")]
    assert outline(source, "c") == expected
    assert outline(source + "\n= = ;\n", "c") == expected


def test_the_template_belongs_to_the_code():
    unit = only("  // Gets.\n  template <class T>\n  T get() {\n    return T();\n  }", "cpp")
    assert unit.code == "template <class T>\nT get() {\n  return T();\n}"
    assert (unit.start_line, unit.end_line) == (2, 5)


def test_a_broken_body_is_not_sound():
    source = "int a(void) { return 1; }\nint b(void) { x = = ; }\nint c(void) { return 1; }\n"
    assert [unit.name for unit in units_of(source, "c")] == ["a", "c"]
