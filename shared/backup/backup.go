// Package backup takes copies of a hub's data while it is in use, proves them and
// puts them back. A backup is a folder of a place: manifest.json, written last, and
// for each file its content in numbered parts compressed with gzip, so that
// `cat hub.db.*.gz | gunzip` gives the file without this program.
//
// The database is copied as it was at one instant, its archives while no call
// moves. The master key is left out unless it is asked for: with it a backup can be
// read by whoever has it.
package backup

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/archive"
	"github.com/aigne-hub/aigne-hub/shared/blob"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/ledger"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// Place is where backups lie.
type Place interface {
	blob.Place
	// Folders lists the names that have something below them, in no order.
	Folders(ctx context.Context) ([]string, error)
}

// Manifest says what a backup holds.
type Manifest struct {
	Format    string    `json:"format"` // aigne-hub-backup/1
	Name      string    `json:"name"`
	CreatedAt time.Time `json:"created_at"`
	Version   string    `json:"version"`     // of the hub that took it
	Schema    string    `json:"schema"`      // last migration
	Masters   []string  `json:"master_keys"` // ids of the master keys that its secrets need; the keys are not here
	HasKey    bool      `json:"has_master_key"`
	Files     []File    `json:"files"`
}

// File is one file of the data folder.
type File struct {
	Path   string `json:"path"` // below the data folder, with slashes
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
	Parts  []Part `json:"parts"`
}

// Part is a piece of a file, compressed.
type Part struct {
	Name   string `json:"name"` // below the backup's folder
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// Bytes is how much the files are, and how much they take.
func (m Manifest) Bytes() (plain, stored int64) {
	for _, f := range m.Files {
		plain += f.Bytes
		for _, p := range f.Parts {
			stored += p.Bytes
		}
	}
	return plain, stored
}

const (
	format       = "aigne-hub-backup/1"
	manifestName = "manifest.json"
	// Database is the path of the database in every backup, whatever it was called.
	Database = "hub.db"
	// KeyFile is the path of the master key.
	KeyFile   = "master.key"
	nameStamp = "20060102T150405Z"
)

// Taker takes backups.
type Taker struct {
	Store   *store.Store
	Archive *archive.Keeper
	Book    *ledger.Book // of Store
	Data    string       // the data folder: blobs lie there
	File    string       // of the database; "": a server or memory
	KeyFile string       // of the master key; "": it is elsewhere
	Version string
	Now     hub.Now
	Log     *slog.Logger
}

// errServer says that the database is not a file of this machine.
func errServer() error {
	return hub.Errorf(hub.CodeInvalid, "The database is a server and is backed up where it runs; `aigne-hub backup` copies database files.")
}

// Take makes a backup and proves it: the copy of the database passes SQLite's own
// check and that of the books, and what was written is read back. What a failed
// one has left is removed, as far as the place allows.
func (t *Taker) Take(ctx context.Context, to Place, withKey bool) (Manifest, error) {
	if t.File == "" {
		return Manifest{}, errServer()
	}
	if withKey && t.KeyFile == "" {
		return Manifest{}, hub.Invalid("include-key", "the master key is not in a file, so it cannot be part of a backup")
	}
	m := Manifest{Format: format, Name: t.Now().UTC().Format(nameStamp), CreatedAt: t.Now().UTC(), Version: t.Version, HasKey: withKey}
	switch _, err := Read(ctx, to, m.Name); {
	case err == nil:
		return m, hub.Errorf(hub.CodeConflict, "The backup %s is there already.", m.Name)
	case !errors.Is(err, blob.ErrGone):
		return m, err
	}
	scratch, err := os.MkdirTemp(filepath.Dir(t.File), ".backup-*")
	if err != nil {
		return m, err
	}
	defer os.RemoveAll(scratch)
	w := &writer{ctx: ctx, to: to, m: &m}
	if err := t.write(ctx, w, scratch, withKey); err != nil {
		w.undo()
		return m, err
	}
	return m, nil
}

func (t *Taker) write(ctx context.Context, w *writer, scratch string, withKey bool) error {
	copies, err := t.copies(ctx, scratch, w.m)
	if err != nil {
		return err
	}
	if err := t.prove(ctx, copies[Database]); err != nil {
		return err
	}
	for _, path := range sorted(copies) {
		if err := errors.Join(w.file(path, copies[path]), os.Remove(copies[path])); err != nil {
			return err
		}
	}
	if err := t.blobs(w); err != nil {
		return err
	}
	if withKey {
		if err := w.file(KeyFile, t.KeyFile); err != nil {
			return err
		}
	}
	if err := Check(ctx, w.to, *w.m); err != nil {
		return err
	}
	text, err := json.MarshalIndent(w.m, "", "  ")
	if err != nil {
		return err
	}
	return w.to.Put(ctx, w.m.Name+"/"+manifestName, append(text, '\n'))
}

// copies copies the databases while no call moves between them, and returns where
// the copies lie by their paths in the backup.
func (t *Taker) copies(ctx context.Context, scratch string, m *Manifest) (map[string]string, error) {
	out := map[string]string{}
	err := t.Archive.Still(ctx, func(ctx context.Context) error {
		path := filepath.Join(scratch, Database)
		if err := t.Store.Snapshot(ctx, path); err != nil {
			return err
		}
		out[Database] = path
		all, err := t.Store.Archives(ctx)
		if err != nil {
			return err
		}
		for _, a := range all {
			file := t.Archive.File(a)
			if file == "" || a.RemovedAt != nil {
				continue
			}
			if _, err := os.Stat(file); errors.Is(err, os.ErrNotExist) {
				t.Log.WarnContext(ctx, "the database of an archive is missing and not in the backup", "archive", a.Name)
				continue
			}
			path := filepath.Join(scratch, "archive-"+a.Name+".db")
			if err := t.Archive.Snapshot(ctx, a.Name, path); err != nil {
				return fmt.Errorf("archive %s: %w", a.Name, err)
			}
			out["archive/hub-"+a.Name+".db"] = path
		}
		return nil
	})
	if errors.Is(err, archive.ErrBusy) {
		return nil, hub.Errorf(hub.CodeUnavailable, "Calls are being archived; take the backup when that has ended.")
	}
	if err != nil {
		return nil, err
	}
	if m.Schema, err = t.Store.Schema(ctx); err != nil {
		return nil, err
	}
	keys, err := t.Store.VaultKeys(ctx)
	if err != nil {
		return nil, err
	}
	m.Masters = []string{}
	for _, k := range keys {
		if !slices.Contains(m.Masters, k.MasterID) {
			m.Masters = append(m.Masters, k.MasterID)
		}
	}
	return out, nil
}

// prove opens the copy of the database and has it and its books checked.
func (t *Taker) prove(ctx context.Context, path string) (err error) {
	s, err := store.Open(ctx, store.Options{URL: store.FileURL(path), Now: t.Now, Log: t.Log})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := s.Sound(ctx); err != nil {
		return err
	}
	report, err := (&ledger.Book{Store: s, Now: t.Now}).Verify(ctx)
	if err != nil {
		return err
	}
	if n := len(report.Violations); n > 0 {
		return hub.Errorf(hub.CodeInternal, "The books in the copy do not balance (%d violations, see `aigne-hub ledger verify`), so it was not kept.", n)
	}
	return nil
}

// blobs adds the files that links lead to. They never change; one that is deleted
// meanwhile is left out.
func (t *Taker) blobs(w *writer) error {
	root := filepath.Join(t.Data, "blobs")
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		if err != nil || d.IsDir() || strings.HasPrefix(d.Name(), ".") {
			return err
		}
		local, err := filepath.Rel(t.Data, path)
		if err != nil {
			return err
		}
		if err := w.file(filepath.ToSlash(local), path); !errors.Is(err, os.ErrNotExist) {
			return err
		}
		return nil
	})
	return err
}

