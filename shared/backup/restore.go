package backup

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/blob"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// Target is where a backup is put back to.
type Target struct {
	Data    string // the data folder
	File    string // of the database
	KeyFile string // of the master key
	Now     hub.Now

	// Step is called before each file is moved and ends the restore by its error: how
	// tests interrupt one. nil: nothing.
	Step func(path string) error
}

// Pending is the file in a database's folder that says that a restore was begun and
// is not finished. While it is there no hub opens that database.
const Pending = "restore.pending"

// Outcome is what a restore did.
type Outcome struct {
	Manifest Manifest `json:"backup"`
	Resumed  bool     `json:"resumed,omitempty"` // an interrupted restore was brought to its end
	Aside    string   `json:"aside,omitempty"`   // folder that has what was there before
}

// pending is the content of the file Pending. All paths are in the data folder's file
// system, so that moving is renaming.
type pending struct {
	Staged   string   `json:"staged"`
	Aside    string   `json:"aside"`
	Manifest Manifest `json:"manifest"`
}

// Restore puts a backup in the place of what a data folder holds. Everything is
// fetched and checked before anything is touched. What was there is moved aside, and
// without replace its being there is an error. It fails while a hub or a command has
// the database open. One that was interrupted is brought to its end by the next.
func Restore(ctx context.Context, from blob.Place, name string, t Target, replace bool) (Outcome, error) {
	if p, err := t.begun(); err != nil || p != nil {
		if err != nil {
			return Outcome{}, err
		}
		if p.Manifest.Name != name {
			return Outcome{}, hub.Errorf(hub.CodeConflict, "A restore of the backup %s was interrupted; finish it first: name it again.", p.Manifest.Name)
		}
		err := t.swap(*p)
		return Outcome{Manifest: p.Manifest, Resumed: true, Aside: t.aside(p)}, err
	}
	m, err := Read(ctx, from, name)
	if errors.Is(err, blob.ErrGone) {
		return Outcome{}, hub.Errorf(hub.CodeNotFound, "There is no backup %s.", name)
	}
	if err != nil {
		return Outcome{}, err
	}
	if err := t.free(replace); err != nil {
		return Outcome{}, err
	}
	stamp := t.Now().UTC().Format(nameStamp)
	p := pending{Manifest: m, Staged: ".restore-" + stamp, Aside: "before-restore-" + stamp}
	if err := t.stage(ctx, from, p); err != nil {
		return Outcome{}, errors.Join(err, os.RemoveAll(filepath.Join(t.Data, p.Staged)))
	}
	if err := t.close(ctx); err != nil {
		return Outcome{}, errors.Join(err, os.RemoveAll(filepath.Join(t.Data, p.Staged)))
	}
	text, err := json.Marshal(p)
	if err != nil {
		return Outcome{}, err
	}
	if err := (blob.Folder{Path: filepath.Dir(t.File)}).Put(ctx, Pending, text); err != nil {
		return Outcome{}, err
	}
	err = t.swap(p)
	return Outcome{Manifest: m, Aside: t.aside(&p)}, err
}

