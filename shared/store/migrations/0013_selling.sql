-- Selling credits: redeem codes, card payments and what became of them, automatic
-- top-ups, receipts. Money of payments is in the smallest unit of its currency.

CREATE TABLE redeem_codes (
  id          TEXT PRIMARY KEY,
  hash        TEXT NOT NULL UNIQUE, -- hex SHA-256 of the code; a code has 100 random bits
  hint        TEXT NOT NULL,        -- its last characters
  sealed      TEXT NOT NULL,        -- the code itself, for administrators' exports
  key_id      TEXT NOT NULL,
  batch       TEXT NOT NULL,
  amount_nano INTEGER NOT NULL CHECK (amount_nano > 0),
  kind        TEXT NOT NULL CHECK (kind IN ('promotional','purchased')),
  priority    INTEGER NOT NULL,
  life_ms     INTEGER NOT NULL DEFAULT 0 CHECK (life_ms >= 0), -- of the credits, from redeeming on; 0: for ever
  max_uses    INTEGER NOT NULL CHECK (max_uses > 0),
  uses        INTEGER NOT NULL DEFAULT 0,
  expires_at  INTEGER, -- of the code
  disabled_at INTEGER,
  actor       TEXT NOT NULL,
  created_at  INTEGER NOT NULL,
  CONSTRAINT ck_redeem_uses CHECK (uses >= 0 AND uses <= max_uses)
) STRICT, WITHOUT ROWID;

CREATE INDEX redeem_codes_batch ON redeem_codes (batch, id);

CREATE TABLE redeem_uses (
  code_id    TEXT NOT NULL REFERENCES redeem_codes(id),
  user_id    TEXT NOT NULL REFERENCES users(id),
  grant_id   TEXT NOT NULL REFERENCES credit_grants(id),
  created_at INTEGER NOT NULL,
  PRIMARY KEY (code_id, user_id)
) STRICT, WITHOUT ROWID;

-- What a user typed that was no code, by hour of the database's clock.
CREATE TABLE redeem_tries (
  user_id    TEXT NOT NULL REFERENCES users(id),
  started_at INTEGER NOT NULL,
  failed     INTEGER NOT NULL,
  PRIMARY KEY (user_id, started_at)
) STRICT, WITHOUT ROWID;

CREATE INDEX redeem_tries_age ON redeem_tries (started_at);

-- The payment provider's customer of a user, and the card kept for top-ups.
CREATE TABLE card_customers (
  user_id     TEXT PRIMARY KEY REFERENCES users(id),
  customer_id TEXT NOT NULL UNIQUE,
  method_id   TEXT NOT NULL DEFAULT '', -- "": no card is kept
  card        TEXT NOT NULL DEFAULT '', -- brand and last digits, for people
  created_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE payments (
  id           TEXT PRIMARY KEY,
  kind         TEXT NOT NULL CHECK (kind IN ('checkout','topup')),
  user_id      TEXT NOT NULL REFERENCES users(id),
  account_id   TEXT NOT NULL REFERENCES accounts(id),
  credits_nano INTEGER NOT NULL CHECK (credits_nano > 0),
  amount       INTEGER NOT NULL CHECK (amount > 0), -- the price, without tax that is added to it
  total        INTEGER NOT NULL DEFAULT 0,          -- what was paid
  tax          INTEGER NOT NULL DEFAULT 0,          -- of the total
  currency     TEXT NOT NULL,
  customer_id  TEXT NOT NULL,
  method_id    TEXT NOT NULL DEFAULT '', -- the card that a top-up is charged to
  state        TEXT NOT NULL CHECK (state IN ('new','open','paid','failed','expired')),
  session_id   TEXT UNIQUE,
  intent_id    TEXT UNIQUE,
  error        TEXT NOT NULL DEFAULT '',
  check_at     INTEGER NOT NULL, -- when the provider is asked how it went
  created_at   INTEGER NOT NULL,
  paid_at      INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX payments_account ON payments (account_id, id);
CREATE INDEX payments_due ON payments (check_at) WHERE state IN ('new','open');
-- Never two top-ups at once for one account.
CREATE UNIQUE INDEX payments_topup ON payments (account_id) WHERE kind = 'topup' AND state IN ('new','open');

-- What went back of a payment, by the provider's payment intent. It can be known
-- before the payment is. Facts only grow, so that their order does not matter.
CREATE TABLE payment_backs (
  intent_id     TEXT PRIMARY KEY,
  charge_id     TEXT NOT NULL,
  refunded      INTEGER NOT NULL DEFAULT 0, -- the greatest cumulative amount seen
  reversed_nano INTEGER NOT NULL DEFAULT 0 CHECK (reversed_nano >= 0), -- taken from the wallet so far, or owed by it
  steps         INTEGER NOT NULL DEFAULT 0,
  created_at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX payment_backs_age ON payment_backs (created_at);

CREATE TABLE payment_disputes (
  id         TEXT PRIMARY KEY,
  intent_id  TEXT NOT NULL REFERENCES payment_backs(intent_id) ON DELETE CASCADE,
  amount     INTEGER NOT NULL,
  currency   TEXT NOT NULL,
  stage      INTEGER NOT NULL, -- 0 inquiry, 1 money withdrawn, 2 lost, 3 won or given back
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX payment_disputes_intent ON payment_disputes (intent_id);

CREATE TABLE payment_events (
  id         TEXT PRIMARY KEY, -- the provider's
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX payment_events_age ON payment_events (created_at);

CREATE TABLE auto_topups (
  account_id     TEXT PRIMARY KEY REFERENCES accounts(id),
  user_id        TEXT NOT NULL REFERENCES users(id),
  threshold_nano INTEGER NOT NULL CHECK (threshold_nano >= 0),
  credits_nano   INTEGER NOT NULL CHECK (credits_nano > 0),
  monthly_cap    INTEGER NOT NULL CHECK (monthly_cap > 0), -- of the price, in the currency's smallest unit
  currency       TEXT NOT NULL,
  enabled        INTEGER NOT NULL,
  failures       INTEGER NOT NULL DEFAULT 0, -- in a row
  error          TEXT NOT NULL DEFAULT '',
  not_before     INTEGER NOT NULL DEFAULT 0, -- no attempt earlier
  updated_at     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX auto_topups_enabled ON auto_topups (account_id) WHERE enabled = 1;

-- Numbers have no gaps: each is given in the transaction that takes the money in.
CREATE TABLE receipts (
  number     INTEGER PRIMARY KEY,
  payment_id TEXT NOT NULL UNIQUE REFERENCES payments(id),
  user_id    TEXT NOT NULL REFERENCES users(id),
  data_json  TEXT NOT NULL, -- seller and buyer as they were
  created_at INTEGER NOT NULL
) STRICT;

CREATE INDEX receipts_user ON receipts (user_id, number);
