package archive

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/calls"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

var _ calls.Archives = (*Keeper)(nil)

// Of returns the archives that can hold calls admitted between two times, newest
// first; a zero time is no bound. It opens what it has not opened yet, and reads
// back what was exported. A database that is noted but not there is passed over,
// with a line in the log: an operator may have put it away. hub.CodeInvalid: more
// was exported of the time than can be read back.
func (k *Keeper) Of(ctx context.Context, from, to time.Time) ([]*store.Store, error) {
	out, _, err := k.find(ctx, from, to, k.readBack)
	return out, err
}

// Newest is Of for who reads from the newest call on: of exports it reads back the
// next few files, and says from which id on the archives are complete, "" where
// they are as a whole.
func (k *Keeper) Newest(ctx context.Context, from, to time.Time) (archives []*store.Store, floor string, err error) {
	return k.find(ctx, from, to, k.readNext)
}

// readExport reads files of an export back that can hold calls of a span.
type readExport func(ctx context.Context, a store.Archive, within store.Span) (s *store.Store, floor string, err error)

func (k *Keeper) find(ctx context.Context, from, to time.Time, export readExport) (out []*store.Store, floor string, err error) {
	if k == nil || k.Folder == "" && k.Place == nil {
		return nil, "", nil
	}
	all, err := k.Store.Archives(ctx)
	if err != nil {
		return nil, "", err
	}
	for _, a := range all {
		switch {
		case !to.IsZero() && !a.From.Before(to), !from.IsZero() && !a.Until.After(from):
			continue
		case a.RemovedAt != nil:
			if err := k.forget(a.Name); err != nil {
				k.Log.WarnContext(ctx, "archive not closed", "archive", a.Name, "error", err)
			}
			continue
		}
		var s *store.Store
		if a.Kind == store.ArchiveDatabase {
			s, err = k.database(ctx, a)
		} else {
			s, floor, err = export(ctx, a, store.Span{From: from, Until: to})
		}
		if err != nil {
			return nil, "", fmt.Errorf("archive %s: %w", a.Name, err)
		}
		if s != nil {
			out = append(out, s)
		}
		if floor != "" {
			break // what is older is below it
		}
	}
	return out, floor, nil
}

// database opens the database of an archive, nil where it is not there.
func (k *Keeper) database(ctx context.Context, a store.Archive) (*store.Store, error) {
	if k.Folder == "" {
		return nil, nil
	}
	s, err := k.reader(ctx, a.Name)
	if errors.Is(err, os.ErrNotExist) {
		if a.Calls > 0 {
			k.Log.WarnContext(ctx, "the database of an archive is missing", "archive", a.Name, "file", k.file(a.Name))
		}
		return nil, nil
	}
	return s, err
}

// First is when the oldest archived call was admitted; ok is false when there is
// none.
func (k *Keeper) First(ctx context.Context) (at time.Time, ok bool, err error) {
	if k == nil {
		return at, false, nil
	}
	all, err := k.Store.Archives(ctx)
	for _, a := range slices.Backward(all) {
		if err != nil || ok {
			break
		}
		if a.RemovedAt != nil {
			continue
		}
		if a.Kind == store.ArchiveDatabase {
			var s *store.Store
			if s, err = k.database(ctx, a); s != nil && err == nil {
				at, ok, err = s.FirstCall(ctx)
			}
			continue
		}
		var files []store.ArchiveFile
		if files, err = k.Store.ArchiveFiles(ctx, a.Name, "", 1); len(files) > 0 {
			at, ok = store.AdmittedAt(firstOf(files[0].Name))
		}
	}
	return at, ok, err
}

// reader opens an archive for reading, once. One that an older version made is
// brought to this version's schema first.
func (k *Keeper) reader(ctx context.Context, name string) (*store.Store, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if s := k.opened[name]; s != nil {
		return s, nil
	}
	if _, err := os.Stat(k.file(name)); err != nil {
		return nil, err
	}
	s, err := k.open(ctx, name, true)
	if err != nil {
		return nil, err
	}
	if err = s.CheckSchema(ctx); errors.Is(err, store.ErrSchema) {
		if err = errors.Join(s.Close(), k.migrate(ctx, name)); err != nil {
			return nil, err
		}
		if s, err = k.open(ctx, name, true); err != nil {
			return nil, err
		}
		err = s.CheckSchema(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	if k.opened == nil {
		k.opened = map[string]*store.Store{}
	}
	k.opened[name] = s
	return s, nil
}

func (k *Keeper) migrate(ctx context.Context, name string) error {
	s, err := k.open(ctx, name, false)
	if err != nil {
		return err
	}
	_, err = s.Migrate(ctx)
	return errors.Join(err, s.Close())
}

// open opens the database of an archive. Opened for writing, a new one is made.
func (k *Keeper) open(ctx context.Context, name string, reading bool) (*store.Store, error) {
	return k.openFile(ctx, k.file(name), reading)
}

func (k *Keeper) openFile(ctx context.Context, path string, reading bool) (*store.Store, error) {
	return store.Open(ctx, store.Options{URL: store.FileURL(path), Now: k.Now, Log: k.Log, Archive: true, ReadOnly: reading})
}

// Snapshot copies the database of an archive into a new file.
func (k *Keeper) Snapshot(ctx context.Context, name, path string) error {
	s, err := k.open(ctx, name, false)
	if err != nil {
		return err
	}
	return errors.Join(s.Snapshot(ctx, path), s.Close())
}

// writer opens the database of an archive for calls that move there.
func (k *Keeper) writer(ctx context.Context, name string) (*store.Store, error) {
	const private, privateFile = 0o700, 0o600
	if err := os.MkdirAll(k.Folder, private); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(k.file(name), os.O_CREATE|os.O_RDWR, privateFile) // SQLite would let others read it
	if err != nil {
		return nil, err
	}
	if err := errors.Join(f.Sync(), f.Close(), syncFolder(k.Folder)); err != nil {
		return nil, err
	}
	s, err := k.open(ctx, name, false)
	if err != nil {
		return nil, err
	}
	if err := s.CheckSchema(ctx); err == nil {
		return s, nil
	}
	if _, err := s.Migrate(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// syncFolder makes a new name in a folder survive power loss.
func syncFolder(path string) error {
	d, err := os.Open(filepath.Clean(path))
	if err != nil {
		return err
	}
	_ = d.Sync() // not every system can
	return d.Close()
}

// forget closes an archive that is gone.
func (k *Keeper) forget(name string) error {
	k.cache.drop(name, k.Now())
	k.mu.Lock()
	defer k.mu.Unlock()
	s := k.opened[name]
	delete(k.opened, name)
	if s == nil {
		return nil
	}
	return s.Close()
}

// Close closes what Of opened.
func (k *Keeper) Close() error {
	if k == nil {
		return nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	var failed []error
	for _, s := range k.opened {
		failed = append(failed, s.Close())
	}
	k.opened = nil
	return errors.Join(append(failed, k.cache.close())...)
}
