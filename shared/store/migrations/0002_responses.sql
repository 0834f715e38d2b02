-- Answers of the Responses API that callers may come back to. A row belongs to
-- one user. Where the provider stores the answer the row says where it is; else
-- sealed holds it, with the whole conversation that led to it.
CREATE TABLE responses (
  user_id       TEXT NOT NULL REFERENCES users(id) ON DELETE CASCADE,
  id            TEXT NOT NULL,
  call_id       TEXT NOT NULL,
  provider      TEXT NOT NULL,
  model         TEXT NOT NULL,
  credential_id TEXT NOT NULL,
  credential    TEXT NOT NULL,
  sealed        TEXT,
  key_id        TEXT NOT NULL DEFAULT '',
  created_at    INTEGER NOT NULL,
  expires_at    INTEGER NOT NULL,
  PRIMARY KEY (user_id, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX ix_responses_expires ON responses (expires_at);
