package archive

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// Report is what a run did, or would do.
type Report struct {
	Run      string         `json:"run,omitempty"`
	State    store.RunState `json:"state,omitempty"` // "" for a rehearsal
	DryRun   bool           `json:"dry_run"`
	Cutoff   time.Time      `json:"cutoff"` // calls admitted before were to be moved
	Calls    int64          `json:"calls"`
	Kept     int64          `json:"kept"` // older calls that had to stay; it counts no further than keptLimit
	Freed    int64          `json:"freed_bytes"`
	Archives []Share        `json:"archives"`
	Removed  []string       `json:"removed"` // archives whose own time was over
}

// Share is what went into one archive.
type Share struct {
	Name    string        `json:"name"`
	Calls   int64         `json:"calls"`
	Credits money.Credits `json:"credits"`
}

const (
	keptLimit = 100_000
	retries   = 5
)

// run is one run of the archiver.
type run struct {
	*Keeper
	id     string
	cutoff time.Time
	report Report
	renew  func(context.Context) error
	guard  time.Time // when the disk was last looked at
	to     map[string]*store.Store
}

// mover copies calls and returns what it has made certain of.
type mover interface {
	copy(ctx context.Context, archive string, ids []string) (store.CallRows, store.ArchiveSums, *store.ArchiveFile, error)
	// marked are those of the calls that readers of archives would find twice, were
	// the move interrupted.
	marked(ids []string) []string
}

// Run moves what is due until nothing is left or ctx ends, gives the space back
// and deletes archives whose own time is over. It returns ErrBusy while another
// archiver is at work. When ctx ends the report's state is partial, which is no
// error: the next run goes on.
func (k *Keeper) Run(ctx context.Context, actor string) (Report, error) {
	if !k.Enabled() {
		return Report{}, hub.Errorf(hub.CodeInvalid, "Archiving is off: AIGNE_HUB_ARCHIVE_AFTER says so.")
	}
	renew, release, err := k.hold(ctx)
	if err != nil {
		return Report{}, err
	}
	defer release()
	r := &run{Keeper: k, cutoff: k.Cutoff(), renew: renew, to: map[string]*store.Store{}}
	r.report = Report{State: store.RunDone, Cutoff: r.cutoff, Archives: []Share{}, Removed: []string{}}
	if r.id, err = k.Store.BeginArchiveRun(ctx, actor, r.cutoff); err != nil {
		return r.report, err
	}
	r.report.Run = r.id
	err = errors.Join(r.all(ctx), r.close())
	return r.end(ctx, err)
}

func (r *run) all(ctx context.Context) error {
	if err := r.expire(ctx); err != nil {
		return err
	}
	if err := r.tidy(ctx); err != nil {
		return err
	}
	if err := r.room(); err != nil {
		return err
	}
	if err := r.move(ctx); err != nil {
		return err
	}
	kept, err := r.Store.CallCount(ctx, "", r.cutoff, keptLimit)
	if err != nil {
		return err
	}
	r.report.Kept = kept
	return r.shrink(ctx)
}

// end notes how the run ended.
func (r *run) end(ctx context.Context, failed error) (Report, error) {
	row := store.ArchiveRun{ID: r.id, State: store.RunDone, Kept: r.report.Kept, Freed: r.report.Freed}
	switch {
	case failed != nil && ctx.Err() != nil:
		row.State, failed = store.RunPartial, nil
	case failed != nil:
		row.State, row.Error = store.RunFailed, failed.Error()
	}
	r.report.State = row.State
	if err := r.Store.EndArchiveRun(context.WithoutCancel(ctx), row); err != nil {
		return r.report, errors.Join(failed, err)
	}
	if r.report.Calls > 0 {
		r.Log.InfoContext(ctx, "calls archived", "calls", r.report.Calls, "kept", r.report.Kept, "freed_bytes", r.report.Freed, "state", string(row.State))
	}
	return r.report, failed
}

func (r *run) close() error {
	var failed []error
	for _, s := range r.to {
		failed = append(failed, s.Close())
	}
	return errors.Join(failed...)
}

// move moves batch by batch, oldest first.
func (r *run) move(ctx context.Context) error {
	m, size, err := r.mover()
	if err != nil {
		return err
	}
	after, failures := "", 0
	for ctx.Err() == nil {
		if err := r.keepOn(ctx); err != nil {
			return err
		}
		ids, err := r.Store.Archivable(ctx, after, r.cutoff, r.Now().Add(-settled), size)
		if err != nil {
			return err
		}
		if len(ids) == 0 {
			return nil
		}
		name, own, ok := within(ids)
		if !ok {
			after = ids[0] // no id of this hub's making: it stays
			continue
		}
		open, err := r.announce(ctx, name)
		if err != nil {
			return err
		}
		if open {
			err = r.batch(ctx, m, name, own)
		}
		switch {
		case err == nil:
			after, failures = own[len(own)-1], 0
		case (errors.Is(err, store.ErrMoved) || errors.Is(err, store.ErrUnavailable)) && failures < retries:
			failures++ // read again: what has changed, or gone, is seen then
			rest(ctx, time.Duration(failures)*100*time.Millisecond)
		default:
			return err
		}
	}
	return ctx.Err()
}

// within cuts a batch at the end of the quarter of its first call.
func within(ids []string) (name string, own []string, ok bool) {
	for i, id := range ids {
		u, err := ulid.ParseStrict(id)
		if err != nil {
			return name, ids[:i], i > 0
		}
		n, _, _ := quarter(ulid.Time(u.Time()))
		if i > 0 && n != name {
			return name, ids[:i], true
		}
		name = n
	}
	return name, ids, true
}

