-- The first schema. Times are Unix milliseconds (UTC); money ends in _nano
-- (1e-9 credit) or _pico; ids are ULIDs. Statements that other code relies on
-- to fail (constraint and trigger names) are listed in store/conditions.go.

CREATE TABLE settings (
  name       TEXT PRIMARY KEY,
  value      TEXT NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE config_version (
  id      INTEGER PRIMARY KEY CHECK (id = 1),
  version INTEGER NOT NULL
) STRICT;

INSERT INTO config_version (id, version) VALUES (1, 1);

CREATE TABLE vault_keys (
  id         TEXT PRIMARY KEY,
  wrapped    TEXT NOT NULL,
  master_id  TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE users (
  id            TEXT PRIMARY KEY,
  email         TEXT NOT NULL UNIQUE COLLATE NOCASE,
  name          TEXT NOT NULL DEFAULT '',
  role          TEXT NOT NULL CHECK (role IN ('owner','admin','member','guest')),
  password_hash TEXT NOT NULL DEFAULT '',
  disabled_at   INTEGER,
  created_at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE api_keys (
  id           TEXT PRIMARY KEY,
  user_id      TEXT NOT NULL REFERENCES users(id),
  name         TEXT NOT NULL,
  hash         TEXT NOT NULL UNIQUE,
  hint         TEXT NOT NULL,
  expires_at   INTEGER,
  revoked_at   INTEGER,
  last_used_at INTEGER,
  created_at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX api_keys_user ON api_keys (user_id, id);

CREATE TABLE ai_providers (
  id            TEXT PRIMARY KEY,
  kind          TEXT NOT NULL,
  name          TEXT NOT NULL UNIQUE,
  display_name  TEXT NOT NULL DEFAULT '',
  base_url      TEXT NOT NULL DEFAULT '',
  region        TEXT NOT NULL DEFAULT '',
  enabled       INTEGER NOT NULL DEFAULT 1,
  settings_json TEXT NOT NULL DEFAULT '{}',
  created_at    INTEGER NOT NULL,
  updated_at    INTEGER NOT NULL
) STRICT;

CREATE TABLE ai_credentials (
  id           TEXT PRIMARY KEY,
  provider_id  TEXT NOT NULL REFERENCES ai_providers(id) ON DELETE CASCADE,
  name         TEXT NOT NULL,
  type         TEXT NOT NULL CHECK (type IN ('api_key','access_key_pair','custom')),
  sealed       TEXT NOT NULL,
  key_id       TEXT NOT NULL,
  weight       INTEGER NOT NULL DEFAULT 100 CHECK (weight > 0),
  active       INTEGER NOT NULL DEFAULT 1,
  error        TEXT NOT NULL DEFAULT '',
  usage_count  INTEGER NOT NULL DEFAULT 0,
  last_used_at INTEGER,
  recheck_json TEXT NOT NULL DEFAULT '{}',
  created_at   INTEGER NOT NULL,
  updated_at   INTEGER NOT NULL,
  UNIQUE (provider_id, name)
) STRICT;

CREATE TABLE ai_model_rates (
  id             TEXT PRIMARY KEY,
  provider       TEXT NOT NULL,
  model          TEXT NOT NULL,
  type           TEXT NOT NULL,
  version        INTEGER NOT NULL DEFAULT 1,
  prices_json    TEXT NOT NULL,
  costs_json     TEXT,
  metadata_json  TEXT NOT NULL DEFAULT '{}',
  effective_from INTEGER NOT NULL,
  deprecated_at  INTEGER,
  created_at     INTEGER NOT NULL,
  updated_at     INTEGER NOT NULL,
  UNIQUE (provider, model, type)
) STRICT;

CREATE TABLE ai_model_rates_history (
  rate_id       TEXT NOT NULL,
  version       INTEGER NOT NULL,
  provider      TEXT NOT NULL,
  model         TEXT NOT NULL,
  type          TEXT NOT NULL,
  prices_json   TEXT NOT NULL,
  costs_json    TEXT,
  metadata_json TEXT NOT NULL,
  actor         TEXT NOT NULL,
  created_at    INTEGER NOT NULL,
  PRIMARY KEY (rate_id, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE leases (
  id            TEXT PRIMARY KEY,
  counter       INTEGER NOT NULL,
  renewed_at    INTEGER NOT NULL,
  watch_counter INTEGER NOT NULL DEFAULT -1,
  watch_at      INTEGER NOT NULL DEFAULT 0,
  dead          INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE TABLE job_leases (
  name       TEXT PRIMARY KEY,
  holder     TEXT NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT;

CREATE TABLE accounts (
  id           TEXT PRIMARY KEY,
  kind         TEXT NOT NULL CHECK (kind IN ('wallet','system')),
  user_id      TEXT UNIQUE REFERENCES users(id),
  balance_nano INTEGER NOT NULL DEFAULT 0,
  held_nano    INTEGER NOT NULL DEFAULT 0,
  debt_nano    INTEGER NOT NULL DEFAULT 0 CHECK (debt_nano >= 0),
  next_expiry  INTEGER,
  created_at   INTEGER NOT NULL,
  CONSTRAINT ck_available CHECK (kind <> 'wallet' OR (held_nano >= 0 AND balance_nano - held_nano >= 0))
) STRICT, WITHOUT ROWID;

INSERT INTO accounts (id, kind, created_at) VALUES
  ('grants','system',0), ('revenue','system',0), ('expired','system',0), ('adjustments','system',0);

CREATE TABLE account_debts (
  id           TEXT PRIMARY KEY,
  account_id   TEXT NOT NULL REFERENCES accounts(id),
  operation_id TEXT NOT NULL REFERENCES ledger_operations(id),
  open_nano    INTEGER NOT NULL CHECK (open_nano >= 0),
  created_at   INTEGER NOT NULL
) STRICT;

CREATE INDEX account_debts_open ON account_debts (account_id, id) WHERE open_nano > 0;

CREATE TABLE ledger_operations (
  id          TEXT PRIMARY KEY,
  kind        TEXT NOT NULL CHECK (kind IN ('charge','correct','grant','expire','adjust','refund')),
  call_id     TEXT,
  account_id  TEXT NOT NULL REFERENCES accounts(id),
  amount_nano INTEGER NOT NULL CHECK (amount_nano >= 0),
  actor       TEXT NOT NULL DEFAULT '',
  reason      TEXT NOT NULL DEFAULT '',
  created_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX ledger_operations_account ON ledger_operations (account_id, created_at, id);

CREATE TABLE ledger_entries (
  operation_id TEXT NOT NULL REFERENCES ledger_operations(id),
  account_id   TEXT NOT NULL REFERENCES accounts(id),
  amount_nano  INTEGER NOT NULL,
  PRIMARY KEY (operation_id, account_id)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER ledger_entries_balance AFTER INSERT ON ledger_entries BEGIN
  UPDATE accounts SET balance_nano = balance_nano + NEW.amount_nano WHERE id = NEW.account_id;
END;

CREATE TRIGGER ledger_entries_fixed BEFORE UPDATE ON ledger_entries BEGIN
  SELECT RAISE(ABORT, 'ck_append_only');
END;

CREATE TRIGGER ledger_entries_kept BEFORE DELETE ON ledger_entries BEGIN
  SELECT RAISE(ABORT, 'ck_append_only');
END;

CREATE TABLE credit_grants (
  id             TEXT PRIMARY KEY,
  account_id     TEXT NOT NULL REFERENCES accounts(id),
  kind           TEXT NOT NULL CHECK (kind IN ('promotional','purchased','welcome','credit_line')),
  name           TEXT NOT NULL DEFAULT '',
  amount_nano    INTEGER NOT NULL CHECK (amount_nano > 0),
  remaining_nano INTEGER NOT NULL,
  priority       INTEGER NOT NULL DEFAULT 50,
  expires_at     INTEGER,
  spend_by       INTEGER NOT NULL, -- expires_at, or the end of time: the order in which grants are spent
  open           INTEGER NOT NULL DEFAULT 1, -- 0 once nothing remains; changed by the statements that spend, so that spending moves no index
  state          TEXT NOT NULL DEFAULT 'active' CHECK (state IN ('active','expiring','expired')),
  actor          TEXT NOT NULL DEFAULT '',
  reason         TEXT NOT NULL DEFAULT '',
  created_at     INTEGER NOT NULL,
  CONSTRAINT ck_grant_covers CHECK (remaining_nano >= 0 AND remaining_nano <= amount_nano)
) STRICT, WITHOUT ROWID;

CREATE INDEX credit_grants_open ON credit_grants (account_id, priority, spend_by, id) WHERE open = 1;

CREATE INDEX credit_grants_account ON credit_grants (account_id, id);

CREATE TABLE model_calls (
  id                TEXT PRIMARY KEY,
  created_at        INTEGER NOT NULL,
  finished_at       INTEGER,
  user_id           TEXT NOT NULL REFERENCES users(id),
  api_key_id        TEXT NOT NULL,
  app_id            TEXT NOT NULL DEFAULT '',
  account_id        TEXT NOT NULL REFERENCES accounts(id),
  type              TEXT NOT NULL,
  dialect           TEXT NOT NULL,
  requested_model   TEXT NOT NULL,
  stream            INTEGER NOT NULL,
  status            TEXT NOT NULL CHECK (status IN ('processing','success','failed','aborted','interrupted')),
  owner             TEXT NOT NULL,
  config_version    INTEGER NOT NULL,
  request_id        TEXT NOT NULL,
  trace_id          TEXT NOT NULL DEFAULT '',
  billing           INTEGER NOT NULL,
  on_abort          TEXT NOT NULL,
  on_failure        TEXT NOT NULL,
  plan_json         TEXT NOT NULL,
  hold_nano         INTEGER NOT NULL DEFAULT 0,
  provider          TEXT NOT NULL DEFAULT '',
  model             TEXT NOT NULL DEFAULT '',
  credential_id     TEXT NOT NULL DEFAULT '',
  credential        TEXT NOT NULL DEFAULT '',
  rate_id           TEXT NOT NULL DEFAULT '',
  rate_version      INTEGER NOT NULL DEFAULT 0,
  input             INTEGER NOT NULL DEFAULT 0,
  cache_read        INTEGER NOT NULL DEFAULT 0,
  cache_write_5m    INTEGER NOT NULL DEFAULT 0,
  cache_write_1h    INTEGER NOT NULL DEFAULT 0,
  output            INTEGER NOT NULL DEFAULT 0,
  reasoning         INTEGER NOT NULL DEFAULT 0,
  other_units_json  TEXT NOT NULL DEFAULT '',
  usage_source      TEXT NOT NULL DEFAULT '',
  credits_nano      INTEGER NOT NULL DEFAULT 0,
  shortfall_nano    INTEGER NOT NULL DEFAULT 0,
  cost_nano         INTEGER,
  http_status       INTEGER NOT NULL DEFAULT 0,
  error_category    TEXT NOT NULL DEFAULT '',
  error_text        TEXT NOT NULL DEFAULT '',
  attempts          INTEGER NOT NULL DEFAULT 0,
  duration_ms       INTEGER,
  ttfb_ms           INTEGER,
  provider_ttfb_ms  INTEGER
) STRICT;

CREATE INDEX model_calls_user ON model_calls (user_id, id);

CREATE INDEX model_calls_open ON model_calls (owner, id) WHERE status = 'processing' AND billing = 0;

CREATE TABLE model_call_attempts (
  call_id       TEXT NOT NULL REFERENCES model_calls(id),
  number        INTEGER NOT NULL,
  provider      TEXT NOT NULL,
  model         TEXT NOT NULL,
  credential    TEXT NOT NULL,
  http_status   INTEGER NOT NULL,
  category      TEXT NOT NULL,
  error_text    TEXT NOT NULL,
  duration_ms   INTEGER NOT NULL,
  cost_nano     INTEGER,
  PRIMARY KEY (call_id, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE usage (
  call_id         TEXT PRIMARY KEY REFERENCES model_calls(id),
  created_at      INTEGER NOT NULL,
  user_id         TEXT NOT NULL,
  app_id          TEXT NOT NULL,
  provider        TEXT NOT NULL,
  model           TEXT NOT NULL,
  type            TEXT NOT NULL,
  units_json      TEXT NOT NULL,
  credits_nano    INTEGER NOT NULL DEFAULT 0,
  cost_nano       INTEGER,
  usage_source    TEXT NOT NULL,
  open_owner      TEXT NOT NULL,
  report_state    TEXT NOT NULL DEFAULT 'none' CHECK (report_state IN ('none','pending','sent','confirmed','dead')),
  report_attempts INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE INDEX usage_outbox ON usage (report_state, call_id) WHERE report_state IN ('pending','sent','dead');

-- One row per open call that is billed; those that are not are found by
-- model_calls_open.
CREATE TABLE credit_holds (
  call_id     TEXT PRIMARY KEY REFERENCES model_calls(id),
  account_id  TEXT NOT NULL REFERENCES accounts(id),
  amount_nano INTEGER NOT NULL CHECK (amount_nano >= 0),
  created_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TRIGGER credit_holds_ready BEFORE INSERT ON credit_holds BEGIN
  SELECT CASE
    WHEN debt_nano > 0 THEN RAISE(ABORT, 'ck_debt')
    WHEN next_expiry <= CAST(unixepoch('subsec') * 1000 AS INTEGER) THEN RAISE(ABORT, 'ck_grants_due')
  END FROM accounts WHERE id = NEW.account_id;
END;

CREATE TRIGGER credit_holds_opened AFTER INSERT ON credit_holds WHEN NEW.amount_nano <> 0 BEGIN
  UPDATE accounts SET held_nano = held_nano + NEW.amount_nano WHERE id = NEW.account_id;
END;

CREATE TRIGGER credit_holds_changed AFTER UPDATE OF amount_nano ON credit_holds BEGIN
  UPDATE accounts SET held_nano = held_nano + NEW.amount_nano - OLD.amount_nano WHERE id = NEW.account_id;
END;

CREATE TRIGGER credit_holds_closed AFTER DELETE ON credit_holds WHEN OLD.amount_nano <> 0 BEGIN
  UPDATE accounts SET held_nano = held_nano - OLD.amount_nano WHERE id = OLD.account_id;
END;

CREATE TABLE idempotency_keys (
  api_key_id TEXT NOT NULL,
  key        TEXT NOT NULL,
  call_id    TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (api_key_id, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);

CREATE TABLE audit_log (
  id          TEXT PRIMARY KEY,
  created_at  INTEGER NOT NULL,
  actor       TEXT NOT NULL,
  action      TEXT NOT NULL,
  subject     TEXT NOT NULL,
  before_json TEXT NOT NULL DEFAULT '',
  after_json  TEXT NOT NULL DEFAULT ''
) STRICT;
