"""A template of a stranger: it reaches nothing of the machine, takes no time and no memory, and is told precisely."""

import os
import resource
import subprocess
import sys
import time

import pytest

from doe_compiler.templates.jinja.environment import DeckEnvironment, rendered
from doe_compiler.templates.jinja.lowering import lowered
from doe_compiler.templates.jinja.places import Text
from doe_compiler.templates.jinja.syntax import checked, parse
from doe_compiler.templates.lowered import Failure
from doe_compiler.templates.template import Source

from .jinja_decks import reader


def failure(text, rows=("x",), files=None):
    source = Source(text, "deck", "case", (), reader(files or {}))
    return lowered(source, {"k": 2, "deep": [["a"]]}, dict.fromkeys(rows, ("float", "")))


# Published ways out of sandboxes, and what bounds them.
ESCAPES = [
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ ''['__class__'] }}",
    "{{ ''|attr('__class__') }}",
    "{{ ''|attr('\\x5f\\x5fclass\\x5f\\x5f') }}",
    "{{ ()|attr('__cl' ~ 'ass__') }}",
    "{{ config.items() }}",
    "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "{{ joiner.__init__.__globals__ }}",
    "{{ namespace.__init__.__globals__ }}",
    "{{ self._TemplateReference__context }}",
    "{{ self.__init__.__globals__.__builtins__ }}",
    "{{ lipsum.__globals__ }}",
    "{{ range.__class__ }}",
    "{{ dict.__base__.__subclasses__() }}",
    "{{ dict.mro() }}",
    "{{ '{0.__class__}'.format(1) }}",
    "{{ '{x.__class__}'.format_map({'x': 1}) }}",
    "{% set f = '{0.__class__}'.format %}{{ f(1) }}",
    "{{ ['a']|map(attribute='__class__')|first }}",
    "{{ [1]|map('attr', '__class__')|list }}",
    "{{ [1]|groupby('__class__')|list }}",
    "{{ [1, 2]|sort(attribute='__class__') }}",
    "{{ [1]|sum(attribute='__class__') }}",
    "{{ [''.__class__]|first }}",
    "{% macro m() %}{% endmacro %}{{ m.__call__ }}",
    "{% macro m() %}{% endmacro %}{{ m._func.__globals__ }}",
    "{{ m }}{% macro m() %}{% endmacro %}{{ m }}",
    "{% for i in [1] %}{{ loop.__init__ }}{% endfor %}",
    "{% for i in [1] %}{{ loop._iterator }}{% endfor %}",
    "{% set l = [1] %}{{ l.append(2) }}",
    "{% set d = {} %}{{ d.update({1: 2}) }}",
    "{{ deep.pop() }}",
    "{{ (1).to_bytes(9, 'big') }}",
    "{{ 'a'.encode() }}",
    "{{ ''.maketrans('a', 'b') }}",
    "{{ range }}",
    "{{ 'a'.upper }}",
    "{{ [1]|random }}",
    "{{ lipsum() }}",
    "{% include '/etc/passwd' %}",
    "{% include '../secret' %}",
    "{% import 'os' as os %}{{ os.environ }}",
    "{{ environ }}",
    "{{ context }}",
    "{{ environment }}",
]


@pytest.mark.parametrize("text", ESCAPES)
def test_what_is_known_to_leave_a_sandbox_does_not(text):
    found = failure(text)
    assert isinstance(found, Failure), found.template


HEAVY = [
    "{{ 'a' * (10**9) }}",
    "{{ (10**9) * 'a' }}",
    "{{ [0] * (10**9) }}",
    "{{ range(10**9) }}",
    "{{ range(10**9)|list }}",
    "{% for i in range(10**9) %}{% endfor %}",
    "{{ 10 ** (10 ** 10) }}",
    "{{ 2 ** 10000000 }}",
    "{{ 'a'.ljust(10**9) }}",
    "{{ 'a'.zfill(10**9) }}",
    "{{ 'a'|center(10**9) }}",
    "{{ 'a'|indent(10**9) }}",
    "{{ 'a\n' * 10000|indent(10000) }}",
    "{{ '%1000000000d' % 1 }}",
    "{{ '%1000000000d'|format(1) }}",
    "{{ '%*d'|format(10**9, 1) }}",
    "{{ '%.1000000000f'|format(k) }}",
    "{{ '{:1000000000}'.format(1) }}",
    "{{ '{:{}}'.format(1, 1000000000) }}",
    "{{ ('a' * 10000).replace('a', 'b' * 10000) }}",
    "{{ ('a' * 10000)|replace('a', 'b' * 10000) }}",
    "{{ ('a' * 10000).join(range(100000)|map('string')) }}",
    "{{ range(100000)|join('a' * 10000) }}",
    "{{ ('\t' * 100000).expandtabs(10000) }}",
    "{{ [1]|batch(10**9, 0)|list }}",
    "{{ [1]|slice(10**9)|list }}",
    "{{ k|round(10**9, 'floor') }}",
    "{{ [[1]]|tojson(10**9) }}",
    "{% set ns = namespace(a='aaaaaaaa') %}{% for i in range(64) %}{% set ns.a = ns.a ~ ns.a %}{% endfor %}",
    "{% set ns = namespace(a='aaaaaaaa') %}{% for i in range(64) %}{% set ns.a = ns.a + ns.a %}{% endfor %}",
    "{% set ns = namespace(a=[1]) %}{% for i in range(64) %}{% set ns.a = ns.a + ns.a %}{% endfor %}",
    "{% set ns = namespace(a=3) %}{% for i in range(64) %}{% set ns.a = ns.a * ns.a %}{% endfor %}",
    "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
    "{% for i in range(99999) %}" + "x" * 99999 + "{% endfor %}",
    "{% for i in range(99999) %}{{ 'x' * 99999 }}{% endfor %}",
    "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(60) }}",
    "{% macro m(n) %}{{ 'x' * 99999 }}{% endmacro %}{% for i in range(99999) %}{{ m(i) }}{% endfor %}",
    "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
    "{% if 1 %}" * 3000 + "{% endif %}" * 3000,
    "{% for i in [1] %}" * 60 + "{% endfor %}" * 60,
    "{{ " + "-" * 20000 + "1 }}",
    "{{ 1" + "0" * 5000 + " }}",
]


