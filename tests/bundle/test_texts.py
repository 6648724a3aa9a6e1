"""Texts that travel by a name: filled in by real shells and awks, read back as they were."""

import shutil
import subprocess

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from doe_compiler.bundle.texts import (
    TEXTS_FILE,
    columns_with_names,
    filling_lines,
    name_of_text,
    named_texts,
    read_texts_table,
    sent_design,
    texts_file_name,
    texts_table,
)
from doe_compiler.design.columns import CodedColumn, FloatColumn, TextColumn
from doe_compiler.design.design import Design
from doe_compiler.kernel.canonical import number_text

TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=30)
AWKS = [found for found in map(shutil.which, ("mawk", "gawk", "original-awk", "busybox")) if found]


def filled(folder, files, texts, targets, variables="", awk=None):
    folder.mkdir(exist_ok=True)
    (folder / TEXTS_FILE).write_bytes(texts_table(texts))
    for name, content in files.items():
        (folder / name).write_bytes(content)
    script = "\n".join(filling_lines([(target, "utf-8") for target in targets], variables))
    if awk is not None:
        script = script.replace(" awk ", f" {awk}{' awk' if awk.endswith('busybox') else ''} ")
    subprocess.run(["/bin/sh", "-c", script], cwd=folder, check=True, capture_output=True)
    return [(folder / name).read_bytes() for name in files]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(TEXT, TEXT, TEXT)
@example("a, b", "it's", "\\n \\ \n&\\0 \r\n")
@example("doe_text_0123456789abcdef", " lead", "trail\n")
def test_the_texts_arrive_byte_for_byte(tmp_path, one, two, around):
    texts = {name_of_text(text): text for text in (one, two) if name_of_text(text) != text}
    if not texts:
        return
    given_text = around + name_of_text(one) + "\r\n" + name_of_text(two) + around + "doe_text_ doe_text_zz"
    expected = around + one + "\r\n" + two + around + "doe_text_ doe_text_zz"
    found = filled(tmp_path / "run", {"deck": given_text.encode()}, texts, ["deck"])
    if not any(name in around for name in texts):
        assert found == [expected.encode()]


@pytest.mark.parametrize("awk", AWKS)
@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n", b"\n\n"])
def test_every_awk_keeps_the_bytes_and_the_end_of_a_file(tmp_path, awk, end):
    name = name_of_text("CH4:1, O2:2")
    content = b"\xb0 latin\n" + name.encode() + b"&" * 3 + end
    found = filled(tmp_path, {"deck": content}, {name: "CH4:1, O2:2"}, ["deck"], awk=awk)
    assert found == [b"\xb0 latin\nCH4:1, O2:2&&&" + end]
    assert filled(tmp_path, {"deck": b""}, {name: "x,"}, ["deck"], awk=awk) == [b""]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(TEXT.filter(lambda text: text == text.rstrip("\n")))
@example('it\'s $HOME `x` "y" \\')
def test_a_shell_gets_the_text_between_quotes(tmp_path, text):
    name = name_of_text(text)
    if name == text:
        return
    filled(tmp_path, {"v.sh": f"alpha='{name}'\n".encode()}, {name: text}, [], "v.sh")
    done = subprocess.run(
        ["/bin/sh", "-c", '. ./v.sh; printf "%s" "$alpha"'], cwd=tmp_path, capture_output=True, check=True
    )
    assert done.stdout == text.encode()


@given(
    st.dictionaries(
        TEXT.map(name_of_text).filter(lambda name: name.startswith("doe_text_")), TEXT, max_size=4
    )
)
def test_the_table_is_read_back(texts):
    assert read_texts_table(texts_table(texts)) == texts


@pytest.mark.parametrize("encoding", ["latin-1", "shift_jis"])
def test_a_deck_of_another_encoding_gets_its_own_bytes(tmp_path, encoding):
    text = {"latin-1": "Prüfstand 1", "shift_jis": "ソ表\\"}[encoding]
    name = name_of_text(text, is_narrow=True)
    (tmp_path / texts_file_name(encoding)).write_bytes(
        texts_table({name: text, "doe_text_" + "0" * 16: "€"}, encoding)
    )
    (tmp_path / "deck").write_bytes(b"\xb0 " + name.encode() + b"\n")
    script = "\n".join(filling_lines([("deck", encoding)], ""))
    subprocess.run(["/bin/sh", "-c", script], cwd=tmp_path, check=True)
    assert (tmp_path / "deck").read_bytes() == b"\xb0 " + text.encode(encoding) + b"\n"


def test_a_file_keeps_its_mode_and_a_missing_one_is_left_alone(tmp_path):
    name = name_of_text("a,b")
    (tmp_path / "run.sh").write_text("")
    (tmp_path / "run.sh").chmod(0o755)
    filled(tmp_path, {"run.sh": name.encode()}, {name: "a,b"}, ["run.sh", "missing"])
    assert (tmp_path / "run.sh").stat().st_mode & 0o777 == 0o755


