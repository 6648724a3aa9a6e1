import copy
import dataclasses
import os
import pickle
import subprocess
import sys
import traceback
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doe_compiler.client.settings import (
    DEFAULT_URL,
    PROFILE_FILE,
    Account,
    Secret,
    account,
    account_for,
    api_url,
    is_loopback,
)
from doe_compiler.kernel.errors import DoeError, NotAllowedIn, WrongUsage

KEY = "abc123secret"


def profile(home: Path, content: str | bytes) -> Path:
    path = home / PROFILE_FILE
    path.parent.mkdir(parents=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return home


@pytest.mark.parametrize(
    "show",
    [repr, str, format, ascii, lambda s: f"{s}{s!r}", lambda s: "%s %r" % (s, s), lambda s: repr([s])],
)
def test_a_secret_never_shows_itself(show):
    assert KEY not in show(Secret(KEY))
    assert KEY not in show(Account(DEFAULT_URL, Secret(KEY)))
    assert f"{Secret(KEY):>5}" == "  ***"


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_secret_cannot_be_pickled(protocol):
    with pytest.raises(TypeError):
        pickle.dumps(Account(DEFAULT_URL, Secret(KEY)), protocol)


def test_a_secret_stays_hidden_in_a_traceback_with_locals():
    def fail(key: Secret) -> None:
        raise ValueError(f"with {key}")

    try:
        fail(Secret(KEY))
    except ValueError as error:
        shown = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    assert "key = Secret(***)" in shown
    assert "with ***" in shown


def test_a_secret_reveals_itself_when_asked_also_as_a_copy():
    secret = Secret(KEY)
    assert secret.reveal() == copy.deepcopy(secret).reveal() == copy.copy(secret).reveal() == KEY
    assert dataclasses.asdict(Account(DEFAULT_URL, secret))["key"] is secret
    assert secret == Secret(KEY) != Secret("other")
    assert hash(secret) == hash(Secret(KEY))
    assert secret.hidden_in(f"a {KEY} b{KEY}") == "a *** b***"


@pytest.mark.parametrize("key", ["", "schlüssel", "two words", "abc\n", "\tabc", "abc\r", "a\0b", "x" * 5000, "a\x7f"])
def test_what_cannot_be_a_key_is_refused_without_being_shown(key, tmp_path):
    with pytest.raises(NotAllowedIn) as refusal:
        Secret(key)
    with pytest.raises(NotAllowedIn) as second:
        account({"RESCALE_API_KEY": key}, tmp_path)
    for error in (refusal.value, second.value):
        text = str(error) + repr(error) + error.hint
        assert not key.strip() or key.strip() not in text


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=60))
def test_every_printable_text_without_blanks_can_be_a_key(key):
    assert Secret(key).reveal() == key


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://platform.rescale.com", "https://platform.rescale.com/api/v2/"),
        ("https://platform.rescale.com/", "https://platform.rescale.com/api/v2/"),
        ("https://EU.Rescale.com:443/api/v2", "https://eu.rescale.com/api/v2/"),
        ("https://kr.rescale.com/api/v3/", "https://kr.rescale.com/api/v2/"),
        ("https://kr.rescale.com/api/", "https://kr.rescale.com/api/v2/"),
        ("https://host:8443/gate/rescale/api/v2/", "https://host:8443/gate/rescale/api/v2/"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000/api/v2/"),
        ("http://localhost:80", "http://localhost/api/v2/"),
        ("http://[::1]:8000/api/v2/", "http://[::1]:8000/api/v2/"),
        ("https://[2001:db8::1]", "https://[2001:db8::1]/api/v2/"),
    ],
)
def test_an_address_is_brought_to_one_form_and_stays_there(text, url):
    assert api_url(text) == url
    assert api_url(url) == url


@pytest.mark.parametrize(
    "text",
    [
        "",
        "platform.rescale.com",
        "http://platform.rescale.com",
        "http://127.0.0.1.evil.example",
        "http://localhost.evil.example/",
        "http://10.0.0.1:8000",
        "ftp://platform.rescale.com",
        "https://",
        "https:///api/v2/",
        "https://user:hunter2@platform.rescale.com",
        "http://127.0.0.1@evil.example",
        "https://host/?key=1",
        "https://host/#x",
        "https://host:99999",
        "https://host:port",
        "https://a b",
        "https://host\\@evil",
        "https://host\n",
        "https://höst",
        "https://[::1",
        "https://[::1%25eth0]",
        "file:///etc/passwd",
    ],
)
def test_what_is_no_safe_address_is_refused(text):
    with pytest.raises(WrongUsage) as refusal:
        api_url(text)
    assert refusal.value.hint
    assert "\n" not in str(refusal.value)
    assert "hunter2" not in str(refusal.value)


