package backup

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/blob"
	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// partSize is how much of a file goes into one part: two of it are in memory.
const partSize = 32 << 20

// writer writes files into a backup.
type writer struct {
	ctx context.Context
	to  blob.Place
	m   *Manifest
}

// file adds a file. It fails with os.ErrNotExist when there is none.
func (w *writer) file(path, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	f := File{Path: path, Parts: []Part{}}
	whole := sha256.New()
	chunk := make([]byte, partSize)
	for {
		n, err := io.ReadFull(in, chunk)
		if n > 0 {
			whole.Write(chunk[:n])
			f.Bytes += int64(n)
			part, err := w.part(fmt.Sprintf("%s.%04d.gz", path, len(f.Parts)+1), chunk[:n])
			if err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
			f.Parts = append(f.Parts, part)
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			break
		}
		if err != nil {
			return err
		}
	}
	f.SHA256 = sum(whole)
	w.m.Files = append(w.m.Files, f)
	return nil
}

func (w *writer) part(name string, data []byte) (Part, error) {
	var out bytes.Buffer
	zip, err := gzip.NewWriterLevel(&out, gzip.BestSpeed)
	if err != nil {
		return Part{}, err
	}
	_, err = zip.Write(data)
	if err = errors.Join(err, zip.Close()); err != nil {
		return Part{}, err
	}
	digest := sha256.Sum256(out.Bytes())
	p := Part{Name: name, Bytes: int64(out.Len()), SHA256: hex.EncodeToString(digest[:])}
	return p, w.to.Put(w.ctx, w.m.Name+"/"+name, out.Bytes())
}

// undo removes what was written. What cannot be removed is no backup: it has no
// manifest.
func (w *writer) undo() {
	_ = Delete(context.WithoutCancel(w.ctx), w.to, *w.m)
}

func sum(h hash.Hash) string { return hex.EncodeToString(h.Sum(nil)) }

func sorted(files map[string]string) []string { return slices.Sorted(maps.Keys(files)) }

// Check reads a whole backup and fails when anything in it is missing or differs
// from what was written.
func Check(ctx context.Context, from blob.Place, m Manifest) error {
	for _, f := range m.Files {
		if err := unpack(ctx, from, m.Name, f, io.Discard); err != nil {
			return err
		}
	}
	return nil
}

// unpack writes a file of a backup to w, and fails unless it is the one that was
// backed up.
func unpack(ctx context.Context, from blob.Place, name string, f File, w io.Writer) error {
	whole := sha256.New()
	var n int64
	for _, p := range f.Parts {
		data, err := fetch(ctx, from, name+"/"+p.Name, p)
		if err != nil {
			return err
		}
		zip, err := gzip.NewReader(bytes.NewReader(data))
		if err != nil {
			return damaged(name, p.Name)
		}
		some, err := io.Copy(io.MultiWriter(w, whole), io.LimitReader(zip, partSize+1))
		if err != nil {
			return err
		}
		n += some
	}
	if n != f.Bytes || sum(whole) != f.SHA256 {
		return damaged(name, f.Path)
	}
	return nil
}

func fetch(ctx context.Context, from blob.Place, path string, p Part) ([]byte, error) {
	name, _, _ := strings.Cut(path, "/")
	r, err := from.Get(ctx, path, 0)
	if errors.Is(err, blob.ErrGone) {
		return nil, hub.Errorf(hub.CodeInvalid, "The backup %s is not whole: %s is missing.", name, p.Name)
	}
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(r, p.Bytes+1))
	if err = errors.Join(err, r.Close()); err != nil {
		return nil, err
	}
	digest := sha256.Sum256(data)
	if int64(len(data)) != p.Bytes || hex.EncodeToString(digest[:]) != p.SHA256 {
		return nil, damaged(name, p.Name)
	}
	return data, nil
}

func damaged(name, what string) error {
	return hub.Errorf(hub.CodeInvalid, "The backup %s is damaged: %s is not what was written.", name, what)
}