// announce notes an archive before anything lies there. open is false once it was
// deleted: what is left of its quarter stays.
func (r *run) announce(ctx context.Context, name string) (open bool, err error) {
	for _, s := range r.report.Archives {
		if s.Name == name {
			return true, nil
		}
	}
	if err := r.step("announce"); err != nil {
		return false, err
	}
	_, from, until := quarterOf(name)
	kind := store.ArchiveDatabase
	if r.Store.Remote() {
		kind = store.ArchiveExport
	}
	if err := r.Store.AddArchive(ctx, store.Archive{Name: name, Kind: kind, From: from, Until: until}); err != nil {
		return false, err
	}
	a, err := r.Store.ArchiveByName(ctx, name)
	if err != nil || a.RemovedAt != nil {
		return false, err
	}
	if a.Kind != kind {
		return false, hub.Errorf(hub.CodeConflict, "Calls of %s were archived by another kind of database (%s).", name, a.Kind)
	}
	r.report.Archives = append(r.report.Archives, Share{Name: name})
	return true, nil
}

// quarterOf reads the name of a quarter.
func quarterOf(name string) (string, time.Time, time.Time) {
	var year, q int
	_, _ = fmt.Sscanf(name, "%04dQ%d", &year, &q) // names are of quarter's making
	return quarter(time.Date(year, time.Month(q*3), 1, 0, 0, 0, 0, time.UTC))
}

// batch copies calls, makes sure of the copy and deletes them.
func (r *run) batch(ctx context.Context, m mover, name string, ids []string) error {
	if err := r.step("begin"); err != nil {
		return err
	}
	move, err := r.Store.BeginMove(ctx, name, m.marked(ids))
	if err != nil {
		return err
	}
	if err := r.step("copy"); err != nil {
		return err
	}
	rows, sums, file, err := m.copy(ctx, name, ids)
	if err != nil {
		return fmt.Errorf("copy to archive %s: %w", name, err)
	}
	if sums.Calls == 0 {
		return r.Store.EndMove(ctx, move) // another process was faster
	}
	if err := r.step("delete"); err != nil {
		return err
	}
	u, err := r.Store.MoveUnit(move, r.id, rows, sums, file)
	if err != nil {
		return err
	}
	began := time.Now()
	err = r.Store.Do(ctx, u)
	if errors.Is(err, store.ErrConflict) {
		return fmt.Errorf("calls of archive %s are still referred to: %w", name, err)
	}
	if err != nil {
		return err
	}
	last := &r.report.Archives[len(r.report.Archives)-1]
	for i := range r.report.Archives {
		if r.report.Archives[i].Name == name {
			last = &r.report.Archives[i]
		}
	}
	last.Calls, last.Credits = last.Calls+sums.Calls, last.Credits+money.Credits(sums.Credits)
	r.report.Calls += sums.Calls
	rest(ctx, time.Since(began)) // others write at least half of the time
	return r.step("deleted")
}

// rest waits, but no longer than ctx.
func rest(ctx context.Context, d time.Duration) {
	const most = time.Second
	select {
	case <-ctx.Done():
	case <-time.After(min(d, most)):
	}
}

// keepOn keeps the lease and an eye on the disk.
func (r *run) keepOn(ctx context.Context) error {
	if err := r.renew(ctx); err != nil {
		return err
	}
	const often = 2 * time.Second
	if time.Since(r.guard) < often {
		return nil
	}
	r.guard = time.Now()
	return r.room()
}

// room refuses to go on when the disk is nearly full: a copy needs room before
// the original gives any.
func (k *Keeper) room() error {
	if k.Settings.Free <= 0 {
		return nil
	}
	path, free, known, err := k.FreeRoom()
	if err != nil {
		return fmt.Errorf("free disk: %w", err)
	}
	if known && free < k.Settings.Free {
		return hub.Errorf(hub.CodeUnavailable, "Only %d MB are free on the disk of %s; AIGNE_HUB_ARCHIVE_FREE asks for %d MB before calls are archived.",
			free/1e6, path, k.Settings.Free/1e6)
	}
	return nil
}

// FreeRoom is how many bytes are free on the disk that is watched, and the folder
// that was looked at. known is false where none is watched or it cannot be told.
func (k *Keeper) FreeRoom() (path string, free int64, known bool, err error) {
	if k.Disk == "" {
		return "", 0, false, nil
	}
	path = k.Disk
	for {
		if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) || path == filepath.Dir(path) {
			break
		}
		path = filepath.Dir(path)
	}
	look := k.FreeDisk
	if look == nil {
		look = FreeDisk
	}
	free, known, err = look(path)
	return path, free, known, err
}

// shrink gives back what is empty beyond what new calls fill again soon.
func (r *run) shrink(ctx context.Context) error {
	can, err := r.Store.Shrinks(ctx)
	if err != nil || !can {
		return err
	}
	for before := int64(-1); ; {
		if err := errors.Join(ctx.Err(), r.renew(ctx)); err != nil {
			return err
		}
		total, empty, err := r.Store.Space(ctx)
		if err != nil {
			return err
		}
		if before >= 0 {
			r.report.Freed += before - total
		}
		if empty <= reserve+(total-empty)/10 || before == total {
			return nil
		}
		before = total
		began := time.Now()
		if err := r.Store.Shrink(ctx); err != nil {
			return err
		}
		rest(ctx, time.Since(began))
	}
}

// reserve is what stays empty at least, in bytes.
const reserve = 16 << 20
