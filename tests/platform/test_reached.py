"""A server that is reached from another machine: by TLS of its own, behind a proxy, through an SSH tunnel."""

import csv
import getpass
import json
import shutil
import socket
import ssl
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

import pytest

NGINX = """
daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{}}
http {{
  access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{
    listen 127.0.0.1:{port} ssl; ssl_certificate {folder}/cert.pem; ssl_certificate_key {folder}/key.pem;
    client_max_body_size 0; proxy_request_buffering off; proxy_buffering off;
    location / {{
      proxy_pass http://127.0.0.1:{behind}; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_set_header X-Forwarded-Proto $scheme; proxy_set_header X-Forwarded-Host $http_host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    }}
  }}
}}
"""
STUDY = """\
doe: 1
study: reached
variables: {x: {levels: [1, 2, 3]}}
design: {}
analyses:
  - analysis: {code: user_included}
    command: cat y.txt
    templates: [{source: in.txt, target: y.txt}]
    hardware: {coreType: emerald, slots: 2}
responses: {y: {file: y.txt, regex: '(.*)'}}
"""


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A folder with cert.pem for localhost and its key.pem."""
    folder = tmp_path_factory.mktemp("certificate")
    subprocess.run(
        [
            *(
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-days",
                "1",
                "-subj",
                "/CN=localhost",
            ),
            *(
                "-addext",
                "subjectAltName=DNS:localhost,IP:127.0.0.1",
                "-keyout",
                "key.pem",
                "-out",
                "cert.pem",
            ),
        ],
        cwd=folder,
        check=True,
        capture_output=True,
    )
    return folder


@pytest.fixture
def ended():
    """Processes that are ended with the test."""
    started = []
    yield started.append
    for process in started:
        process.terminate()
        process.wait(30)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]


def answers(port, until):
    def is_open():
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
        except OSError:
            return False
        return True

    until(is_open, 20)


def got(address, token, cafile, **headers):
    request = urllib.request.Request(address, headers={"Authorization": f"Token {token}", **headers})
    context = ssl.create_default_context(cafile=cafile) if cafile else None
    with urllib.request.urlopen(request, timeout=20, context=context) as response:
        return json.loads(response.read())


def applied(doe, tmp_path, address, token, **env):
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / "study.yaml").write_text(STUDY)
    (tmp_path / "study" / "in.txt").write_text("${x}\n")
    env = {"RESCALE_API_URL": address, "RESCALE_API_KEY": token, **env}
    answer = doe("apply", "study.yaml", "--yes", "--on", address, cwd=tmp_path / "study", env=env)
    assert answer.returncode == 0, answer.stderr
    shown = doe(
        "results", "study.yaml", "--format", "csv", "--on", address, cwd=tmp_path / "study", env=env
    ).stdout
    titles, *rows = csv.reader(shown.splitlines())
    return sorted(row[titles.index("y")] for row in rows)


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_tls_of_its_own(serve_at, doe, tmp_path, certificate):
    cert = certificate / "cert.pem"
    options = ("--tls-cert", str(cert), "--tls-key", str(certificate / "key.pem"))
    server = serve_at(tmp_path / "data", *options)
    address = f"https://127.0.0.1:{server.port}/api/v2/"
    assert f"RESCALE_API_URL={address} " in server.said[1]
    assert got(address, server.token, cert)["jobs"] == f"{address}jobs/"
    assert applied(doe, tmp_path, address, server.token, SSL_CERT_FILE=str(cert)) == ["1", "2", "3"]
    distrusting = doe("jobs", "list", "--on", address, env={"RESCALE_API_KEY": server.token})
    assert "certificate" in distrusting.stderr
    assert distrusting.returncode == 1
    with pytest.raises(OSError):  # no plain HTTP at this port
        got(f"http://127.0.0.1:{server.port}/api/v2/", server.token, None)
    for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
        context = ssl.create_default_context(cafile=cert)
        context.set_ciphers("DEFAULT:@SECLEVEL=0")  # what the client would speak
        context.minimum_version = context.maximum_version = version
        with (
            socket.create_connection(("127.0.0.1", server.port), timeout=20) as raw,
            pytest.raises((ssl.SSLError, OSError)),
        ):
            context.wrap_socket(raw, server_hostname="localhost")


def test_with_tls_other_machines_may_reach_it(serve_at, tmp_path, certificate):
    files = ("--tls-cert", str(certificate / "cert.pem"), "--tls-key", str(certificate / "key.pem"))
    server = serve_at(tmp_path / "data", "--host", "0.0.0.0", *files)
    assert f"https://{socket.gethostname()}:{server.port}/" in server.said[0]
    assert "unencrypted" not in (tmp_path / "data.log").read_text()


def test_behind_a_proxy_with_tls(serve_at, doe, tmp_path, certificate, ended, until):
    log = tmp_path / "access.log"
    server = serve_at(tmp_path / "data", "--access-log", str(log))
    port = free_port()
    folder = tmp_path / "nginx"
    shutil.copytree(certificate, folder)
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=port, behind=server.port))
    ended(
        subprocess.Popen(
            ["/usr/sbin/nginx", "-p", folder, "-c", folder / "nginx.conf"], stderr=subprocess.DEVNULL
        )
    )
    answers(port, until)
    address = f"https://localhost:{port}/api/v2/"
    cert = certificate / "cert.pem"
    assert got(address, server.token, cert)["jobs"] == f"{address}jobs/"
    assert applied(doe, tmp_path, address, server.token, SSL_CERT_FILE=str(cert)) == ["1", "2", "3"]
    page = got(f"{address}files/?page_size=1", server.token, cert)
    assert page["next"].startswith(f"{address}files/?")
    with pytest.raises(urllib.error.HTTPError, match="401"):
        got(address, "wrong", cert)
    got(address, server.token, cert, **{"X-Forwarded-For": "10.1.2.3"})
    until(lambda: '"Invalid token."' in log.read_text())
    until(lambda: {line.split()[0] for line in log.read_text().splitlines()} == {"127.0.0.1", "10.1.2.3"})


def own_address():
    """An address of this machine that is not loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))
        return probe.getsockname()[0]


