-- Model names that the operator defines, and what they resolve to.

CREATE TABLE model_aliases (
  id         TEXT PRIMARY KEY,
  name       TEXT NOT NULL UNIQUE COLLATE NOCASE,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE route_rules (
  alias_id  TEXT NOT NULL REFERENCES model_aliases(id) ON DELETE CASCADE,
  position  INTEGER NOT NULL,
  rule_json TEXT NOT NULL,
  PRIMARY KEY (alias_id, position)
) STRICT, WITHOUT ROWID;
