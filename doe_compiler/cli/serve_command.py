"""`doe serve`: serve the embedded platform over HTTP."""

import hashlib
import os
import re
import secrets
import shlex
import socket
import ssl
from pathlib import Path
from typing import TYPE_CHECKING

import click

from doe_compiler.client.settings import is_loopback
from doe_compiler.kernel.errors import PreconditionFailed, WrongUsage
from doe_compiler.pipeline.connection import apart, platform_folder, site_of

if TYPE_CHECKING:
    from doe_compiler.platform.serve.http import Tokens
    from doe_compiler.platform.serve.weather import Weather
    from doe_compiler.platform.store.runuser import RunUser

SIZE = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)([KMGT])(?:i?B)?", re.ASCII | re.IGNORECASE)
TOKEN = re.compile(r"[!-~]{1,200}", re.ASCII)
WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 (shown, not bound)


@click.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port", default=8642, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free one."
)
@click.option(
    "--data", type=click.Path(path_type=Path), help="The data folder (.doe/platform here, or DOE_DATA)."
)
@click.option(
    "--token-file",
    type=click.Path(path_type=Path),
    help="Holds the token; made if it does not exist (~/.config/doe/tokens/…).",
)
@click.option("--executor", help="What executes the runs: local or slurm (what the configuration says).")
@click.option(
    "--run-as",
    metavar="USER",
    help="Let runs execute as this user, from now on, and keep from them what is not theirs (Linux, as root).",
)
@click.option(
    "--quota", metavar="SIZE", help="Refuse uploads and submits once so much is stored: 500M, 200G, 1.5T."
)
@click.option(
    "--access-log",
    metavar="FILE|-",
    help="A line a request, with who asked, what was answered and why it was refused; - is standard output.",
)
@click.option(
    "--tls-cert",
    type=click.Path(path_type=Path),
    help="Speak TLS with this certificate (PEM, with its chain).",
)
@click.option(
    "--tls-key",
    type=click.Path(path_type=Path),
    help="The key of the certificate (PEM, without a passphrase).",
)
@click.option(
    "--insecure-http",
    is_flag=True,
    help="Listen without TLS where other machines reach it: tokens and files then travel unencrypted.",
)
@click.option(
    "--throttle",
    is_flag=False,
    flag_value="cloud",
    metavar="[SPEC]",
    help="Throttle every key as the cloud does, by a factor of it, or submits=3/min,job-reads=10/s,others=5/s.",
)
@click.option("--latency", metavar="MS|A..B", help="Delay every answer: 50, 50ms, or 50ms..300ms.")
@click.option(
    "--faults",
    metavar="SPEC",
    help="Fail now and then: 503:0.02,submit/drop-after:1x1,slow:0.01@2s,list-delay:5s,seed=7.",
)
def command(
    host: str,
    port: int,
    data: Path | None,
    token_file: Path | None,
    executor: str | None,
    run_as: str | None,
    quota: str | None,
    access_log: str | None,
    tls_cert: Path | None,
    tls_key: Path | None,
    insecure_http: bool,
    throttle: str | None,
    latency: str | None,
    faults: str | None,
) -> None:
    """Serve the embedded platform over HTTP with a token; Ctrl-C or SIGTERM stops it.

    The token file holds the owner's token in its first line. Others are let in by `doe tokens add`, or by further lines
    `EMAIL TOKEN`; they see what they make themselves and what is shared with them.
    """
    from doe_compiler.platform.execute.executor import EXECUTORS
    from doe_compiler.platform.execute.settings import RUN, settings_of
    from doe_compiler.platform.serve.access import AccessLog
    from doe_compiler.platform.serve.http import serve

    if executor is not None and executor not in EXECUTORS:
        raise WrongUsage(f"--executor {executor}: not known", hint=f"say {' or '.join(EXECUTORS)}")
    settings = settings_of(site_of(Path(), Path.home()), home=RUN)
    settings = settings if executor is None else settings.on(executor)
    tls = _tls(tls_cert, tls_key)
    if tls is None and not is_loopback(host) and not insecure_http:
        raise WrongUsage(
            f"--host {host}: other machines reach it, and tokens would travel unencrypted",
            hint="add --tls-cert and --tls-key; or listen on 127.0.0.1, behind an SSH tunnel or a proxy with TLS; "
            "or say --insecure-http",
        )
    weather = _weather(throttle, latency, faults)
    room = None if quota is None else _bytes(quota)
    told = None if data else apart(os.environ, Path())
    if told:
        click.echo(f"note: {told}", err=True)
    folder = (data or platform_folder(os.environ, Path())).absolute()
    user = _run_user(run_as, folder, settings.executor)
    file = (token_file or _token_file(folder)).absolute()
    tokens = _tokens(file)
    if not is_loopback(host):
        click.echo(
            f"warning: listening on {host}: whoever reaches this machine and has a token can run commands "
            f"as {user.name if user else 'you'}{'' if tls else ', and tokens are sent unencrypted'}",
            err=True,
        )

    def ready(bound: int) -> None:
        reached = socket.gethostname() if tls and host in WILDCARDS else WILDCARDS.get(host, host)
        url = (
            f"{'https' if tls else 'http'}://{f'[{reached}]' if ':' in reached else reached}:{bound}/api/v2/"
        )
        key = f'"$(head -n 1 {shlex.quote(str(file))})"'
        click.echo(
            f"serving {folder} at {url}, token in {file}\nexport RESCALE_API_URL={url} RESCALE_API_KEY={key}"
        )

    log = None if access_log is None else AccessLog(access_log)
    serve(
        folder,
        host,
        port,
        tokens,
        on_ready=ready,
        weather=weather,
        settings=settings,
        quota=room,
        log=log,
        tls=tls,
    )


