"""The access log: a line a request, in the Common Log Format with the seconds that it took and why it was refused.

    127.0.0.1 - a@b.org [27/Nov/2026:18:29:10 +0000] "GET /api/v2/jobs/ HTTP/1.1" 403 38 0.004 "This token only reads."

It names users, methods and paths, never queries, headers or bodies, so no token comes into it.
"""

import json
import logging
import logging.handlers
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import click

from doe_compiler.kernel.errors import WrongUsage
from doe_compiler.platform.serve.connections import Refused

GONE = 499
"""The status of a request whose client went away, or whose connection was closed, before it was answered."""
LONGEST_REASON = 400


class AccessLog:
    """Writes the lines; with a path of `-` to standard output. A file that was moved away is made anew (logrotate).

    Raises WrongUsage for a file that cannot be written. What cannot be written later is told on standard error, once.
    """

    def __init__(self, path: str) -> None:
        try:
            self._handler = _handler(path)
        except OSError as error:
            raise WrongUsage(f"--access-log '{path}' cannot be written: {error.strerror}") from error
        self._handler.handleError = self._tell  # type: ignore[method-assign]
        self._is_told = False

    def write(
        self, client: str, user: str, request: str, status: int, size: int, seconds: float, reason: str
    ) -> None:
        """Add a line; `size` are the bytes of the body that was sent."""
        date = time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime())
        why = json.dumps(reason[:LONGEST_REASON]) if reason else "-"
        line = (
            f'{_plain(client) or "-"} - {_plain(user) or "-"} [{date}] "{_plain(request) or "-"}" '
            f"{status} {size} {seconds:.3f} {why}"
        )
        self._handler.handle(logging.LogRecord("access", logging.INFO, "", 0, line, None, None))

    def refused(self, client: str, refused: Refused) -> None:
        """Add the line of what was refused before it was a request."""
        self.write(client, "", "", refused.status, 0, refused.seconds, refused.reason)

    def close(self) -> None:
        """Close the file."""
        self._handler.close()

    def _tell(self, record: logging.LogRecord) -> None:  # noqa: ARG002 (as logging calls it)
        if not self._is_told:
            self._is_told = True
            click.echo(f"warning: the access log cannot be written: {sys.exc_info()[1]}", err=True)


def _handler(path: str) -> logging.Handler:
    if path == "-":
        return logging.StreamHandler(sys.stdout)
    Path(path).touch(mode=0o600)
    return logging.handlers.WatchedFileHandler(path, encoding="ascii")


def _plain(text: str) -> str:
    r"""The text in printable ASCII, without quotes; all else as `\xNN`, so that a line stays a line."""
    return "".join(
        each if " " <= each <= "~" and each not in '"\\' else f"\\x{ord(each):02x}" for each in text
    )


def reason_of(body: Iterable[bytes]) -> str:
    """Why a request was refused, as its answer says: the `detail` of its JSON, else all of it."""
    if not isinstance(body, tuple):
        return ""
    text = b"".join(body).decode("utf-8", "replace")
    try:
        content = json.loads(text)
    except ValueError:
        return text
    detail = content.get("detail") if isinstance(content, dict) else None
    return detail if isinstance(detail, str) else text
