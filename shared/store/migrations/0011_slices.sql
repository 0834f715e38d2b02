-- Holds that grow while a stream runs, and what policy decided of each call.

-- What an answer without anything in it costs, as the call was admitted: charge
-- or free.
ALTER TABLE model_calls ADD COLUMN on_empty TEXT NOT NULL DEFAULT 'charge';

-- Which policy decided what the call costs; '' where none had to.
ALTER TABLE model_calls ADD COLUMN charge_policy TEXT NOT NULL DEFAULT '';

-- One row for each extension of a stream's hold. All figures are of the whole
-- call, so that the same row sent again changes nothing. What had been delivered
-- by then, and is worth, is what the call is charged should its process die.
CREATE TABLE call_slices (
  call_id       TEXT NOT NULL REFERENCES model_calls(id),
  number        INTEGER NOT NULL CHECK (number > 0),
  account_id    TEXT NOT NULL REFERENCES accounts(id),
  owner         TEXT NOT NULL,
  created_at    INTEGER NOT NULL,
  hold_nano     INTEGER NOT NULL CHECK (hold_nano >= 0),
  tokens        INTEGER NOT NULL CHECK (tokens >= 0), -- of output that the hold covers
  units_json    TEXT NOT NULL, -- delivered so far
  usage_source  TEXT NOT NULL,
  amount_nano   INTEGER NOT NULL CHECK (amount_nano >= 0), -- their price
  cost_nano     INTEGER,
  provider      TEXT NOT NULL,
  model         TEXT NOT NULL,
  credential_id TEXT NOT NULL,
  credential    TEXT NOT NULL,
  rate_id       TEXT NOT NULL,
  rate_version  INTEGER NOT NULL,
  PRIMARY KEY (call_id, number)
) STRICT, WITHOUT ROWID;

-- A grant that is due must not pay for what comes; a slice that is there already
-- was paid for.
CREATE TRIGGER call_slices_ready BEFORE INSERT ON call_slices
WHEN NOT EXISTS (SELECT 1 FROM call_slices WHERE call_id = NEW.call_id AND number = NEW.number) BEGIN
  SELECT RAISE(ABORT, 'ck_grants_due') FROM accounts
  WHERE id = NEW.account_id AND next_expiry <= CAST(unixepoch('subsec') * 1000 AS INTEGER);
END;

-- What a call has reserved of limits grows with its hold, and no further than
-- the limits.
CREATE TRIGGER limits_holds_grow BEFORE UPDATE OF amount ON limits_holds WHEN NEW.metric <> 'concurrency' AND NEW.amount > OLD.amount BEGIN
  SELECT RAISE(ABORT, 'ck_limit') WHERE NEW.most < NEW.amount - OLD.amount + coalesce(
    (SELECT used FROM limits_windows WHERE limit_id = NEW.limit_id AND counts = NEW.counts AND started_at = NEW.started_at), 0);
END;

CREATE TRIGGER limits_holds_grown AFTER UPDATE OF amount ON limits_holds WHEN NEW.metric <> 'concurrency' AND NEW.amount <> OLD.amount BEGIN
  UPDATE limits_windows SET used = max(0, used + NEW.amount - OLD.amount)
  WHERE limit_id = NEW.limit_id AND counts = NEW.counts AND started_at = NEW.started_at;
END;
