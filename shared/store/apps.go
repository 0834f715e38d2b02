package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"
)

// The sources of an application's name, logo and address.
const (
	AppSeen     = "seen"     // none: calls named it
	AppFetched  = "fetched"  // its own page
	AppOperator = "operator" // set by hand, never overwritten by a page
)

// App is a row of apps.
type App struct {
	ID          string
	Name        string // "": not known
	Logo        string // URL
	URL         string
	Source      string
	PublicKey   string     // hex Ed25519 of a registered remote application; "": none
	FirstSeenAt *time.Time // when a call first named it; nil: never
	FetchedAt   *time.Time // when its page was last asked
	FetchDueAt  *time.Time // when it is asked next; nil: never
	FetchError  string     // of the last time
	CreatedAt   time.Time
	OwnerID     string // the user who registered it; "": nobody
}

const appColumns = "id, name, logo, url, source, public_key, first_seen_at, fetched_at, fetch_due_at, fetch_error, created_at, coalesce(owner_id, '') FROM apps"

func scanApp(scan func(...any) error, a *App) error {
	var seen, fetched, due sql.NullInt64
	var created int64
	if err := scan(&a.ID, &a.Name, &a.Logo, &a.URL, &a.Source, &a.PublicKey, &seen, &fetched, &due, &a.FetchError, &created, &a.OwnerID); err != nil {
		return err
	}
	a.FirstSeenAt, a.FetchedAt, a.FetchDueAt, a.CreatedAt = nullMillis(seen), nullMillis(fetched), nullMillis(due), time.UnixMilli(created).UTC()
	return nil
}

// SetApp stores what an operator says of an application, known or not.
func (s *Store) SetApp(ctx context.Context, a App) error {
	u := &Unit{Priority: Background}
	u.Add(`INSERT INTO apps (id, name, logo, url, source, public_key, fetch_due_at, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
ON CONFLICT (id) DO UPDATE SET name = ?2, logo = ?3, url = ?4, source = ?5, public_key = ?6, fetch_due_at = ?7`,
		a.ID, a.Name, a.Logo, a.URL, a.Source, a.PublicKey, millisOrNil(a.FetchDueAt), s.millis())
	return s.Do(ctx, u)
}

// SeenApp is an application that a call named.
type SeenApp struct {
	ID    string
	At    time.Time
	Fetch bool // its page can be asked
}

// NoteApps stores applications that calls named; what is known of one stays.
func (s *Store) NoteApps(ctx context.Context, seen []SeenApp) error {
	if len(seen) == 0 {
		return nil
	}
	u := &Unit{Priority: Background}
	for _, a := range seen {
		var due any
		if a.Fetch {
			due = s.millis()
		}
		u.Add(`INSERT INTO apps (id, source, first_seen_at, fetch_due_at, created_at) VALUES (?1, 'seen', ?2, ?3, ?4)
ON CONFLICT (id) DO UPDATE SET first_seen_at = coalesce(first_seen_at, ?2)`, a.ID, a.At.UnixMilli(), due, s.millis())
	}
	return s.Do(ctx, u)
}

// CalledApp is a call and the application that it named, "" for none.
type CalledApp struct {
	CallID string
	AppID  string
	At     time.Time
}

// CalledApps lists up to limit calls after one and before a time, in their order.
func (s *Store) CalledApps(ctx context.Context, after string, until time.Time, limit int) ([]CalledApp, error) {
	return list(ctx, s.read, func(r *sql.Rows, c *CalledApp) error {
		var at int64
		err := r.Scan(&c.CallID, &c.AppID, &at)
		c.At = time.UnixMilli(at).UTC()
		return err
	}, "SELECT id, app_id, created_at FROM model_calls WHERE id > ?1 AND id < ?2 ORDER BY id LIMIT ?3", after, firstID(until), limit)
}

// AppFetched stores what came of asking an application's page: a name, or why
// there is none, and when to ask again.
func (s *Store) AppFetched(ctx context.Context, a App) error {
	u := &Unit{Priority: Background}
	if a.FetchError != "" {
		u.Add("UPDATE apps SET fetched_at = ?2, fetch_due_at = ?3, fetch_error = ?4 WHERE id = ?1 AND source <> 'operator'",
			a.ID, s.millis(), millisOrNil(a.FetchDueAt), a.FetchError)
		return s.Do(ctx, u)
	}
	u.Add(`UPDATE apps SET name = ?2, logo = ?3, url = ?4, source = 'fetched', fetched_at = ?5, fetch_due_at = ?6, fetch_error = ''
WHERE id = ?1 AND source <> 'operator'`, a.ID, a.Name, a.Logo, a.URL, s.millis(), millisOrNil(a.FetchDueAt))
	return s.Do(ctx, u)
}

