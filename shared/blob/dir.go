package blob

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Dir is a place in a folder, made when it is first needed.
type Dir struct{ Path string }

var _ Place = Dir{}

// file spreads contents over subfolders. Ids are hexadecimal and lead nowhere else.
func (d Dir) file(id string) string { return filepath.Join(d.Path, id[:2], id) }

// Put writes a file that is whole or not there.
func (d Dir) Put(_ context.Context, id string, data []byte) error { return write(d.file(id), data) }

// Get opens a file.
func (d Dir) Get(_ context.Context, id string, offset int64) (io.ReadCloser, error) {
	return open(d.file(id), offset)
}

// Delete removes a file.
func (d Dir) Delete(_ context.Context, id string) error {
	if err := os.Remove(d.file(id)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// write makes a file with its folders, or leaves what was there.
func write(path string, data []byte) error {
	const private = 0o700
	if err := os.MkdirAll(filepath.Dir(path), private); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	_, err = tmp.Write(data)
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	return nil
}

// open opens a file at an offset.
func open(path string, offset int64) (io.ReadCloser, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrGone
	}
	if err != nil {
		return nil, err
	}
	if _, err := f.Seek(offset, io.SeekStart); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}
