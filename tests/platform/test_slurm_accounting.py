"""A site with an accounting database: what squeue has forgotten, sacct still tells."""

import shutil
import tempfile
from pathlib import Path

import pytest

from tests.platform.conftest import Cluster
from tests.platform.test_slurm import in_slurm

pytestmark = pytest.mark.xdist_group("slurm")
POLL_S = 8


@pytest.fixture
def accounting(monkeypatch):
    """A cluster of its own whose controller forgets ended jobs after two seconds, with slurmdbd and MariaDB."""
    if not all(map(shutil.which, ("slurmctld", "slurmd", "slurmdbd", "mariadbd"))):
        pytest.skip(
            "needs apt-get install slurmdbd slurm-wlm-mysql-plugin mariadb-server-core mariadb-client-core"
        )
    root = Path(tempfile.mkdtemp(prefix="slurm", dir="/tmp"))
    cluster = Cluster(root)
    monkeypatch.setenv("SLURM_CONF", str(cluster.configuration))
    try:
        cluster.start(DBD="1", MINJOBAGE="2")
        yield cluster
    finally:
        cluster.stop()
        shutil.rmtree(root, ignore_errors=True)


def test_runs_of_a_job_that_was_cancelled_and_forgotten_are_not_run_again(
    accounting, api_on, until, tmp_path
):
    """Two tasks run, two wait and are one line of sacct, `7_[3-4%2]`."""
    api = api_on(tmp_path / "platform", executor="slurm", slurm={"pollSeconds": POLL_S, "runsPerTask": 1})
    begun = tmp_path / "begun"
    command = f"cat n >> {begun}; echo >> {begun}; sleep 60"
    job = api.create(api.analysis(command, templates=[("n", b"${n}")], slots=2), table="n\n1\n2\n3\n4\n")
    api.submit(job)
    until(lambda: begun.exists() and len(begun.read_text().split()) == 2, 60)
    (array,) = in_slurm(accounting, job)
    accounting.run("scancel", array)
    until(lambda: not in_slurm(accounting, job), POLL_S - 1)
    told = accounting.run("sacct", "--noheader", "--parsable2", f"--jobs={array}", "--format=JobID,State")
    assert f"{array}_[3-4%2]|CANCELLED" in told
    assert api.finished(job) == "Cancelled in Slurm"
    assert sorted(begun.read_text().split()) == ["1", "2"]
    assert api.counted_runs(job) == (0, 0)
