-- Sealed parts of the books: what happened on a wallet up to a moment, summed up
-- and hashed, so that a check of the books need not read it again, and it can be
-- put away.

-- The moment up to which no operation can come any more: later ones are dated
-- after it, whatever the clocks say.
ALTER TABLE accounts ADD COLUMN sealed_through INTEGER NOT NULL DEFAULT 0;

CREATE TRIGGER ledger_operations_late AFTER INSERT ON ledger_operations
WHEN NEW.created_at <= (SELECT sealed_through FROM accounts WHERE id = NEW.account_id) BEGIN
  UPDATE ledger_operations SET created_at = (SELECT sealed_through FROM accounts WHERE id = NEW.account_id) + 1 WHERE id = NEW.id;
END;

CREATE TABLE ledger_seals (
  account_id   TEXT NOT NULL REFERENCES accounts(id),
  number       INTEGER NOT NULL CHECK (number > 0),
  through      INTEGER NOT NULL, -- created_at of the last operation that may be in it
  operations   INTEGER NOT NULL, -- since the account was made, like the sums
  balance_nano INTEGER NOT NULL,
  sums_json    TEXT NOT NULL,    -- nano-credits that its operations moved on system accounts, by account
  hash         TEXT NOT NULL,    -- over the hash of the seal before and the operations since
  created_at   INTEGER NOT NULL,
  PRIMARY KEY (account_id, number)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER ledger_seals_fixed BEFORE UPDATE ON ledger_seals BEGIN
  SELECT RAISE(ABORT, 'ck_append_only');
END;

CREATE TRIGGER ledger_seals_kept BEFORE DELETE ON ledger_seals BEGIN
  SELECT RAISE(ABORT, 'ck_append_only');
END;

-- Calls up to this id were finished and found in order.
CREATE TABLE ledger_horizon (
  id         INTEGER PRIMARY KEY CHECK (id = 1),
  calls      TEXT NOT NULL,
  checked_at INTEGER NOT NULL
) STRICT;

INSERT INTO ledger_horizon (id, calls, checked_at) VALUES (1, '', 0);

-- For the job that expires what is due: next_expiry changes only with grants.
CREATE INDEX accounts_due ON accounts (next_expiry) WHERE next_expiry IS NOT NULL;
