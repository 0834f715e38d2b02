-- How scheduled jobs fare, over all processes: one row for each job.
CREATE TABLE job_runs (
  name       TEXT PRIMARY KEY,
  every_ms   INTEGER NOT NULL,           -- how often it is due; 0: only when it is named
  started_at INTEGER NOT NULL,           -- of the run that was noted last
  took_ms    INTEGER NOT NULL,
  ok_at      INTEGER,                    -- when a run ended well; NULL: none was noted
  failed_at  INTEGER,                    -- when one failed
  failures   INTEGER NOT NULL DEFAULT 0, -- that were noted since one ended well
  error      TEXT NOT NULL DEFAULT ''    -- of the last failure
) STRICT, WITHOUT ROWID;
