-- Limits of keys, users, apps and models, and what was used of them.

CREATE TABLE limits (
  id         TEXT PRIMARY KEY,
  scope      TEXT NOT NULL CHECK (scope IN ('key','user','app','model')),
  subject    TEXT NOT NULL, -- whom it binds; '*': each one by itself
  metric     TEXT NOT NULL CHECK (metric IN ('requests','tokens','concurrency','credits')),
  period     TEXT NOT NULL CHECK (period IN ('now','minute','hour','day','week','month')),
  amount     INTEGER NOT NULL CHECK (amount >= 0), -- calls, tokens or nano-credits
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  UNIQUE (scope, subject, metric, period),
  CHECK ((metric = 'concurrency') = (period = 'now'))
) STRICT;

-- One row for each window in which a limit was used.
CREATE TABLE limits_windows (
  limit_id   TEXT NOT NULL,
  counts     TEXT NOT NULL, -- whom: the subject, or the one of many that '*' stands for
  started_at INTEGER NOT NULL,
  used       INTEGER NOT NULL,
  PRIMARY KEY (limit_id, counts, started_at)
) STRICT, WITHOUT ROWID;

CREATE INDEX limits_windows_age ON limits_windows (started_at);

-- What open calls have reserved: made in the unit that admits a call, corrected
-- and deleted when it is finished. Concurrency is the number of these rows.
CREATE TABLE limits_holds (
  call_id    TEXT NOT NULL,
  limit_id   TEXT NOT NULL,
  counts     TEXT NOT NULL,
  metric     TEXT NOT NULL,
  started_at INTEGER NOT NULL,
  amount     INTEGER NOT NULL CHECK (amount >= 0),
  most       INTEGER NOT NULL,
  PRIMARY KEY (call_id, limit_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX limits_holds_open ON limits_holds (limit_id, counts) WHERE metric = 'concurrency';

CREATE TRIGGER limits_holds_fit BEFORE INSERT ON limits_holds BEGIN
  SELECT RAISE(ABORT, 'ck_limit') WHERE NEW.metric <> 'concurrency' AND NEW.most < NEW.amount + coalesce(
    (SELECT used FROM limits_windows WHERE limit_id = NEW.limit_id AND counts = NEW.counts AND started_at = NEW.started_at), 0);
  SELECT RAISE(ABORT, 'ck_limit') WHERE NEW.metric = 'concurrency' AND NEW.most <=
    (SELECT count(*) FROM limits_holds WHERE limit_id = NEW.limit_id AND counts = NEW.counts AND metric = 'concurrency');
END;

CREATE TRIGGER limits_holds_made AFTER INSERT ON limits_holds WHEN NEW.metric <> 'concurrency' BEGIN
  INSERT INTO limits_windows (limit_id, counts, started_at, used) VALUES (NEW.limit_id, NEW.counts, NEW.started_at, NEW.amount)
  ON CONFLICT (limit_id, counts, started_at) DO UPDATE SET used = used + excluded.used;
END;

CREATE TRIGGER model_calls_finished AFTER UPDATE OF status ON model_calls
WHEN OLD.status = 'processing' AND NEW.status <> 'processing' AND EXISTS (SELECT 1 FROM limits_holds WHERE call_id = NEW.id) BEGIN
  UPDATE limits_windows SET used = max(0, used + h.change) FROM (
    SELECT limit_id, counts, started_at, CASE metric
      WHEN 'credits' THEN NEW.credits_nano
      WHEN 'tokens' THEN NEW.input + NEW.cache_read + NEW.cache_write_5m + NEW.cache_write_1h + NEW.output + NEW.reasoning
        + CASE NEW.other_units_json WHEN '' THEN 0 ELSE coalesce(json_extract(NEW.other_units_json, '$.input_audio'), 0)
          + coalesce(json_extract(NEW.other_units_json, '$.output_audio'), 0) + coalesce(json_extract(NEW.other_units_json, '$.input_image'), 0)
          + coalesce(json_extract(NEW.other_units_json, '$.output_image'), 0) END
      ELSE amount END - amount AS change
    FROM limits_holds WHERE call_id = NEW.id AND metric <> 'concurrency') h
  WHERE limits_windows.limit_id = h.limit_id AND limits_windows.counts = h.counts AND limits_windows.started_at = h.started_at;
  DELETE FROM limits_holds WHERE call_id = NEW.id;
END;
