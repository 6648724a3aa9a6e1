"""Templates in any encoding pass byte for byte; what would be put into them in another is told."""

import pytest

from doe_compiler.bundle.pack import bundled
from doe_compiler.design.build import build
from doe_compiler.kernel.findings import Severity

STUDY = """doe: 1
study: beam
variables:
  x: {levels: LEVELS}
analyses:
  - analysis: {code: user_included}
    command: ./solve
    hardware: {coreType: emerald}
    templates: [{source: in.t, target: inENCODING}]
"""


def study(levels="[1, 2]", encoding=""):
    return STUDY.replace("LEVELS", levels).replace("ENCODING", encoding and f", encoding: {encoding}")


def sent(reading):
    assert reading.spec is not None
    design, findings = build(reading.spec)
    assert findings == []
    return next(file.content for file in bundled(reading.spec, design).files if file.name == "in.t")


DECKS = [
    b"$ 23 \xb0C, Pr\xfcfstand\nR ${x}\n",
    b"\xef\xbb\xbf${x}\r\nno end",
    b"\xef\xbb\xbf\r\n${x}\x1a",
    bytes(range(1, 256)) + b"${x}",
    "\u65e5\u672c ${x}\r".encode("shift-jis"),
]


@pytest.mark.parametrize("deck", DECKS)
def test_a_deck_passes_byte_for_byte(read, deck):
    reading = read(study(), {"in.t": deck})
    assert reading.findings == ()
    assert sent(reading) == deck


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "utf-8", "shift-jis"])
def test_an_encoding_may_be_said(read, encoding):
    deck = "caf\u00e9 ${x}".encode(encoding) if encoding != "shift-jis" else "\u65e5 ${x}".encode(encoding)
    assert sent(read(study(encoding=encoding), {"in.t": deck})) == deck


@pytest.mark.parametrize("encoding", ["utf-16", "cp500", "nonsense", "rot13", "utf-7"])
def test_an_encoding_without_ascii_is_told(read, codes, encoding):
    assert codes(read(study(encoding=encoding), {"in.t": "${x}"})) == ["E107"]


@pytest.mark.parametrize(
    ("deck", "encoding"),
    [
        ("${x}".encode("utf-16"), ""),
        (b"${x}\0", ""),
        (b"${x}\0", "latin-1"),
        (b"\xfc${x}", "utf-8"),
        (b"\x81${x}", "cp1252"),
    ],
)
def test_what_is_no_text_of_the_encoding_is_told(read, codes, deck, encoding):
    assert codes(read(study(encoding=encoding), {"in.t": deck})) == ["E306"]


def test_letters_of_another_encoding_are_not_put_into_a_deck(read, codes):
    levels = "[Pr\u00fcfstand, a]"
    assert codes(read(study(levels), {"in.t": b"\xfc ${x}"})) == ["E317"]
    assert codes(read(study(levels, "latin-1"), {"in.t": b"\xfc ${x}"})) == []
    assert codes(read(study("[\u20ac, a]", "latin-1"), {"in.t": b"\xfc ${x}"})) == ["E317"]
    assert codes(read(study(levels), {"in.t": "\u00fc ${x}"})) == []
    formula = study().replace(
        "analyses:", "  y: {expression: \"'\u00e9' if x > 1 else 'e'\"}\n  z: {expression: y}\nanalyses:"
    )
    assert codes(read(formula, {"in.t": b"\xfc ${x} ${y} ${z}"})) == ["E317"] * 2


def test_windows_line_ends_in_shell_scripts_are_told(read, codes):
    scripts = "    preProcess: {script: mesh, command: COMMAND}\n"
    for command, script, expected in (
        ("bash mesh", b"echo 1\r\n", ["E316"]),
        ("./mesh", b"#!/bin/sh\r\n", ["E316"]),
        ("bash mesh", b"echo 1\n", []),
        ("python3 mesh", b"print(1)\r\n", []),
    ):
        reading = read(study() + scripts.replace("COMMAND", command), {"in.t": "${x}", "mesh": script})
        assert codes(reading) == expected
        assert all(finding.severity is Severity.WARNING for finding in reading.findings)
