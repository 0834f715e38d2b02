-- How targets fare, as the processes saw them, and what consoles are told live.

CREATE TABLE ai_model_statuses (
  provider       TEXT NOT NULL,
  model          TEXT NOT NULL,
  type           TEXT NOT NULL,
  available      INTEGER NOT NULL CHECK (available IN (0, 1)),
  error_category TEXT NOT NULL DEFAULT '', -- of the newest failure while not available
  error_text     TEXT NOT NULL DEFAULT '',
  calls          INTEGER NOT NULL, -- in the window of the process that wrote last
  success_rate   REAL NOT NULL,
  response_ms    INTEGER NOT NULL, -- median time to the first byte; 0: no success in the window
  p95_ms         INTEGER NOT NULL,
  checked_at     INTEGER NOT NULL, -- the newest attempt
  changed_at     INTEGER NOT NULL, -- since when available is what it is
  answered       INTEGER NOT NULL CHECK (answered IN (0, 1)), -- it was seen to answer, ever
  told           INTEGER NOT NULL DEFAULT 1 CHECK (told IN (0, 1)), -- what operators were told of available
  PRIMARY KEY (provider, model, type)
) STRICT, WITHOUT ROWID;

CREATE INDEX ai_model_statuses_untold ON ai_model_statuses (changed_at) WHERE told <> available;
CREATE INDEX ai_model_statuses_age ON ai_model_statuses (checked_at);

-- Attempts by the hour, summed over all processes.
CREATE TABLE ai_model_status_hours (
  hour     INTEGER NOT NULL, -- its beginning, UTC
  provider TEXT NOT NULL,
  model    TEXT NOT NULL,
  type     TEXT NOT NULL,
  ok       INTEGER NOT NULL,
  failed   INTEGER NOT NULL,
  PRIMARY KEY (hour, provider, model, type)
) STRICT, WITHOUT ROWID;

-- What consoles are told as it happens. The ids grow in the order of commits, so
-- that whoever knows one id can ask for what came after it, of any process.
CREATE TABLE admin_events (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  kind       TEXT NOT NULL,
  body_json  TEXT NOT NULL, -- without secrets
  created_at INTEGER NOT NULL
) STRICT;

CREATE INDEX admin_events_age ON admin_events (created_at);

CREATE TRIGGER ai_model_statuses_new AFTER INSERT ON ai_model_statuses
BEGIN
  INSERT INTO admin_events (kind, body_json, created_at)
  VALUES ('status', json_object('provider', NEW.provider, 'model', NEW.model, 'type', NEW.type,
    'available', json(iif(NEW.available, 'true', 'false')), 'error', NEW.error_category), CAST(unixepoch('subsec') * 1000 AS INTEGER));
END;

CREATE TRIGGER ai_model_statuses_changed AFTER UPDATE ON ai_model_statuses
WHEN OLD.available <> NEW.available OR OLD.error_category <> NEW.error_category
BEGIN
  INSERT INTO admin_events (kind, body_json, created_at)
  VALUES ('status', json_object('provider', NEW.provider, 'model', NEW.model, 'type', NEW.type,
    'available', json(iif(NEW.available, 'true', 'false')), 'error', NEW.error_category), CAST(unixepoch('subsec') * 1000 AS INTEGER));
END;

CREATE TRIGGER ai_credentials_added AFTER INSERT ON ai_credentials
BEGIN
  INSERT INTO admin_events (kind, body_json, created_at)
  VALUES ('credential', json_object('id', NEW.id, 'name', NEW.name, 'change', 'added',
    'provider', (SELECT name FROM ai_providers WHERE id = NEW.provider_id), 'active', json(iif(NEW.active, 'true', 'false')), 'error', NEW.error),
    CAST(unixepoch('subsec') * 1000 AS INTEGER));
END;

CREATE TRIGGER ai_credentials_changed AFTER UPDATE ON ai_credentials
WHEN OLD.active <> NEW.active OR OLD.error <> NEW.error OR OLD.weight <> NEW.weight OR OLD.sealed <> NEW.sealed
BEGIN
  INSERT INTO admin_events (kind, body_json, created_at)
  VALUES ('credential', json_object('id', NEW.id, 'name', NEW.name, 'change', 'changed',
    'provider', (SELECT name FROM ai_providers WHERE id = NEW.provider_id), 'active', json(iif(NEW.active, 'true', 'false')), 'error', NEW.error),
    CAST(unixepoch('subsec') * 1000 AS INTEGER));
END;

CREATE TRIGGER ai_credentials_removed AFTER DELETE ON ai_credentials
BEGIN
  INSERT INTO admin_events (kind, body_json, created_at)
  VALUES ('credential', json_object('id', OLD.id, 'name', OLD.name, 'change', 'removed',
    'provider', (SELECT name FROM ai_providers WHERE id = OLD.provider_id), 'active', json('false'), 'error', ''),
    CAST(unixepoch('subsec') * 1000 AS INTEGER));
END;

CREATE TRIGGER notifications_told AFTER INSERT ON notifications
BEGIN
  INSERT INTO admin_events (kind, body_json, created_at)
  VALUES ('notification', json_object('id', NEW.id, 'kind', NEW.kind, 'severity', NEW.severity, 'title', NEW.title, 'data', json(NEW.body_json)),
    CAST(unixepoch('subsec') * 1000 AS INTEGER));
END;

-- One row for each call that the hub made by itself to see whether a target
-- answers. It is no call of a user; what it cost is the operator's.
CREATE TABLE model_probes (
  id             TEXT PRIMARY KEY,
  provider       TEXT NOT NULL,
  model          TEXT NOT NULL,
  credential     TEXT NOT NULL,
  ok             INTEGER NOT NULL,
  ttfb_ms        INTEGER NOT NULL,
  http_status    INTEGER NOT NULL,
  error_category TEXT NOT NULL DEFAULT '',
  error_text     TEXT NOT NULL DEFAULT '',
  units_json     TEXT NOT NULL DEFAULT '{}',
  cost_nano      INTEGER, -- nano-dollars; NULL: unknown
  created_at     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX model_probes_age ON model_probes (created_at);
