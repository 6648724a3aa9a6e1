"""The journal reads back what was added, and a torn line does not count."""

from doe_compiler.platform.execute.journal import NAME, Entry, Journal, journal_entries

ENTRIES = [Entry(3, 1, 10, 20, 0), Entry(1, 2, 11, 19, 139)]


def _written(folder):
    journal = Journal(folder)
    for entry in ENTRIES:
        journal.add(entry)
    journal.close()


def test_entries_read_back_in_order_over_several_openings(tmp_path):
    _written(tmp_path)
    _written(tmp_path)
    assert journal_entries(tmp_path) == ENTRIES * 2


def test_a_torn_or_foreign_line_does_not_count(tmp_path):
    _written(tmp_path)
    with (tmp_path / NAME).open("ab") as file:
        file.write(b"\xff x\n4 1 5 6\n5 1 2 3")
    assert journal_entries(tmp_path) == ENTRIES


def test_a_line_torn_at_any_byte_does_not_merge_with_the_next(tmp_path):
    _written(tmp_path)
    whole = (tmp_path / NAME).read_bytes()
    for cut in range(len(whole) + 1):
        (tmp_path / NAME).write_bytes(whole[:cut])
        _written(tmp_path)
        assert journal_entries(tmp_path) == ENTRIES[: whole[:cut].count(b"\n")] + ENTRIES, cut


def test_without_a_journal_there_are_no_entries(tmp_path):
    assert journal_entries(tmp_path) == []


def test_a_run_in_the_journal_is_recorded_and_not_run_again(api, tmp_path):
    job = api.create(
        api.analysis(f"echo $(cat n) >> {tmp_path}/marks", templates=[("n", b"${n}")]), table="n\n1\n2\n3\n"
    )
    home = api.data / "jobs" / job
    (home / "run2").mkdir(parents=True)
    (home / "run2" / "out").write_text("left")
    journal = Journal(home)
    journal.add(Entry(2, 1, 1_000_000, 2_000_000, 0))
    journal.close()
    api.submit(job)
    assert api.finished(job) == "Completed successfully"
    assert (tmp_path / "marks").read_text().split() == ["1", "3"]
    assert api.content(job, "out", 2) == b"left"
    assert api.runs(job)[1]["dateCompleted"] == "1970-01-01T00:00:02.000000Z"
