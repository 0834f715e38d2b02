-- Sign-in: sessions, tries, invitations, links by e-mail, second factors and
-- what outside identity providers call a user. Of tokens only hashes are kept.

ALTER TABLE users ADD COLUMN language TEXT NOT NULL DEFAULT '';

ALTER TABLE users ADD COLUMN time_zone TEXT NOT NULL DEFAULT '';

CREATE INDEX users_role ON users (role);

CREATE TABLE sessions (
  id         TEXT PRIMARY KEY,
  hash       TEXT NOT NULL UNIQUE,
  user_id    TEXT NOT NULL REFERENCES users(id),
  method     TEXT NOT NULL, -- password, invitation, setup, or oidc/<name>
  address    TEXT NOT NULL,
  agent      TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  seen_at    INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX sessions_user ON sessions (user_id, id);

CREATE INDEX sessions_end ON sessions (expires_at);

-- Counts of tries within a window, by whom they count against. A try beyond the
-- most fails its statement.
CREATE TABLE sign_in_tries (
  subject TEXT PRIMARY KEY,
  until   INTEGER NOT NULL,
  tries   INTEGER NOT NULL,
  most    INTEGER NOT NULL,
  CONSTRAINT ck_sign_in_tries CHECK (tries <= most)
) STRICT, WITHOUT ROWID;

CREATE INDEX sign_in_tries_end ON sign_in_tries (until);

CREATE TABLE invitations (
  id          TEXT PRIMARY KEY,
  email       TEXT NOT NULL COLLATE NOCASE,
  role        TEXT NOT NULL CHECK (role IN ('owner','admin','member','guest')),
  groups_json TEXT NOT NULL DEFAULT '[]',
  hash        TEXT NOT NULL UNIQUE,
  actor       TEXT NOT NULL,
  created_at  INTEGER NOT NULL,
  sent_at     INTEGER NOT NULL,
  expires_at  INTEGER NOT NULL,
  accepted_at INTEGER,
  revoked_at  INTEGER
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX invitations_open ON invitations (email) WHERE accepted_at IS NULL AND revoked_at IS NULL;

-- Links for a new password. hash is NULL until the link is made, which is when
-- its mail is sent: nothing that works is ever stored.
CREATE TABLE password_resets (
  user_id      TEXT PRIMARY KEY REFERENCES users(id),
  hash         TEXT UNIQUE,
  requested_at INTEGER NOT NULL,
  expires_at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX password_resets_due ON password_resets (requested_at) WHERE hash IS NULL;

CREATE TABLE user_totp (
  user_id      TEXT PRIMARY KEY REFERENCES users(id),
  sealed       TEXT NOT NULL,
  key_id       TEXT NOT NULL,
  last_step    INTEGER NOT NULL DEFAULT 0, -- the newest time step whose code was used
  created_at   INTEGER NOT NULL,
  confirmed_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE totp_recovery (
  user_id TEXT NOT NULL REFERENCES users(id),
  hash    TEXT NOT NULL,
  PRIMARY KEY (user_id, hash)
) STRICT, WITHOUT ROWID;

CREATE TABLE identities (
  issuer     TEXT NOT NULL,
  subject    TEXT NOT NULL,
  id         TEXT NOT NULL UNIQUE,
  user_id    TEXT NOT NULL REFERENCES users(id),
  email      TEXT NOT NULL DEFAULT '', -- as the provider said it last
  created_at INTEGER NOT NULL,
  used_at    INTEGER NOT NULL,
  PRIMARY KEY (issuer, subject)
) STRICT, WITHOUT ROWID;

CREATE INDEX identities_user ON identities (user_id, id);
