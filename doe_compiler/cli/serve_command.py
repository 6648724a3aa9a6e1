"""`doe serve`: serve the embedded platform over HTTP."""

import os
import secrets
from pathlib import Path

import click

from doe_compiler.kernel.errors import WrongUsage
from doe_compiler.pipeline.connection import platform_folder


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
def command(host: str, port: int, data: Path | None, token_file: Path | None) -> None:
    """Serve the embedded platform over HTTP with a token; Ctrl-C or SIGTERM stops it."""
    from doe_compiler.platform.http import serve

    folder = data or platform_folder(os.environ, Path())
    file = token_file or folder / "token"
    token = _token(file)

    def ready(bound: int) -> None:
        shown = f"[{host}]" if ":" in host else host
        click.echo(f"serving {folder} at http://{shown}:{bound}/api/v2/")
        click.echo(f'export RESCALE_API_URL=http://{shown}:{bound}/api/v2/ RESCALE_API_KEY="$(cat {file})"')

    serve(folder, host, port, token, on_ready=ready)


def _token(file: Path) -> str:
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as out:
            out.write(secrets.token_hex(20) + "\n")
    try:
        token = file.read_text(encoding="ascii").strip()
    except UnicodeDecodeError:
        token = ""
    if not token or len(token) > 200 or any(char.isspace() for char in token):
        raise WrongUsage(f"'{file}' holds no token", hint="one line of text without blanks")
    return token
