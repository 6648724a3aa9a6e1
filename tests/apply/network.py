"""A faulty network in front of a real platform, appliers that take turns on it, and time that costs nothing.

Everything is decided by one source of choices, so an example can be repeated and made smaller.
"""

import getpass
import json
import threading
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import formatdate

import httpx2

from doe_compiler.bundle.mark import read_mark
from doe_compiler.client.client import Client
from doe_compiler.client.patience import Patience
from doe_compiler.kernel.errors import DoeError
from doe_compiler.kernel.wire import Request, Response
from doe_compiler.observe.listing import study_jobs
from doe_compiler.observe.rows import parameter_keys
from doe_compiler.plan.memory import OURS, Times
from doe_compiler.platform.api.service import open_platform

from .applying import apply, missing, order_of

EPOCH = datetime(2030, 1, 1, tzinfo=UTC)
LATE_S = 0.7
LARGEST_LAG_S, LARGEST_SPREAD_S = 1.2, 0.6
ELSEWHERE = Times(2.0, 8.0, 12.0, 3.0)  # settle > spread + lag; dead > own + late + spread + lag

WRITE_FAULTS = (
    "refused", "request-lost", "answer-lost", "cut", "html", "late", "delayed",
    "429", "429-after-5", "500", "502", "503", "504", "500-after", "502-after", "504-after",
)  # fmt: skip
LIST_FAULTS = ("list-empty", "list-skips", "list-miscounts")
ACCOUNT = f"{getpass.getuser()}@localhost"
CRASHES = ("crash-before", "crash-after")


class Crash(BaseException):
    """The applier is killed."""


def idle_platform(folder):
    """A real platform that accepts submits and starts nothing: what is submitted stays queued."""
    platform = open_platform(folder)
    platform.ensure_executor = lambda *, detached: None
    return platform


@dataclass
class Cloud:
    """The platform as all appliers share it: what really happened, and how its list lags behind.

    With `is_ours` it deletes on a condition, and its stamps are unique and rise; else it knows no condition.
    """

    platform: object
    is_ours: bool = False
    lag_s: float = 0.0
    spread_s: float = 0.0
    refuses_second_submit: bool = True
    now: float = 0.0
    created: dict = field(default_factory=dict)
    skews: dict = field(default_factory=dict)
    deleted: dict = field(default_factory=dict)
    submitted: list = field(default_factory=list)
    uploads: Counter = field(default_factory=Counter)
    by_people: set = field(default_factory=set)
    late: list = field(default_factory=list)
    faults: int = 0
    tells_dead: bool = False
    abandoned: set = field(default_factory=set)

    def answer(self, request):
        """The platform's own answer, as JSON and status; the truth is kept."""
        self.act_late()
        words = request.path.strip("/").split("/")[2:]
        response = self.platform.answer(request)
        body = b"".join(response)
        if words[:1] == ["jobs"]:
            body = self._jobs(request, words, response.status, body)
            if words[2:] == ["submit"] and response.status == 400 and not self.refuses_second_submit:
                return Response(200, (), [b""])
        if words == ["files", "contents"] and response.status == 201:
            made = json.loads(body)
            self.uploads[made["name"], made["md5"]] += 1
        left_out = {"content-length", "date"} | (set() if self.is_ours else {"etag"})
        headers = [(n, v) for n, v in response.headers if n not in left_out]
        date = formatdate((EPOCH + timedelta(seconds=self.now)).timestamp(), usegmt=True)
        return Response(response.status, (*headers, ("date", date)), [body])

    @property
    def times(self):
        """The times that appliers keep here."""
        return OURS if self.is_ours else ELSEWHERE

    def _jobs(self, request, words, status, body):
        if request.method == "POST" and words == ["jobs"] and status == 201:
            made = json.loads(body)["id"]
            self.now += 1e-6 if self.is_ours else 0.0
            self.created[made] = self.now
            self.skews[made] = (len(self.created) * 7 % 11) / 11
        elif request.method == "DELETE" and status == 204:
            self.deleted[words[1]] = self.now
        elif words[2:] == ["submit"] and status == 200:
            self.submitted.append(words[1])
        elif request.method == "GET" and words == ["jobs"] and status == 200:
            return self._listed(body)
        return body

    def _listed(self, body):
        page = json.loads(body)
        shown = []
        for row in page["results"]:
            at = self.created.get(row["id"], 0.0)
            if at and self.now - at < self.lag_s:
                continue
            skew = self.spread_s * self.skews.get(row["id"], 0.0)
            row["dateInserted"] = (EPOCH + timedelta(seconds=at + skew)).isoformat().replace("+00:00", "Z")
            shown.append(row)
        page["count"] -= len(page["results"]) - len(shown)
        page["results"] = shown
        return json.dumps(page).encode()

    def act_late(self):
        """What was sent long ago arrives now."""
        due = [entry for entry in self.late if entry[0] <= self.now]
        self.late = [entry for entry in self.late if entry[0] > self.now]
        for _, request in due:
            self.answer(request)