@pytest.mark.parametrize("text", HEAVY, ids=[text[:60] for text in HEAVY])
def test_what_would_take_all_time_or_memory_is_refused_at_once(text):
    started, before = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = failure(text)
    assert isinstance(found, Failure), found
    assert len(found.message) < 300
    assert time.process_time() - started < 20
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 600_000  # kB


def test_what_a_run_s_variables_make_heavy_is_refused_for_that_run():
    for text in ("{{ 'a' * (x * 10**9)|int }}", "{% for i in range((x * 10**9)|int) %}{% endfor %}"):
        found = failure(text)
        texts, failures = found.program.texts({"x": [0.0, 1.0]}, 2, [column.name for column in found.columns])
        assert texts == {}
        assert [failed.row for failed in failures] == [1]


def test_no_code_of_a_stranger_is_run_and_nothing_outside_is_read(tmp_path):
    """The whole command: what lies outside reaches nothing that it writes, through a link too, and no command is run."""
    (tmp_path / "secret").write_text("s3cret")
    study = tmp_path / "study"
    study.mkdir()
    (study / "link").symlink_to(tmp_path / "secret")
    (study / "deck.j2").write_text(
        "{{ x }}{% include 'link' ignore missing %}{% include '../secret' ignore missing %}"
    )
    (study / "study.yaml").write_text(
        "doe: 1\nstudy: s\nvariables: {x: {levels: [1, 2]}}\nanalyses:\n"
        "  - analysis: {code: user_included}\n    command: touch ran\n"
        "    hardware: {coreType: standard-plus}\n    templates: [{source: deck.j2, target: deck}]\n"
    )
    command = [sys.executable, "-m", "doe_compiler", "compile", str(study), "-o", str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=study)
    assert done.returncode == 0, done.stderr
    everything = b"".join(path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file())
    assert b"s3cret" not in everything
    assert not (study / "ran").exists()


NEVER = [
    ("a\n {{ x_velocty }}", "T202", (2, 5), "did you mean 'x_velocity'?"),
    ("a {{ x_velocity }", "T201", (1, 17), ""),
    ("{% if x_velocity %}", "T201", None, ""),
    ("{{ x_velocity|fromat('a') }}", "T201", (1, 15), ""),
    ("line\n{% frob %}", "T201", (2, 4), ""),
    ("{% include 'nothing.inc' %}", "T201", (1, 4), ""),
    ("{{ 'unclosed }}", "T201", (1, 4), ""),
]


@pytest.mark.parametrize(("text", "code", "place", "hint"), NEVER)
def test_what_is_wrong_has_its_place(text, code, place, hint):
    template, findings, texts = parse(Source(text, "deck.j2", "case", (), reader({})))
    if template is not None:
        findings = checked(template, "case/deck.j2", ["x_velocity", "y"])
    assert [finding.code for finding in findings] == [code]
    found = findings[0]
    assert found.place.file == "case/deck.j2"
    assert place is None or (found.place.line, found.place.column) == place
    assert hint in found.hint
    assert texts == {"case/deck.j2": text}


def test_an_error_in_an_included_file_is_told_there():
    files = {"a.inc": "one\ntwo {{ 1 / k_zero }}"}
    template, findings, _ = parse(Source("{% include 'a.inc' %}", "deck.j2", "case", (), reader(files)))
    assert findings == ()
    found = lowered(template.source, {"k_zero": 0}, {})
    assert (found.file, Text(files["a.inc"]).place(found.position)) == ("a.inc", (2, 8))
    _, findings, texts = parse(
        Source("{% include 'a.inc' %}", "deck.j2", "case", (), reader({"a.inc": "x\n {% if %}"}))
    )
    assert [(finding.code, str(finding.place)) for finding in findings] == [("T201", "case/a.inc:2:8")]
    assert set(texts) == {"case/deck.j2", "case/a.inc"}


def test_places_count_lines_of_any_kind_and_no_byte_order_mark():
    text = Text("\ufeffa\r\nb\r  {{ x }}")
    assert text.place(2) == (1, 1)
    assert text.place(text.normal.index("x") + 1) == (3, 6)
    assert text.tag(text.normal.index("x") + 1) == "x"


def test_rendering_does_not_hang_on_the_process_environment():
    os.environ["DOE_PLANTED"] = "planted"
    environment = DeckEnvironment(reader({}))
    template = environment.from_string("{{ DOE_PLANTED|default('none') }}")
    assert rendered(template, {}) == "none"
    del os.environ["DOE_PLANTED"]


def test_a_file_that_may_be_missing_is_no_finding():
    text = "{% include 'a' ignore missing %}{% include ['no', 'b'] %}{% include ['no', 'b'] %}"
    template, findings, texts = parse(Source(text, "deck.j2", "", (), reader({"b": "B {{ x }}"})))
    assert findings == ()
    assert template.names == {"x"}
    assert set(texts) == {"deck.j2", "b"}
