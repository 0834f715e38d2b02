-- The audit log becomes a chain that nobody alters unseen: each row's hash covers
-- the hash before it. The hash is put on right after the row, by whoever comes
-- first, so that rows made by triggers and by older versions are linked as well.
ALTER TABLE audit_log ADD COLUMN user_id TEXT NOT NULL DEFAULT '';
ALTER TABLE audit_log ADD COLUMN api_key_id TEXT NOT NULL DEFAULT '';
ALTER TABLE audit_log ADD COLUMN address TEXT NOT NULL DEFAULT '';
ALTER TABLE audit_log ADD COLUMN request_id TEXT NOT NULL DEFAULT '';
ALTER TABLE audit_log ADD COLUMN number INTEGER; -- its place in the chain, from 1; NULL: not linked yet
ALTER TABLE audit_log ADD COLUMN hash TEXT NOT NULL DEFAULT '';

CREATE UNIQUE INDEX audit_log_number ON audit_log (number) WHERE number IS NOT NULL;
CREATE INDEX audit_log_unlinked ON audit_log (created_at, id) WHERE number IS NULL;
CREATE INDEX audit_log_time ON audit_log (created_at, id);
CREATE INDEX audit_log_actor ON audit_log (actor, created_at, id);
CREATE INDEX audit_log_action ON audit_log (action, created_at, id);
CREATE INDEX audit_log_subject ON audit_log (subject, created_at, id);

-- The last link. A log whose tail was cut no longer reaches it.
CREATE TABLE audit_head (
  id     INTEGER PRIMARY KEY CHECK (id = 1),
  number INTEGER NOT NULL,
  hash   TEXT NOT NULL
) STRICT;

INSERT INTO audit_head (id, number, hash) VALUES (1, 0, '');

CREATE TRIGGER audit_log_enters BEFORE INSERT ON audit_log
WHEN NEW.number IS NOT NULL OR NEW.hash <> '' OR EXISTS (SELECT 1 FROM audit_log WHERE id = NEW.id) BEGIN -- REPLACE fires no trigger of DELETE
  SELECT RAISE(ABORT, 'ck_append_only');
END;

-- The one change there is: a row that is not linked gets its link.
CREATE TRIGGER audit_log_fixed BEFORE UPDATE ON audit_log
WHEN OLD.number IS NOT NULL OR NEW.number IS NULL OR NEW.number <> (SELECT number + 1 FROM audit_head WHERE id = 1)
  OR length(NEW.hash) <> 64 OR NEW.id <> OLD.id OR NEW.created_at <> OLD.created_at OR NEW.actor <> OLD.actor
  OR NEW.action <> OLD.action OR NEW.subject <> OLD.subject OR NEW.before_json <> OLD.before_json OR NEW.after_json <> OLD.after_json
  OR NEW.user_id <> OLD.user_id OR NEW.api_key_id <> OLD.api_key_id OR NEW.address <> OLD.address OR NEW.request_id <> OLD.request_id BEGIN
  SELECT RAISE(ABORT, 'ck_append_only');
END;

CREATE TRIGGER audit_log_kept BEFORE DELETE ON audit_log BEGIN
  SELECT RAISE(ABORT, 'ck_append_only');
END;

CREATE TRIGGER audit_log_linked AFTER UPDATE OF number ON audit_log BEGIN
  UPDATE audit_head SET number = NEW.number, hash = NEW.hash WHERE id = 1;
END;

CREATE TRIGGER audit_head_fixed BEFORE UPDATE ON audit_head WHEN NEW.id <> 1 OR NEW.number <> OLD.number + 1
  OR NEW.hash IS NOT (SELECT hash FROM audit_log WHERE number = NEW.number) BEGIN
  SELECT RAISE(ABORT, 'ck_append_only');
END;

CREATE TRIGGER audit_head_one BEFORE INSERT ON audit_head BEGIN
  SELECT RAISE(ABORT, 'ck_append_only');
END;

CREATE TRIGGER audit_head_kept BEFORE DELETE ON audit_head BEGIN
  SELECT RAISE(ABORT, 'ck_append_only');
END;

-- Whatever moves money beside calls is on record in the transaction that moves
-- it, jobs, payments and redeemed codes included. What calls cost is in the call
-- log.
CREATE TRIGGER ledger_operations_audited AFTER INSERT ON ledger_operations WHEN NEW.kind NOT IN ('charge', 'correct') BEGIN
  INSERT INTO audit_log (id, created_at, actor, action, subject, after_json)
  VALUES ('ledger/' || NEW.id, CAST(unixepoch('subsec') * 1000 AS INTEGER), iif(NEW.actor = '', 'system', NEW.actor), 'ledger.' || NEW.kind, NEW.account_id,
    json_object('operation', NEW.id, 'amount_nano', NEW.amount_nano, 'cause', NEW.cause, 'reason', NEW.reason));
END;
