package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"
)

// Archive is a row of archives: a quarter of which calls were moved, and what.
type Archive struct {
	Name             string
	Kind             ArchiveKind
	LowerID, UpperID string // of its calls: not below the first, below the second
	From, Until      time.Time
	ArchiveSums
	CreatedAt  time.Time
	ChangedAt  time.Time
	VerifiedAt *time.Time
	RemovedAt  *time.Time
}

// ArchiveKind says where an archive lies.
type ArchiveKind string

// The kinds.
const (
	ArchiveDatabase ArchiveKind = "database" // a file beside the hub's own
	ArchiveExport   ArchiveKind = "export"   // files for elsewhere
)

// ArchiveSums is what some archived calls come to. Amounts are nano-credits,
// costs nano-dollars.
type ArchiveSums struct {
	Calls   int64 `json:"calls"`
	Billed  int64 `json:"billed"` // of the calls
	Charged int64 `json:"billed_nano"`
	Credits int64 `json:"credits_nano"`
	Cost    int64 `json:"cost_nano"` // as far as it is known

	Usages   int64 `json:"usages"`
	Attempts int64 `json:"attempts"`
	Slices   int64 `json:"slices"`

	// Digest is the sum of the eight words of each row's SHA-256: rows can be added
	// in any order and any portions.
	Digest [8]int64 `json:"digest"`
}

// Add adds what other calls come to.
func (a *ArchiveSums) Add(b ArchiveSums) {
	a.Calls, a.Billed, a.Charged, a.Credits, a.Cost = a.Calls+b.Calls, a.Billed+b.Billed, a.Charged+b.Charged, a.Credits+b.Credits, a.Cost+b.Cost
	a.Usages, a.Attempts, a.Slices = a.Usages+b.Usages, a.Attempts+b.Attempts, a.Slices+b.Slices
	for i := range a.Digest {
		a.Digest[i] += b.Digest[i]
	}
}

// archivable are calls that nothing waits for any more: finished, in order with
// the ledger, reported outside where they are to be, without a hold, a job or a
// bill that is about to correct them.
const archivable = `FROM model_calls c CROSS JOIN usage u ON u.call_id = c.id
WHERE c.id > ?1 AND c.id < ?2 AND c.status <> 'processing' AND c.finished_at < ?3 AND u.report_state IN ('none','confirmed')
  AND NOT EXISTS (SELECT 1 FROM credit_holds h WHERE h.call_id = c.id)
  AND NOT EXISTS (SELECT 1 FROM limits_holds l WHERE l.call_id = c.id)
  AND NOT EXISTS (SELECT 1 FROM jobs w WHERE w.call_id = c.id)
  AND NOT EXISTS (SELECT 1 FROM bill_calls y WHERE y.call_id = c.id AND y.state = 'pending')
  AND (c.billing = 0 OR c.credits_nano = (SELECT sum(o.amount_nano) FROM ledger_operations o WHERE o.id IN (c.id || '/settle', c.id || '/correct')))`

// Archivable lists calls with ids above after, admitted before a time, that can be
// moved, in the order of their ids. finished is the time before which they must
// have ended.
func (s *Store) Archivable(ctx context.Context, after string, before, finished time.Time, limit int) ([]string, error) {
	return list(ctx, s.read, func(r *sql.Rows, id *string) error { return r.Scan(id) },
		"SELECT c.id "+archivable+" ORDER BY c.id LIMIT ?4", after, firstID(before), finished.UnixMilli(), limit)
}

// ArchivableCount counts what Archivable lists, and what it comes to.
func (s *Store) ArchivableCount(ctx context.Context, after string, before, finished time.Time) (n ArchiveSums, err error) {
	err = s.read.QueryRowContext(ctx, "SELECT count(*), coalesce(sum(c.billing), 0), coalesce(sum(c.credits_nano * c.billing), 0), coalesce(sum(c.credits_nano), 0), coalesce(sum(c.cost_nano), 0) "+
		archivable, after, firstID(before), finished.UnixMilli()).Scan(&n.Calls, &n.Billed, &n.Charged, &n.Credits, &n.Cost)
	n.Usages = n.Calls
	return n, err
}

