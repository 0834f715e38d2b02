-- Data keys that follow each other. A closed key takes no more values; an emptied
-- one seals nothing any more, as far as is known.
ALTER TABLE vault_keys ADD COLUMN closed_at INTEGER;
ALTER TABLE vault_keys ADD COLUMN emptied_at INTEGER;
ALTER TABLE vault_keys ADD COLUMN late INTEGER NOT NULL DEFAULT 0; -- values sealed under it after it was closed

-- Master keys that a key service keeps: what it gave out, which only it opens.
CREATE TABLE vault_masters (
  id         TEXT PRIMARY KEY, -- as vault_keys.master_id
  service    TEXT NOT NULL CHECK (service IN ('aws-kms')),
  key        TEXT NOT NULL,    -- the service's key: its ARN
  asked      TEXT NOT NULL,    -- as the operator wrote it
  wrapped    TEXT NOT NULL,    -- base64
  created_at INTEGER NOT NULL
) STRICT;

-- A process that has not yet seen that a key was closed may still seal a value
-- under it. That is not refused, for the value may be what a user paid for: the
-- key counts as in use again, and the value is sealed anew by the next run.
CREATE TRIGGER ai_credentials_sealed AFTER INSERT ON ai_credentials BEGIN
  UPDATE vault_keys SET late = late + 1, emptied_at = NULL WHERE id = NEW.key_id AND closed_at IS NOT NULL;
END;
CREATE TRIGGER ai_credentials_resealed AFTER UPDATE OF key_id ON ai_credentials BEGIN
  UPDATE vault_keys SET late = late + 1, emptied_at = NULL WHERE id = NEW.key_id AND closed_at IS NOT NULL;
END;
CREATE TRIGGER webhook_endpoints_sealed AFTER INSERT ON webhook_endpoints BEGIN
  UPDATE vault_keys SET late = late + 1, emptied_at = NULL WHERE id = NEW.key_id AND closed_at IS NOT NULL;
END;
CREATE TRIGGER webhook_endpoints_resealed AFTER UPDATE OF key_id ON webhook_endpoints BEGIN
  UPDATE vault_keys SET late = late + 1, emptied_at = NULL WHERE id = NEW.key_id AND closed_at IS NOT NULL;
END;
CREATE TRIGGER redeem_codes_sealed AFTER INSERT ON redeem_codes BEGIN
  UPDATE vault_keys SET late = late + 1, emptied_at = NULL WHERE id = NEW.key_id AND closed_at IS NOT NULL;
END;
CREATE TRIGGER redeem_codes_resealed AFTER UPDATE OF key_id ON redeem_codes BEGIN
  UPDATE vault_keys SET late = late + 1, emptied_at = NULL WHERE id = NEW.key_id AND closed_at IS NOT NULL;
END;
CREATE TRIGGER responses_sealed AFTER INSERT ON responses BEGIN
  UPDATE vault_keys SET late = late + 1, emptied_at = NULL WHERE id = NEW.key_id AND closed_at IS NOT NULL;
END;
CREATE TRIGGER responses_resealed AFTER UPDATE OF key_id ON responses BEGIN
  UPDATE vault_keys SET late = late + 1, emptied_at = NULL WHERE id = NEW.key_id AND closed_at IS NOT NULL;
END;
CREATE TRIGGER answer_cache_sealed AFTER INSERT ON answer_cache BEGIN
  UPDATE vault_keys SET late = late + 1, emptied_at = NULL WHERE id = NEW.key_id AND closed_at IS NOT NULL;
END;
CREATE TRIGGER answer_cache_resealed AFTER UPDATE OF key_id ON answer_cache BEGIN
  UPDATE vault_keys SET late = late + 1, emptied_at = NULL WHERE id = NEW.key_id AND closed_at IS NOT NULL;
END;
CREATE TRIGGER settings_sealed AFTER INSERT ON settings WHEN NEW.value LIKE 'v1.%' BEGIN
  UPDATE vault_keys SET late = late + 1, emptied_at = NULL WHERE id = substr(NEW.value, 4, 26) AND closed_at IS NOT NULL;
END;
CREATE TRIGGER settings_resealed AFTER UPDATE OF value ON settings WHEN NEW.value LIKE 'v1.%' BEGIN
  UPDATE vault_keys SET late = late + 1, emptied_at = NULL WHERE id = substr(NEW.value, 4, 26) AND closed_at IS NOT NULL;
END;
