"""The tables of the platform's database, as the steps that made them: step N leads to version N."""

STEPS = (
    """
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE files(
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, size INTEGER NOT NULL,
    md5 TEXT NOT NULL, sha512 TEXT NOT NULL, type_id INTEGER NOT NULL, uploaded_us INTEGER NOT NULL);
CREATE TABLE tables(
    sha512 TEXT PRIMARY KEY, names TEXT NOT NULL, count INTEGER NOT NULL, offsets BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE jobs(
    key INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL,
    inserted_us INTEGER NOT NULL, body TEXT NOT NULL, analysis_names TEXT NOT NULL, state TEXT NOT NULL,
    table_sha512 TEXT, expected_runs INTEGER NOT NULL, stop_requested INTEGER NOT NULL DEFAULT 0,
    status TEXT NOT NULL DEFAULT '', cluster_status TEXT NOT NULL DEFAULT '', storage INTEGER NOT NULL,
    turn INTEGER);
CREATE UNIQUE INDEX jobs_turn ON jobs(turn) WHERE turn IS NOT NULL;
CREATE INDEX jobs_live ON jobs(turn) WHERE state IN ('queued', 'running');
CREATE INDEX jobs_status ON jobs(status, key);
CREATE TABLE statuses(
    seq INTEGER PRIMARY KEY AUTOINCREMENT, job INTEGER NOT NULL, of_cluster INTEGER NOT NULL,
    status TEXT NOT NULL, date_us INTEGER NOT NULL, reason TEXT);
CREATE INDEX statuses_job ON statuses(job, of_cluster, seq);
CREATE TABLE runs(
    job INTEGER NOT NULL, run INTEGER NOT NULL, started_us INTEGER NOT NULL, completed_us INTEGER,
    exit_status INTEGER NOT NULL, file_count INTEGER NOT NULL, file_size INTEGER NOT NULL, variables TEXT NOT NULL,
    PRIMARY KEY(job, run)) WITHOUT ROWID;
CREATE TABLE outputs(
    job INTEGER NOT NULL, run INTEGER NOT NULL, number INTEGER NOT NULL, relative NOT NULL,
    size INTEGER NOT NULL, md5 TEXT NOT NULL, PRIMARY KEY(job, run, number)) WITHOUT ROWID;
""",
    """
CREATE TABLE users(id TEXT PRIMARY KEY, email TEXT NOT NULL UNIQUE, token_sha256 BLOB) WITHOUT ROWID;
INSERT INTO users(id, email) SELECT value, '' FROM meta WHERE key = 'user';
ALTER TABLE jobs ADD COLUMN owner TEXT NOT NULL DEFAULT '';
UPDATE jobs SET owner = (SELECT value FROM meta WHERE key = 'user');
CREATE INDEX jobs_owner ON jobs(owner, key);
ALTER TABLE files ADD COLUMN owner TEXT NOT NULL DEFAULT '';
UPDATE files SET owner = (SELECT value FROM meta WHERE key = 'user');
CREATE INDEX files_owner ON files(owner, seq);
CREATE TABLE shares(
    job INTEGER NOT NULL, email TEXT NOT NULL, message TEXT NOT NULL, date_us INTEGER NOT NULL,
    PRIMARY KEY(job, email)) WITHOUT ROWID;
CREATE INDEX shares_email ON shares(email, job);
CREATE TABLE file_shares(file TEXT NOT NULL, email TEXT NOT NULL, PRIMARY KEY(file, email)) WITHOUT ROWID;
CREATE TABLE run_stops(job INTEGER NOT NULL, run INTEGER NOT NULL, PRIMARY KEY(job, run)) WITHOUT ROWID;
""",
    """
ALTER TABLE jobs ADD COLUMN status_reason TEXT;
UPDATE jobs SET status_reason = (
    SELECT reason FROM statuses WHERE job = jobs.key AND of_cluster = 0 ORDER BY seq DESC LIMIT 1);
""",
    """
INSERT INTO meta SELECT 'newest_us', coalesce(max(inserted_us), 0) FROM jobs;
ALTER TABLE jobs ADD COLUMN runs_completed INTEGER;
ALTER TABLE jobs ADD COLUMN runs_failed INTEGER;
UPDATE jobs SET
    runs_completed = (SELECT count(*) FROM runs WHERE job = jobs.key AND completed_us IS NOT NULL),
    runs_failed = (SELECT count(*) FROM runs WHERE job = jobs.key AND completed_us IS NOT NULL AND exit_status)
    WHERE state = 'finished';
""",
    """
CREATE TABLE output_sums(
    job INTEGER NOT NULL, run INTEGER NOT NULL, number INTEGER NOT NULL, md5 TEXT NOT NULL, sha512 TEXT NOT NULL,
    PRIMARY KEY(job, run, number, md5)) WITHOUT ROWID;
""",
    """
CREATE INDEX files_sha512 ON files(sha512);
CREATE INDEX jobs_table ON jobs(table_sha512) WHERE table_sha512 IS NOT NULL;
""",
    """
CREATE TABLE tokens(
    sha256 BLOB PRIMARY KEY, id TEXT NOT NULL UNIQUE, user TEXT NOT NULL, only_reads INTEGER NOT NULL,
    is_of_file INTEGER NOT NULL, added_us INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE known_users(id TEXT PRIMARY KEY, email TEXT NOT NULL UNIQUE) WITHOUT ROWID;
INSERT INTO known_users SELECT id, email FROM users;
DROP TABLE users;
ALTER TABLE known_users RENAME TO users;
""",
)
