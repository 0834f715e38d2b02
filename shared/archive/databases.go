package archive

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/calls"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

var _ calls.Archives = (*Keeper)(nil)

// Of returns the archive databases that can hold calls admitted between two times,
// newest first; a zero time is no bound. It opens what it has not opened yet. A
// database that is noted but not there is passed over, with a line in the log:
// an operator may have put it away.
func (k *Keeper) Of(ctx context.Context, from, to time.Time) ([]*store.Store, error) {
	if k == nil || k.Folder == "" {
		return nil, nil
	}
	all, err := k.Store.Archives(ctx)
	if err != nil {
		return nil, err
	}
	var out []*store.Store
	for _, a := range all {
		switch {
		case a.Kind != store.ArchiveDatabase, !to.IsZero() && !a.From.Before(to), !from.IsZero() && !a.Until.After(from):
			continue
		case a.RemovedAt != nil:
			if err := k.forget(a.Name); err != nil {
				k.Log.WarnContext(ctx, "archive not closed", "archive", a.Name, "error", err)
			}
			continue
		}
		s, err := k.reader(ctx, a.Name)
		if errors.Is(err, os.ErrNotExist) {
			if a.Calls > 0 {
				k.Log.WarnContext(ctx, "the database of an archive is missing", "archive", a.Name, "file", k.file(a.Name))
			}
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("archive %s: %w", a.Name, err)
		}
		out = append(out, s)
	}
	return out, nil
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
	return store.Open(ctx, store.Options{URL: store.FileURL(k.file(name)), Now: k.Now, Log: k.Log, Archive: true, ReadOnly: reading})
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
	return errors.Join(failed...)
}
