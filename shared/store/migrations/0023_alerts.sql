-- What is wrong, from when to when, and who has seen it.

CREATE TABLE alerts (
  id              TEXT PRIMARY KEY,
  rule            TEXT NOT NULL,
  subject         TEXT NOT NULL DEFAULT '', -- what of several things it is about
  severity        TEXT NOT NULL CHECK (severity IN ('info','warning','error')),
  title           TEXT NOT NULL,
  data_json       TEXT NOT NULL,
  raised_at       INTEGER NOT NULL,
  seen_at         INTEGER NOT NULL, -- when it last held
  calm_since      INTEGER,          -- since when it has not held; NULL while it does
  resolved_at     INTEGER,
  acknowledged_at INTEGER,
  acknowledged_by TEXT NOT NULL DEFAULT '',
  due             INTEGER NOT NULL DEFAULT 1 -- something of it is still to be told
) STRICT, WITHOUT ROWID;

-- Whoever finds the same thing wrong at the same time raises one alert.
CREATE UNIQUE INDEX alerts_open ON alerts (rule, subject) WHERE resolved_at IS NULL;

CREATE INDEX alerts_due ON alerts (id) WHERE due = 1;

-- What the calls of five minutes, by the time of their admission, came to. A row is
-- written once the last of them must have ended, so that no call is added up twice.
CREATE TABLE alert_slots (
  slot         INTEGER PRIMARY KEY, -- Unix time in five minutes
  calls        INTEGER NOT NULL,
  cost_nano    INTEGER NOT NULL,
  credits_nano INTEGER NOT NULL
) STRICT;
