"""Contents are whole or not there, and the same content is kept once."""

import hashlib
import os

import pytest

from doe_compiler.platform.store.blobs import BlobWriter, blob_path, drop_abandoned, stored_blob


def test_the_same_content_is_kept_once(tmp_path):
    first = stored_blob(tmp_path, [b"ab", b"", b"c"])
    assert stored_blob(tmp_path, [b"abc"]) == first
    assert (first.size, first.sha512) == (3, hashlib.sha512(b"abc").hexdigest())
    assert blob_path(tmp_path, first.sha512).read_bytes() == b"abc"
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1


def test_a_writer_that_fails_leaves_nothing(tmp_path):
    def broken():
        yield b"x"
        raise ConnectionError

    with pytest.raises(ConnectionError):
        stored_blob(tmp_path, broken())
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_only_what_was_abandoned_long_ago_is_dropped(tmp_path):
    old, new = BlobWriter(tmp_path), BlobWriter(tmp_path)
    old.write(b"old")
    os.utime(next(path for path in (tmp_path / "incoming").iterdir() if path.read_bytes()), (0, 0))
    drop_abandoned(tmp_path, 3600)
    assert len(list((tmp_path / "incoming").iterdir())) == 1
    old.discard()
    assert new.commit().size == 0
