"""Weighted words: which name a function has in each language, and how often each word is written."""

from __future__ import annotations

import time
from collections import Counter
from math import sqrt

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codefit.models.lexical import code_words
from codefit.models.words import WordWeights, function_name

NAMES = {
    "python": {
        "def plain(x): pass": "plain",
        "async def fetch(url: str) -> bytes:": "fetch",
        "@app.get('/x(1)')\n@cache\ndef handler(req): ...": "handler",
        "@pytest.mark.parametrize('a', [f(1), (2, 3)])\ndef test_it(a): pass": "test_it",
        "@property\ndef size(self) -> int:": "size",
        "def __eq__(self, o):": "__eq__",
        "def gen[T: (int, str)](x: T) -> T:": "gen",
        "class Reader(Base[T]):": "Reader",
        "def größe(x): pass": "größe",
    },
    "javascript": {
        "function add(a, b) {}": "add",
        "async function* walk(n) {}": "walk",
        "const add = (a, b) => a + b": "add",
        "export const run = async x => x": "run",
        "let f = function (a) {}": "f",
        "get size() { return 1 }": "size",
        "static async load(path) {}": "load",
        "#secret(x) {}": "secret",
        "foo: function(a) {}": "foo",
        "exports.handler = async (event) => {}": "handler",
        "Foo.prototype.bar = function (x) {}": "bar",
        "export default function main() {}": "main",
        "$get(x) {}": "$get",
    },
    "typescript": {
        "export function map<T, U>(xs: T[], f: (x: T) => U): U[] {": "map",
        "private async load<T>(path: string): Promise<T> {": "load",
        "const f: Fn = (x) => x": "f",
        "export const useThing = <T,>(x: T): T => x": "useThing",
        "@Input({ alias: 'v' }) set value(v: string) {": "value",
        "export abstract class Foo<T> extends Bar<T> {": "Foo",
        "interface Shape {": "Shape",
        "constructor(private readonly x: X) {": "constructor",
    },
    "rust": {
        "pub fn new() -> Self {": "new",
        "pub(crate) async unsafe fn run<T: Fn(u8)>(x: T) {": "run",
        "#[cfg(unix)]\nfn f() {": "f",
        "#[cfg(all(unix, not(test)))]\n#[inline(always)]\npub const fn get<'a>(&'a self) -> u8 {": "get",
        'extern "C" fn cb(x: i32) {': "cb",
        "struct Point(f32, f32);": "Point",
    },
    "go": {
        "func Add(a, b int) int {": "Add",
        "func (r *Reader) Read(p []byte) (int, error) {": "Read",
        "func Map[T any, U any](xs []T, f func(T) U) []U {": "Map",
        "func (s *Set[K, V]) Has(k K) bool {": "Has",
        "func (Server) Close() error {": "Close",
        "type Reader struct {": "Reader",
    },
    "java": {
        "public int add(int a, int b) {": "add",
        "@Override\npublic String toString() {": "toString",
        '@SuppressWarnings("unchecked")\nprivate static <T extends Comparable<T>> List<T> sort(List<T> xs) {': "sort",
        "@ExceptionHandler({\n  A.class,\n  B.class\n})\nprotected void handle(Exception e) {": "handle",
        "public Foo(int x) {": "Foo",
        "protected Map<String, List<Integer>> load(@Nullable String p) throws IOException {": "load",
        "public @interface Ann {": "Ann",
    },
    "ruby": {
        "def save!(a)": "save",
        "def empty?": "empty",
        "def self.find_by(name)": "find_by",
        "def name=(v)": "name",
        "class Foo < Bar": "Foo",
        "def ==(other)": "",
    },
    "php": {
        "public function getName(): string {": "getName",
        "public static function &ref(array $x) {": "ref",
        "#[Route('/x', methods: ['GET'])]\npublic function index() {": "index",
        "fn($x) => $x": "",
    },
    "c": {
        "int add(int a, int b) {": "add",
        "static inline struct node *new_node(void) {": "new_node",
        "struct point origin(void) {": "origin",
        "enum color\t* pick(int i) {": "pick",
        "struct point {": "point",
        "unsigned long long\nhash(const char *s)\n{": "hash",
        "__attribute__((noreturn)) void die(int c) {": "die",
        "void (*signal(int sig, void (*func)(int)))(int) {": "signal",
    },
    "cpp": {
        "std::pair<int, int> make(int a) {": "make",
        "template <typename T>\nT max(T a, T b) {": "max",
        "template<class T, class A = std::vector<T>> std::vector<T> sorted(std::vector<T> v) {": "sorted",
        "void Foo::bar(int x) const {": "bar",
        "Foo::~Foo() {": "Foo",
        "auto f(int x) -> decltype(g(x)) {": "f",
        "[[nodiscard]] int size() const {": "size",
        "bool operator==(const Foo& a, const Foo& b) {": "",
    },
    "none": {"": "", "x = 1": "", "if (x) { return y; }": "", "SELECT * FROM t": ""},
}


