-- Prices and where they come from: how a rate was computed, when it ends, what is
-- planned, the catalogue in force and what is proposed to be taken from it.

ALTER TABLE ai_model_rates ADD COLUMN margin TEXT NOT NULL DEFAULT ''; -- percent on the costs that the prices were computed with; '' when they were set by hand
ALTER TABLE ai_model_rates ADD COLUMN credit_price TEXT NOT NULL DEFAULT ''; -- dollars per credit then
ALTER TABLE ai_model_rates ADD COLUMN deprecated_reason TEXT NOT NULL DEFAULT '';
ALTER TABLE ai_model_rates ADD COLUMN refused_from INTEGER; -- calls are refused from then on
ALTER TABLE ai_model_rates ADD COLUMN retired INTEGER NOT NULL DEFAULT 0; -- 1 once refused_from has passed

ALTER TABLE ai_model_rates_history ADD COLUMN change TEXT NOT NULL DEFAULT 'set';
ALTER TABLE ai_model_rates_history ADD COLUMN reason TEXT NOT NULL DEFAULT '';
ALTER TABLE ai_model_rates_history ADD COLUMN margin TEXT NOT NULL DEFAULT '';

CREATE INDEX ai_model_rates_history_age ON ai_model_rates_history (created_at, rate_id, version);

CREATE INDEX ai_model_rates_history_model ON ai_model_rates_history (provider, model, created_at, rate_id, version);

-- Prices that hold from a time to come.
CREATE TABLE ai_model_rate_plans (
  id             TEXT PRIMARY KEY,
  provider       TEXT NOT NULL,
  model          TEXT NOT NULL,
  type           TEXT NOT NULL,
  prices_json    TEXT NOT NULL,
  costs_json     TEXT,
  metadata_json  TEXT NOT NULL,
  margin         TEXT NOT NULL,
  credit_price   TEXT NOT NULL,
  effective_from INTEGER NOT NULL,
  actor          TEXT NOT NULL,
  reason         TEXT NOT NULL,
  created_at     INTEGER NOT NULL,
  UNIQUE (provider, model, type, effective_from)
) STRICT;

CREATE INDEX ai_model_rate_plans_due ON ai_model_rate_plans (effective_from, id);

-- Catalogues that were put in force or are under review, gzipped as
-- infra/catalogue writes them. The settings' catalogue.active names the one in force.
CREATE TABLE catalogue_files (
  digest     TEXT PRIMARY KEY, -- SHA-256 of the content in hexadecimal
  content    BLOB NOT NULL,
  origin     TEXT NOT NULL, -- embedded, or how the file was called
  actor      TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  active_at  INTEGER, -- when it was last put in force, and by whom
  active_by  TEXT NOT NULL DEFAULT ''
) STRICT;

CREATE TABLE catalogue_proposals (
  id          TEXT PRIMARY KEY,
  digest      TEXT NOT NULL, -- of the catalogue that it comes from
  kind        TEXT NOT NULL CHECK (kind IN ('cost','new','gone')),
  provider    TEXT NOT NULL,
  model       TEXT NOT NULL,
  type        TEXT NOT NULL,
  value_hash  TEXT NOT NULL, -- of what the catalogue says
  before_json TEXT NOT NULL, -- cost as it is, '' for none
  after_json  TEXT NOT NULL, -- cost as the catalogue has it, '' for none
  state       TEXT NOT NULL DEFAULT 'open' CHECK (state IN ('open','applied','dismissed','superseded')),
  decided_by  TEXT NOT NULL DEFAULT '',
  decided_at  INTEGER,
  reason      TEXT NOT NULL DEFAULT '',
  created_at  INTEGER NOT NULL
) STRICT;

CREATE INDEX catalogue_proposals_state ON catalogue_proposals (state, id);

-- What was dismissed is not proposed again until the catalogue says something else.
CREATE UNIQUE INDEX catalogue_proposals_once ON catalogue_proposals (provider, model, type, kind) WHERE state IN ('open','dismissed');