@dataclass
class Turn:
    """One applier's place in the round: it waits for the baton at every request and every sleep."""

    number: int
    baton: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    wakes_at: float = 0.0
    is_over: bool = False
    error: BaseException | None = None
    thread: threading.Thread | None = None


class Appliers:
    """Threads of which one runs at a time; who is next is chosen, and time moves only when all sleep."""

    def __init__(self, cloud, choose):
        self.cloud = cloud
        self.choose = choose
        self.turns = []
        self._back = threading.Semaphore(0)
        self._local = threading.local()

    def add(self, function):
        turn = Turn(len(self.turns))

        def body():
            self._local.turn = turn
            turn.baton.acquire()
            try:
                function()
            except BaseException as error:
                turn.error = error
            turn.is_over = True
            self._back.release()

        turn.thread = threading.Thread(target=body, daemon=True)
        self.turns.append(turn)
        turn.thread.start()
        return turn

    def step_aside(self, seconds=0.0):
        turn = getattr(self._local, "turn", None)
        if turn is None:
            self.cloud.now += seconds
            return
        turn.wakes_at = self.cloud.now + seconds
        self._back.release()
        turn.baton.acquire()

    def run(self):
        while True:
            alive = [turn for turn in self.turns if not turn.is_over]
            if not alive:
                return
            ready = [turn for turn in alive if turn.wakes_at <= self.cloud.now]
            if not ready:
                self.cloud.now = min(turn.wakes_at for turn in alive)
                continue
            turn = ready[self.choose(len(ready))]
            turn.baton.release()
            self._back.acquire()


