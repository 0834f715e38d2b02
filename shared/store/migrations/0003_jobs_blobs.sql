-- Work that outlives its request (videos), and files kept for their links.

-- What was made decides the price of pictures and films: quality/size.
ALTER TABLE model_calls ADD COLUMN variant TEXT NOT NULL DEFAULT '';

CREATE TABLE jobs (
  id            TEXT PRIMARY KEY,
  call_id       TEXT NOT NULL UNIQUE REFERENCES model_calls(id),
  user_id       TEXT NOT NULL REFERENCES users(id),
  account_id    TEXT NOT NULL,
  app_id        TEXT NOT NULL,
  kind          TEXT NOT NULL,
  language      TEXT NOT NULL, -- in which the provider is asked
  provider      TEXT NOT NULL,
  model         TEXT NOT NULL,
  credential_id TEXT NOT NULL,
  credential    TEXT NOT NULL,
  provider_job  TEXT NOT NULL, -- the provider's own id
  state         TEXT NOT NULL CHECK (state IN ('queued','running','succeeded','failed')),
  progress      INTEGER NOT NULL DEFAULT 0, -- percent
  asked_json    TEXT NOT NULL, -- what is shown of the request
  terms_json    TEXT NOT NULL, -- prices and policy at admission: what settlement reads
  error_code    TEXT NOT NULL DEFAULT '',
  error_text    TEXT NOT NULL DEFAULT '',
  created_at    INTEGER NOT NULL,
  next_poll_at  INTEGER NOT NULL,
  deadline_at   INTEGER NOT NULL,
  finished_at   INTEGER,
  deleted_at    INTEGER,
  expires_at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX jobs_user ON jobs (user_id, id);

CREATE INDEX jobs_due ON jobs (next_poll_at) WHERE finished_at IS NULL;

CREATE INDEX jobs_expiry ON jobs (expires_at);

-- id is a digest of the file's name: the name, which is all that a reader needs,
-- is in no table.
CREATE TABLE blobs (
  id         TEXT PRIMARY KEY,
  user_id    TEXT NOT NULL REFERENCES users(id),
  call_id    TEXT NOT NULL,
  type       TEXT NOT NULL,
  size       INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX blobs_expiry ON blobs (expires_at);
