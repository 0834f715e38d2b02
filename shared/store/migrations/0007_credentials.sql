-- How many calls a process makes with a credential at once; 0: any number. What
-- is to become of a credential that its provider refused stands in recheck_json.

ALTER TABLE ai_credentials ADD COLUMN max_concurrent INTEGER NOT NULL DEFAULT 0 CHECK (max_concurrent >= 0);
