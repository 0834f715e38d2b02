-- What operators are told, and where it is sent.

CREATE TABLE notifications (
  id         TEXT PRIMARY KEY, -- an event that is told once has an id of its own making
  kind       TEXT NOT NULL,
  severity   TEXT NOT NULL CHECK (severity IN ('info','warning','error')),
  title      TEXT NOT NULL,
  body_json  TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX notifications_age ON notifications (created_at, id);

CREATE TABLE webhook_endpoints (
  id         TEXT PRIMARY KEY,
  url        TEXT NOT NULL UNIQUE,
  sealed     TEXT NOT NULL, -- the signing secret
  key_id     TEXT NOT NULL,
  kinds_json TEXT NOT NULL DEFAULT '[]', -- empty: all
  enabled    INTEGER NOT NULL DEFAULT 1,
  created_at INTEGER NOT NULL
) STRICT;

-- One row for each place that a notification is to reach. An endpoint's id, or
-- 'email' with the address.
CREATE TABLE notification_deliveries (
  notification_id TEXT NOT NULL REFERENCES notifications(id) ON DELETE CASCADE,
  channel         TEXT NOT NULL,
  address         TEXT NOT NULL,
  state           TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending','sent','dead')),
  attempts        INTEGER NOT NULL DEFAULT 0,
  next_at         INTEGER NOT NULL,
  error           TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (notification_id, channel, address)
) STRICT, WITHOUT ROWID;

CREATE INDEX notification_deliveries_due ON notification_deliveries (next_at) WHERE state = 'pending';