@given(st.text(max_size=40))
def test_any_text_is_an_address_or_wrong_usage(text):
    try:
        url = api_url(text)
    except WrongUsage:
        return
    assert url.startswith(("https://", "http://"))
    assert url.endswith("/api/v2/")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "localhost", "::1"])
def test_loopback_hosts_are_this_machine(host):
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["", "localhost.com", "0.0.0.0", "10.0.0.1", "127.0.0.1.x.org", "::2"])
def test_other_hosts_are_not_this_machine(host):
    assert not is_loopback(host)


def test_without_key_there_is_no_way_in_but_a_hint(tmp_path):
    with pytest.raises(NotAllowedIn, match=r"no key for platform\.rescale\.com") as refusal:
        account({}, tmp_path)
    assert "RESCALE_API_KEY" in refusal.value.hint
    assert "apiconfig" in refusal.value.hint


def test_a_key_alone_is_for_the_usual_platform(tmp_path):
    assert account({"RESCALE_API_KEY": KEY}, tmp_path) == Account(DEFAULT_URL, Secret(KEY))


def test_the_address_with_version_wins_over_the_base_address(tmp_path):
    both = {"RESCALE_API_URL": "https://eu.rescale.com/api/v2/", "RESCALE_BASE_URL": "https://kr.rescale.com"}
    assert account({"RESCALE_API_KEY": KEY} | both, tmp_path).host == "eu.rescale.com"
    del both["RESCALE_API_URL"]
    assert account({"RESCALE_API_KEY": KEY} | both, tmp_path).host == "kr.rescale.com"


@pytest.mark.parametrize("name", ["apiurl", "apibaseurl", "ApiUrl"])
@pytest.mark.parametrize("quote", ["", "'", '"'])
def test_the_profile_gives_key_and_address(tmp_path, name, quote):
    home = profile(tmp_path, f"[default]\n{name} = {quote}https://eu.rescale.com{quote}\napikey={quote}{KEY}{quote}\n")
    assert account({}, home) == Account("https://eu.rescale.com/api/v2/", Secret(KEY))


def test_the_environment_wins_over_the_profile(tmp_path):
    home = profile(tmp_path, "[default]\napiurl=https://eu.rescale.com/api/v2/\napikey=other\n")
    assert account({"RESCALE_API_KEY": KEY}, home) == Account("https://eu.rescale.com/api/v2/", Secret(KEY))
    there = account({"RESCALE_API_URL": "https://kr.rescale.com/api/v2/"}, home)
    assert there == Account("https://kr.rescale.com/api/v2/", Secret("other"))


def test_a_named_profile_a_default_one_or_the_only_one_counts(tmp_path):
    two = "[default]\napikey=first\n[eu]\napikey=second\napibaseurl=https://eu.rescale.com\n"
    home = profile(tmp_path / "two", two)
    assert account({}, home).key == Secret("first")
    assert account({"RESCALE_PROFILE": "eu"}, home) == Account("https://eu.rescale.com/api/v2/", Secret("second"))
    assert account({}, profile(tmp_path / "one", "[prod]\napikey=third\n")).key == Secret("third")
    with pytest.raises(NotAllowedIn, match="no such section"):
        account({"RESCALE_PROFILE": "mars"}, home)
    with pytest.raises(NotAllowedIn, match="several sections") as refusal:
        account({}, profile(tmp_path / "none", "[a]\napikey=1\n[b]\napikey=2\n"))
    assert "a, b" in refusal.value.hint


def test_a_percent_sign_in_a_key_is_a_percent_sign(tmp_path):
    assert account({}, profile(tmp_path, "[default]\napikey=a%(b)s%\n")).key == Secret("a%(b)s%")


