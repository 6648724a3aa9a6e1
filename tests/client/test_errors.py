import pytest
from hypothesis import given
from hypothesis import strategies as st

from doe_compiler.client.errors import Ambiguous, NotFound, Refused, printable, reasons
from doe_compiler.kernel.canonical import canonical_json
from doe_compiler.kernel.errors import DoeError, ExitCode


@pytest.mark.parametrize(
    ("body", "lines"),
    [
        (b'{"detail":"Not found."}', ("Not found.",)),
        (b'{"name":["This field is required."]}', ("name: This field is required.",)),
        (
            b'{"name":["Required."],"jobanalyses":[{},{"hardware":{"coresPerSlot":["Wrong.","Odd."]}}]}',
            (
                "name: Required.",
                "jobanalyses[1].hardware.coresPerSlot: Wrong.",
                "jobanalyses[1].hardware.coresPerSlot: Odd.",
            ),
        ),
        (b'{"non_field_errors":["No."],"a":{"non_field_errors":["Never."]}}', ("No.", "a: Never.")),
        (b'["One.","Two."]', ("One.", "Two.")),
        (b'"Text."', ("Text.",)),
        (b'{"a":{"detail":"x"}}', ("a.detail: x",)),
        (b'{"a":null,"b":[],"c":{}}', ()),
        (b'{"n":3,"t":true}', ("n: 3", "t: True")),
        (b"<html>", ()),
        (b"", ()),
        (b"\xff\xfe", ()),
    ],
)
def test_reasons_are_paths_and_messages(body, lines):
    assert reasons(body) == lines


def test_reasons_are_bounded_in_number_length_and_depth():
    assert len(reasons(canonical_json({str(i): ["x"] for i in range(5000)}))) == 41
    assert len(reasons(canonical_json({"a": ["x" * 100_000]}))[0]) == 400
    deep = reasons(b'{"a":' * 500 + b"1" + b"}" * 500)
    assert deep[0].endswith(": …")
    assert reasons(b"[" * 100_000 + b"]" * 100_000) == ()


def test_reasons_hold_nothing_that_moves_the_terminal():
    assert reasons(b'{"a":["\\u001b[31mred\\r\\nnext\\u0000"]}') == ("a: [31mred next",)


def test_secrets_are_hidden_before_a_line_is_cut():
    body = canonical_json({"a": "x" * 390 + "SECRETSECRET"})
    assert "SEC" not in reasons(body, lambda text: text.replace("SECRETSECRET", "***"))[0]


@given(st.binary(max_size=300))
def test_any_body_gives_printable_lines(body):
    assert all(line.isprintable() for line in reasons(body))


@given(st.text(max_size=1000))
def test_printable_text_is_one_line_of_bounded_length(text):
    line = printable(text)
    assert line.isprintable()
    assert len(line) <= 400
    assert printable(line) == line


def test_the_errors_are_one_tree_with_exit_codes():
    missing = NotFound("no", status=404)
    assert isinstance(missing, Refused)
    assert isinstance(missing, DoeError)
    assert missing.exit_code is ExitCode.FAILED
    assert Ambiguous("maybe").exit_code is ExitCode.TRY_AGAIN
