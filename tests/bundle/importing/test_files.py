"""The files of a job: each fetched once, each at a path of its own that stays in its folder."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doe_compiler.bundle.importing.files import (
    Reference,
    Shelf,
    file_name,
    inputs,
    names_in_runs,
    reference,
    references,
)

NAMES = st.sampled_from(
    [
        "a",
        "a.dat",
        "A.dat",
        "a-2.dat",
        "a.tar.gz",
        ".rc",
        "..",
        "a/b",
        "b\\c",
        'q"',
        "",
        "-x",
        "é",
        "x" * 300 + ".dat",
    ]
)
REFERENCES = st.builds(
    Reference, id=st.sampled_from("123456"), name=NAMES, size=st.just(3), md5=st.none() | st.sampled_from(["0" * 32, "1" * 32])
)  # fmt: skip


@given(st.lists(REFERENCES, max_size=8))
def test_no_two_contents_have_one_name_and_the_last_of_a_name_keeps_it(files):
    names = names_in_runs(files)
    owners = {}
    for file in files:
        chosen = names[file.name, file.identity]
        assert owners.setdefault(chosen, file.identity) == file.identity
    for position, file in enumerate(files):
        safe = file_name(file.name)
        later = [other for other in files[position + 1 :] if file_name(other.name) == safe]
        if all(other.identity == file.identity for other in later):
            assert names[file.name, file.identity] == safe


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["", "inputs", "Inputs"]),
            NAMES.map(file_name),
            st.sampled_from("12"),
            st.none() | st.just(b"x"),
        ),
        max_size=10,
    )
)
def test_no_two_files_lie_at_one_path_on_any_file_system(files):
    shelf = Shelf()
    placed = [(shelf.place(*each), each) for each in files]
    paths = [file.path.casefold() for file in shelf.files]
    assert len(set(paths)) == len(paths)
    for path, (folder, name, file_id, content) in placed:
        assert path.rpartition("/")[2] == name
        assert path.partition("/")[0].startswith(folder) or not folder
        assert any((file.path, file.id, file.content) == (path, file_id, content) for file in shelf.files)


def test_the_same_file_twice_is_one():
    shelf = Shelf()
    assert shelf.place("inputs", "a", "1") == shelf.place("inputs", "a", "1") == "inputs/a"
    assert shelf.place("inputs", "a", "2") == "inputs-2/a"
    assert shelf.place("inputs", "A", "3") == "inputs-3/A"
    assert shelf.place("", "a", "4") == "a"
    assert len(shelf.files) == 4


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ({"id": "a", "name": "n", "md5": "0" * 32, "decryptedSize": "5"}, ("a", "n", 5, "0" * 32, True)),
        ({"id": "a"}, ("a", "a", None, None, True)),
        ({"id": 7, "md5": "A" * 32}, ("7", "7", None, "a" * 32, True)),
        ({"id": "a", "md5": "nonsense", "decryptedSize": -1}, ("a", "a", None, None, True)),
        ({"id": "a", "decompress": False}, ("a", "a", None, None, False)),
        ({"id": "a", "decompress": "false"}, ("a", "a", None, None, False)),
        ({"id": "a", "decompress": None}, ("a", "a", None, None, True)),
        ("a", ("a", "a", None, None, True)),
    ],
)
def test_a_reference_is_understood_in_every_form(value, found):
    read = reference(value)
    assert (read.id, read.name, read.size, read.md5, read.decompress) == found


@pytest.mark.parametrize(
    "value", [None, {}, {"id": ""}, {"id": None}, {"name": "a"}, [], "", True, {"id": {}}]
)
def test_what_names_no_file_is_none(value):
    assert reference(value) is None


@given(
    st.lists(
        st.sampled_from([None, "a", {"id": "a"}, {"id": "b", "name": "doe_texts.txt"}, 3, {}]), max_size=5
    )
)
def test_inputs_keep_their_order_and_only_the_tables_of_texts_are_read(listed):
    found = inputs({"inputFiles": listed})
    assert [file.id for file in found] == [reference(each).id for each in listed if reference(each)]
    assert all((file.read_limit > 0) is (file.name == "doe_texts.txt") for file in found)


@given(st.lists(st.sampled_from(["1", "2", "3"]), min_size=1, max_size=6))
def test_a_file_is_asked_for_once_and_read_if_any_place_needs_its_content(ids):
    task = [{"templateFile": {"id": one}} for one in ids]
    job = {"jobanalyses": [{"inputFiles": [{"id": "1"}, {"id": "9"}], "templateTasks": task}]}
    found = {each.id: each.read_limit > 0 for each in references(job)}
    assert found == {"1": "1" in ids, "9": False, **dict.fromkeys(ids, True)}


@given(st.lists(st.text(max_size=260), min_size=2, max_size=4))
def test_a_safe_name_is_its_own_safe_name(names):
    for one, other in pairwise(names):
        assert file_name(file_name(one)) == file_name(one)
        if one == other:
            assert file_name(one) == file_name(other)


@pytest.mark.parametrize(
    ("name", "safe"), [("a b.dat", "a b.dat"), ("é.dat", "é.dat"), ("../x", ".._x"), ("a\nb", "a_b")]
)
def test_a_name_that_is_safe_stays(name, safe):
    assert file_name(name) == safe


def test_a_long_name_keeps_its_ending():
    assert file_name("x" * 400 + ".tar.gz").endswith(".gz")
    assert len(file_name("ü" * 400).encode()) <= 200
