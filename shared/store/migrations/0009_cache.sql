-- Answers kept for equal requests of the same user. What was said lies sealed;
-- key is a keyed hash of the request, so that the file alone does not even let
-- anybody check a guess.

CREATE TABLE answer_cache (
  user_id    TEXT NOT NULL REFERENCES users(id) ON DELETE CASCADE,
  key        TEXT NOT NULL,
  call_id    TEXT NOT NULL, -- the call that was answered by a provider
  sealed     TEXT NOT NULL,
  key_id     TEXT NOT NULL,
  bytes      INTEGER NOT NULL CHECK (bytes >= 0), -- of sealed
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  PRIMARY KEY (user_id, key)
) STRICT;

CREATE INDEX answer_cache_expires ON answer_cache (expires_at);

-- What all answers take together, kept by triggers: summing would read them all.
CREATE TABLE answer_cache_size (
  id    INTEGER PRIMARY KEY CHECK (id = 1),
  bytes INTEGER NOT NULL
) STRICT;

INSERT INTO answer_cache_size (id, bytes) VALUES (1, 0);

CREATE TRIGGER answer_cache_added AFTER INSERT ON answer_cache BEGIN
  UPDATE answer_cache_size SET bytes = bytes + NEW.bytes WHERE id = 1;
END;

CREATE TRIGGER answer_cache_replaced AFTER UPDATE OF bytes ON answer_cache BEGIN
  UPDATE answer_cache_size SET bytes = bytes + NEW.bytes - OLD.bytes WHERE id = 1;
END;

CREATE TRIGGER answer_cache_removed AFTER DELETE ON answer_cache BEGIN
  UPDATE answer_cache_size SET bytes = bytes - OLD.bytes WHERE id = 1;
END;
