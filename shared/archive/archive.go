// Package archive moves calls that are older than the hub keeps them at hand out
// of its database, quarter by quarter: of an embedded file into databases beside
// it, which history still reads, of a server into exported files. A call is copied,
// what was copied is read again and compared, and only then the call is deleted, in
// one transaction with the figures by which the archive is proved later. It may die
// after any step and goes on with the next run; two at once do no harm.
//
// Between the copy and the deletion, and for longer when a run dies there, a call
// lies in both places. Readers of lists therefore read the hub's own database first,
// then the archives, and leave out calls that they have seen; sums are made within
// Still, where no call moves.
package archive

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/blob"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// Settings say when calls move and what is watched.
type Settings struct {
	After time.Duration // a call's age; 0: none moves
	Keep  time.Duration // of archives, after the end of their quarter; 0: for ever
	Free  int64         // bytes of free disk below which nothing moves
	Cache int64         // bytes of disk for exported calls that are read back; 0: none are
}

// Keeper keeps a hub's archives.
type Keeper struct {
	Store    *store.Store
	Settings Settings
	Folder   string     // of archive databases; "" where the hub's database is a server
	Stem     string     // their names begin with it
	Place    blob.Place // of exports, where the hub's database is a server; nil: there is none
	Disk     string     // folder whose free space is watched; "": none
	Now      hub.Now
	Log      *slog.Logger

	// Step is called before each step of a move and ends the run by its error: how
	// tests interrupt one. nil: nothing.
	Step func(step string) error

	// FreeDisk is how many bytes are free where a folder lies; known is false where
	// that cannot be told. nil: the system's answer.
	FreeDisk func(path string) (free int64, known bool, err error)

	mu     sync.Mutex
	opened map[string]*store.Store // archive databases that are open for reading
	cache  cache                   // exported calls that were read back
}

const (
	lease     = "archive" // of the archiver, among those of jobs
	leaseTime = time.Minute
	// batch is how many calls move at once: their deletion keeps other writers
	// waiting for some ten milliseconds.
	batch = 250
	// exported is how many go into one file.
	exported = 1000
	// settled is for how long a call must have ended, however short calls are kept.
	settled = 72 * time.Hour
)

// ErrBusy says that another process archives at this moment.
var ErrBusy = errors.New("another archiver is at work")

// errNoPlace says what is missing, to those who run the hub.
func errNoPlace() error {
	return hub.Errorf(hub.CodeInvalid, "There is no place for archives: the database is a server, and neither AIGNE_HUB_ARCHIVE_URL nor a data folder that lasts is set.")
}

// Enabled reports whether calls move at all.
func (k *Keeper) Enabled() bool { return k.Settings.After > 0 }

// Ready reports whether calls move and have a place to go to.
func (k *Keeper) Ready() bool {
	return k.Enabled() && (k.Folder != "" || k.Place != nil)
}

// Cutoff is the time before which calls are to move.
func (k *Keeper) Cutoff() time.Time { return k.Now().UTC().Add(-k.Settings.After) }

// quarter is the UTC quarter that a time lies in.
func quarter(t time.Time) (name string, from, until time.Time) {
	t = t.UTC()
	const months = 3
	first := time.Month(int(t.Month()-1)/months*months + 1)
	from = time.Date(t.Year(), first, 1, 0, 0, 0, 0, time.UTC)
	return fmt.Sprintf("%04dQ%d", t.Year(), int(first)/months+1), from, from.AddDate(0, months, 0)
}

func (k *Keeper) file(name string) string {
	return filepath.Join(k.Folder, k.Stem+"-"+name+".db")
}

// File is where the database of an archive lies, "" for an export.
func (k *Keeper) File(a store.Archive) string {
	if a.Kind != store.ArchiveDatabase || k.Folder == "" {
		return ""
	}
	return k.file(a.Name)
}

// step lets tests interrupt a run.
func (k *Keeper) step(name string) error {
	if k.Step == nil {
		return nil
	}
	return k.Step(name)
}

// hold takes the archiver's lease. renew prolongs it and fails once it is lost.
func (k *Keeper) hold(ctx context.Context) (renew func(context.Context) error, release func(), err error) {
	holder := k.Store.NewID()
	var last time.Time
	renew = func(ctx context.Context) error {
		const often = leaseTime / 6
		if time.Since(last) < often {
			return nil
		}
		ok, err := k.Store.AcquireJob(ctx, lease, holder, leaseTime)
		if err == nil && !ok {
			err = ErrBusy
		}
		if err == nil {
			last = time.Now()
		}
		return err
	}
	if err := renew(ctx); err != nil {
		return nil, nil, err
	}
	return renew, func() {
		if err := k.Store.ReleaseJob(context.WithoutCancel(ctx), lease, holder); err != nil {
			k.Log.Warn("archiver's lease not released", "error", err)
		}
	}, nil
}
