import pytest
from outline import only, outline

CASES = {
    "method": ("# Adds\n# two.\ndef add(a, b)\n  a + b\nend", [("function", "add", "Adds two.")]),
    "class, module and their methods": (
        """\
        # Everything.
        module Outer
          # A list.
          class List < Array
            # Makes one.
            def initialize; end
            # Builds.
            def self.build(*args) = new(*args)
            class << self
              # Of the class.
              def of; end
            end
            # Equal.
            def ==(other); end
            # Sets.
            def size=(n); end
            # Any?
            def any?; end
          end
        end
        """,
        [
            ("type", "Outer", "Everything."),
            ("type", "Outer.List", "A list."),
            ("method", "Outer.List.initialize", "Makes one."),
            ("method", "Outer.List.build", "Builds."),
            ("method", "Outer.List.of", "Of the class."),
            ("method", "Outer.List.==", "Equal."),
            ("method", "Outer.List.size=", "Sets."),
            ("method", "Outer.List.any?", "Any?"),
        ],
    ),
    "scoped class": ("# Inner.\nclass A::B::C\nend", [("type", "A.B.C", "Inner.")]),
    "modifiers in front": (
        "# Hidden.\nprivate def hidden; end\n# Of the module.\nmodule_function def shared; end",
        [("function", "hidden", "Hidden."), ("function", "shared", "Of the module.")],
    ),
    "magic comments are no doc": (
        "# frozen_string_literal: true\ndef a; end\n# rubocop:disable Style\ndef b; end\n#!/usr/bin/ruby\ndef c; end",
        [("function", "a", ""), ("function", "b", ""), ("function", "c", "")],
    ),
    "tools' lines between doc and method": (
        "# Adds.\n# rubocop:disable Metrics\ndef add; end\n# :nodoc:\ndef b; end",
        [("function", "add", "Adds."), ("function", "b", "")],
    ),
    "block": ("=begin\nAdds two.\n\nMore.\n=end\ndef add; end", [("function", "add", "Adds two.")]),
    "RDoc's frame and hidden part": (
        "##\n# Adds two.\n#--\n# Not for you.\n#++\n# Fast.\ndef add; end",
        [("function", "add", "Adds two. Fast.")],
    ),
    "YARD": (
        "# Adds two.\n# @param a [Integer]\n# @return [Integer]\ndef add(a); end",
        [("function", "add", "Adds two.")],
    ),
    "a blank line parts": ("# Something else.\n\ndef add; end", [("function", "add", "")]),
    "methods that are made at run time are none": ("define_method(:x) { 1 }\nattr_reader :y", []),
    "heredocs do not end a method": (
        "def a\n  <<~TEXT\n    def not_a_method\n  TEXT\nend\n# B.\ndef b; end",
        [("function", "a", ""), ("function", "b", "B.")],
    ),
    "a notice at the top": (
        "# Copyright (c) 2020 Someone\n# All rights reserved.\ndef a; end",
        [("function", "a", "")],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_ruby(case):
    source, expected = CASES[case]
    assert outline(source, "ruby") == expected


def test_the_modifier_belongs_to_the_code():
    unit = only("  # Hidden.\n  private def hidden\n    1\n  end", "ruby")
    assert unit.code == "private def hidden\n  1\nend"
