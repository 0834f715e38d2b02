-- Usage that the outside system refused and an operator gave up for good: the batch
-- counts as confirmed, but nobody confirmed it.
ALTER TABLE outbox_batches ADD COLUMN dropped_at INTEGER;
