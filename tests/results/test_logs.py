"""The last words of a log, and what a log says beyond what was shown."""

import pytest

from doe_compiler.results.logs import last_words, new_lines


@pytest.mark.parametrize(
    ("log", "words"),
    [
        ("", ""),
        ("one\ntwo\n", "two"),
        ("one\r\ntwo\r\n\r\n", "two"),
        ("FATAL: diverged\n-----\n   \n***\n", "FATAL: diverged"),
        ("  1%\r 50%\r 99%\r", "99%"),
        ("\x1b[1;31mError:\x1b[0m no \x07mesh\x1b]0;title\x07\n", "Error: no mesh"),
        ("boom\n[platform] The command ended with status 3\n", "boom"),
        ("boom\nKilled\n", "boom"),
        (
            "[platform] The run cannot be started: Permission denied\n",
            "[platform] The run cannot be started: Permission denied",
        ),
        ("a\tb   c\n", "a b c"),
        ("x" * 1000, "x" * 159 + "…"),
        ("\u202egnp.exe\n", "gnp.exe"),
        ("\ufffd\ufffd\x00\x01\n", ""),
    ],
)
def test_the_last_line_that_says_something(log, words):
    assert last_words(log) == words


@pytest.mark.parametrize(
    ("before", "now", "new"),
    [
        ((), ("a\n", "b\n"), ("a\n", "b\n")),
        (("a\n",), ("a\n", "b\n"), ("b\n",)),
        (("a\n", "b\n"), ("b\n", "c\n"), ("c\n",)),
        (("a\n", "b\n"), ("a\n", "b\n"), ()),
        (("a\n",), ("x\n", "y\n"), ("x\n", "y\n")),
        ((), (), ()),
        (("ok\n",) * 3, ("ok\n",) * 5, ("ok\n",) * 2),
        (("c\n", "d\n"), ("a\n", "b\n", "c\n", "d\n", "e\n"), ("e\n",)),
        (("a\n", "ste"), ("a\n", "step 1\n", "b\n"), ("p 1\n", "b\n")),
    ],
)
def test_only_what_is_new_is_shown(before, now, new):
    assert new_lines(before, now) == new
