"""A log that is followed is shown once, whole and in order, wherever it lies and however it grows."""

import itertools
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doe_compiler.kernel.errors import DoeError
from doe_compiler.results.logs import LOG, LogReader, end_of_log, last_words, new_lines

PIECE = st.text(st.sampled_from("ab\n\r "), max_size=6)


def lines_of(text):
    return tuple(text.splitlines(keepends=True))


@given(st.lists(PIECE, max_size=8))
def test_what_is_new_each_time_adds_up_to_the_log(pieces):
    text, shown, before = "", "", ()
    for piece in pieces:
        text += piece
        now = lines_of(text)
        shown += "".join(new_lines(before, now))
        before = now
    assert shown == text


@given(st.integers(1, 30), st.integers(0, 30), st.integers(5, 40))
def test_of_a_window_that_moves_every_line_is_shown_once(first, more, most):
    lines = [f"step {number}\n" for number in range(first + more)]
    before, now = tuple(lines[:first][-most:]), tuple(lines[-most:])
    assert new_lines(before, now) == tuple(lines[first:][-most:])


@given(st.text(max_size=400))
def test_last_words_are_one_printable_line_of_bounded_length(text):
    words = last_words(text)
    assert len(words) <= 160
    assert all(char.isprintable() for char in words)
    assert words == "" or any(map(str.isalnum, words))


@given(
    st.lists(
        st.sampled_from(["", " ", "---", "***", "\x1b[0m", "[platform] The command ended with status 3"])
    )
)
def test_last_words_pass_over_what_says_nothing(after):
    assert last_words("\n".join(["FATAL: it diverged", *after])) == "FATAL: it diverged"


def shown_by(reader, client, directory, **more):
    shown = []
    reader.more(client, "nojob", 1, directory, shown.append, **{"has_ended": False, **more})
    return b"".join(shown)


def test_a_log_that_lies_here_is_given_byte_for_byte_as_it_grows(client, tmp_path):
    reader, log = LogReader(), tmp_path / LOG
    assert shown_by(reader, client, tmp_path) == b""
    pieces = (b"begun\n", b"\xff\xfe half a li", b"ne\r\n", b"", b"x" * (1 << 19), b"\nended")
    for piece in pieces:
        with log.open("ab") as out:
            out.write(piece)
        assert shown_by(reader, client, tmp_path) == piece
    assert shown_by(reader, client, tmp_path, has_ended=True) == b""


@pytest.mark.parametrize("kind", ["link", "pipe", "folder", "nothing"])
def test_what_is_no_file_of_the_run_is_never_read_as_its_log(client, tmp_path, kind):
    secret = tmp_path / "secret"
    secret.write_text("not of the run\n")
    run = tmp_path / "run1"
    run.mkdir()
    if kind == "link":
        (run / LOG).symlink_to(secret)
    elif kind == "pipe":
        os.mkfifo(run / LOG)
    elif kind == "folder":
        (run / LOG).mkdir()
    assert end_of_log(client, "nojob", 1, run) == ""
    if kind in {"nothing", "pipe", "folder"}:
        assert shown_by(LogReader(), client, run) == b""
    else:
        with pytest.raises(OSError, match="symbolic"):
            shown_by(LogReader(), client, run)


def test_the_end_of_a_long_log_is_read_and_no_more(client, tmp_path):
    (tmp_path / LOG).write_bytes(b"a\n" * (1 << 20) + b"the end\n")
    end = end_of_log(client, "nojob", 1, tmp_path)
    assert len(end) <= 1 << 16
    assert last_words(end) == "the end"


def test_a_log_that_is_nowhere_is_empty_at_the_end_and_told_when_asked_for(client):
    assert end_of_log(client, "nojob", 1, None) == ""
    for has_ended in (False, True):
        with pytest.raises(DoeError):
            shown_by(LogReader(), client, None, has_ended=has_ended)


class Tailing:
    """The last lines of a log that grows by what is written to it, as a platform elsewhere tells them."""

    def __init__(self):
        self.text = ""

    def tail(self, _job, _run, _path, count):
        return lines_of(self.text)[-count:]


@given(st.lists(PIECE, min_size=1, max_size=8))
def test_a_log_elsewhere_is_shown_once_while_it_grows(pieces):
    platform, reader = Tailing(), LogReader()
    shown = b""
    for number, piece in enumerate(itertools.chain(pieces, [""])):
        platform.text += piece
        shown += shown_by(reader, platform, None, has_ended=0 < number == len(pieces))
    assert shown.decode() == platform.text
