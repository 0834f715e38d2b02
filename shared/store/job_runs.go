package store

import (
	"context"
	"database/sql"
	"time"
)

// JobRun is how a scheduled job fares, over all processes.
type JobRun struct {
	Name      string
	Every     time.Duration // 0: only when it is named
	StartedAt time.Time     // of the run that was noted last
	Took      time.Duration
	OKAt      *time.Time // nil: none ended well
	FailedAt  *time.Time // nil: none failed
	Failures  int64      // that were noted since one ended well
	Error     string     // of the last failure
}

// NoteJobRun notes a run of a job. failed is "" when it ended well.
func (s *Store) NoteJobRun(ctx context.Context, name string, every time.Duration, started time.Time, took time.Duration, failed string) error {
	u := &Unit{Priority: Background}
	ended := started.Add(took).UnixMilli()
	if failed == "" {
		u.Add(`INSERT INTO job_runs (name, every_ms, started_at, took_ms, ok_at) VALUES (?1, ?2, ?3, ?4, ?5)
ON CONFLICT (name) DO UPDATE SET every_ms = ?2, started_at = ?3, took_ms = ?4, ok_at = ?5, failures = 0`,
			name, every.Milliseconds(), started.UnixMilli(), took.Milliseconds(), ended)
		return s.Do(ctx, u)
	}
	u.Add(`INSERT INTO job_runs (name, every_ms, started_at, took_ms, failed_at, failures, error) VALUES (?1, ?2, ?3, ?4, ?5, 1, ?6)
ON CONFLICT (name) DO UPDATE SET every_ms = ?2, started_at = ?3, took_ms = ?4, failed_at = ?5, failures = failures + 1, error = ?6`,
		name, every.Milliseconds(), started.UnixMilli(), took.Milliseconds(), ended, failed)
	return s.Do(ctx, u)
}

// JobRuns lists how the jobs fare, by name.
func (s *Store) JobRuns(ctx context.Context) ([]JobRun, error) {
	return list(ctx, s.read, func(r *sql.Rows, j *JobRun) error {
		var every, started, took int64
		var ok, failed sql.NullInt64
		err := r.Scan(&j.Name, &every, &started, &took, &ok, &failed, &j.Failures, &j.Error)
		j.Every, j.Took = time.Duration(every)*time.Millisecond, time.Duration(took)*time.Millisecond
		j.StartedAt, j.OKAt, j.FailedAt = time.UnixMilli(started).UTC(), nullMillis(ok), nullMillis(failed)
		return err
	}, "SELECT name, every_ms, started_at, took_ms, ok_at, failed_at, failures, error FROM job_runs ORDER BY name")
}

// RunningJobs lists the names that somebody holds the lease of now.
func (s *Store) RunningJobs(ctx context.Context) ([]string, error) {
	return list(ctx, s.read, func(r *sql.Rows, name *string) error { return r.Scan(name) },
		"SELECT name FROM job_leases WHERE expires_at > "+dbNow+" ORDER BY name")
}
