-- What API keys may do, their rotation, and the applications that call.

-- Applications by the names they give themselves (x-aigne-hub-client-did).
CREATE TABLE apps (
  id            TEXT PRIMARY KEY,
  name          TEXT NOT NULL DEFAULT '',
  logo          TEXT NOT NULL DEFAULT '',
  url           TEXT NOT NULL DEFAULT '',
  source        TEXT NOT NULL CHECK (source IN ('seen','fetched','operator')), -- of name, logo and url
  public_key    TEXT NOT NULL DEFAULT '', -- hex, of a registered remote application
  first_seen_at INTEGER, -- when a call first named it; NULL: never
  fetched_at    INTEGER, -- when its own page was last asked
  fetch_due_at  INTEGER, -- when it is asked next; NULL: never
  fetch_error   TEXT NOT NULL DEFAULT '',
  created_at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX apps_due ON apps (fetch_due_at) WHERE fetch_due_at IS NOT NULL;

-- NULL: no restriction. An empty list is never stored.
ALTER TABLE api_keys ADD COLUMN models_json TEXT;
ALTER TABLE api_keys ADD COLUMN ips_json TEXT;
ALTER TABLE api_keys ADD COLUMN scopes_json TEXT;

-- The application that a service key belongs to; user_id answers for it.
ALTER TABLE api_keys ADD COLUMN app_id TEXT REFERENCES apps(id);

CREATE INDEX api_keys_app ON api_keys (app_id, id) WHERE app_id IS NOT NULL;

-- A rotation counts serial up; the secret before it stays good until old_until.
ALTER TABLE api_keys ADD COLUMN serial INTEGER NOT NULL DEFAULT 1;
ALTER TABLE api_keys ADD COLUMN rotated_at INTEGER;
ALTER TABLE api_keys ADD COLUMN old_hash TEXT;
ALTER TABLE api_keys ADD COLUMN old_hint TEXT NOT NULL DEFAULT '';
ALTER TABLE api_keys ADD COLUMN old_until INTEGER;
ALTER TABLE api_keys ADD COLUMN old_used_at INTEGER;

CREATE UNIQUE INDEX api_keys_old ON api_keys (old_hash) WHERE old_hash IS NOT NULL;
