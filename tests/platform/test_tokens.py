"""Who is let in by a server that runs, and what a token that only reads may do."""

import json
import sqlite3

import pytest

JOB = {
    "name": "n",
    "jobanalyses": [
        {
            "analysis": {"code": "user_included"},
            "command": "true",
            "hardware": {"coreType": "emerald", "coresPerSlot": 1},
        }
    ],
}


@pytest.fixture
def server(serve_at, tmp_path):
    return serve_at(tmp_path / "data")


@pytest.fixture
def tokens(doe, server):
    def run(*words):
        answer = doe("tokens", words[0], "--data", server.data, *words[1:])
        assert answer.returncode == 0, answer.stderr
        return answer.stdout

    return run


def as_(server, token, method, path, body=None):
    status, content, _ = server.call(method, path, body, Authorization=f"Token {token}")
    return status, json.loads(content) if content else None


def test_a_token_is_let_in_and_shut_out_while_the_server_runs(server, tokens):
    token = tokens("add", "a@b.org").strip()
    assert as_(server, token, "GET", "users/me/")[1]["email"] == "a@b.org"
    status, job = as_(server, token, "POST", "jobs/", JOB)
    assert (status, job["owner"]) == (201, "a@b.org")
    assert server.get("jobs/")["count"] == 0  # the owner does not see it, and is let in as before
    (known,) = [json.loads(line) for line in tokens("list", "--json").splitlines() if "a@b.org" in line]
    assert known["readOnly"] is False
    assert tokens("revoke", known["id"]) == f"revoked {known['id']} of a@b.org\n"
    assert as_(server, token, "GET", "users/me/") == (401, {"detail": "Invalid token."})
    assert "a@b.org" not in tokens("list")
    assert server.get("users/me/")["email"].endswith("@localhost")


def test_a_token_that_only_reads_sees_all_and_changes_nothing(server, tokens):
    owner = server.get("users/me/")["email"]
    looks = json.loads(tokens("add", owner, "--read-only", "--json"))["token"]
    _, job = as_(server, server.token, "POST", "jobs/", JOB)
    file = server.upload("f", b"x")
    assert as_(server, looks, "GET", f"jobs/{job['id']}/")[1]["name"] == "n"
    assert server.call("GET", f"files/{file['id']}/contents/", Authorization=f"Token {looks}")[1] == b"x"
    paths = server.get("openapi.json")["paths"]
    tried = 0
    for path, operations in paths.items():
        for method in operations:
            if method in ("post", "put", "patch", "delete"):
                address = path.removeprefix("/api/v2/").replace("{job_id}", job["id"])
                assert as_(server, looks, method.upper(), address.replace("{file_id}", file["id"])) == (
                    403,
                    {"detail": "This token only reads."},
                ), (method, path)
                tried += 1
    assert tried > 15
    assert server.get("jobs/")["count"] == 1
    assert "read" in next(line for line in tokens("list").splitlines() if "tokens add" in line)


def test_all_tokens_of_a_user_are_revoked_at_once(server, tokens):
    mine = [tokens("add", "a@b.org").strip() for _ in range(2)]
    other = tokens("add", "c@d.org").strip()
    assert len(tokens("revoke", "a@b.org").splitlines()) == 2
    assert [as_(server, each, "GET", "users/me/")[0] for each in (*mine, other)] == [401, 401, 200]


def test_tokens_are_added_before_the_first_start_and_live_on(doe, serve_at, tmp_path):
    folder = tmp_path / ".doe" / "platform"
    token = doe("tokens", "add", "a@b.org", "--data", folder).stdout.strip()
    for _ in range(2):
        server = serve_at(folder)
        assert as_(server, token, "GET", "users/me/")[1]["email"] == "a@b.org"
        server.end()
    assert (tmp_path / ".doe" / ".gitignore").read_text() == "*\n"


def test_a_line_taken_out_of_the_token_file_is_out_at_the_next_start(serve_at, doe, tmp_path):
    file = tmp_path / "tokens"
    file.write_text("owners\na@b.org theirs\n")
    server = serve_at(tmp_path / "data", "--token-file", str(file))
    assert as_(server, "theirs", "GET", "users/me/")[0] == 200
    answer = doe("tokens", "revoke", "a@b.org", "--data", tmp_path / "data")
    assert (answer.returncode, "take its line out there" in answer.stderr) == (64, True)
    server.end()
    file.write_text("owners\n")
    server = serve_at(tmp_path / "data", "--token-file", str(file))
    assert as_(server, "theirs", "GET", "users/me/")[0] == 401
    assert as_(server, "owners", "GET", "users/me/")[0] == 200


def test_a_token_file_in_the_data_folder_goes_on_and_is_told(serve_at, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "token").write_text("old\n")
    server = serve_at(tmp_path / "data")
    assert server.token == "old"
    assert "warning: the token lies in the data folder" in (tmp_path / "data.log").read_text()


def test_the_database_holds_no_token(server, tokens):
    token = tokens("add", "a@b.org").strip()
    assert as_(server, token, "GET", "users/me/")[0] == 200
    for file in server.data.glob("platform.db*"):
        assert token.encode() not in file.read_bytes()
        assert server.token.encode() not in file.read_bytes()


def test_users_of_an_older_database_are_kept(serve_at, doe, tmp_path):
    data = tmp_path / "data"
    server = serve_at(data)
    _, job = as_(server, server.token, "POST", "jobs/", JOB)
    server.end()
    (file,) = [each for each in data.iterdir() if each.suffix in (".db", ".sqlite", ".sqlite3")]
    with sqlite3.connect(file) as database:
        database.executescript(
            "DROP TABLE tokens; ALTER TABLE users ADD COLUMN token_sha256 BLOB; PRAGMA user_version = 6;"
            "INSERT INTO users VALUES ('zzzzz', 'z@z.org', x'00')"
        )
    database.close()
    server = serve_at(data)
    assert server.get(f"jobs/{job['id']}/")["owner"] == job["owner"]
    token = doe("tokens", "add", "z@z.org", "--data", data).stdout.strip()
    assert as_(server, token, "GET", "users/me/")[1]["id"] == "zzzzz"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["add", "nobody"], "'nobody' is not an e-mail address"),
        (["add", "a@b c"], "is not an e-mail address"),
    ],
)
def test_what_cannot_be_is_told(doe, tmp_path, words, message):
    answer = doe("tokens", *words, "--data", tmp_path / "data")
    assert (answer.returncode, message in answer.stderr) == (64, True)
    assert not (tmp_path / "data").exists()


def test_an_unknown_token_is_told(doe, server):
    answer = doe("tokens", "revoke", "AbCdEf", "--data", server.data)
    assert (answer.returncode, "no token 'AbCdEf'" in answer.stderr) == (64, True)


@pytest.mark.parametrize("words", [("list",), ("revoke", "a@b.org")])
def test_a_folder_without_a_platform_is_told_and_not_made(doe, tmp_path, words):
    answer = doe("tokens", *words, "--data", tmp_path / "data")
    assert (answer.returncode, "there is no platform in" in answer.stderr) == (4, True)
    assert not (tmp_path / "data").exists()


def test_a_token_for_a_platform_that_is_not_there_yet_says_so(doe, tmp_path):
    assert "there was no platform in" in doe("tokens", "add", "a@b.org", "--data", tmp_path / "data").stderr
    assert doe("tokens", "add", "a@b.org", "--data", tmp_path / "data").stderr.count("\n") == 1
