"""Numbers in fields: against gfortran, against all texts that fit, and what the docs say of the filters."""

import random
import re
import shutil
import subprocess
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doe_compiler.templates.jinja.environment import DeckEnvironment, rendered
from doe_compiler.templates.jinja.fields import DoesNotFit, digits, engineering, field, fortran
from doe_compiler.templates.jinja.layout import wrap
from doe_compiler.templates.jinja.values import Kind, value_of

from .jinja_decks import reader

DOCS = Path(__file__).parents[2] / "docs" / "templates.md"
FILES = {
    "materials.csv": "material,E,nu\nsteel,210e9,0.3\nal,70e9,0.33\n1.50,1,2\n",
    "curve.csv": "x, cp\n3, 1.0\n3.5,1.25\n4,2\n",
}
VALUES = {
    "x": value_of("3.14159265", Kind.FLOAT),
    "n": 7,
    "e": 210e9,
    "mat": "steel",
    "length": value_of("0.25", Kind.FLOAT, "m"),
}


def render(text, **more):
    environment = DeckEnvironment(reader(FILES))
    return rendered(environment.from_string(text), {**VALUES, **more})


def documented():
    for line in DOCS.read_text().splitlines():
        cells = re.split(r"(?<!\\)\|", line)
        if len(cells) > 3 and "{{" in cells[1]:
            yield (
                cells[1].strip().strip("`").replace("\\|", "|"),
                cells[2].strip(" ").strip("`").replace("⏎", "\n"),
            )


EXAMPLES = list(documented())


@pytest.mark.parametrize(("template", "gives"), EXAMPLES, ids=[template for template, _ in EXAMPLES])
def test_the_docs_say_what_a_filter_gives(template, gives):
    assert render(template) == gives


def test_every_filter_of_decks_has_an_example():
    from doe_compiler.templates.jinja.deck_filters import DECK_FILTERS

    assert [
        name for name in DECK_FILTERS if not any(f"|{name}" in template for template, _ in EXAMPLES)
    ] == []


PROGRAM = """
program formats
  character(len=64) :: d, v
  character(len=700) :: line, out
  real(8) :: x
  integer(8) :: i
  integer :: ios, bar
  do
    read(*, '(A)', iostat=ios) line
    if (ios /= 0) exit
    bar = index(line, '|')
    d = line(1:bar-1); v = line(bar+1:)
    out = ''
    if (d(1:1) == 'I') then
      read(v, *, iostat=ios) i
      write(out, '(' // trim(d) // ')', iostat=ios) i
    else
      read(v, *, iostat=ios) x
      write(out, '(' // trim(d) // ')', iostat=ios) x
    end if
    if (ios /= 0) out = '*'
    write(*, '(A)') '[' // trim(out) // ']'
  end do
end program
"""
CORNERS = [
    0.0, -0.0, 0.5, 1.5, 2.5, 0.125, 9.995, 99.95, 0.099999, 999.5, 1e5, -1e-5, 0.1, 1e-300, 1e300,
    9.9999e99, 1e100, -1e-100, 0.05, -0.4, -0.0004, 961944.0, 0.982421875,
]  # fmt: skip


def a_number(source):
    kind = source.random()
    if kind < 0.2:
        return source.choice(CORNERS)
    if kind < 0.6:
        return round(source.uniform(-1, 1) * 10 ** source.randint(-12, 12), source.randint(0, 8))
    if kind < 0.8:
        return source.uniform(-1, 1) * 10.0 ** source.randint(-307, 307)
    return source.choice([-1, 1]) * source.randint(0, 10 ** source.randint(1, 9)) / 2 ** source.randint(0, 12)


def a_pair(source):
    kind = source.choice(["F", "F", "E", "E", "D", "ES", "EN", "G", "I"])
    width = source.randint(1, 24)
    if kind == "I":
        least = source.choice(["", f".{source.randint(0, width)}"])
        return f"I{width}{least}", source.randint(-(10 ** source.randint(0, 18)), 10 ** source.randint(0, 18))
    # From 15 decimals on gfortran's EN does not write the digits of the number.
    places = source.randint(0, min(width, 14 if kind == "EN" else 17))
    power = f"E{source.randint(1, 4)}" if kind not in "FD" and source.random() < 0.3 else ""
    return f"{kind}{width}.{places}{power}", a_number(source)


@pytest.mark.skipif(
    shutil.which("gfortran") is None, reason="gfortran is not installed: apt install gfortran"
)
def test_edit_descriptors_write_what_gfortran_writes(tmp_path):
    (tmp_path / "formats.f90").write_text(PROGRAM)
    subprocess.run(["gfortran", "-o", "formats", "formats.f90"], cwd=tmp_path, check=True)
    source = random.Random(20)
    pairs = [a_pair(source) for _ in range(30_000)]
    given_ = "".join(f"{descriptor}|{value!r}\n" for descriptor, value in pairs)
    done = subprocess.run([tmp_path / "formats"], input=given_, capture_output=True, text=True, check=True)
    written = [line[1:-1] for line in done.stdout.splitlines()]
    refused = 0
    for (descriptor, value), expected in zip(pairs, written, strict=True):
        if "*" in expected:
            refused += 1
            with pytest.raises(DoesNotFit):
                fortran(value, descriptor)
        else:
            assert fortran(value, descriptor).rstrip(" ") == expected, (descriptor, value)
    assert 5_000 < refused < 25_000


