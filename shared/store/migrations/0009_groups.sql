-- The groups that a user is in, for the conditions of routes: a JSON list.
ALTER TABLE users ADD COLUMN groups_json TEXT NOT NULL DEFAULT '[]';
