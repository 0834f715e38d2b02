-- The calls of one application, newest first. Calls that name none pay nothing
-- for it. Calls by user have their index; by key they are found among its user's;
-- whatever else is asked for is looked for in a bounded walk over the primary key.
CREATE INDEX model_calls_app ON model_calls (app_id, id) WHERE app_id <> '';

-- Exports of the call log that a job writes. The names of their files are secrets
-- that open them, so they are sealed.
CREATE TABLE call_exports (
  id          TEXT PRIMARY KEY,
  user_id     TEXT NOT NULL REFERENCES users(id),
  created_at  INTEGER NOT NULL,
  finished_at INTEGER,
  expires_at  INTEGER,           -- of its files
  state       TEXT NOT NULL CHECK (state IN ('waiting','writing','done','failed')),
  asked_json  TEXT NOT NULL,     -- filter and form
  after       TEXT NOT NULL DEFAULT '', -- the last call that is in a file
  row_count   INTEGER NOT NULL DEFAULT 0,
  bytes       INTEGER NOT NULL DEFAULT 0,
  error       TEXT NOT NULL DEFAULT '',
  sealed      TEXT NOT NULL DEFAULT '', -- names of its files, a JSON list
  key_id      TEXT NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;

CREATE INDEX call_exports_user ON call_exports (user_id, id);
CREATE INDEX call_exports_due ON call_exports (id) WHERE state IN ('waiting','writing');

-- Whose bodies are kept, and how many of them.
CREATE TABLE capture_rules (
  id          TEXT PRIMARY KEY,
  created_at  INTEGER NOT NULL,
  created_by  TEXT NOT NULL,
  user_id     TEXT NOT NULL DEFAULT '', -- '': any
  api_key_id  TEXT NOT NULL DEFAULT '',
  app_id      TEXT NOT NULL DEFAULT '',
  permille    INTEGER NOT NULL CHECK (permille BETWEEN 0 AND 1000),
  parts       TEXT NOT NULL CHECK (parts IN ('both','request','response')),
  pii_json    TEXT NOT NULL,            -- what is taken out beside secrets
  users_see   INTEGER NOT NULL          -- users see what was kept of their own calls
) STRICT, WITHOUT ROWID;

-- What was kept, sealed.
CREATE TABLE payloads (
  call_id    TEXT PRIMARY KEY,
  user_id    TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  users_see  INTEGER NOT NULL,
  sealed     TEXT NOT NULL,
  key_id     TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX payloads_expiry ON payloads (expires_at);

CREATE TRIGGER call_exports_sealed AFTER INSERT ON call_exports BEGIN
  UPDATE vault_keys SET late = late + 1, emptied_at = NULL WHERE id = NEW.key_id AND closed_at IS NOT NULL;
END;
CREATE TRIGGER call_exports_resealed AFTER UPDATE OF key_id ON call_exports BEGIN
  UPDATE vault_keys SET late = late + 1, emptied_at = NULL WHERE id = NEW.key_id AND closed_at IS NOT NULL;
END;
CREATE TRIGGER payloads_sealed AFTER INSERT ON payloads BEGIN
  UPDATE vault_keys SET late = late + 1, emptied_at = NULL WHERE id = NEW.key_id AND closed_at IS NOT NULL;
END;
CREATE TRIGGER payloads_resealed AFTER UPDATE OF key_id ON payloads BEGIN
  UPDATE vault_keys SET late = late + 1, emptied_at = NULL WHERE id = NEW.key_id AND closed_at IS NOT NULL;
END;
