package archive

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/aigne-hub/aigne-hub/shared/store"
)

// exports moves calls into files: NDJSON, compressed with gzip, a row of a table
// on each line, and beside each file a manifest that says what is in it.
type exports struct{ *Keeper }

// Manifest lies beside an exported file.
type Manifest struct {
	Format  string `json:"format"` // aigne-hub-calls/1
	Archive string `json:"archive"`
	File    string `json:"file"`
	Bytes   int64  `json:"bytes"`
	SHA256  string `json:"sha256"` // of the file, in hexadecimal
	FirstID string `json:"first_id"`
	LastID  string `json:"last_id"`
	store.ArchiveSums
}

const (
	format         = "aigne-hub-calls/1"
	manifestEnding = ".json"
)

// marked are none: a file of an interrupted move is not noted, and nobody reads it.
func (exports) marked([]string) []string { return nil }

// copy writes calls to a file whose name depends on what is in it: whoever exports
// the same calls again writes the same file. It reads the file back before the
// calls are deleted.
func (e exports) copy(ctx context.Context, archive string, ids []string) (rows store.CallRows, sums store.ArchiveSums, _ *store.ArchiveFile, err error) {
	if rows, err = e.Store.CallRows(ctx, ids); err != nil || len(rows.Calls.Values) == 0 {
		return rows, sums, nil, err
	}
	if sums, err = sumUp(rows); err != nil {
		return rows, sums, nil, err
	}
	data, err := encode(rows)
	if err != nil {
		return rows, sums, nil, err
	}
	digest := hex.EncodeToString(hashOf(data))
	const told = 16
	first, last := rows.Calls.Values[0], rows.Calls.Values[len(rows.Calls.Values)-1]
	at := rows.Calls.Column("id")
	m := Manifest{Format: format, Archive: archive, Bytes: int64(len(data)), SHA256: digest, ArchiveSums: sums}
	m.FirstID, _ = first[at].(string)
	m.LastID, _ = last[at].(string)
	m.File = archive + "/" + m.FirstID + "-" + digest[:told] + ".ndjson.gz"
	file := &store.ArchiveFile{Archive: archive, Name: m.File, Calls: sums.Calls, Bytes: m.Bytes, SHA256: digest, LastID: m.LastID}
	if err := e.Place.Put(ctx, m.File, data); err != nil {
		return rows, sums, nil, err
	}
	if err := e.step("copied"); err != nil {
		return rows, sums, nil, err
	}
	there, err := e.read(ctx, *file)
	if err != nil {
		return rows, sums, nil, err
	}
	if err := same(sums, there); err != nil {
		return rows, sums, nil, err
	}
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return rows, sums, nil, err
	}
	return rows, sums, file, e.Place.Put(ctx, m.File+manifestEnding, text)
}

func hashOf(data []byte) []byte {
	sum := sha256.Sum256(data)
	return sum[:]
}

// read reads an exported file and checks that it is the one that was written.
func (k *Keeper) read(ctx context.Context, f store.ArchiveFile) (store.CallRows, error) {
	data, err := k.fetch(ctx, f.Name)
	if err != nil {
		return store.CallRows{}, fmt.Errorf("file %s: %w", f.Name, err)
	}
	if hex.EncodeToString(hashOf(data)) != f.SHA256 {
		return store.CallRows{}, fmt.Errorf("file %s: %w", f.Name, errDiffers)
	}
	rows, err := decode(data)
	if err != nil {
		return rows, fmt.Errorf("file %s: %w", f.Name, err)
	}
	return rows, nil
}

func (k *Keeper) fetch(ctx context.Context, name string) ([]byte, error) {
	from, err := k.Place.Get(ctx, name, 0)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(from)
	return data, errors.Join(err, from.Close())
}

// line is one row of a table.
type line struct {
	Table string         `json:"table"`
	Row   map[string]any `json:"row"`
}

// encode writes rows; the same rows give the same bytes.
func encode(rows store.CallRows) ([]byte, error) {
	var out bytes.Buffer
	zip, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	enc := json.NewEncoder(zip)
	enc.SetEscapeHTML(false)
	for _, r := range rows.Tables() {
		for _, v := range r.Values {
			row := make(map[string]any, len(v))
			for i, c := range r.Columns {
				row[c] = v[i]
			}
			if err := enc.Encode(line{r.Table, row}); err != nil {
				return nil, err
			}
		}
	}
	if err := zip.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// decode reads what encode wrote.
func decode(data []byte) (out store.CallRows, err error) {
	zip, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return out, err
	}
	names := []string{"model_calls", "usage", "model_call_attempts", "call_slices"}
	tables := map[string]*store.Rows{}
	for i, r := range out.Tables() {
		r.Table = names[i]
		tables[r.Table] = r
	}
	dec := json.NewDecoder(bufio.NewReader(zip))
	dec.UseNumber()
	for {
		var l line
		if err := dec.Decode(&l); errors.Is(err, io.EOF) {
			return out, nil
		} else if err != nil {
			return out, err
		}
		r := tables[l.Table]
		if r == nil {
			return out, fmt.Errorf("it has rows of %q", l.Table)
		}
		if r.Columns == nil {
			r.Columns = slices.Sorted(maps.Keys(l.Row))
		}
		values := make([]any, len(r.Columns))
		for i, c := range r.Columns {
			values[i] = l.Row[c]
			if n, ok := values[i].(json.Number); ok {
				if values[i], err = n.Int64(); err != nil {
					return out, err
				}
			}
		}
		r.Values = append(r.Values, values)
	}
}