// CallCount counts calls with ids above after, admitted before a time, up to a limit.
func (s *Store) CallCount(ctx context.Context, after string, before time.Time, limit int) (n int64, err error) {
	err = s.read.QueryRowContext(ctx, "SELECT count(*) FROM (SELECT 1 FROM model_calls WHERE id > ?1 AND id < ?2 LIMIT ?3)", after, firstID(before), limit).Scan(&n)
	return n, err
}

// AddArchive notes an archive before the first call moves there. One that is
// there stays as it is.
func (s *Store) AddArchive(ctx context.Context, a Archive) error {
	u := &Unit{Priority: Background}
	u.Add(`INSERT INTO archives (name, kind, lower_id, upper_id, from_ms, until_ms, created_at, changed_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7) ON CONFLICT (name) DO NOTHING`,
		a.Name, string(a.Kind), firstID(a.From), firstID(a.Until), a.From.UnixMilli(), a.Until.UnixMilli(), s.millis())
	return s.Do(ctx, u)
}

const archiveColumns = `name, kind, lower_id, upper_id, from_ms, until_ms, calls, billed, billed_nano, credits_nano, cost_nano, usages, attempts, slices,
digest0, digest1, digest2, digest3, digest4, digest5, digest6, digest7, created_at, changed_at, verified_at, removed_at FROM archives`

func scanArchive(scan func(...any) error, a *Archive) error {
	var from, until, created, changed int64
	var verified, removed sql.NullInt64
	d := &a.Digest
	err := scan(&a.Name, &a.Kind, &a.LowerID, &a.UpperID, &from, &until, &a.Calls, &a.Billed, &a.Charged, &a.Credits, &a.Cost, &a.Usages, &a.Attempts, &a.Slices,
		&d[0], &d[1], &d[2], &d[3], &d[4], &d[5], &d[6], &d[7], &created, &changed, &verified, &removed)
	a.From, a.Until = time.UnixMilli(from).UTC(), time.UnixMilli(until).UTC()
	a.CreatedAt, a.ChangedAt = time.UnixMilli(created).UTC(), time.UnixMilli(changed).UTC()
	a.VerifiedAt, a.RemovedAt = nullMillis(verified), nullMillis(removed)
	return err
}

// Archives lists all archives, newest first. There are four a year.
func (s *Store) Archives(ctx context.Context) ([]Archive, error) {
	return list(ctx, s.read, func(r *sql.Rows, a *Archive) error { return scanArchive(r.Scan, a) }, "SELECT "+archiveColumns+" ORDER BY name DESC LIMIT 1000")
}

// ArchiveByName finds an archive.
func (s *Store) ArchiveByName(ctx context.Context, name string) (a Archive, err error) {
	err = scanArchive(s.read.QueryRowContext(ctx, "SELECT "+archiveColumns+" WHERE name = ?", name).Scan, &a)
	if isNoRows(err) {
		err = ErrNotFound
	}
	return a, err
}

// ArchiveFile is a row of archive_files.
type ArchiveFile struct {
	Archive string    `json:"-"`
	Name    string    `json:"name"`
	Calls   int64     `json:"calls"`
	Bytes   int64     `json:"bytes"`
	SHA256  string    `json:"sha256"`
	LastID  string    `json:"-"` // of its calls; its name begins with the first one
	At      time.Time `json:"created_at"`
}

// ArchiveFiles lists the files of an export after a name, in their order.
func (s *Store) ArchiveFiles(ctx context.Context, archive, after string, limit int) ([]ArchiveFile, error) {
	return list(ctx, s.read, scanArchiveFile,
		"SELECT archive, name, calls, bytes, sha256, last_id, created_at FROM archive_files WHERE archive = ?1 AND name > ?2 ORDER BY name LIMIT ?3", archive, after, limit)
}

func scanArchiveFile(r *sql.Rows, f *ArchiveFile) error {
	var at int64
	err := r.Scan(&f.Archive, &f.Name, &f.Calls, &f.Bytes, &f.SHA256, &f.LastID, &at)
	f.At = time.UnixMilli(at).UTC()
	return err
}

