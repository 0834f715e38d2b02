-- Who manages an object: 'file' for what only the file that was applied may
-- change, '' for whatever operators may change anywhere. A version of the hub that
-- does not know the column changes both.

ALTER TABLE ai_providers ADD COLUMN managed TEXT NOT NULL DEFAULT '';
ALTER TABLE ai_model_rates ADD COLUMN managed TEXT NOT NULL DEFAULT '';
ALTER TABLE model_aliases ADD COLUMN managed TEXT NOT NULL DEFAULT '';
ALTER TABLE limits ADD COLUMN managed TEXT NOT NULL DEFAULT '';
ALTER TABLE api_keys ADD COLUMN managed TEXT NOT NULL DEFAULT '';
