-- Applications that users made known as their own. NULL: nobody did.

ALTER TABLE apps ADD COLUMN owner_id TEXT REFERENCES users(id);

CREATE INDEX apps_owner ON apps (owner_id, id) WHERE owner_id IS NOT NULL;
