package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Folder is a place in a folder whose contents keep their names, for people who
// look for them; a slash in a name makes a folder.
type Folder struct{ Path string }

var _ Place = Folder{}

func (d Folder) file(name string) (string, error) {
	local := filepath.FromSlash(name)
	if !filepath.IsLocal(local) {
		return "", fmt.Errorf("the name %q leads out of the folder", name)
	}
	return filepath.Join(d.Path, local), nil
}

// Put writes a file that is whole or not there, and survives power loss.
func (d Folder) Put(_ context.Context, name string, data []byte) error {
	path, err := d.file(name)
	if err != nil {
		return err
	}
	if err := write(path, data); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	_ = dir.Sync() // not every system can
	return dir.Close()
}

// Get opens a file.
func (d Folder) Get(_ context.Context, name string, offset int64) (io.ReadCloser, error) {
	path, err := d.file(name)
	if err != nil {
		return nil, err
	}
	return open(path, offset)
}

// Delete removes a file.
func (d Folder) Delete(_ context.Context, name string) error {
	path, err := d.file(name)
	if err != nil {
		return err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Folders lists the folders at the top, in the order of their names.
func (d Folder) Folders(context.Context) ([]string, error) {
	all, err := os.ReadDir(d.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var out []string
	for _, e := range all {
		if e.IsDir() {
			out = append(out, e.Name())
		}
	}
	return out, err
}
