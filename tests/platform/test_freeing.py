"""Contents leave the disk with the last that needs them, and never what is about to be named."""

import threading

from doe_compiler.platform.api.service import open_platform
from doe_compiler.platform.store.blobs import in_use


def contents(api):
    return [path for path in (api.data / "files").glob("??/*") if path.is_file()]


def deleted(api, file):
    return api.call("DELETE", f"files/{file['id']}/")[0] == 204


def test_a_content_goes_with_the_last_file_that_has_it(api):
    first, second, other = api.upload("a", b"same"), api.upload("b", b"same"), api.upload("c", b"other")
    assert len(contents(api)) == 2
    assert deleted(api, first)
    assert api.call("GET", f"files/{second['id']}/contents/")[1] == b"same"
    assert deleted(api, second)
    assert [path.read_bytes() for path in contents(api)] == [b"other"]
    assert deleted(api, other)
    assert contents(api) == []


def test_a_table_goes_with_its_job_and_outputs_stay(api):
    large = b"x" * (1 << 21)
    job, _ = api.ran(
        api.analysis("cat n", inputs=[("in.bin", large)], templates=[("n", b"${n}")]), table="n\n1\n2\n"
    )
    for file in api.get("files/")["results"]:
        assert deleted(api, file)
    assert [path.read_bytes() for path in contents(api)] == [b"n\n1\n2\n"]
    assert api.content(job, "in.bin", 2) == large
    assert [run["id"] for run in api.runs(job)] == ["1", "2"]
    assert api.call("DELETE", f"jobs/{job}/")[0] == 204
    assert contents(api) == []


def test_what_is_being_named_stays_and_gc_frees_it_later(api):
    file = api.upload("a", b"content")
    with in_use(api.data / "files"):
        assert deleted(api, file)
    assert len(contents(api)) == 1
    counted = api.platform.free_contents(dry_run=True)
    assert (counted.files, counted.size) == (1, 7)
    assert len(contents(api)) == 1
    assert api.platform.free_contents(dry_run=False) == counted
    assert contents(api) == []


def test_uploads_and_deletes_of_the_same_content_at_once_lose_none(api):
    lost = []

    def work(name):
        for _ in range(30):
            file = api.upload(name, b"shared")
            if api.call("GET", f"files/{file['id']}/contents/")[1] != b"shared":
                lost.append(file)
            deleted(api, file)

    threads = [threading.Thread(target=work, args=(str(number),)) for number in range(4)]
    for thread in threads:
        thread.start()
    other = open_platform(api.data)
    while any(thread.is_alive() for thread in threads):
        other.free_contents(dry_run=False)
    other.close()
    assert lost == []
    api.platform.free_contents(dry_run=False)
    assert contents(api) == []
