"""A table as spreadsheets save it: read, or told with line and column; never half understood."""

import pytest

from doe_compiler.kernel.findings import Severity
from doe_compiler.spec.report import Report
from doe_compiler.spec.spreadsheet import read_sheet


def sheet_of(text, decimal=".", texts=()):
    report = Report()
    sheet = read_sheet(text, text.splitlines(), "t.csv", decimal, frozenset(texts), report)
    return sheet, [(f.code, f.place.line, f.place.column, f.message) for f in report.findings], report


def test_empty_ends_do_not_count_and_are_told_once():
    sheet, told, report = sheet_of("x,y,,\r\n1,2,,\r\n3,4,,\r\n,,,\r\n,,,\r\n")
    assert (sheet.names, sheet.rows, sheet.lines) == (("x", "y"), (("1", "2"), ("3", "4")), (2, 3))
    assert told == [
        ("E315", 4, 1, "2 empty columns at the end and 2 empty rows (lines 4, 5) of the table do not count")
    ]
    assert report.findings[0].severity is Severity.WARNING


def test_rows_may_be_longer_than_the_header_by_empty_cells_only():
    sheet, told, _ = sheet_of("x,y\n1,2,,\n3,4\n")
    assert (sheet.rows, told) == ((("1", "2"), ("3", "4")), [])
    assert [(code, line) for code, line, *_ in sheet_of("x,y\n1,2,3\n")[1]] == [("E312", 2)]
    assert [(code, line) for code, line, *_ in sheet_of("x,y\n1\n")[1]] == [("E312", 2)]
    assert [(code, line, column) for code, line, column, _ in sheet_of("x,\n1,2\n3,4\n")[1]] == [
        ("E312", 1, 3)
    ]


def test_decimal_commas_are_read_with_decimal():
    sheet, told, _ = sheet_of("x;y;m\r\n1,5;-,25;a,b\r\n2;1,5e-3;c\r\n", ",", ["m"])
    assert sheet.rows == (("1.5", "-.25", "a,b"), ("2", "1.5e-3", "c"))
    assert told == []
    sheet, told, _ = sheet_of("sep=;\nx;y\n1,5;2\n", ",")
    assert (sheet.rows, sheet.lines, told) == ((("1.5", "2"),), (3,), [])


@pytest.mark.parametrize(
    ("text", "decimal", "words"),
    [
        ("x;y\n1,5;2\n", ".", "semicolons"),
        ("x\ty\n1\t2\n", ".", "tabs"),
        ("x,y\n1,2\n", ",", "commas"),
    ],
)
def test_another_separator_is_named(text, decimal, words):
    sheet, told, _ = sheet_of(text, decimal)
    assert sheet is None
    assert told[0][:3] == ("E312", 1, 1)
    assert words in told[0][3]


ERRORS = [
    "#N/A",
    "#DIV/0!",
    "#REF!",
    "#VALUE!",
    "#NAME?",
    "#NUM!",
    "#NULL!",
    "#SPILL!",
    "#WERT!",
    "#NV",
    "Err:502",
    "###",
    "=A1*(2)",
]


@pytest.mark.parametrize("cell", ERRORS)
def test_an_error_of_the_spreadsheet_is_told_with_line_and_column(cell):
    _, told, _ = sheet_of(f'x,y\n1,2\n"3",{cell}\n')
    assert [(code, line, column) for code, line, column, _ in told] == [("E313", 3, 5)]
    assert cell in told[0][3]
    assert [code for code, *_ in sheet_of(f"x,y\na,b\nc,{cell}\n")[1]] == ["E313"]


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("\u22121.5", "U+2212"),
        ("\u20131.5", "U+2013"),
        ("1\u00a0000", "U+00A0"),
        ('"1\u202f000,5"', "U+202F"),
        ("1\u2009000.5", "U+2009"),
        ("1'000", "thousands"),
        ('"1,5"', "decimal comma"),
        ('"1,234.5"', "thousands"),
    ],
)
def test_a_number_in_other_signs_is_told(cell, words):
    _, told, _ = sheet_of(f"x,y\n1,2\n3,{cell}\n")
    assert [(code, line, column) for code, line, column, _ in told] == [("E313", 3, 3)]
    assert words in told[0][3]


def test_words_with_such_signs_are_words():
    sheet, told, _ = sheet_of("m\nA \u2013 B\n'quoted\nv1\u00a0beta\n1.10\n-\n#1\n")
    assert told == []
    assert sheet.rows[0] == ("A \u2013 B",)


def test_a_decimal_point_among_decimal_commas_is_told():
    _, told, _ = sheet_of("x\n1,5\n1.500\n", ",")
    assert [(code, line) for code, line, *_ in told] == [("E313", 3)]
    sheet, told, _ = sheet_of("x\n1.10\n1.9\n", ",", ["x"])
    assert (sheet.rows, told) == ((("1.10",), ("1.9",)), [])


def test_a_word_among_decimal_commas_is_told():
    _, told, _ = sheet_of("a;b\n1,5;3\nn/a;5\n", ",")
    assert [(code, line) for code, line, *_ in told] == [("E313", 3)]
    _, told, _ = sheet_of("a;b\n1,5;3\nn/a;5\n", ",", ["a"])
    assert told == []
