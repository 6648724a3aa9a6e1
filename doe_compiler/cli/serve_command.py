"""`doe serve`: serve the embedded platform over HTTP."""

import os
import re
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

import click

from doe_compiler.client.settings import is_loopback
from doe_compiler.kernel.errors import WrongUsage
from doe_compiler.pipeline.connection import platform_folder

if TYPE_CHECKING:
    from doe_compiler.platform.http import Tokens

TOKEN = re.compile(r"[!-~]{1,200}", re.ASCII)


@click.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port", default=8642, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free one."
)
@click.option(
    "--data", type=click.Path(path_type=Path), help="The data folder (.doe/platform here, or DOE_DATA)."
)
@click.option(
    "--token-file", type=click.Path(path_type=Path), help="Holds the token; made if it does not exist."
)
@click.option(
    "--executor", default="local", show_default=True, type=click.Choice(["local"]), help="What runs the jobs."
)
@click.option(
    "--throttle",
    is_flag=False,
    flag_value="cloud",
    metavar="[SPEC]",
    help="Refuse calls beyond the cloud's throttles, or a factor of them, or submits=3/min,job-reads=10/s,others=5/s.",
)
@click.option("--latency", metavar="TIME", help="Let every answer wait: 200ms, or 50ms..300ms.")
@click.option(
    "--faults",
    metavar="SPEC",
    help="Let calls fail: 503:0.02,submit/drop-after:0.1,truncate:0.01,garbled:0.01,list-delay:5s,seed=7.",
)
def command(
    host: str,
    port: int,
    data: Path | None,
    token_file: Path | None,
    executor: str,  # noqa: ARG001 (one choice so far)
    throttle: str | None,
    latency: str | None,
    faults: str | None,
) -> None:
    """Serve the embedded platform over HTTP with a token; Ctrl-C or SIGTERM stops it.

    The token file holds the owner's token in its first line; further lines `EMAIL TOKEN` let others in, who see
    what they make themselves and what is shared with them.
    """
    from doe_compiler.platform.http import serve
    from doe_compiler.platform.weather import Forecast, latency_of, throttles_of, with_faults

    forecast = None
    if throttle or latency or faults:
        forecast = Forecast(
            throttles=throttles_of(throttle) if throttle else {},
            latency_s=latency_of(latency) if latency else (0.0, 0.0),
        )
        forecast = with_faults(forecast, faults) if faults else forecast
    folder = data or platform_folder(os.environ, Path())
    file = token_file or folder / "token"
    tokens = _tokens(file)
    if not is_loopback(host):
        click.echo(
            f"warning: everybody who reaches {host} can try a token, and the line is not encrypted", err=True
        )

    def ready(bound: int) -> None:
        shown = f"[{host}]" if ":" in host else host
        click.echo(f"serving {folder} at http://{shown}:{bound}/api/v2/, token in {file}")
        click.echo(f'export RESCALE_API_URL=http://{shown}:{bound}/api/v2/ RESCALE_API_KEY="$(cat {file})"')

    serve(folder, host, port, tokens, on_ready=ready, forecast=forecast)


def _tokens(file: Path) -> "Tokens":
    from doe_compiler.platform.http import Tokens

    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
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
    email, _, token = line.partition(" ")
    if "@" not in email or not TOKEN.fullmatch(token.strip()):
        raise WrongUsage(
            f"'{file}' has a line that is not EMAIL TOKEN", hint="the first line is the owner's token"
        )
    return email, token.strip()