// ArchiveFilesOf lists the files of an export that can hold calls of a span, those
// with the newest calls first. before is the id below which the span's calls are.
func (s *Store) ArchiveFilesOf(ctx context.Context, archive string, within Span, limit int) (files []ArchiveFile, before string, err error) {
	since, before := within.ids()
	files, err = list(ctx, s.read, scanArchiveFile, `SELECT archive, name, calls, bytes, sha256, last_id, created_at FROM archive_files
WHERE archive = ?1 AND last_id >= ?2 AND name < ?1 || '/' || ?3 ORDER BY last_id DESC, name LIMIT ?4`, archive, since, before, limit)
	return files, before, err
}

// countMoved fails by its NOT NULL columns (ErrMoved) unless every call of the list
// is there exactly as it was read, the archive takes calls, and no other batch went
// there since BeginMove.
const countMoved = `INSERT INTO archives (name, kind, lower_id, upper_id, from_ms, until_ms, created_at, changed_at, calls)
VALUES ((SELECT name FROM archives WHERE name = ?1 AND removed_at IS NULL AND move_id = ?5), 'database', '', '', 0, 0, 0, ?4,
  (SELECT there FROM (SELECT count(*) AS there FROM json_each(?2) x
    CROSS JOIN model_calls c ON c.id = x.value ->> 0 CROSS JOIN usage u ON u.call_id = c.id
    WHERE c.status <> 'processing' AND u.report_state IN ('none','confirmed') AND c.status = x.value ->> 1 AND c.finished_at = x.value ->> 2 AND c.credits_nano = x.value ->> 3 AND c.shortfall_nano = x.value ->> 4
      AND c.cost_nano IS x.value ->> 5 AND c.usage_source = x.value ->> 6 AND c.model = x.value ->> 7 AND c.duration_ms IS x.value ->> 8
      AND u.credits_nano = x.value ->> 9 AND u.cost_nano IS x.value ->> 10 AND u.usage_source = x.value ->> 11
      AND u.report_state = x.value ->> 12 AND u.reported_nano = x.value ->> 13) WHERE there = ?3))
ON CONFLICT (name) DO UPDATE SET calls = calls + excluded.calls, changed_at = excluded.changed_at, moving_json = ''`

// asRead are the columns that countMoved compares.
var (
	asReadCall  = []string{"id", "status", "finished_at", "credits_nano", "shortfall_nano", "cost_nano", "usage_source", "model", "duration_ms"}
	asReadUsage = []string{"credits_nano", "cost_nano", "usage_source", "report_state", "reported_nano"}
)

const addMoved = `UPDATE archives SET billed = billed + ?2, billed_nano = billed_nano + ?3, credits_nano = credits_nano + ?4, cost_nano = cost_nano + ?5,
  usages = usages + ?6, attempts = attempts + ?7, slices = slices + ?8, digest0 = digest0 + ?9, digest1 = digest1 + ?10, digest2 = digest2 + ?11,
  digest3 = digest3 + ?12, digest4 = digest4 + ?13, digest5 = digest5 + ?14, digest6 = digest6 + ?15, digest7 = digest7 + ?16 WHERE name = ?1`

const keepReported = `INSERT INTO archive_reported (user_id, reported_nano)
SELECT user_id, sum(reported_nano) FROM usage WHERE call_id IN (SELECT value FROM json_each(?1)) AND reported_nano <> 0 GROUP BY user_id
ON CONFLICT (user_id) DO UPDATE SET reported_nano = reported_nano + excluded.reported_nano`

// Move is a batch of calls on its way to an archive.
type Move struct {
	ID, Archive string
	IDs         []string // of calls that may lie in the archive and here
}

// BeginMove notes which calls are about to be copied to an archive. What an earlier
// batch has not finished, it cannot finish any more.
func (s *Store) BeginMove(ctx context.Context, archive string, ids []string) (Move, error) {
	m := Move{ID: s.NewID(), Archive: archive, IDs: ids}
	text, err := json.Marshal(ids)
	if err != nil {
		return m, err
	}
	return m, s.Exec(ctx, "UPDATE archives SET move_id = ?2, moving_json = ?3 WHERE name = ?1 AND removed_at IS NULL", archive, m.ID, string(text))
}

