"""Random JavaScript programs from a small grammar, with the white space and comments that make it hard."""

from __future__ import annotations

import re
from random import Random

# Capital letters, maybe with a digit, are rules, all else is text. `S` is a statement, `E` an expression, `A` one
# that holds no comma, `P` what a value is taken apart by, `L` the left side of an assignment, `M` a member of a class,
# `O` a property, `K` a key, `B` a body of statements, `F` parameters, `T` a template.
GRAMMAR = {
    "S": [
        *["E ;"] * 6,
        *["E \n"] * 3,
        *["if ( E ) S", "if ( E ) S else S", "if ( E ) { B } else if ( E ) { B } else { B }"],
        *["for ( L of E ) S", "for ( const P of A ) S", "for ( var x in E ) S", "for ( let i = A ; E ; E ) S"],
        *["for ( ; ; ) S", "for ( E ; ; ) S", "while ( E ) S", "do S while ( E ) ;", "do { B } while ( E )"],
        *["switch ( E ) { case E : B default : B case E : B }", "try { B } catch ( P ) { B }"],
        *["try { B } catch { B } finally { B }", "try { B } finally { B }", "with ( E ) S", "l : for ( ; ; ) S"],
        *["{ B }", ";", "var x", "let P = A ;", "const x = A , y = A ;", "var x , P = A \n", "let x \n"],
        *["function f ( F ) { B }", "async function f ( F ) { B }", "function * g ( F ) { B }"],
        *["class c { M }", "class c extends E { M M M }", "return ;", "return E ;", "return E \n", "throw E ;"],
        *["break ;", "break l ;", "continue \n", "debugger ;", "for await ( const x of A ) S", "l : S", "yield \n"],
        *["import x , { y as z , default as w } from 's' ;", "import * as x from 's' \n", "import 's' ;"],
        *["export { x , y as z } from 's' ;", "export * from 's' ;", "export default A ;", "export const x = A ;"],
        *["export function f ( F ) { B }", "export default function ( F ) { B }", "export default class { M }"],
    ],
    "E": [*["A"] * 6, "A , A"],
    "A": [
        *["x", "y", "z", "1", "'s'", "this", "/r[/]/g", "null", "x . y", "x . if", "x [ E ]", "x ( )", "x ( A , A )"],
        *["L = A", "P2 = A", "L += A", "L ??= A", "L &&= A", "x = function ( F ) { B }", "x . y = F2 => A"],
        *["A && A", "A || A", "A ?? A", "( A && A )", "( A || A ) && A", "A && ( A && A )", "A + A", "A / A", "A in x"],
        *["A < A", "A === A", "A ** A", "A instanceof x", "! A", "- A", "typeof A", "x ++", "-- x", "( E )"],
        *["A ? A : A", "x ? A : A", "[ A , , A ]", "[ ... A ]", "{ O , O }", "{ }", "function ( F ) { B }"],
        *["function f ( F ) { B }", "async function ( F ) { B }", "function * ( F ) { B }", "( F ) => A"],
        *["( F ) => { B }", "x => A", "async x => A", "async ( F ) => { B }", "class { M }", "class d extends A { M }"],
        *["new x", "new x ( A )", "new x . y ( ) . z", "new . target", "import . meta", "import ( A )", "x ?. y"],
        *["x ?. [ A ]", "x ?. ( A )", "T", "x T", "A . y", "A ( A )", "( A ) ( )", "( A ) . y", "await A"],
        *["await ( A )", "await ( A ) ( )", "await ( A ) . y ( )", "yield A", "yield * A"],
        *["async", "get", "of", "static", "undefined"],
        *["( function ( ) { B } ) ( )", "( ( ) => { B } ) ( )", "# p in x", "x . # p", "1.5e3", "0x1F", "10n", ".5"],
    ],
    "L": ["x", "x . y", "x . y . z", "this . z", "x [ A ]", "x . prototype . y", "( A ) . y", "x ( ) . z"],
    "P": ["x", "y", "{ x , y = A , z : P , ... w }", "[ x , , P = A , ... z ]", "{ [ A ] : x }", "{ 's' : x = A }"],
    "P2": ["[ L , L = A ]", "[ x , ... y ]"],
    "F": ["", "x", "x , y = A", "P , ... z", "x , P = A"],
    "F2": ["x", "( F )", "async x", "async ( F )"],
    "B": ["", "S", "S S", "S S S"],
    "M": [
        *["K ( F ) { B }", "static K ( F ) { B }", "get K ( ) { B }", "set K ( x ) { B }", "async K ( F ) { B }"],
        *["* K ( F ) { B }", "async * K ( F ) { B }", "K = A ;", "static K = A \n", "K ;", "static { B }", ";", "x \n"],
        *["", "static async K ( F ) { B }", "get ( ) { B }", "static ( ) { B }", "# p ( ) { B }", "static # p = A ;"],
    ],
    "O": [
        *["x", "K : A", "K ( F ) { B }", "get K ( ) { B }", "set K ( x ) { B }", "async K ( F ) { B }"],
        *[
            "* K ( F ) { B }",
            "... A",
            "K : function ( F ) { B }",
            "get",
            "async ( ) { B }",
            "get : A",
            "K : F2 => { B }",
        ],
    ],
    "K": ["x", "y", "if", "'s'", "1", "[ A ]", "get", "constructor"],
    "T": ["`t`", "``", "`t${ E }\\n${ A }`", "`\n$x 1.5 ${ T }\n`", "`${ A }`"],
}
SIMPLEST = {"S": "x ;", "E": "x", "A": "x", "L": "x", "P": "x", "P2": "[ x ]", "F": "", "F2": "x", "T": "`t`"}
SIMPLEST |= {"B": "", "M": ";", "O": "x", "K": "x"}
GAPS = [*[" "] * 60, *["\n"] * 8, " // c\n", "\n// c\n", "/* c */", " /* c\n */ ", "\n/* c */\n", "  ", "\t"]
RULE = re.compile(r"[A-Z]\d?")


def program(random: Random, size: int) -> str:
    """A program of about so many tokens; it may well break a rule that the grammar does not know."""
    rest = ["B", *["S"] * random.randrange(4)]
    tokens: list[str] = []
    while rest:
        word = rest.pop()
        if not RULE.fullmatch(word):
            tokens.append(word)
        elif len(tokens) + len(rest) > size:
            rest += reversed(SIMPLEST[word].split(" "))
        else:
            rest += reversed(random.choice(GRAMMAR[word]).split(" "))
    return laid_out(random, tokens)


def laid_out(random: Random, tokens: list[str]) -> str:
    """The tokens with gaps between them, none in a template's text."""
    text = ""
    for token in tokens:
        text += token + ("" if token in ("#", "") else random.choice(GAPS))
    return text