// DueApps lists up to limit applications whose page is to be asked, the longest
// due first.
func (s *Store) DueApps(ctx context.Context, limit int) ([]App, error) {
	return list(ctx, s.read, func(r *sql.Rows, a *App) error { return scanApp(r.Scan, a) },
		"SELECT "+appColumns+" WHERE fetch_due_at <= ?1 ORDER BY fetch_due_at LIMIT ?2", s.millis(), limit)
}

// AppByID finds an application.
func (s *Store) AppByID(ctx context.Context, id string) (App, error) {
	var a App
	err := scanApp(s.read.QueryRowContext(ctx, "SELECT "+appColumns+" WHERE id = ?", id).Scan, &a)
	if errors.Is(err, sql.ErrNoRows) {
		return a, ErrNotFound
	}
	return a, err
}

// Apps lists up to limit applications after the one with the id after.
func (s *Store) Apps(ctx context.Context, after string, limit int) ([]App, error) {
	return list(ctx, s.read, func(r *sql.Rows, a *App) error { return scanApp(r.Scan, a) },
		"SELECT "+appColumns+" WHERE id > ? ORDER BY id LIMIT ?", after, limit)
}

// AppsByID finds applications; those that are not there are left out.
func (s *Store) AppsByID(ctx context.Context, ids []string) ([]App, error) {
	text, err := json.Marshal(ids)
	if err != nil {
		return nil, err
	}
	return list(ctx, s.read, func(r *sql.Rows, a *App) error { return scanApp(r.Scan, a) },
		"SELECT "+appColumns+" WHERE id IN (SELECT value FROM json_each(?))", string(text))
}

// RegisterApp stores an application of its owner's. ErrConflict: the owner has
// most already.
func (s *Store) RegisterApp(ctx context.Context, a App, most int) error {
	return s.Tx(ctx, func(ctx context.Context, tx *Tx) error {
		res, err := tx.ExecContext(ctx, `INSERT INTO apps (id, name, logo, url, source, created_at, owner_id)
SELECT ?1, ?2, ?3, ?4, 'operator', ?5, ?6 WHERE (SELECT count(*) FROM apps WHERE owner_id = ?6) < ?7`,
			a.ID, a.Name, a.Logo, a.URL, s.millis(), a.OwnerID, most)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, ErrConflict)
		}
		return nil
	})
}

// ReleaseApp ends that an application is its owner's, and the service keys of it
// that the owner answers for. Its name stays for what was used through it.
// ErrNotFound: it is not the owner's.
func (s *Store) ReleaseApp(ctx context.Context, id, ownerID string) error {
	return s.Tx(ctx, func(ctx context.Context, tx *Tx) error {
		if err := tx.one(ctx, "UPDATE apps SET owner_id = NULL WHERE id = ?1 AND owner_id = ?2", id, ownerID); err != nil {
			return err
		}
		u := &Unit{}
		u.Add("UPDATE api_keys SET revoked_at = coalesce(revoked_at, ?3) WHERE app_id = ?1 AND user_id = ?2", id, ownerID, s.millis())
		if err := tx.run(ctx, u); err != nil {
			return err
		}
		return tx.Bump(ctx)
	})
}

// AppsOfUser lists the ids of the applications that a user registered, or answers
// for a service key of, up to limit.
func (s *Store) AppsOfUser(ctx context.Context, userID string, limit int) ([]string, error) {
	return list(ctx, s.read, func(r *sql.Rows, id *string) error { return r.Scan(id) }, `SELECT id FROM apps WHERE owner_id = ?1
UNION SELECT DISTINCT k.app_id FROM api_keys k WHERE k.user_id = ?1 AND k.app_id IS NOT NULL LIMIT ?2`, userID, limit)
}

// CountApps counts applications, up to most.
func (s *Store) CountApps(ctx context.Context, most int) (n int, err error) {
	err = s.read.QueryRowContext(ctx, "SELECT count(*) FROM (SELECT 1 FROM apps WHERE id > '' LIMIT ?1)", most).Scan(&n)
	return n, err
}

// OwnKeysOfApp lists the service keys of an application that a user answers for.
func (s *Store) OwnKeysOfApp(ctx context.Context, appID, userID string) ([]APIKey, error) {
	return list(ctx, s.read, func(r *sql.Rows, k *APIKey) error { return scanKey(r.Scan, k) },
		"SELECT "+keyColumns+" FROM api_keys k WHERE k.app_id = ?1 AND k.user_id = ?2 ORDER BY k.id LIMIT 1000", appID, userID)
}

// KeysOfApp lists an application's service keys.
func (s *Store) KeysOfApp(ctx context.Context, appID string) ([]APIKey, error) {
	return list(ctx, s.read, func(r *sql.Rows, k *APIKey) error { return scanKey(r.Scan, k) },
		"SELECT "+keyColumns+" FROM api_keys k WHERE k.app_id = ? ORDER BY k.id LIMIT 1000", appID)
}