def test_a_mark_at_the_begin_of_the_file_is_no_harm(tmp_path):
    assert account({}, profile(tmp_path, b"\xef\xbb\xbf[default]\r\napikey=" + KEY.encode() + b"\r\n")).key == Secret(KEY)


@pytest.mark.parametrize(
    "content",
    [
        b"apikey=" + KEY.encode(),
        b"[default\napikey=" + KEY.encode(),
        b"[default]\n" + KEY.encode() + b"\n",
        b"[default]\napikey=a\napikey=" + KEY.encode(),
        b"[default]\napikey=a\n[default]\napikey=" + KEY.encode(),
        b"[]\n= " + KEY.encode(),
        "[default]\napikey=abc123secret".encode("utf-16"),
        b"[default]\napikey=\xff" + KEY.encode(),
        b"\x7fELF\0\0\1" + KEY.encode(),
        b"#" * (1 << 20) + b"\n[default]\napikey=" + KEY.encode(),
        b"[default]\napikey=" + KEY.encode() + b" and more\n",
        b"[default]\napikey=" + KEY.encode() + b"\n  continued\n",
    ],
)
def test_a_broken_profile_is_one_line_that_shows_no_key(tmp_path, content):
    home = profile(tmp_path, content)
    with pytest.raises(NotAllowedIn) as refusal:
        account({}, home)
    text = str(refusal.value)
    assert "apiconfig" in text
    assert "\n" not in text
    shown = "".join(traceback.format_exception(refusal.value))
    assert KEY not in text + refusal.value.hint + repr(refusal.value) + shown


@pytest.mark.parametrize("content", [b"", b"\n", b"# nothing\n", b"[default]\n", b"[default]\napikey=\n"])
def test_an_empty_profile_is_no_key(tmp_path, content):
    with pytest.raises(NotAllowedIn, match="no key for"):
        account({}, profile(tmp_path, content))


@given(st.binary(max_size=200))
def test_any_profile_is_an_account_or_a_one_line_error(tmp_path_factory, content):
    home = profile(tmp_path_factory.mktemp("home"), content)
    try:
        account({}, home)
    except DoeError as error:
        assert "\n" not in str(error)


def test_a_profile_that_is_no_file_is_told_of(tmp_path):
    (tmp_path / PROFILE_FILE).mkdir(parents=True)
    with pytest.raises(NotAllowedIn, match="is not a file"):
        account({}, tmp_path)
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / PROFILE_FILE).rmdir()
    (tmp_path / PROFILE_FILE).symlink_to(tmp_path / "pipe")
    with pytest.raises(NotAllowedIn, match="is not a file"):
        account({}, tmp_path)


def test_a_broken_profile_does_not_matter_when_the_environment_says_all(tmp_path):
    home = profile(tmp_path, b"\0")
    said = {"RESCALE_API_KEY": KEY, "RESCALE_BASE_URL": "https://eu.rescale.com"}
    assert account(said, home).host == "eu.rescale.com"
    assert account_for("http://127.0.0.1:8000", said, home) == Account("http://127.0.0.1:8000/api/v2/", Secret(KEY))


def test_a_given_address_takes_the_key_of_the_environment(tmp_path):
    home = profile(tmp_path, "[default]\napikey=other\napibaseurl=https://eu.rescale.com\n")
    found = account_for("http://127.0.0.1:8000", {"RESCALE_API_KEY": KEY}, home)
    assert found == Account("http://127.0.0.1:8000/api/v2/", Secret(KEY))
    assert found.is_on_this_machine
    assert found.host == "127.0.0.1:8000"


def test_a_key_of_the_profile_goes_to_the_host_of_the_profile_only(tmp_path):
    home = profile(tmp_path, f"[default]\napikey={KEY}\napibaseurl=https://eu.rescale.com\n")
    assert account_for("https://eu.rescale.com/api/v3/", {}, home).key == Secret(KEY)
    for other in ("http://127.0.0.1:8000", "https://platform.rescale.com", "https://eu.rescale.com:8443"):
        with pytest.raises(NotAllowedIn, match="no key for"):
            account_for(other, {}, home)


def test_settings_and_errors_load_no_network():
    code = (
        "import sys; import doe_compiler.client.settings, doe_compiler.client.errors, doe_compiler.client.answers;"
        "sys.exit(bool({'httpx2', 'socket', 'numpy'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
