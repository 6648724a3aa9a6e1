"""Waiting for what another process does."""

import time

import pytest


@pytest.fixture
def until_true():
    def wait(condition):
        give_up = time.monotonic() + 60
        while not condition():
            assert time.monotonic() < give_up, "it did not happen in time"
            time.sleep(0.05)

    return wait