// Read reads a backup's manifest; blob.ErrGone: there is no such backup, or none
// that was finished.
func Read(ctx context.Context, from blob.Place, name string) (Manifest, error) {
	var m Manifest
	if !validName(name) {
		return m, hub.Invalid("name", "%q is not the name of a backup, such as 20260701T020000Z", name)
	}
	const most = 64 << 20
	r, err := from.Get(ctx, name+"/"+manifestName, 0)
	if err != nil {
		return m, err
	}
	defer r.Close()
	text, err := io.ReadAll(io.LimitReader(r, most))
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(text, &m); err != nil || m.Format != format || m.Name != name {
		return m, hub.Errorf(hub.CodeInvalid, "The manifest of the backup %s cannot be read.", name)
	}
	for _, f := range m.Files {
		if !filepath.IsLocal(filepath.FromSlash(f.Path)) {
			return m, hub.Errorf(hub.CodeInvalid, "The backup %s names a file outside the data folder.", name)
		}
	}
	return m, nil
}

func validName(name string) bool {
	_, err := time.Parse(nameStamp, name)
	return err == nil
}

// List lists the finished backups of a place, newest first.
func List(ctx context.Context, at Place) ([]Manifest, error) {
	names, err := at.Folders(ctx)
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	slices.Reverse(names)
	out := []Manifest{}
	for _, name := range names {
		if !validName(name) {
			continue
		}
		m, err := Read(ctx, at, name)
		if errors.Is(err, blob.ErrGone) {
			continue // one that is being taken
		}
		if err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, nil
}

// Thin deletes all backups of a place but the newest, of which keep stay.
func Thin(ctx context.Context, at Place, keep int) (removed []string, err error) {
	all, err := List(ctx, at)
	if err != nil {
		return nil, err
	}
	for _, m := range all[min(keep, len(all)):] {
		if err := Delete(ctx, at, m); err != nil {
			return removed, err
		}
		removed = append(removed, m.Name)
	}
	return removed, nil
}

// Delete removes a backup: its manifest first, so that a rest is none.
func Delete(ctx context.Context, at blob.Place, m Manifest) error {
	if err := at.Delete(ctx, m.Name+"/"+manifestName); err != nil {
		return err
	}
	for _, f := range m.Files {
		for _, p := range f.Parts {
			if err := at.Delete(ctx, m.Name+"/"+p.Name); err != nil {
				return err
			}
		}
	}
	return nil
}
