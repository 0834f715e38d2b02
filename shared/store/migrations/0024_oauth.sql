-- Applications that users sign in to with this hub, and what they were handed
-- out. Of secrets, codes and tokens only hashes are kept; an access token is an
-- API key.

CREATE TABLE oauth_clients (
  id             TEXT PRIMARY KEY,
  name           TEXT NOT NULL,
  url            TEXT NOT NULL DEFAULT '',
  secret_hash    TEXT NOT NULL DEFAULT '', -- '': a public client
  redirects_json TEXT NOT NULL,
  scopes_json    TEXT NOT NULL,            -- what it may ask for
  device         INTEGER NOT NULL,         -- may use the device flow
  source         TEXT NOT NULL CHECK (source IN ('operator','dynamic')),
  actor          TEXT NOT NULL,            -- who registered it; '' for itself
  created_at     INTEGER NOT NULL,
  used_at        INTEGER,                  -- when somebody first agreed; NULL: nobody has
  removed_at     INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX oauth_clients_unused ON oauth_clients (created_at) WHERE source = 'dynamic' AND used_at IS NULL;

-- What users agreed to: each is one API key. family and turn are the hashes of the
-- two halves of a refresh token: the first stays, the second changes with each use.
CREATE TABLE oauth_connections (
  id            TEXT PRIMARY KEY,
  user_id       TEXT NOT NULL REFERENCES users(id),
  client_id     TEXT REFERENCES oauth_clients(id), -- NULL: a command line, by the connect flow
  name          TEXT NOT NULL,                     -- of the application, as it was agreed to
  key_id        TEXT NOT NULL UNIQUE REFERENCES api_keys(id),
  scopes_json   TEXT NOT NULL,
  limited       INTEGER NOT NULL,                  -- the user set limits
  family        TEXT UNIQUE,                       -- NULL: it has no refresh token
  turn          TEXT NOT NULL DEFAULT '',
  refresh_until INTEGER,
  ends_at       INTEGER,                           -- whatever happens; NULL: never
  created_at    INTEGER NOT NULL,
  refreshed_at  INTEGER,
  revoked_at    INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX oauth_connections_user ON oauth_connections (user_id, id);
CREATE INDEX oauth_connections_client ON oauth_connections (client_id, id) WHERE client_id IS NOT NULL;
CREATE INDEX oauth_connections_pair ON oauth_connections (user_id, client_id, id) WHERE client_id IS NOT NULL;

CREATE TABLE oauth_codes (
  hash          TEXT PRIMARY KEY,
  client_id     TEXT NOT NULL,
  user_id       TEXT NOT NULL,
  redirect_uri  TEXT NOT NULL, -- as the request gave it; '' when it gave none
  challenge     TEXT NOT NULL, -- of PKCE, S256
  terms_json    TEXT NOT NULL, -- what the user agreed to
  expires_at    INTEGER NOT NULL,
  connection_id TEXT NOT NULL, -- that it becomes
  used_at       INTEGER,
  replayed_at   INTEGER        -- when it came once more: what it gave is taken back
) STRICT, WITHOUT ROWID;

CREATE INDEX oauth_codes_end ON oauth_codes (expires_at);

CREATE TABLE oauth_devices (
  hash          TEXT PRIMARY KEY, -- of the device code
  user_code     TEXT NOT NULL UNIQUE, -- its hash
  client_id     TEXT NOT NULL,
  scopes_json   TEXT NOT NULL,
  address       TEXT NOT NULL,
  agent         TEXT NOT NULL,
  created_at    INTEGER NOT NULL,
  expires_at    INTEGER NOT NULL,
  wait_ms       INTEGER NOT NULL, -- between two questions
  polled_at     INTEGER NOT NULL DEFAULT 0,
  state         TEXT NOT NULL CHECK (state IN ('pending','approved','denied','done')),
  user_id       TEXT,
  terms_json    TEXT NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;

CREATE INDEX oauth_devices_end ON oauth_devices (expires_at);

-- Command lines that wait for a key. sealed opens with what only the waiting side
-- and the browser know, never with what is stored.
CREATE TABLE connect_sessions (
  hash       TEXT PRIMARY KEY,
  address    TEXT NOT NULL,
  agent      TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  state      TEXT NOT NULL CHECK (state IN ('pending','taken','approved','denied')),
  key_id     TEXT NOT NULL DEFAULT '',
  sealed     TEXT NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;

CREATE INDEX connect_sessions_end ON connect_sessions (expires_at);
