-- Who called in an hour, a day or a month, everybody in one row (rollup/roster.go):
-- to find the greatest among thousands of users over many days takes one row a
-- bucket in place of one for each of them. Hours go with the 15-minute sums. Where
-- there is none the sums themselves are read.
CREATE TABLE model_call_rosters (
  period     INTEGER NOT NULL CHECK (period BETWEEN 1 AND 3),
  started_at INTEGER NOT NULL,
  apps       BLOB NOT NULL, -- by application, complete
  people     BLOB NOT NULL, -- by user, application and key: what they can be put in order by
  PRIMARY KEY (period, started_at)
) STRICT;

-- Those of the sums that there are already are made by the job.
INSERT INTO model_call_stats_due (period, started_at, turn)
SELECT DISTINCT s.period, s.started_at, 'roster' FROM model_call_stats s
WHERE s.period IN (1, 2, 3) AND s.cube = 3 AND s.started_at >= (SELECT max(kept_from) FROM model_call_stats_state)
ON CONFLICT (period, started_at) DO NOTHING;

-- Which calls an exported file holds: from the id that its name begins with to this
-- one. Of files from before it is not known, so they may hold any of their archive.
ALTER TABLE archive_files ADD COLUMN last_id TEXT NOT NULL DEFAULT '';
UPDATE archive_files SET last_id = (SELECT upper_id FROM archives a WHERE a.name = archive_files.archive);
CREATE INDEX archive_files_last ON archive_files (archive, last_id);
