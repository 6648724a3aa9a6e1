"""Padded fields travel with the text beside them; what a run reads stays the same, and so does the recipe."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from doe_compiler.bundle.merging import sent
from doe_compiler.bundle.pack import bundled, parameter_file
from doe_compiler.design.bounds import travels_by_name
from doe_compiler.design.build import build
from doe_compiler.design.lowering import lowered_spec
from doe_compiler.templates.substitution import substituted
from doe_compiler.templates.template import Source, Unlowered

from .specs import a_spec, a_template, an_analysis, levels


def jinja_spec(text, **variables):
    """A study with one Jinja template and enumerated variables."""
    task = a_template("${x}")
    names = frozenset(variables)
    task = replace(task, template=Unlowered(Source(text, "deck.j2", ""), names), syntax="jinja")
    spec = a_spec(
        *(levels(name, *texts) for name, texts in variables.items()),
        analyses=(an_analysis(templates=(task,)),),
    )
    made, findings = lowered_spec(spec)
    assert findings == []
    return made


def texts_of(spec, design):
    (task,) = spec.analyses[0].templates
    return [substituted(task.lowered, design.row(row)) for row in range(design.n)]


NASTRAN = """GRID    {{ "1"|field(8) }}        {{ x|field(8) }}{{ y|field(8) }}{{ (x * y)|field(8) }}
GRID           2        {{ y|field(8) }}{{ x|field(8) }}
FORCE          3{{ x|field(8, align="left") }}A
"""


def test_a_nastran_deck_needs_no_names():
    spec = jinja_spec(NASTRAN, x=["1", "-20", "3.5"], y=["2", "0.125"])
    design, _ = build(spec)
    bundle = bundled(spec, design)
    assert bundle.texts == {}
    assert any(travels_by_name(cell) for column in design.columns for cell in column.cells())
    content = parameter_file(bundle.job(range(design.n))).content
    assert b"doe_text_" not in content
    for row, text in enumerate(texts_of(*sent(spec, design))):
        cells = design.row(row)
        x, y = float(cells["x"]), float(cells["y"])
        assert text.startswith("GRID    1               ")
        assert [float(text[start : start + 8]) for start in (24, 32, 40)] == [x, y, x * y]


def test_what_is_sent_is_no_part_of_the_recipe():
    few, many = (jinja_spec("a {{ x|field(4) }} b\n", x=texts) for texts in (["1000", "2000"], ["1000", "2"]))
    sent_texts = [sent(spec, build(spec)[0])[0].analyses[0].templates[0].lowered for spec in (few, many)]
    assert sent_texts[0] != sent_texts[1]
    assert bundled(few, build(few)[0]).recipe == bundled(many, build(many)[0]).recipe


def test_a_field_with_nothing_beside_it_travels_by_name():
    spec = jinja_spec("{{ x|field(4) }}\n{{ x|field(4) }},b\n", x=["1", "2000"])
    bundle = bundled(spec, build(spec)[0])
    assert list(bundle.texts.values()) == ["   1"]


PIECES = st.sampled_from(
    [
        "{{ x|field(6) }}",
        "{{ x|field(6, 'left') }}",
        "{{ y|field(5, 'center') }}",
        "{{ x }}",
        "{{ y * 2 }}",
        "{{ '%4d'|format(y) }}",
        "a",
        "1",
        " ",
        "   ",
        "\n",
        ",",
        "'",
        "${q}",
        "$",
        "\t",
        "\r\n",
        "{{ x ~ ', ' }}",
        "{% if y > 1 %} p {% endif %}",
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.lists(PIECES, max_size=14))
def test_a_run_reads_the_same_with_and_without_merging(pieces):
    spec = jinja_spec("".join(pieces) + "{{ x }}{{ y }}", x=["1.5", "-22.25"], y=["1", "2", "33"])
    design, findings = build(spec)
    assert [finding.code for finding in findings if finding.code.startswith("T")] == []
    sent_spec, sent_design = sent(spec, design)
    assert texts_of(sent_spec, sent_design) == texts_of(spec, design)
