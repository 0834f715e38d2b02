-- Where calls go that are older than the hub keeps them at hand, and what was
-- moved there. The calls themselves lie in databases of their own beside this one
-- or, where this one is on a server, in exported files.

-- One row for each quarter (UTC) of which calls were moved. Its figures change in
-- the transaction that deletes calls here, and in no other.
CREATE TABLE archives (
  name           TEXT PRIMARY KEY,     -- such as 2026Q3
  kind           TEXT NOT NULL CHECK (kind IN ('database','export')),
  lower_id       TEXT NOT NULL,        -- ids of its calls are not below this
  upper_id       TEXT NOT NULL,        -- and below this
  from_ms        INTEGER NOT NULL,
  until_ms       INTEGER NOT NULL,
  calls          INTEGER NOT NULL DEFAULT 0,
  billed         INTEGER NOT NULL DEFAULT 0, -- of the calls: those with a settlement in the ledger
  billed_nano    INTEGER NOT NULL DEFAULT 0, -- what those were charged
  credits_nano   INTEGER NOT NULL DEFAULT 0,
  cost_nano      INTEGER NOT NULL DEFAULT 0,
  usages         INTEGER NOT NULL DEFAULT 0,
  attempts       INTEGER NOT NULL DEFAULT 0,
  slices         INTEGER NOT NULL DEFAULT 0,
  -- The digest: for each row the eight words of its SHA-256, summed over all rows.
  digest0 INTEGER NOT NULL DEFAULT 0, digest1 INTEGER NOT NULL DEFAULT 0,
  digest2 INTEGER NOT NULL DEFAULT 0, digest3 INTEGER NOT NULL DEFAULT 0,
  digest4 INTEGER NOT NULL DEFAULT 0, digest5 INTEGER NOT NULL DEFAULT 0,
  digest6 INTEGER NOT NULL DEFAULT 0, digest7 INTEGER NOT NULL DEFAULT 0,
  move_id        TEXT NOT NULL DEFAULT '', -- of the batch that is on its way there, or was the last
  moving_json    TEXT NOT NULL DEFAULT '', -- ids of its calls, copied or about to be, until they are deleted here
  created_at     INTEGER NOT NULL,
  changed_at     INTEGER NOT NULL,
  verified_at    INTEGER,              -- when it was last found to hold what was moved
  removed_at     INTEGER               -- when it was deleted, by the retention of archives
) STRICT, WITHOUT ROWID;

-- What was reported outside of each user's archived usage.
CREATE TABLE archive_reported (
  user_id       TEXT PRIMARY KEY,
  reported_nano INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The files of archives that are exports.
CREATE TABLE archive_files (
  archive    TEXT NOT NULL REFERENCES archives(name),
  name       TEXT NOT NULL,
  calls      INTEGER NOT NULL,
  bytes      INTEGER NOT NULL,
  sha256     TEXT NOT NULL, -- of the file, in hexadecimal
  created_at INTEGER NOT NULL,
  PRIMARY KEY (archive, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE archive_runs (
  id          TEXT PRIMARY KEY,
  actor       TEXT NOT NULL,
  state       TEXT NOT NULL CHECK (state IN ('running','done','partial','failed','interrupted')),
  cutoff_at   INTEGER NOT NULL, -- calls admitted before were to be moved
  calls       INTEGER NOT NULL DEFAULT 0,
  kept        INTEGER NOT NULL DEFAULT 0, -- older calls that had to stay
  freed_bytes INTEGER NOT NULL DEFAULT 0,
  error       TEXT NOT NULL DEFAULT '',
  started_at  INTEGER NOT NULL,
  ended_at    INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX archive_runs_running ON archive_runs (id) WHERE state = 'running';