def test_only_what_a_table_cannot_hold_travels_by_a_name():
    for text in ("kEpsilon", "1.5", "a b", "50%", "a/b", "µ", "a;b", "$HOME", "{}"):
        assert name_of_text(text) == text
    for text in ("a,b", 'a"b', "it's", " a", "a ", "a\nb", "${x}", "a\tb", "doe_text_", "\u2028a"):
        assert name_of_text(text).startswith("doe_text_")


# Laws

NARROW = st.booleans()


@given(TEXT, TEXT, NARROW, NARROW)
def test_two_texts_have_two_names(one, two, is_narrow, other_is_narrow):
    """Whatever the column: what stands in a table tells the text apart."""
    names = name_of_text(one, is_narrow=is_narrow), name_of_text(two, is_narrow=other_is_narrow)
    if one != two:
        assert names[0] != names[1]
    elif is_narrow == other_is_narrow:
        assert names[0] == names[1]


@given(TEXT, NARROW)
def test_a_name_is_plain_and_is_no_name_of_a_name(text, is_narrow):
    name = name_of_text(text, is_narrow=is_narrow)
    assert not set(name) & set(",\"'\r\n\t")
    assert name == name.strip()
    assert name.isascii() or not is_narrow
    if name != text:
        assert len(name) == 25
        # a text that looks like a name travels by a name of its own
        assert name_of_text(name) != name


@given(st.lists(TEXT, min_size=1, max_size=6))
def test_what_is_sent_means_the_design_again(texts):
    column = TextColumn("x", tuple(texts))
    labels = tuple(dict.fromkeys(texts))
    codes = np.array([labels.index(text) for text in texts], np.int32)
    for held in (column, CodedColumn("x", codes, labels)):
        for narrow in (frozenset(), frozenset({"x"})):
            design = Design("s", (held,), ("x",), "table")
            named = named_texts(design, narrow)
            sent = sent_design(design, narrow)
            assert [named.get(cell, cell) for cell in sent.cells("x")] == texts
            assert bool(named) is bool(columns_with_names(design, narrow))
            assert (sent is design) is not bool(named)
            assert list(named) == sorted(named)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=9))
def test_numbers_never_travel_by_names(values):
    cells = [number_text(value) for value in values]
    for column in (FloatColumn("x", np.array(values) + 0.0), TextColumn("x", tuple(cells), True)):
        design = Design("s", (column,), ("x",), "table")
        assert named_texts(design, frozenset({"x"})) == {}
        assert sent_design(design, frozenset({"x"})) is design


@given(TEXT, st.lists(TEXT, max_size=4))
def test_a_new_text_moves_no_other(text, others):
    design = Design("s", (TextColumn("x", (text, *others)),), ("x",), "table")
    alone = Design("s", (TextColumn("x", (text,)),), ("x",), "table")
    assert named_texts(alone).items() <= named_texts(design).items()


def can_say(encoding, text):
    """Letter by letter: a `?` for a letter that was none."""
    return all(letter == "?" or letter.encode(encoding, "replace") != b"?" for letter in text)


@given(
    st.dictionaries(
        TEXT.map(name_of_text).filter(lambda name: name.startswith("doe_text_")), TEXT, max_size=4
    )
)
@example({"doe_text_" + "0" * 16: "ソ表\\n"})
def test_a_table_in_another_encoding_holds_what_that_encoding_can_say(texts):
    for encoding in ("latin-1", "shift_jis", "ascii"):
        table = texts_table(texts, encoding)
        known = [name for name, text in texts.items() if can_say(encoding, text)]
        names = [line.split(b"\t")[0].decode() for line in table.split(b"\n")[:-1]]
        assert names == (known or ["-"])


@given(st.binary(max_size=80))
def test_any_bytes_are_a_table_of_texts_or_none(content):
    assert all(name.startswith("doe_text_") for name in read_texts_table(content))


def test_a_failing_fill_ends_the_step(tmp_path):
    name = name_of_text("a,b")
    (tmp_path / "deck").write_text(name)
    script = "\n".join([*filling_lines([("deck", "utf-8")], ""), "echo went on"])
    done = subprocess.run(["/bin/sh", "-c", script], cwd=tmp_path, capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (1, b"")


@pytest.mark.parametrize("target", ["a b", "it's", "-x", "$HOME", "sub/deck", "*"])
def test_a_deck_is_filled_in_whatever_it_is_called(tmp_path, target):
    name = name_of_text("a,b")
    (tmp_path / target).parent.mkdir(exist_ok=True)
    assert filled(tmp_path, {target: name.encode()}, {name: "a,b"}, [target]) == [b"a,b"]
    assert not (tmp_path / "doe_filled.txt").exists()