def _run_user(name: str | None, data: Path, executor: str) -> "RunUser | None":
    """As whom runs in the data folder execute from now on, if not as who starts the server."""
    from doe_compiler.platform.api.service import made_folder
    from doe_compiler.platform.store.locks import is_locked
    from doe_compiler.platform.store.records import DataFolder
    from doe_compiler.platform.store.runuser import checked_user, keep_run_user, require_passage

    folder = DataFolder(data)
    kept = folder.run_user()
    user = kept if name is None else checked_user(name)
    if user is None:
        return None
    if executor != "local":
        raise WrongUsage(
            f"--run-as {user.name} is for runs on this machine",
            hint="with Slurm, runs are processes of whoever starts the server",
        )
    if user != kept and is_locked(folder.executor_lock):
        raise PreconditionFailed(
            f"runs in '{data}' are executing, not as {user.name}",
            hint="wait for their end, or stop their jobs",
        )
    user.take_groups()
    if user != kept:
        require_passage((parent for parent in reversed(data.parents) if parent.exists()), user)
        made_folder(data).jobs.mkdir(exist_ok=True)
        keep_run_user(folder.root, folder.jobs, user)
    user.serve_apart()
    return user


def _tls(cert: Path | None, key: Path | None) -> tuple[Path, Path] | None:
    """The files of certificate and key, tried out; None without them."""
    if cert is None and key is None:
        return None
    if cert is None or key is None:
        raise WrongUsage("--tls-cert and --tls-key are given together")
    for file in (cert, key):
        try:
            file.read_bytes()
        except OSError as error:
            raise WrongUsage(f"'{file}' cannot be read: {error.strerror}") from error
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert, key, password=lambda: b"")
    except ssl.SSLError as error:
        raise WrongUsage(
            f"'{cert}' and '{key}' are no certificate and its key: {error.reason or error}",
            hint="both in PEM, the key without a passphrase",
        ) from error
    return cert, key


def _bytes(quota: str) -> int:
    """The bytes of a size such as 200G, in powers of 1024."""
    found = SIZE.fullmatch(quota.strip())
    if found is None:
        raise WrongUsage(f"--quota {quota}: not a size", hint="say a number and K, M, G, or T, such as 200G")
    return int(float(found[1]) * 1024 ** "KMGT".index(found[2].upper()) * 1024)


def _weather(throttle: str | None, latency: str | None, faults: str | None) -> "Weather | None":
    """The weather that the options ask for; None if it is fair."""
    if throttle is None and latency is None and faults is None:
        return None
    from doe_compiler.platform.serve.faults import read_faults
    from doe_compiler.platform.serve.throttles import read_rates
    from doe_compiler.platform.serve.weather import Weather, read_latency

    return Weather(
        rates=read_rates(throttle) if throttle is not None else None,
        latency=read_latency(latency) if latency is not None else None,
        faults=read_faults(faults) if faults is not None else None,
    )


def _token_file(folder: Path) -> Path:
    """Where the token of a data folder lies: not in it, where runs work; one from before is left where it is, and told."""
    digest = hashlib.sha256(os.fsencode(folder)).hexdigest()[:8]
    file = Path.home() / ".config" / "doe" / "tokens" / f"{folder.name}-{digest}"
    before = folder / "token"
    if file.exists() or not before.exists():
        return file
    click.echo(
        f"warning: the token lies in the data folder, where runs work; take it away from there: "
        f"mkdir -p {shlex.quote(str(file.parent))} && mv {shlex.quote(str(before))} {shlex.quote(str(file))}",
        err=True,
    )
    return before


def _tokens(file: Path) -> "Tokens":
    from doe_compiler.platform.serve.http import Tokens

    if not file.exists():
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as out:
            out.write(secrets.token_hex(20) + "\n")
    try:
        lines = file.read_text(encoding="ascii").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise WrongUsage(f"'{file}' cannot be read as text") from error
    token, *rest = [line.strip() for line in lines if line.strip()] or [""]
    others = dict(_other(line, file) for line in rest)
    if not TOKEN.fullmatch(token) or len({token, *others.values()}) != 1 + len(others):
        raise WrongUsage(f"'{file}' holds no token, or one twice", hint="one line of text without blanks")
    return Tokens(token, others)


def _other(line: str, file: Path) -> tuple[str, str]:
    from doe_compiler.platform.store.users import EMAIL

    email, _, token = line.partition(" ")
    if not EMAIL.fullmatch(email) or not TOKEN.fullmatch(token.strip()):
        raise WrongUsage(
            f"'{file}' has a line that is not EMAIL TOKEN", hint="the first line is the owner's token"
        )
    return email, token.strip()
