"""Names of uploads: as the file was called, however the client wrote it, and never a path."""

import email.utils
import urllib.parse

import pytest
import requests
from urllib3.fields import RequestField

from doe_compiler.platform.api.dispositions import parameters


def _name(api, disposition):
    """The name of a file that was uploaded under this header; None if it is refused."""
    head = disposition if isinstance(disposition, bytes) else disposition.encode()
    body = b'--B\r\nContent-Disposition: form-data; name="file"' + head + b"\r\n\r\nhello\r\n--B--\r\n"
    headers = {"content-type": "multipart/form-data; boundary=B"}
    status, answer, _ = api.call("POST", "files/contents/", body, headers=headers)
    if status == 400:
        return None
    assert (status, answer["decryptedSize"]) == (201, 5)
    assert api.get(f"files/{answer['id']}/")["name"] == answer["name"]
    return answer["name"]


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ("; filename*=utf-8''gr%C3%B6%C3%9Fe.dat", "größe.dat"),
        ("; filename*=UTF-8'de'gr%c3%b6%c3%9fe.dat", "größe.dat"),
        ("; filename*=iso-8859-1'en'gr%F6%DFe.dat", "größe.dat"),
        ("; filename*=\"utf-8''a%20b.dat\"", "a b.dat"),
        ("; FILENAME*=utf-8''a%22b%3Bc'd.dat", "a\"b;c'd.dat"),
        ("; filename*=utf-8''%E2%82%AC.dat; filename=\"euro.dat\"", "€.dat"),
        ("; filename=\"euro.dat\"; filename*=utf-8''%E2%82%AC.dat", "€.dat"),
        ("; filename=\"plain.dat\"; filename*=utf-8''%FF.dat", "plain.dat"),
        ("; filename=\"plain.dat\"; filename*=koi8-r''%C1.dat", "plain.dat"),
        ('; filename="plain.dat"; filename*=nonsense', "plain.dat"),
        ("; filename*=utf-8''..%2F..%2Fetc%2Fx.dat", "x.dat"),
        ("; filename*=utf-8''a%5Cb.dat", "b.dat"),
        ("; filename*=utf-8''a%00%0Ab.dat", "a__b.dat"),
        ('; filename="a b.dat"', "a b.dat"),
        ("; filename=a b.dat ", "a b.dat"),
        ("; filename = a.dat", "a.dat"),
        ('; filename="a;b=c.dat"', "a;b=c.dat"),
        ('; filename="a\\"b.dat"', 'a"b.dat'),
        ('; filename="a%22b.dat"', 'a"b.dat'),
        ('; filename="100%.dat"', "100%.dat"),
        ('; filename="a%20b.dat"', "a%20b.dat"),
        ('; filename="a\'b.dat"', "a'b.dat"),
        ('; filename="größe.dat"', "größe.dat"),
        ('; filename="größe.dat"'.encode("latin-1"), "größe.dat"),
        ('; filename="C:\\dir\\x.dat"', "x.dat"),
        ('; filename="/etc/x.dat"', "x.dat"),
        ('; filename="case.tar.gz"; size=5', "case.tar.gz"),
    ],
)
def test_a_file_has_the_name_that_was_meant(api, disposition, name):
    assert _name(api, disposition) == name


@pytest.mark.parametrize(
    "disposition",
    ["", "; filename=", '; filename=""', '; filename=".."', "; filename*=utf-8''", "; filename*=utf-8''a%2F..", "; filename*=koi8-r''x"],
)  # fmt: skip
def test_what_names_no_file_is_refused(api, disposition):
    assert _name(api, disposition) is None


NAMES = ["größe.dat", 'a "b" c.dat', "a b;c='d'.dat", "100%.dat", "日本.tar.gz"]


@pytest.mark.parametrize("name", NAMES)
def test_requests_of_today_and_of_yesterday_are_understood(api, name):
    body, kind = requests.models.RequestEncodingMixin._encode_files({"file": (name, b"hello")}, {})
    status, answer, _ = api.call("POST", "files/contents/", body, headers={"content-type": kind})
    assert (status, answer["name"]) == (201, name)
    # As urllib3 1.x writes it.
    assert _name(api, f"; filename*={email.utils.encode_rfc2231(name, 'utf-8')}") == name
    field = RequestField("file", b"", filename=name)
    field.make_multipart()
    assert parameters(field.headers["Content-Disposition"].encode()) == {"name": "file", "filename": name}


@pytest.mark.parametrize("name", NAMES)
def test_the_name_comes_back_from_what_is_written_by_rfc_8187(name):
    header = f"form-data; filename*=utf-8''{urllib.parse.quote(name, safe='')}"
    assert parameters(header.encode()) == {"filename": name}


def test_a_run_finds_its_input_under_its_name(api):
    name = 'größe "1".dat'
    body, kind = requests.models.RequestEncodingMixin._encode_files({"file": (name, b"hello")}, {})
    _, sent, _ = api.call("POST", "files/contents/", body, headers={"content-type": kind})
    job, _ = api.ran({**api.analysis("ls"), "inputFiles": [{"id": sent["id"]}]})
    assert api.content(job, name) == b"hello"
