"""Whatever a person has changed in a draft is found, and nothing else."""

import copy
import tarfile

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from doe_compiler.apply.upload import Uploads
from doe_compiler.bundle.payload import with_ids
from doe_compiler.bundle.wanted import wanted_of
from doe_compiler.observe.drafts import differences
from tests.results.test_collect import Lab

NAMES = {"aa": ("deck.t", 10), "bb": ("tool", 20)}
PAYLOAD = {
    "name": "ours",
    "paramFile": {"id": "sha256:aa"},
    "caseFile": None,
    "isLowPriority": False,
    "jobvariables": [],
    "jobanalyses": [
        {
            "analysis": {"code": "user_included", "version": "1"},
            "command": "./tool",
            "hardware": {"coreType": "emerald", "slots": 2, "walltime": 1},
            "inputFiles": [{"id": "sha256:bb", "decompress": False}],
            "templateTasks": [{"templateFile": {"id": "sha256:aa"}, "processedFilename": "deck.txt"}],
            "envVars": {"N": "1", "DOE_ORIGIN": "here"},
            "useMpi": False,
            "preProcessScript": None,
            "preProcessScriptCommand": "",
        }
    ],
}


def shown():
    """The draft as a platform shows it: names and sizes for contents, and fields of its own."""
    draft = copy.deepcopy(PAYLOAD)
    analysis = draft["jobanalyses"][0]
    draft |= {"id": "abcdef", "owner": "me", "paramFile": {"id": "f1", "name": "deck.t", "decryptedSize": 10}}
    draft["jobvariables"] = [{"name": "x"}]
    analysis["inputFiles"][0] |= {"id": "f2", "name": "tool", "decryptedSize": 20}
    analysis["templateTasks"][0]["templateFile"] = {"id": "f1", "name": "deck.t", "decryptedSize": 10}
    analysis["hardware"] |= {"coreType": {"code": "emerald", "name": "Emerald"}, "coresPerSlot": 1}
    analysis["order"] = 0
    return draft


def leaves(value, path=()):
    """Every place in a value that holds no further ones."""
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from leaves(inner, (*path, key))
    elif isinstance(value, list) and value:
        for index, inner in enumerate(value):
            yield from leaves(inner, (*path, index))
    else:
        yield path


def set_at(value, path, new):
    for step in path[:-1]:
        value = value[step]
    value[path[-1]] = new


def test_what_a_platform_adds_is_no_difference():
    assert differences(shown(), PAYLOAD, NAMES) == ()


OURS = [
    path
    for path in leaves(PAYLOAD)
    if path[-1] not in {"name", "DOE_ORIGIN", "id"} and path != ("jobvariables",)
]


@pytest.mark.parametrize("path", OURS, ids=lambda path: ".".join(map(str, path)))
def test_whatever_the_study_says_is_found_when_a_person_changes_it(path):
    draft = shown()
    set_at(draft, path, True if path[-1] in {"decompress", "useMpi", "isLowPriority"} else {"name": "other"})
    (found,) = differences(draft, PAYLOAD, NAMES)
    assert found.startswith(path[0])


@pytest.mark.parametrize("field", ["name", "decryptedSize"])
@pytest.mark.parametrize("place", [("paramFile",), ("jobanalyses", 0, "inputFiles", 0)])
def test_another_file_is_found_by_its_name_and_size(place, field):
    draft = shown()
    set_at(draft, (*place, field), 21 if field == "decryptedSize" else "mine")
    assert len(differences(draft, PAYLOAD, NAMES)) == 1


@pytest.mark.parametrize("where", ["inputFiles", "templateTasks", "jobanalyses"])
def test_something_more_or_less_in_a_list_is_found(where):
    for change in (lambda listed: listed.append({"id": "new"}), lambda listed: listed.pop()):
        draft = shown()
        change(draft[where] if where in draft else draft["jobanalyses"][0][where])
        (found,) = differences(draft, PAYLOAD, NAMES)
        assert where in found


@given(st.from_regex("[A-Z_][A-Z0-9_]{0,8}", fullmatch=True).filter(lambda n: n not in {"N", "DOE_ORIGIN"}))
def test_a_variable_more_in_the_environment_is_found(name):
    draft = shown()
    draft["jobanalyses"][0]["envVars"][name] = "1"
    assert differences(draft, PAYLOAD, NAMES) == (f"jobanalyses[0].envVars.{name}",)
    del draft["jobanalyses"][0]["envVars"][name], draft["jobanalyses"][0]["envVars"]["N"]
    assert differences(draft, PAYLOAD, NAMES) == ("jobanalyses[0].envVars.N",)


def test_where_a_draft_comes_from_is_no_difference():
    draft = shown()
    draft["jobanalyses"][0]["envVars"]["DOE_ORIGIN"] = "elsewhere"
    assert differences(draft, PAYLOAD, NAMES) == ()
    del draft["jobanalyses"][0]["envVars"]["DOE_ORIGIN"]
    assert differences(draft, PAYLOAD, NAMES) == ()


def test_a_draft_with_archives_is_as_the_study_has_it_until_they_are_to_be_unpacked_otherwise(tmp_path):
    lab = Lab(tmp_path)
    try:
        for name in ("a", "b"):
            with tarfile.open(tmp_path / f"{name}.tar.gz", "w:gz") as archive:
                archive.add(__file__, "inside.txt")
        study = lab.study({"x": {"levels": [1]}}, design={})
        sections = yaml.safe_load(study.read_text())
        sections["analyses"][0]["inputFiles"] = ["a.tar.gz", {"path": "b.tar.gz", "decompress": False}]
        study.write_text(yaml.safe_dump(sections))
        wanted = wanted_of(lab.bundle(study))
        ready = wanted.job(range(1))
        ids = Uploads(lab.client, lambda: None).ids([*wanted.files, *ready.files])
        job = lab.client.create_job({**with_ids(ready.payload, ids), "name": "draft"})
        names = {file.reference: (file.name, file.size) for file in [*wanted.files, *ready.files]}
        raw = copy.deepcopy(dict(lab.client.job(job.id).raw))
        assert differences(raw, ready.payload, names) == ()
        for place, each in enumerate(raw["jobanalyses"][0]["inputFiles"]):
            each["decompress"] = not each["decompress"]
            lab.client.change_job(job.id, {"jobanalyses": raw["jobanalyses"]})
            told = differences(lab.client.job(job.id).raw, ready.payload, names)
            assert told[-1] == f"jobanalyses[0].inputFiles[{place}].decompress"
            assert len(told) == place + 1
    finally:
        lab.close()