class Network:
    """What lies between one client and the cloud; `fault(request)` names the fault of a request, if any."""

    def __init__(self, cloud, appliers, fault=lambda _request: None):
        self.cloud = cloud
        self.appliers = appliers
        self.fault = fault
        self.calls = 0
        self.is_dead = False
        self.nonces = set()

    def client(self):
        patience = Patience(
            sleep=self.appliers.step_aside, chance=lambda: 0.5, monotonic=lambda: self.cloud.now,
            now=lambda: self.cloud.now, tries=4, first_wait_s=0.1,
        )  # fmt: skip
        return Client.embedded(self.answer, patience)

    def answer(self, request):
        request = Request(
            request.method, request.path, request.query, request.headers, [b"".join(request.body)]
        )
        if self.is_dead:
            raise Crash
        self.appliers.step_aside()
        self.calls += 1
        fault = self.fault(request)
        if fault is not None:
            self.cloud.faults += 1
            return self.faulty(request, fault)
        return self.cloud.answer(request)

    def faulty(self, request, fault):
        cloud = self.cloud
        self.is_dead = fault in CRASHES
        if self.is_dead and cloud.tells_dead:
            cloud.abandoned |= self.nonces
        if fault == "crash-before":
            raise Crash
        if fault == "crash-after":
            cloud.answer(request)
            raise Crash
        if fault == "refused":
            raise httpx2.ConnectError("refused")
        if fault == "request-lost":
            raise httpx2.ReadTimeout("lost")
        if fault == "late":
            if request.method != "GET":
                cloud.late.append((cloud.now + LATE_S, request))
            raise httpx2.ReadTimeout("late")
        if fault == "429":
            return Response(429, (), [b'{"detail":"Request was throttled."}'])
        if fault == "429-after-5":
            return Response(429, (("retry-after", "5"),), [b'{"detail":"Request was throttled."}'])
        if fault in {"500", "502", "503", "504"}:
            return Response(int(fault), (("content-type", "text/html"),), [b"<html>bad</html>"])
        return self.spoilt(cloud.answer(request), fault)

    def spoilt(self, answer, fault):
        """The platform has acted; what comes of its answer."""
        body = b"".join(answer)
        if fault == "answer-lost":
            raise httpx2.ReadError("reset")
        if fault == "delayed":
            self.appliers.step_aside(0.5)
            return Response(answer.status, answer.headers, [body])
        if fault.endswith("-after"):
            return Response(int(fault[:3]), (("content-type", "text/html"),), [b"<html>bad</html>"])
        if fault == "cut":
            return Response(answer.status, answer.headers, [body[: len(body) // 2]])
        if fault == "html":
            return Response(answer.status, (("content-type", "text/html"),), [b"<html>proxy</html>"])
        return Response(answer.status, answer.headers, [_mislisted(body, fault)])


def _mislisted(body, fault):
    if not body.startswith(b"{"):
        return body
    page = json.loads(body)
    if "results" not in page:
        return body
    if fault == "list-empty":
        page |= {"results": [], "count": 0, "next": None}
    elif fault == "list-skips":
        page["results"] = page["results"][1:]
    else:
        page["count"] += 1
    return json.dumps(page).encode()


def run_apply(network, bundles):
    """One apply as a command does it; what it did, or the error that it ended with."""
    try:
        return apply(
            network.client(),
            *map(order_of, bundles),
            times=network.cloud.times,
            now=lambda: network.cloud.now,
            sleep=network.appliers.step_aside,
            account=ACCOUNT,
            sign=network.nonces.add,
            abandoned=lambda: frozenset(network.cloud.abandoned),
        )
    except DoeError as error:
        return error


def quiet(cloud):
    """A network without faults and other appliers, whose time moves at once."""
    return Network(cloud, Appliers(cloud, lambda _n: 0))


def rows_of(client, job_id):
    """The row keys of a job, from its CSV."""
    job = client.job(job_id)
    if job.param_file is None:
        return [0]
    return parameter_keys(client.read_file(job.param_file, 1 << 20), ["x"], where=job_id).tolist()


@dataclass
class Truth:
    """What was really submitted: (recipe, row) by how many jobs, people's copies left out; rows that were stopped."""

    copies: Counter
    stopped: Counter
    drafts: int
    left_to_do: int
    most_uploads: int

    @property
    def too_often(self):
        """The rows of which more copies were submitted than one and those that were stopped."""
        return {row: n for row, n in self.copies.items() if n > 1 + self.stopped[row]}


def truth(cloud, bundle):
    """The state of affairs after a quiet apply of a study."""
    client = quiet(cloud).client()
    nonces, copies, stopped = {}, Counter(), Counter()
    for job_id in cloud.submitted:
        if job_id in cloud.deleted or job_id in cloud.by_people:
            continue
        mark = read_mark(client.job(job_id).name)
        if mark is None or nonces.setdefault(mark.nonce, job_id) != job_id:
            continue
        rows = [(mark.recipe, key) for key in rows_of(client, job_id)]
        copies.update(rows)
        if any(status.reason == "Stopped by the user" for status in client.statuses(job_id)):
            stopped.update(rows)
    cloud.now += 1000
    drafts = sum(
        job.is_draft and job.id not in cloud.by_people for job in study_jobs(client, bundle.spec.study)
    )
    return Truth(copies, stopped, drafts, missing(client, order_of(bundle)), max(cloud.uploads.values()))