// EndMove notes that nothing of a batch lies in two places.
func (s *Store) EndMove(ctx context.Context, m Move) error {
	u := &Unit{Priority: Background}
	u.Add("UPDATE archives SET moving_json = '' WHERE name = ?1 AND move_id = ?2", m.Archive, m.ID)
	return s.Do(ctx, u)
}

// Moves lists batches that were not finished.
func (s *Store) Moves(ctx context.Context) ([]Move, error) {
	return list(ctx, s.read, func(r *sql.Rows, m *Move) error {
		var ids string
		if err := r.Scan(&m.ID, &m.Archive, &ids); err != nil {
			return err
		}
		return json.Unmarshal([]byte(ids), &m.IDs)
	}, "SELECT move_id, name, moving_json FROM archives WHERE moving_json <> '' AND removed_at IS NULL ORDER BY name LIMIT 1000")
}

// MoveUnit deletes calls that lie in an archive by now and counts them there, in
// the run too. file is the one that was exported; nil: none. ErrMoved: one of the
// calls is no longer as it was read, or was moved by another process. ErrConflict:
// something refers to one of them.
func (s *Store) MoveUnit(m Move, run string, rows CallRows, sums ArchiveSums, file *ArchiveFile) (*Unit, error) {
	ids, seen, err := asRead(rows)
	if err != nil {
		return nil, err
	}
	u := &Unit{Priority: Background, Stmts: make([]Stmt, 0, 9)}
	now := s.millis()
	d := sums.Digest
	u.Add(countMoved, m.Archive, seen, sums.Calls, now, m.ID)
	u.Add(addMoved, m.Archive, sums.Billed, sums.Charged, sums.Credits, sums.Cost, sums.Usages, sums.Attempts, sums.Slices,
		d[0], d[1], d[2], d[3], d[4], d[5], d[6], d[7])
	u.Add(keepReported, ids)
	if file != nil {
		u.Add("INSERT INTO archive_files (archive, name, calls, bytes, sha256, last_id, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
			m.Archive, file.Name, file.Calls, file.Bytes, file.SHA256, file.LastID, now)
	}
	for i := len(callTables) - 1; i >= 0; i-- { // what refers to calls goes before them
		u.Add(callTables[i].clear, ids)
	}
	u.Add("UPDATE archive_runs SET calls = calls + ?2 WHERE id = ?1", run, sums.Calls)
	return u, nil
}

// asRead are the ids of calls, and what countMoved compares of each, as JSON.
func asRead(rows CallRows) (ids, seen string, err error) {
	usage := make(map[any][]any, len(rows.Usage.Values))
	at := rows.Usage.Column("call_id")
	for _, v := range rows.Usage.Values {
		usage[v[at]] = v
	}
	all, list := make([][]any, len(rows.Calls.Values)), make([]any, len(rows.Calls.Values))
	for i, v := range rows.Calls.Values {
		for _, name := range asReadCall {
			all[i] = append(all[i], v[rows.Calls.Column(name)])
		}
		list[i] = all[i][0]
		for _, name := range asReadUsage {
			if own := usage[list[i]]; own != nil {
				all[i] = append(all[i], own[rows.Usage.Column(name)])
			}
		}
	}
	a, err := json.Marshal(list)
	if err != nil {
		return "", "", err
	}
	b, err := json.Marshal(all)
	return string(a), string(b), err
}

// ArchiveVerified notes that an archive was found to hold what was moved there.
func (s *Store) ArchiveVerified(ctx context.Context, name string) error {
	return s.Exec(ctx, "UPDATE archives SET verified_at = ?2 WHERE name = ?1", name, s.millis())
}

// DropArchiveFile forgets a file of an export that was deleted.
func (s *Store) DropArchiveFile(ctx context.Context, archive, name string) error {
	return s.Exec(ctx, "DELETE FROM archive_files WHERE archive = ?1 AND name = ?2", archive, name)
}

// ArchiveRemoved notes that an archive is deleted. From then on nothing moves
// there.
func (s *Store) ArchiveRemoved(ctx context.Context, name string) error {
	return s.Exec(ctx, "UPDATE archives SET removed_at = ?2 WHERE name = ?1 AND removed_at IS NULL", name, s.millis())
}
