"""Which platform to talk to and with which key: from the environment or the profile file."""

import configparser
import hmac
import ipaddress
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, Self
from urllib.parse import SplitResult, urlsplit

from doe_compiler.kernel.errors import NotAllowedIn, WrongUsage

DEFAULT_URL = "https://platform.rescale.com/api/v2/"
"""Where a key without an address belongs; other regions are set by RESCALE_API_URL or the profile."""

PROFILE_FILE = Path(".config/rescale/apiconfig")
"""The profile file, relative to the home directory."""

_LARGEST_PROFILE = 1 << 20
_LONGEST_KEY = 4096
_KEY = re.compile(r"[!-~]+")
_HOST = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?")
_API_PATH = re.compile(r"/api(/v\d+)?/*$")


class Secret:
    """A text that never shows itself: not in repr, str, format or pickle; `reveal` gives it.

    Raises NotAllowedIn for a text that cannot be a key: empty, non-ASCII, with blanks or line ends.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str, source: str = "the key") -> None:
        problem = _key_problem(text)
        if problem:
            raise NotAllowedIn(f"{source} {problem}", hint="copy the key again, without anything around it")
        self._text = text

    def reveal(self) -> str:
        """The text itself, for the one place that sends it."""
        return self._text

    def hidden_in(self, text: str) -> str:
        """`text` with every occurrence of the secret replaced by `***`."""
        return text.replace(self._text, "***")

    def __repr__(self) -> str:
        return "Secret(***)"

    def __str__(self) -> str:
        return "***"

    def __format__(self, spec: str) -> str:
        return format("***", spec)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._text, other._text)

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a secret is not written anywhere")


def _key_problem(text: str) -> str:
    if not text:
        return "is empty"
    if len(text) > _LONGEST_KEY:
        return f"is longer than {_LONGEST_KEY} characters"
    if not text.isascii():
        return "holds a character that is not ASCII"
    if not _KEY.fullmatch(text):
        return "holds a blank, a line end or a control character"
    return ""


@dataclass(frozen=True, slots=True)
class Account:
    """A platform and the key for it; `url` is as `api_url` writes it."""

    url: str
    key: Secret

    @property
    def host(self) -> str:
        """The host, with the port if it is not the usual one."""
        return urlsplit(self.url).netloc

    @property
    def is_on_this_machine(self) -> bool:
        """Whether the host is a loopback address."""
        return is_loopback(urlsplit(self.url).hostname or "")


def account(environ: Mapping[str, str], home: Path) -> Account:
    """The account of the environment or, for what it does not say, of the profile file.

    The key is RESCALE_API_KEY or the profile's `apikey`. The address is RESCALE_API_URL,
    RESCALE_BASE_URL, the profile's `apiurl` or `apibaseurl`, or `DEFAULT_URL`. The profile is the section
    that RESCALE_PROFILE names, else `[default]`, else the only section of the file. Raises NotAllowedIn
    when there is no key or the profile file is broken, WrongUsage when the address is no address.
    """
    key, url = environ.get("RESCALE_API_KEY", ""), _environment_url(environ)
    profile = _Profile() if key and url else _profile(environ, home)
    url = url or profile.url or DEFAULT_URL
    if key:
        return Account(api_url(url), Secret(key, "RESCALE_API_KEY"))
    if profile.key:
        return Account(api_url(url), Secret(profile.key, f"apikey in {_shown(home)}"))
    raise _no_key(url)


def account_for(url: str, environ: Mapping[str, str], home: Path) -> Account:
    """The account on the platform at `url`: with RESCALE_API_KEY, else with the profile of that host.

    A key of the profile file is never sent to a host that the profile does not name. Raises as `account`.
    """
    wanted = api_url(url)
    key = environ.get("RESCALE_API_KEY", "")
    if key:
        return Account(wanted, Secret(key, "RESCALE_API_KEY"))
    profile = _profile(environ, home)
    if profile.key and api_url(profile.url or DEFAULT_URL) == wanted:
        return Account(wanted, Secret(profile.key, f"apikey in {_shown(home)}"))
    raise _no_key(wanted)


def _no_key(url: str) -> NotAllowedIn:
    return NotAllowedIn(
        f"no key for {urlsplit(url).netloc}",
        hint=f"export RESCALE_API_KEY=..., or write it as `apikey` under [default] in ~/{PROFILE_FILE}",
    )


def _environment_url(environ: Mapping[str, str]) -> str:
    return environ.get("RESCALE_API_URL", "") or environ.get("RESCALE_BASE_URL", "")


def api_url(text: str) -> str:
    """The address of the API, `https://HOST/api/v2/`, of what people write: a host with or without a path.

    `http` is taken for loopback hosts only. Raises WrongUsage otherwise, and for anything that is not an
    address of a host: user names, queries, blanks, unknown schemes.
    """
    if not text.isascii() or not text.isprintable() or " " in text or "\\" in text:
        raise _bad_url("the platform's address holds blanks or special characters")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise _bad_url(f"{text!r} is not an address") from None
    if "@" in parts.netloc:
        raise _bad_url("the platform's address holds a user name; the key is given apart from it")
    host = _checked_host(text, parts)
    usual = {"https": 443, "http": 80}[parts.scheme]
    shown = f"[{host}]" if ":" in host else host
    netloc = shown if port in {None, usual} else f"{shown}:{port}"
    prefix = _API_PATH.sub("", parts.path).rstrip("/")
    return f"{parts.scheme}://{netloc}{prefix}/api/v2/"


def _checked_host(text: str, parts: SplitResult) -> str:
    host = parts.hostname or ""
    if parts.scheme not in {"http", "https"} or not (_HOST.fullmatch(host) or _is_ip(host)):
        raise _bad_url(f"{text!r} is not an address that starts with https://")
    if parts.query or parts.fragment:
        raise _bad_url(f"{text!r} holds more than a host and a path")
    if parts.scheme == "http" and not is_loopback(host):
        raise _bad_url(f"{text!r} would send the key unencrypted")
    return host


def _bad_url(message: str) -> WrongUsage:
    return WrongUsage(message, hint="write it like https://platform.rescale.com (http only for 127.0.0.1)")


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return "%" not in host


def is_loopback(host: str) -> bool:
    """Whether a host is this machine by its name or address alone."""
    return host == "localhost" or (_is_ip(host) and ipaddress.ip_address(host).is_loopback)


@dataclass(frozen=True, slots=True)
class _Profile:
    key: str = ""
    url: str = ""

    def __repr__(self) -> str:
        return f"_Profile(url={self.url!r})"


def _profile(environ: Mapping[str, str], home: Path) -> _Profile:
    shown = _shown(home)
    wanted = environ.get("RESCALE_PROFILE", "")
    text = _profile_text(home / PROFILE_FILE, shown)
    if text is None:
        if wanted:
            raise NotAllowedIn(f"RESCALE_PROFILE is {wanted!r}, but there is no {shown}")
        return _Profile()
    parser = _parsed(text, shown)
    section = _section(parser, wanted, shown)
    if section is None:
        return _Profile()
    return _Profile(
        key=_unquoted(parser.get(section, "apikey", fallback="")),
        url=_unquoted(parser.get(section, "apiurl", fallback=""))
        or _unquoted(parser.get(section, "apibaseurl", fallback="")),
    )


def _shown(home: Path) -> str:
    return str(home / PROFILE_FILE)


def _profile_text(path: Path, shown: str) -> str | None:
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise _broken(f"{shown} is not a file")
        with path.open("rb") as file:
            content = file.read(_LARGEST_PROFILE + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise _broken(f"{shown} cannot be read: {error.strerror}") from None
    if len(content) > _LARGEST_PROFILE:
        raise _broken(f"{shown} is larger than 1 MiB")
    if b"\0" in content:
        raise _broken(f"{shown} is not a text file")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _broken(f"{shown} is not in UTF-8") from None


def _broken(message: str) -> NotAllowedIn:
    return NotAllowedIn(
        message, hint="mend it, or set RESCALE_API_KEY and RESCALE_API_URL, which win over it"
    )


def _parsed(text: str, shown: str) -> configparser.ConfigParser:
    # The parser's own messages quote the line, which may hold the key: only its number is told.
    parser = configparser.ConfigParser(interpolation=None, default_section="")
    try:
        parser.read_string(text)
    except configparser.MissingSectionHeaderError as error:
        problem = f"{shown}:{error.lineno}: a line before the first [section]"
    except (configparser.DuplicateOptionError, configparser.DuplicateSectionError) as error:
        problem = f"{shown}:{error.lineno}: a section or a name stands twice"
    except configparser.ParsingError as error:
        problem = f"{shown}:{error.errors[0][0]}: not a `name = value` line"
    except configparser.Error:
        problem = f"{shown} is not an INI file"
    else:
        return parser
    raise _broken(problem)


def _section(parser: configparser.ConfigParser, wanted: str, shown: str) -> str | None:
    sections = parser.sections()
    if wanted:
        if wanted not in sections:
            raise NotAllowedIn(
                f"RESCALE_PROFILE is {wanted!r}, but {shown} has no such section",
                hint=f"it has {', '.join(sections)}" if sections else "the file is empty",
            )
        return wanted
    if "default" in sections or len(sections) <= 1:
        return "default" if "default" in sections else next(iter(sections), None)
    raise NotAllowedIn(
        f"{shown} has several sections and no [default]",
        hint=f"set RESCALE_PROFILE to one of {', '.join(sections)}",
    )


def _unquoted(value: str) -> str:
    value = value.strip()
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "'\"":
        return value[1:-1]
    return value
