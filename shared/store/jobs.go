package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"
)

// JobState is how far a job is.
type JobState string

// The states.
const (
	JobQueued    JobState = "queued"
	JobRunning   JobState = "running"
	JobSucceeded JobState = "succeeded"
	JobFailed    JobState = "failed"
)

// Job is a row of jobs: a call whose work goes on at the provider after its
// request was answered.
type Job struct {
	ID           string
	CallID       string
	UserID       string
	AccountID    string
	AppID        string
	Kind         string
	Language     string
	Provider     string
	Model        string
	CredentialID string
	Credential   string
	ProviderJob  string
	State        JobState
	Progress     int64
	Asked        json.RawMessage
	Terms        json.RawMessage
	ErrorCode    string
	Error        string
	CreatedAt    time.Time
	Deadline     time.Time
	FinishedAt   *time.Time
	ExpiresAt    time.Time
}

// Owner is who owns the job's call: no lease, so that no sweeper closes it.
func (j *Job) Owner() string { return "job:" + j.ID }

// JobUnit moves an open call from its process (owner) to a job. ErrNotOpen: the
// call is no longer that process's; ErrExists: it is done.
func (s *Store) JobUnit(j Job, owner string, poll time.Time) *Unit {
	u := &Unit{Priority: Settling}
	u.Add(`INSERT INTO jobs (id, call_id, user_id, account_id, app_id, kind, language, provider, model, credential_id, credential,
  provider_job, state, progress, asked_json, terms_json, created_at, next_poll_at, deadline_at, expires_at)
VALUES (?1, (SELECT id FROM model_calls WHERE id = ?2 AND status = 'processing' AND owner = ?3), ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12,
  ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21)`,
		j.ID, j.CallID, owner, j.UserID, j.AccountID, j.AppID, j.Kind, j.Language, j.Provider, j.Model, j.CredentialID, j.Credential,
		j.ProviderJob, string(j.State), j.Progress, string(j.Asked), string(j.Terms), j.CreatedAt.UnixMilli(), poll.UnixMilli(),
		j.Deadline.UnixMilli(), j.ExpiresAt.UnixMilli())
	u.Add("UPDATE model_calls SET owner = ?2, provider = ?3, model = ?4, credential_id = ?5, credential = ?6 WHERE id = ?1",
		j.CallID, j.Owner(), j.Provider, j.Model, j.CredentialID, j.Credential)
	return u
}

const jobColumns = `id, call_id, user_id, account_id, app_id, kind, language, provider, model, credential_id, credential, provider_job,
state, progress, asked_json, terms_json, error_code, error_text, created_at, deadline_at, finished_at, expires_at FROM jobs`

func scanJob(scan func(...any) error, j *Job) error {
	var created, deadline, expires int64
	var finished sql.NullInt64
	var asked, terms string
	err := scan(&j.ID, &j.CallID, &j.UserID, &j.AccountID, &j.AppID, &j.Kind, &j.Language, &j.Provider, &j.Model, &j.CredentialID, &j.Credential,
		&j.ProviderJob, &j.State, &j.Progress, &asked, &terms, &j.ErrorCode, &j.Error, &created, &deadline, &finished, &expires)
	j.Asked, j.Terms = json.RawMessage(asked), json.RawMessage(terms)
	j.CreatedAt, j.Deadline, j.ExpiresAt = time.UnixMilli(created).UTC(), time.UnixMilli(deadline).UTC(), time.UnixMilli(expires).UTC()
	j.FinishedAt = nullMillis(finished)
	return err
}

// JobByID finds a user's own job that is not deleted.
func (s *Store) JobByID(ctx context.Context, id, userID string) (Job, error) {
	var j Job
	err := scanJob(s.read.QueryRowContext(ctx, "SELECT "+jobColumns+" WHERE id = ? AND user_id = ? AND deleted_at IS NULL", id, userID).Scan, &j)
	if errors.Is(err, sql.ErrNoRows) {
		return j, ErrNotFound
	}
	return j, err
}

// Jobs lists a user's own jobs that are not deleted, the newest first unless
// ascending; after is the id to go on from, "" to begin.
func (s *Store) Jobs(ctx context.Context, userID, after string, limit int, ascending bool) ([]Job, error) {
	scan := func(r *sql.Rows, j *Job) error { return scanJob(r.Scan, j) }
	if ascending {
		return list(ctx, s.read, scan, "SELECT "+jobColumns+" WHERE user_id = ? AND id > ? AND deleted_at IS NULL ORDER BY id LIMIT ?", userID, after, limit)
	}
	if after == "" {
		after = "~" // sorts after every ULID
	}
	return list(ctx, s.read, scan, "SELECT "+jobColumns+" WHERE user_id = ? AND id < ? AND deleted_at IS NULL ORDER BY id DESC LIMIT ?", userID, after, limit)
}

// DueJobs lists unfinished jobs, deleted ones too, whose provider is to be asked.
func (s *Store) DueJobs(ctx context.Context, limit int) ([]Job, error) {
	return list(ctx, s.read, func(r *sql.Rows, j *Job) error { return scanJob(r.Scan, j) },
		"SELECT "+jobColumns+" WHERE finished_at IS NULL AND next_poll_at <= ? ORDER BY next_poll_at LIMIT ?", s.millis(), limit)
}

// NoteJob records how far an unfinished job is and when it is looked at next.
func (s *Store) NoteJob(ctx context.Context, id string, state JobState, progress int64, poll time.Time) error {
	u := &Unit{Priority: Background}
	u.Add("UPDATE jobs SET state = ?2, progress = max(progress, ?3), next_poll_at = ?4 WHERE id = ?1 AND finished_at IS NULL",
		id, string(state), progress, poll.UnixMilli())
	return s.Do(ctx, u)
}

// HideJob takes a job out of its owner's sight. An unfinished one still settles.
func (s *Store) HideJob(ctx context.Context, id, userID string) error {
	return s.Exec(ctx, "UPDATE jobs SET deleted_at = ?3 WHERE id = ?1 AND user_id = ?2 AND deleted_at IS NULL", id, userID, s.millis())
}

// ForgetJobs removes finished jobs whose time has come.
func (s *Store) ForgetJobs(ctx context.Context) error {
	const batch = 1000
	u := &Unit{Priority: Background}
	u.Add("DELETE FROM jobs WHERE id IN (SELECT id FROM jobs WHERE expires_at < ?1 AND finished_at IS NOT NULL ORDER BY expires_at LIMIT ?2)", s.millis(), batch)
	return s.Do(ctx, u)
}

// JobEnd is how a job ended, written in the unit that settles its call.
type JobEnd struct {
	ID        string
	State     JobState // JobSucceeded or JobFailed
	ErrorCode string
	Error     string
}

const endJob = `UPDATE jobs SET state = ?2, error_code = ?3, error_text = ?4, finished_at = ?5,
  progress = CASE WHEN ?2 = 'succeeded' THEN 100 ELSE progress END WHERE id = ?1 AND finished_at IS NULL`
