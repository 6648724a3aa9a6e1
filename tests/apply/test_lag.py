"""A list that shows a job later than the settle time allows for: a row is paid twice, and that is reported."""

import json

import pytest

from doe_compiler.apply.looking import looked
from doe_compiler.kernel.errors import DoubleSubmit, ExitCode
from doe_compiler.pipeline.compiling import compiled
from doe_compiler.plan.account import Account

from .applying import driver_of, order_of
from .network import ACCOUNT, Cloud, idle_platform, quiet, run_apply


class Forgetful(Cloud):
    """A cloud whose list leaves out the first job for as long as `hides` says."""

    hides = staticmethod(lambda _cloud: False)

    def _listed(self, body):
        page = json.loads(super()._listed(body))
        first = next(iter(self.created), None)
        if self.hides(self):
            page["results"] = [row for row in page["results"] if row["id"] != first]
            page["count"] = len(page["results"])
        return json.dumps(page).encode()


@pytest.fixture
def cloud(tmp_path):
    platform = idle_platform(tmp_path / "data")
    yield Forgetful(platform, now=1.0)
    platform.close()


def doubles(cloud, bundle):
    order = order_of(bundle)
    client = quiet(cloud).client()
    (look,) = looked(driver_of(client, account=ACCOUNT).eye, [order])
    return Account(order.wanted.keys, look.seen, look.memory).doubles()


def test_the_apply_that_sees_it_in_time_says_so_and_ends_with_6(cloud, study_at):
    bundle, _ = compiled(study_at())
    assert isinstance(run_apply(quiet(cloud), [bundle]), list)
    cloud.hides = lambda cloud: len(cloud.submitted) < 2
    error = run_apply(quiet(cloud), [bundle])
    assert isinstance(error, DoubleSubmit), error
    assert error.exit_code is ExitCode.DOUBLE_SUBMIT
    first, second = cloud.submitted
    assert f"job {second}, whose rows stood in earlier jobs, and which was stopped" in error.message
    assert doubles(cloud, bundle) == ()
    assert run_apply(quiet(cloud), [bundle]) == []
    assert cloud.submitted == [first, second]


def test_else_the_next_look_of_anybody_finds_it(cloud, study_at):
    bundle, _ = compiled(study_at())
    run_apply(quiet(cloud), [bundle])
    cloud.hides = lambda _cloud: True
    assert isinstance(run_apply(quiet(cloud), [bundle]), list)
    cloud.hides = lambda _cloud: False
    (double,) = doubles(cloud, bundle)
    assert (list(double.jobs), double.rows) == (cloud.submitted, 5)
    assert run_apply(quiet(cloud), [bundle]) == []
    assert len(cloud.submitted) == 2


def test_a_settle_time_above_it_pays_once(cloud, study_at):
    bundle, _ = compiled(study_at())
    run_apply(quiet(cloud), [bundle])
    shown_from = cloud.now + cloud.times.settle * 0.9
    cloud.hides = lambda cloud: cloud.now < shown_from
    assert isinstance(run_apply(quiet(cloud), [bundle]), list)
    assert len(cloud.submitted) == 1
    assert doubles(cloud, bundle) == ()
