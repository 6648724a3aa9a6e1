"""Texts that travel by a name: filled in by real shells and awks, read back as they were."""

import shutil
import subprocess

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from doe_compiler.bundle.texts import (
    TEXTS_FILE,
    filling_lines,
    name_of_text,
    read_texts_table,
    texts_file_name,
    texts_table,
)

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
