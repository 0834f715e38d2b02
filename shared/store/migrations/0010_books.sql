-- What moves credits beside calls and grants: reversals and the debts they
-- leave, adjustments, transfers, credit lines; and wallets that people share.

-- What an operation of its kind was for: '' where the kind says it all.
ALTER TABLE ledger_operations ADD COLUMN cause TEXT NOT NULL DEFAULT '';

-- Of a credit line: what was spent of it and paid back since.
ALTER TABLE credit_grants ADD COLUMN repaid_nano INTEGER NOT NULL DEFAULT 0 CHECK (repaid_nano >= 0);

CREATE INDEX credit_grants_lines ON credit_grants (account_id, id) WHERE kind = 'credit_line';

CREATE INDEX account_debts_operation ON account_debts (operation_id);

ALTER TABLE account_debts ADD COLUMN amount_nano INTEGER NOT NULL DEFAULT 0;

CREATE INDEX accounts_indebted ON accounts (id) WHERE debt_nano > 0;

CREATE TRIGGER account_debts_opened AFTER INSERT ON account_debts BEGIN
  UPDATE accounts SET debt_nano = debt_nano + NEW.open_nano WHERE id = NEW.account_id;
END;

CREATE TRIGGER account_debts_changed AFTER UPDATE OF open_nano ON account_debts BEGIN
  UPDATE accounts SET debt_nano = debt_nano + NEW.open_nano - OLD.open_nano WHERE id = NEW.account_id;
END;

CREATE TRIGGER account_debts_kept BEFORE DELETE ON account_debts BEGIN
  SELECT RAISE(ABORT, 'ck_append_only');
END;

-- Inserting here takes what the account owes from what is free on it, but for
-- welcome credits and credit lines, under the id as an operation. Where nothing
-- can be taken nothing happens.
CREATE VIEW debt_collections AS SELECT id, account_id, created_at FROM ledger_operations WHERE cause = 'debt';

