-- What providers say they were used for, beside what this hub recorded; and who
-- is told when a wallet runs low.

CREATE TABLE bill_imports (
  id         TEXT PRIMARY KEY, -- a ULID: of two imports the later one counts
  provider   TEXT NOT NULL,    -- the hub's name of it
  format     TEXT NOT NULL,
  zone       TEXT NOT NULL,    -- of the export's days
  state      TEXT NOT NULL DEFAULT 'running' CHECK (state IN ('running','done')),
  lines      INTEGER NOT NULL DEFAULT 0,
  added      INTEGER NOT NULL DEFAULT 0, -- days, models and keys that were not there
  replaced   INTEGER NOT NULL DEFAULT 0, -- that were there with other figures
  unchanged  INTEGER NOT NULL DEFAULT 0,
  first_ms   INTEGER NOT NULL DEFAULT 0,
  last_ms    INTEGER NOT NULL DEFAULT 0,
  actor      TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- One row per facet (usage: tokens, cost: dollars), day, model and key, as the
-- export names them. A figure that the export does not have is NULL.
CREATE TABLE bill_rows (
  provider    TEXT NOT NULL,
  day_ms      INTEGER NOT NULL, -- when the provider's day begins
  facet       TEXT NOT NULL CHECK (facet IN ('usage','cost')),
  model       TEXT NOT NULL,
  key         TEXT NOT NULL,
  import_id   TEXT NOT NULL,
  until_ms    INTEGER NOT NULL, -- when it ends
  requests    INTEGER,
  input       INTEGER,
  cache_read  INTEGER,
  cache_write INTEGER,
  output      INTEGER,
  cost_nano   INTEGER,          -- dollars; negative for credits that the provider gave
  PRIMARY KEY (provider, day_ms, facet, model, key, import_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX bill_rows_import ON bill_rows (import_id);

-- Which of the hub's credentials a key of an export is.
CREATE TABLE bill_keys (
  provider   TEXT NOT NULL,
  key        TEXT NOT NULL,
  credential TEXT NOT NULL,
  actor      TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (provider, key)
) STRICT, WITHOUT ROWID;

-- What a bill says of single calls.
CREATE TABLE bill_calls (
  import_id        TEXT NOT NULL,
  call_id          TEXT NOT NULL,
  cost_nano        INTEGER NOT NULL,
  state            TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending','applied','same','unknown')),
  cost_before_nano INTEGER,
  source_before    TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (import_id, call_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX bill_calls_pending ON bill_calls (import_id, call_id) WHERE state = 'pending';

CREATE INDEX bill_calls_call ON bill_calls (call_id);

-- The balance below which a wallet's user is told: the user's own choice or the
-- hub's setting. It stands here so that settlements, which compare with it, read
-- nothing else. 0: nobody is told. NULL: not filled in yet, which a job does; a
-- trigger on INSERT would make SQLite look for orphans in every child table.
ALTER TABLE accounts ADD COLUMN low_nano INTEGER;

CREATE INDEX accounts_low_open ON accounts (id) WHERE low_nano IS NULL;

CREATE TABLE notice_choices (
  user_id    TEXT PRIMARY KEY REFERENCES users(id),
  low_nano   INTEGER, -- NULL: the hub's setting
  mail       INTEGER NOT NULL DEFAULT 1,
  updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Ids are never used again: they are part of what makes a notice be told once.
CREATE TABLE wallet_crossings (
  id           INTEGER PRIMARY KEY AUTOINCREMENT,
  account_id   TEXT NOT NULL,
  kind         TEXT NOT NULL CHECK (kind IN ('low','empty')),
  balance_nano INTEGER NOT NULL,
  low_nano     INTEGER NOT NULL,
  created_at   INTEGER NOT NULL
) STRICT;

-- Below a thousandth of a credit a wallet pays for nothing any more: it is empty.
CREATE TRIGGER accounts_crossed AFTER UPDATE OF balance_nano ON accounts
WHEN NEW.kind = 'wallet' AND NEW.balance_nano < OLD.balance_nano
  AND ((NEW.balance_nano < 1000000 AND OLD.balance_nano >= 1000000)
    OR (NEW.balance_nano < NEW.low_nano AND OLD.balance_nano >= NEW.low_nano AND NEW.balance_nano >= 1000000)) BEGIN
  INSERT INTO wallet_crossings (account_id, kind, balance_nano, low_nano, created_at)
  VALUES (NEW.id, CASE WHEN NEW.balance_nano < 1000000 THEN 'empty' ELSE 'low' END, NEW.balance_nano, coalesce(NEW.low_nano, 0),
    CAST(unixepoch('subsec') * 1000 AS INTEGER));
END;
