-- Sums of finished calls, so that no statistics read calls.

-- In which stretches of time calls were finished or altered since the sums were
-- made: the first seven characters of their ids, 32.768 seconds of admission. The
-- trigger is one look into a table of a few rows; on INSERT there is none, because
-- SQLite would look for orphans in every child table.
CREATE TABLE model_call_changes (
  stretch TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;

CREATE TRIGGER model_calls_changed AFTER UPDATE OF status, cost_nano ON model_calls WHEN NEW.status <> 'processing' BEGIN
  INSERT INTO model_call_changes (stretch) VALUES (substr(NEW.id, 1, 7)) ON CONFLICT (stretch) DO NOTHING;
END;

-- Buckets to be made (again). Whoever makes one read its turn first; another turn
-- by the time it is written down says that calls have changed since.
CREATE TABLE model_call_stats_due (
  period     INTEGER NOT NULL CHECK (period BETWEEN 0 AND 3),
  started_at INTEGER NOT NULL,
  turn       TEXT NOT NULL,
  forced     INTEGER NOT NULL DEFAULT 0, -- also where fewer calls are found than were counted
  PRIMARY KEY (period, started_at)
) STRICT, WITHOUT ROWID;

-- How far the sums reach, by period: every bucket from filled_from up to horizon
-- has been made; those before kept_from are no longer kept. turn fails, by being
-- NULL, the unit of somebody whose turn is over.
CREATE TABLE model_call_stats_state (
  period      INTEGER PRIMARY KEY CHECK (period BETWEEN 0 AND 3),
  horizon     INTEGER NOT NULL,
  filled_from INTEGER NOT NULL,
  kept_from   INTEGER NOT NULL DEFAULT 0,
  turn        TEXT NOT NULL DEFAULT ''
) STRICT;

-- A hub without calls has nothing to catch up with.
INSERT INTO model_call_stats_state (period, horizon, filled_from)
SELECT p.column1, iif(EXISTS (SELECT 1 FROM model_calls), p.column2, 0), iif(EXISTS (SELECT 1 FROM model_calls), p.column2, 0)
FROM (VALUES
  (0, unixepoch() / 900 * 900000),
  (1, unixepoch() / 3600 * 3600000),
  (2, unixepoch('now', 'start of day') * 1000),
  (3, unixepoch('now', 'start of month') * 1000)) p;

-- One row for everything that was alike in a bucket of UTC time. A call belongs to
-- the bucket of its admission, by its id, for ever.
CREATE TABLE model_call_stats (
  period     INTEGER NOT NULL CHECK (period BETWEEN 0 AND 3), -- 15 minutes, hour, day, month
  cube       INTEGER NOT NULL CHECK (cube BETWEEN 0 AND 3),   -- 0: all of the key; 1: without user, app and key; 2: these and the status alone; 3: the status alone
  started_at INTEGER NOT NULL,
  user_id    TEXT NOT NULL,
  app_id     TEXT NOT NULL,
  api_key_id TEXT NOT NULL,
  provider   TEXT NOT NULL,
  model      TEXT NOT NULL,
  type       TEXT NOT NULL,
  status     TEXT NOT NULL,
  category   TEXT NOT NULL, -- of the error
  calls      INTEGER NOT NULL,
  uncosted   INTEGER NOT NULL, -- calls whose cost is unknown
  credits_nano        INTEGER NOT NULL,
  costed_credits_nano INTEGER NOT NULL, -- of calls whose cost is known
  cost_nano           INTEGER NOT NULL, -- dollars, as far as it is known
  more       TEXT NOT NULL, -- units, times and histograms (rollup/more.go); texts put one after another are the text of their sum
  PRIMARY KEY (period, cube, started_at, user_id, app_id, api_key_id, provider, model, type, status, category)
) STRICT, WITHOUT ROWID;

CREATE INDEX model_call_stats_app ON model_call_stats (app_id, period, started_at) WHERE cube = 0 AND app_id <> '';