CREATE TRIGGER debt_collections_made INSTEAD OF INSERT ON debt_collections
WHEN (SELECT min(debt_nano, balance_nano - held_nano) FROM accounts WHERE id = NEW.account_id) > 0
  AND EXISTS (SELECT 1 FROM credit_grants WHERE account_id = NEW.account_id AND open = 1 AND remaining_nano > 0 AND kind NOT IN ('welcome','credit_line')) BEGIN
  INSERT INTO ledger_operations (id, kind, cause, account_id, amount_nano, reason, created_at)
  SELECT NEW.id, 'refund', 'debt', a.id, min(a.debt_nano, a.balance_nano - a.held_nano,
    (SELECT sum(remaining_nano) FROM credit_grants WHERE account_id = a.id AND open = 1 AND kind NOT IN ('welcome','credit_line'))), 'open debt', NEW.created_at
  FROM accounts a WHERE a.id = NEW.account_id;
  UPDATE account_debts SET open_nano = open_nano - t.take
  FROM (SELECT id, max(0, min(open_nano, (SELECT amount_nano FROM ledger_operations WHERE id = NEW.id) - before)) AS take
    FROM (SELECT id, open_nano, coalesce(sum(open_nano) OVER (ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS before
      FROM account_debts WHERE account_id = NEW.account_id AND open_nano > 0)) t
  WHERE account_debts.id = t.id AND t.take > 0;
  UPDATE credit_grants SET remaining_nano = remaining_nano - t.take
  FROM (SELECT id, max(0, min(remaining_nano, (SELECT amount_nano FROM ledger_operations WHERE id = NEW.id) - before)) AS take
    FROM (SELECT id, remaining_nano, coalesce(sum(remaining_nano) OVER (
        ORDER BY priority, spend_by, id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS before
      FROM credit_grants WHERE account_id = NEW.account_id AND open = 1 AND kind NOT IN ('welcome','credit_line'))) t
  WHERE credit_grants.id = t.id AND t.take > 0;
  UPDATE credit_grants SET open = 0 WHERE account_id = NEW.account_id AND open = 1 AND remaining_nano = 0;
  INSERT INTO ledger_entries (operation_id, account_id, amount_nano) SELECT id, account_id, -amount_nano FROM ledger_operations WHERE id = NEW.id;
  INSERT INTO ledger_entries (operation_id, account_id, amount_nano) SELECT id, 'adjustments', amount_nano FROM ledger_operations WHERE id = NEW.id;
END;

-- A call that ends frees money: what is owed is taken of it, whoever ends it.
CREATE TRIGGER model_calls_debt AFTER UPDATE OF status ON model_calls
WHEN OLD.status = 'processing' AND NEW.status <> 'processing' AND NEW.billing = 1
  AND EXISTS (SELECT 1 FROM accounts WHERE id = NEW.account_id AND debt_nano > 0) BEGIN
  INSERT INTO debt_collections (id, account_id, created_at) VALUES ('debt/' || NEW.id, NEW.account_id, NEW.finished_at);
END;

-- Inserting here pays spent credit lines of the account back from a grant.
CREATE VIEW line_repayments AS SELECT id, account_id, '' AS grant_id, created_at FROM ledger_operations WHERE cause = 'repay';

CREATE TRIGGER line_repayments_made INSTEAD OF INSERT ON line_repayments
WHEN (SELECT min(g.remaining_nano, a.balance_nano - a.held_nano,
    (SELECT coalesce(sum(amount_nano - remaining_nano - repaid_nano), 0) FROM credit_grants WHERE account_id = a.id AND kind = 'credit_line'))
  FROM accounts a JOIN credit_grants g ON g.id = NEW.grant_id WHERE a.id = NEW.account_id) > 0 BEGIN
  INSERT INTO ledger_operations (id, kind, cause, account_id, amount_nano, reason, created_at)
  SELECT NEW.id, 'adjust', 'repay', a.id, min(g.remaining_nano, a.balance_nano - a.held_nano,
    (SELECT sum(amount_nano - remaining_nano - repaid_nano) FROM credit_grants WHERE account_id = a.id AND kind = 'credit_line')), 'credit line paid back', NEW.created_at
  FROM accounts a JOIN credit_grants g ON g.id = NEW.grant_id WHERE a.id = NEW.account_id;
  UPDATE credit_grants SET repaid_nano = repaid_nano + t.take
  FROM (SELECT id, max(0, min(owed, (SELECT amount_nano FROM ledger_operations WHERE id = NEW.id) - before)) AS take
    FROM (SELECT id, owed, coalesce(sum(owed) OVER (ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS before
      FROM (SELECT id, amount_nano - remaining_nano - repaid_nano AS owed FROM credit_grants
        WHERE account_id = NEW.account_id AND kind = 'credit_line'))) t
  WHERE credit_grants.id = t.id AND t.take > 0;
  UPDATE credit_grants SET remaining_nano = remaining_nano - (SELECT amount_nano FROM ledger_operations WHERE id = NEW.id) WHERE id = NEW.grant_id;
  UPDATE credit_grants SET open = 0 WHERE id = NEW.grant_id AND remaining_nano = 0;
  INSERT INTO ledger_entries (operation_id, account_id, amount_nano) SELECT id, account_id, -amount_nano FROM ledger_operations WHERE id = NEW.id;
  INSERT INTO ledger_entries (operation_id, account_id, amount_nano) SELECT id, 'grants', amount_nano FROM ledger_operations WHERE id = NEW.id;
END;

-- Wallets of teams and applications. Each is an account without a user.
CREATE TABLE shared_wallets (
  account_id TEXT PRIMARY KEY REFERENCES accounts(id),
  name       TEXT NOT NULL UNIQUE COLLATE NOCASE,
  kind       TEXT NOT NULL CHECK (kind IN ('team','app')),
  closed_at  INTEGER,
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE wallet_members (
  account_id TEXT NOT NULL REFERENCES shared_wallets(account_id),
  user_id    TEXT NOT NULL REFERENCES users(id),
  manager    INTEGER NOT NULL DEFAULT 0 CHECK (manager IN (0, 1)), -- sees everything of the wallet, and may put members in and out
  created_at INTEGER NOT NULL,
  PRIMARY KEY (account_id, user_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX wallet_members_user ON wallet_members (user_id, account_id);

-- The shared wallet that pays for a key's calls; NULL: its user's own.
ALTER TABLE api_keys ADD COLUMN wallet_id TEXT REFERENCES shared_wallets(account_id);

CREATE INDEX api_keys_wallet ON api_keys (wallet_id) WHERE wallet_id IS NOT NULL;

-- Limits bind members of a shared wallet too: <wallet>/<user>, or <wallet>/* for
-- each of them.
CREATE TABLE limits_wider (
  id         TEXT PRIMARY KEY,
  scope      TEXT NOT NULL CHECK (scope IN ('key','user','app','model','member')),
  subject    TEXT NOT NULL,
  metric     TEXT NOT NULL CHECK (metric IN ('requests','tokens','concurrency','credits')),
  period     TEXT NOT NULL CHECK (period IN ('now','minute','hour','day','week','month')),
  amount     INTEGER NOT NULL CHECK (amount >= 0),
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  UNIQUE (scope, subject, metric, period),
  CHECK ((metric = 'concurrency') = (period = 'now'))
) STRICT;

INSERT INTO limits_wider SELECT id, scope, subject, metric, period, amount, created_at, updated_at FROM limits;

DROP TABLE limits;

ALTER TABLE limits_wider RENAME TO limits;