// Unfinished fails while a restore in the folder of a database is not finished.
func Unfinished(file string) error {
	_, err := os.Stat(filepath.Join(filepath.Dir(file), Pending))
	if err == nil {
		return hub.Errorf(hub.CodeUnavailable, "A restore was interrupted. Run `aigne-hub restore` again, which brings it to its end.")
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func (t Target) begun() (*pending, error) {
	text, err := os.ReadFile(filepath.Join(filepath.Dir(t.File), Pending))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var p pending
	return &p, json.Unmarshal(text, &p)
}

func (t Target) aside(p *pending) string {
	path := filepath.Join(t.Data, p.Aside)
	if _, err := os.Stat(path); err != nil {
		return ""
	}
	return path
}

// free fails when there is a database and it is not to be replaced.
func (t Target) free(replace bool) error {
	_, err := os.Stat(t.File)
	if errors.Is(err, fs.ErrNotExist) || (err == nil && replace) {
		return nil
	}
	if err != nil {
		return err
	}
	return hub.Invalid("replace", "there is a database at %s; with --replace it is moved aside", t.File)
}

// stage fetches all files of a backup.
func (t Target) stage(ctx context.Context, from blob.Place, p pending) error {
	for _, f := range p.Manifest.Files {
		const private, privateFile = 0o700, 0o600
		path := filepath.Join(t.Data, p.Staged, filepath.FromSlash(f.Path))
		if err := os.MkdirAll(filepath.Dir(path), private); err != nil {
			return err
		}
		out, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, privateFile)
		if err != nil {
			return err
		}
		err = unpack(ctx, from, p.Manifest.Name, f, out)
		if err = errors.Join(err, out.Sync(), out.Close()); err != nil {
			return err
		}
	}
	return nil
}

// close makes certain that nobody has the database open, and that it is one file.
func (t Target) close(ctx context.Context) error {
	if _, err := os.Stat(t.File); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	err := store.Seclude(ctx, store.FileURL(t.File))
	if errors.Is(err, store.ErrInUse) {
		return hub.Errorf(hub.CodeConflict, "The database %s is in use; stop the hub that serves it first.", t.File)
	}
	return err
}

// swap moves what is there aside and what was staged to its place, file by file;
// done twice it changes nothing.
func (t Target) swap(p pending) error {
	if err := t.strays(p); err != nil {
		return err
	}
	for _, f := range p.Manifest.Files {
		staged := filepath.Join(t.Data, p.Staged, filepath.FromSlash(f.Path))
		if _, err := os.Stat(staged); errors.Is(err, fs.ErrNotExist) {
			continue // moved before
		}
		if t.Step != nil {
			if err := t.Step(f.Path); err != nil {
				return err
			}
		}
		to := t.path(f.Path)
		const private = 0o700
		if err := os.MkdirAll(filepath.Dir(to), private); err != nil {
			return err
		}
		if err := t.away(to, filepath.Join(t.Data, p.Aside, filepath.FromSlash(f.Path))); err != nil {
			return err
		}
		if err := os.Rename(staged, to); err != nil {
			return err
		}
	}
	if err := os.RemoveAll(filepath.Join(t.Data, p.Staged)); err != nil {
		return err
	}
	return os.Remove(filepath.Join(filepath.Dir(t.File), Pending))
}

// strays moves archives aside that the backup does not have: calls in them may be in
// its database, and would be moved there again.
func (t Target) strays(p pending) error {
	known := map[string]bool{}
	for _, f := range p.Manifest.Files {
		known[t.path(f.Path)] = true
	}
	folder := filepath.Join(filepath.Dir(t.File), "archive")
	stem := strings.TrimSuffix(filepath.Base(t.File), filepath.Ext(t.File))
	all, err := os.ReadDir(folder)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, e := range all {
		path := filepath.Join(folder, e.Name())
		if !strings.HasPrefix(e.Name(), stem+"-") || filepath.Ext(path) != ".db" || known[path] {
			continue
		}
		if err := t.away(path, filepath.Join(t.Data, p.Aside, "archive", e.Name())); err != nil {
			return err
		}
	}
	return nil
}

// away moves a file, with what SQLite keeps beside it, aside.
func (t Target) away(path, aside string) error {
	for _, ending := range []string{"", "-wal", "-shm"} {
		if _, err := os.Stat(path + ending); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		const private = 0o700
		if err := os.MkdirAll(filepath.Dir(aside), private); err != nil {
			return err
		}
		if err := os.Rename(path+ending, aside+ending); err != nil {
			return err
		}
	}
	return nil
}

// path is where a file of a backup belongs.
func (t Target) path(name string) string {
	stem := strings.TrimSuffix(filepath.Base(t.File), filepath.Ext(t.File))
	switch quarter, archived := strings.CutPrefix(name, "archive/hub-"); {
	case name == Database:
		return t.File
	case name == KeyFile && t.KeyFile != "":
		return t.KeyFile
	case archived:
		return filepath.Join(filepath.Dir(t.File), "archive", stem+"-"+quarter)
	}
	return filepath.Join(t.Data, filepath.FromSlash(name))
}

// Age is how old the newest of some backups is; known is false without any.
func Age(all []Manifest, now time.Time) (age time.Duration, known bool) {
	if len(all) == 0 {
		return 0, false
	}
	return now.Sub(all[0].CreatedAt), true
}
