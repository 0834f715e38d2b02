-- Second factors are sealed values like the others.
CREATE TRIGGER user_totp_sealed AFTER INSERT ON user_totp BEGIN
  UPDATE vault_keys SET late = late + 1, emptied_at = NULL WHERE id = NEW.key_id AND closed_at IS NOT NULL;
END;
CREATE TRIGGER user_totp_resealed AFTER UPDATE OF key_id ON user_totp BEGIN
  UPDATE vault_keys SET late = late + 1, emptied_at = NULL WHERE id = NEW.key_id AND closed_at IS NOT NULL;
END;