def test_texts_and_truths_by_edit_descriptors():
    assert (fortran("ab", "A4"), fortran("ab", "A"), fortran(True, "L3")) == ("  ab", "ab", "  T")
    for value, descriptor in (("abc", "A2"), (12345, "I4"), (1e10, "F8.2")):
        with pytest.raises(DoesNotFit):
            fortran(value, descriptor)
    for value, descriptor in ((1.5, "I4"), ("a", "F8.2"), (1, "L1")):
        with pytest.raises(TypeError):
            fortran(value, descriptor)
    with pytest.raises(ValueError, match="is no edit descriptor"):
        fortran(1.0, "X3")


def nastran(text):
    """A real number as Nastran reads its field: an exponent may stand without its letter."""
    return Decimal(re.sub(r"(?<=[\d.])([+-])", r"E\1", text.strip()))


# The forms of one number in MSC Nastran's Quick Reference Guide, "Format of Bulk Data entries".
def test_nastran_s_own_forms_of_seven_are_read_as_seven():
    assert {nastran(form) for form in ("7.0", "0.7E1", ".7+1", ".70+1", "7.E+0", "70.-1")} == {Decimal(7)}


@given(st.floats(allow_nan=False, allow_infinity=False, width=64), st.sampled_from([8, 10, 16, 20]))
def test_a_field_has_its_width_a_point_and_the_nearest_number(value, width):
    text = field(value, width)
    assert len(text) == width
    assert "." in text
    number = Fraction(Decimal(repr(value)))
    error = abs(Fraction(nastran(text)) - number)
    letter = "" if width in (8, 16) else "E"
    for places in range(width):
        mantissa, _, power = f"{Decimal(repr(value)):.{places}E}".partition("E")
        fixed = f"{Decimal(repr(value)):.{places}f}" if abs(value) < 10**width else ""
        for other in (f"{mantissa}{letter}{int(power):+d}", fixed, fixed.replace("0.", ".", 1)):
            if "." in other and 1 < len(other) <= width:
                assert error <= abs(Fraction(nastran(other)) - number), other


def test_what_does_not_fit_is_refused():
    for value, width in ((123456789, 8), ("a long text", 8), ("a\nb", 8), (-1e-100, 6), (1.5, 1)):
        with pytest.raises(DoesNotFit):
            field(value, width)
    for value in (float("nan"), float("inf")):
        with pytest.raises(ValueError, match="not a finite number"):
            field(value, 16)
    with pytest.raises(DoesNotFit):
        wrap("aaaaaaaaaaaa b", 5)


@pytest.mark.parametrize(
    ("value", "count", "expected"),
    [
        (1.5, 4, "1.500"), (12345.6, 4, "12350"), (0.00012345, 3, "0.000123"), (1e20, 4, "1.000e+20"),
        (0, 3, "0.00"), (-7.77777, 2, "-7.8"), (999.99, 3, "1000"), (2, 1, "2"), (1e-7, 2, "1.0e-07"),
    ],
)  # fmt: skip
def test_significant_digits(value, count, expected):
    assert digits(value, count) == expected


@pytest.mark.parametrize(
    ("value", "count", "expected"),
    [
        (12345, 3, "12.3e3"), (0.00012, 3, "120e-6"), (1, 3, "1.00e0"), (999.99, 3, "1.00e3"),
        (123456, 2, "120e3"), (-5e-7, 3, "-500e-9"), (0.0, 2, "0.0e0"),
    ],
)  # fmt: skip
def test_engineering_notation(value, count, expected):
    assert engineering(value, count) == expected


# From the table of printf's conversions in ISO C (7.21.6.1) and its usual examples.
@pytest.mark.parametrize(
    ("pattern", "value", "expected"),
    [
        ("%5d", 42, "   42"), ("%-5d|", 42, "42   |"), ("%05d", 42, "00042"), ("%+d", 42, "+42"),
        ("%x", 255, "ff"), ("%#o", 8, "0o10"), ("%e", 12345.678, "1.234568e+04"), ("%10.3e", 12345.678, " 1.235e+04"),
        ("%g", 0.0001, "0.0001"), ("%g", 0.00001, "1e-05"), ("%#g", 1.5, "1.50000"), ("%s", "a", "a"), ("%%", 1, "%"),
        ("%.0f", 0.5, "0"), ("%.0f", 1.5, "2"), ("%G", 1e-10, "1E-10"), ("% d", 5, " 5"),
    ],
)  # fmt: skip
def test_printf_forms(pattern, value, expected):
    assert render("{{ p|format(v) if p != '%%' else p % () }}", p=pattern, v=value) == expected


def failing(text, **more):
    with pytest.raises(Exception) as caught:
        render(text, **more)
    return f"{caught.value} {getattr(caught.value, 'hint', '')}"


def test_tables_and_units_say_what_is_missing():
    assert "did you mean 'steel'?" in failing("{{ 'stel'|lookup('materials.csv', 'E') }}")
    assert "no column 'G'" in failing("{{ mat|lookup('materials.csv', 'G') }}")
    assert "does not exist" in failing("{{ mat|lookup('nothing.csv', 'G') }}")
    assert render("{{ 1.5|lookup('materials.csv', 'E') }}") == "1"
    assert "outside of curve.csv" in failing("{{ 5|interpolate('curve.csv', 'cp') }}")
    assert (
        render("{{ 3|interpolate('curve.csv', 'cp') }} {{ 4|interpolate('curve.csv', 'cp') }}") == "1.0 2.0"
    )
    assert "has no unit" in failing("{{ x|to('mm') }}")
    assert "cannot be converted" in failing("{{ length|to('kg') }}")
    assert "'furlogs' is no unit" in failing("{{ length|to('furlogs') }}")
    assert (
        render("{{ 25.0|to('degF', 'degC') }} {{ 0.1|to('mm', 'm') }} {{ 1|to('Pa', 'psi')|digits(6) }}")
        == "77.0 100.0 6894.76"
    )