@pytest.mark.parametrize(("code", "name"), [(code, name) for shapes in NAMES.values() for code, name in shapes.items()])
def test_the_name_of_a_function_is_seen(code: str, name: str) -> None:
    assert function_name(code) == name


@pytest.mark.parametrize("unit", ["a:", "(", "@a(", "#[", "a<", "template<", "a (a ", "struct a ", "function ", "@a\n"])
def test_no_text_takes_long_to_look_for_a_name_in(unit: str) -> None:
    started = time.perf_counter()
    function_name(unit * (200_000 // len(unit)))
    assert time.perf_counter() - started < 1.0


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_can_be_written(text: str) -> None:
    weights = WordWeights()
    for written in (weights.query_text(text), weights.code_text(text)):
        assert set(written.split()) == set(code_words(text)[:150])
        assert all(word == " " + word.strip() for word in written.replace(" ", "\n ").split("\n")[1:])


def test_a_query_is_its_words_with_repetition_damped() -> None:
    written = WordWeights(repeat=2.0).query_text("sort sort sort sort the readHeader")
    assert Counter(written.split()) == {"sort": 4, "the": 2, "read": 2, "header": 2}
    assert written.startswith(" sort sort")
    assert WordWeights(repeat=0.1).query_text("a b") == " a b"
    assert WordWeights().query_text("") == WordWeights().code_text("!?") == ""


def test_words_of_the_signature_and_the_name_count_more() -> None:
    weights = WordWeights(repeat=1.0, max_words=20, head_words=3, head_bonus=4, name_bonus=9)
    code = "def read_header(stream, size):\n    size = stream.size\n    return other(read)"
    # Words: def read header stream size size stream size return other read
    expected = {"def": 1 + 4, "read": 2 + 4 + 9, "header": 1 + 4 + 9, "stream": 2, "size": 3, "return": 1, "other": 1}
    assert weights.code_counts(code) == expected
    assert Counter(weights.code_text(code).split()) == {w: round(sqrt(n)) for w, n in expected.items()}


def test_a_word_that_stands_twice_in_head_or_name_counts_twice() -> None:
    weights = WordWeights(head_words=4, head_bonus=1, name_bonus=10)
    counts = weights.code_counts("def read_read(x, y):")
    assert counts["read"] == 2 + 2 * 1 + 2 * 10
    assert counts["y"] == 1


def test_only_the_first_words_count_and_nothing_after_them_changes_the_text() -> None:
    weights = WordWeights(max_words=10, head_words=0, head_bonus=0, name_bonus=24)
    code = "def f(" + ", ".join(f"word{chr(97 + i)}" for i in range(20)) + ")"
    assert sum(WordWeights(max_words=10, head_words=0, name_bonus=0).code_counts(code).values()) == 10
    assert weights.code_text(code) == weights.code_text(code + " more" * 1000)
    # A name beyond the first words adds none of its own.
    assert "late" not in weights.code_text("x " * 20 + "\ndef late(): pass")


@pytest.mark.parametrize("filler", [" ", "\n", "#", "x ", "very_long_identifier_" * 3 + " "])
def test_however_far_apart_they_stand_the_first_words_are_found(filler: str) -> None:
    weights = WordWeights(max_words=5)
    text = "one " + filler * 40_000 + " two three four five six"
    assert list(weights.code_counts(text)) == list(dict.fromkeys(code_words(text)[:5]))
    assert set(weights.query_text(text).split()) == set(code_words(text)[:5])


def test_a_word_that_the_look_at_the_beginning_cuts_is_read_whole() -> None:
    weights = WordWeights(max_words=5)
    for length in range(60, 100):  # somewhere there the last word crosses the end of the part that is read first
        text = "one two six ten " + "x" * length + " more"
        assert list(weights.code_counts(text)) == ["one", "two", "six", "ten", "x" * length]


def test_long_texts_are_quick() -> None:
    started = time.perf_counter()
    WordWeights().code_text("def f(): pass\n" + "value = other_value + 1\n" * 400_000)
    assert time.perf_counter() - started < 5.0


def test_settings_with_an_unknown_field_are_refused() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(b'{"repeat": 2.0, "head": 1}', type=WordWeights)
