-- Users of a Blocklet Server, and proofs of identity that are worth nothing any
-- more before their time.

-- What the server says of users who are its own too; their DIDs are in users.
CREATE TABLE host_users (
  user_id    TEXT PRIMARY KEY REFERENCES users(id),
  roles_json TEXT NOT NULL DEFAULT '[]', -- as the server calls them
  avatar     TEXT NOT NULL DEFAULT '',   -- URL
  blocked_at INTEGER,                    -- since when the server does not let the user in; NULL: it does
  disabled   INTEGER NOT NULL DEFAULT 0, -- 1: for no other reason is the user disabled
  read_at    INTEGER NOT NULL            -- when the server was asked for it
) STRICT, WITHOUT ROWID;

-- Tokens of those who signed out, signatures of calls that were made. Only their
-- hashes, and only until they would have expired.
CREATE TABLE spent_proofs (
  hash  TEXT PRIMARY KEY,
  until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX spent_proofs_end ON spent_proofs (until);