def test_what_a_client_of_another_machine_says_of_a_proxy_does_not_count(serve_at, until, tmp_path):
    log = tmp_path / "access.log"
    server = serve_at(tmp_path / "data", "--host", "0.0.0.0", "--insecure-http", "--access-log", str(log))
    lie = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.org", "X-Forwarded-For": "10.9.9.9"}
    here = got(f"http://127.0.0.1:{server.port}/api/v2/", server.token, None, **lie)
    assert here["jobs"] == "https://evil.org/api/v2/jobs/"
    forged = {"X-Forwarded-For": 'evil user - - [x] "GET"', "X-Forwarded-Host": "evil.org/a?"}
    here = got(f"http://127.0.0.1:{server.port}/api/v2/", server.token, None, **forged)
    assert here["jobs"] == "http://localhost/api/v2/jobs/"
    until(lambda: log.read_text().splitlines()[-1].startswith("127.0.0.1 - "))
    assert "evil" not in log.read_text()
    address = f"http://{own_address()}:{server.port}/api/v2/"
    assert got(address, server.token, None, **lie)["jobs"] == f"{address}jobs/"
    until(lambda: log.read_text().splitlines()[-1].split()[0] == own_address())


def test_through_an_ssh_tunnel(serve_at, doe, tmp_path, ended, until):
    folder = tmp_path / "ssh"
    folder.mkdir(mode=0o700)
    for key in ("host", "user"):
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / key],
            check=True,
            capture_output=True,
        )
    shutil.copy(folder / "user.pub", folder / "authorized_keys")
    sshd_port, port = free_port(), free_port()
    (folder / "sshd_config").write_text(
        f"Port {sshd_port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\nPidFile none\nStrictModes no\n"
        f"AuthorizedKeysFile {folder}/authorized_keys\nPasswordAuthentication no\nUsePAM no\nPermitRootLogin yes\n"
    )
    Path("/run/sshd").mkdir(exist_ok=True)
    ended(subprocess.Popen(["/usr/sbin/sshd", "-D", "-f", folder / "sshd_config"], stderr=subprocess.DEVNULL))
    answers(sshd_port, until)
    server = serve_at(tmp_path / "data")
    options = ("StrictHostKeyChecking=no", f"UserKnownHostsFile={folder}/known", "ExitOnForwardFailure=yes")
    ended(
        subprocess.Popen(
            [
                *("ssh", "-N", "-F", "none", "-p", str(sshd_port), "-i", folder / "user"),
                *(word for option in options for word in ("-o", option)),
                *("-L", f"127.0.0.1:{port}:localhost:{server.port}", f"{getpass.getuser()}@127.0.0.1"),
            ],
            stderr=subprocess.DEVNULL,
        )
    )
    answers(port, until)
    address = f"http://localhost:{port}/api/v2/"
    assert got(address, server.token, None)["jobs"] == f"{address}jobs/"
    assert applied(doe, tmp_path, address, server.token) == ["1", "2", "3"]
