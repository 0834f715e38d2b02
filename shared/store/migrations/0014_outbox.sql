-- Usage that an outside system bills, on its way there; and what passes between
-- the hub and that system about each customer.

-- Under which name a user is known outside; NULL: only here.
ALTER TABLE users ADD COLUMN did TEXT;

CREATE UNIQUE INDEX users_did ON users (did) WHERE did IS NOT NULL;

ALTER TABLE usage ADD COLUMN reported_nano INTEGER NOT NULL DEFAULT 0; -- of credits_nano: what batches hold of it

ALTER TABLE usage ADD COLUMN batch_id TEXT NOT NULL DEFAULT ''; -- the last one

DROP INDEX usage_outbox;

CREATE INDEX usage_pending ON usage (report_state, user_id, app_id, call_id) WHERE report_state = 'pending';

CREATE INDEX usage_batched ON usage (batch_id) WHERE report_state IN ('sent','dead');

-- What is reported at once. The id is the identifier under which it is sent,
-- however often; a batch never changes what it holds.
CREATE TABLE outbox_batches (
  id           TEXT PRIMARY KEY,
  user_id      TEXT NOT NULL REFERENCES users(id),
  app_id       TEXT NOT NULL,
  amount_nano  INTEGER NOT NULL CHECK (amount_nano > 0),
  calls        INTEGER NOT NULL,
  state        TEXT NOT NULL CHECK (state IN ('pending','sent','confirmed','dead')),
  attempts     INTEGER NOT NULL DEFAULT 0,
  next_try     INTEGER NOT NULL,
  error        TEXT NOT NULL DEFAULT '',
  created_at   INTEGER NOT NULL,
  confirmed_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX outbox_batches_due ON outbox_batches (next_try, id) WHERE state IN ('pending','sent');

CREATE INDEX outbox_batches_open ON outbox_batches (user_id, id) WHERE state <> 'confirmed';

CREATE INDEX outbox_batches_state ON outbox_batches (state, id);

-- A user as a customer of the outside system.
CREATE TABLE payment_customers (
  user_id       TEXT PRIMARY KEY REFERENCES users(id),
  customer_id   TEXT NOT NULL DEFAULT '',
  opened_at     INTEGER,                    -- when its grants were taken over; NULL: not yet, and nothing is reported
  expected_nano INTEGER NOT NULL DEFAULT 0, -- its balance there, by all that has passed between the two
  drift_nano    INTEGER NOT NULL DEFAULT 0, -- by how much it differed at the last look
  drift_since   INTEGER,
  welcome       TEXT NOT NULL DEFAULT '' CHECK (welcome IN ('','asked','given')),
  welcome_at    INTEGER,
  synced_at     INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE INDEX payment_customers_there ON payment_customers (customer_id) WHERE customer_id <> '';

CREATE INDEX payment_customers_due ON payment_customers (synced_at, user_id);

-- Grants of the outside system that were applied here, under its ids.
CREATE TABLE payment_grants (
  id             TEXT PRIMARY KEY,
  user_id        TEXT NOT NULL REFERENCES users(id),
  state          TEXT NOT NULL CHECK (state IN ('granted','ended')),
  remaining_nano INTEGER NOT NULL, -- there, at the last look
  created_at     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX payment_grants_user ON payment_grants (user_id, id);
