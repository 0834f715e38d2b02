package usage

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/blob"
	"github.com/aigne-hub/aigne-hub/shared/calls"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/vault"
)

// exportWriter writes exports into files, one part after the other, so that
// neither memory nor the time of one run bounds them.
type exportWriter struct {
	log   *calls.Log
	blobs *blob.Keeper
	vault func(context.Context) (*vault.Keyring, error)
	now   hub.Now
	slog  *slog.Logger
	part  int // bytes of a file, at least
}

// partSize is in memory while a part is written.
const partSize = 16 << 20

// exportLife is how long finished exports are listed.
const exportLife = 31 * 24 * time.Hour

func (h *handler) writer() *exportWriter {
	return &exportWriter{log: h.log(), blobs: h.Blobs, vault: h.Vault, now: h.Now, slog: h.Log, part: partSize}
}

// run writes what is waiting until nothing is or its time is over; the next run
// goes on behind the last part that is kept.
func (x *exportWriter) run(ctx context.Context) error {
	for {
		e, err := x.log.Store.DueCallExport(ctx)
		if errors.Is(err, store.ErrNotFound) {
			return x.log.Store.ForgetCallExports(ctx, x.now().Add(-exportLife))
		}
		if err != nil {
			return err
		}
		if err := x.write(ctx, e); err != nil {
			return err
		}
	}
}

func (x *exportWriter) write(ctx context.Context, e store.CallExport) error {
	var asked exportAsked
	err := json.Unmarshal([]byte(e.Asked), &asked)
	var out *calls.Export
	if err == nil {
		out, err = calls.NewExport(x.log, asked.Form)
	}
	if err != nil { // nothing that time could mend
		x.slog.Error("an export cannot be written", "export", e.ID, "error", err)
		e.State, e.Error, e.FinishedAt = store.ExportFailed, "The export cannot be written.", new(x.now())
		return x.log.Store.SaveCallExport(ctx, e, e.After)
	}
	asked.Filter.Before = e.After
	for e.State != store.ExportDone {
		if e, err = x.writePart(ctx, e, out, &asked); err != nil {
			return fmt.Errorf("export %s: %w", e.ID, err)
		}
	}
	return nil
}

// writePart writes one file and notes how far it went. A file whose note is lost is
// written again; the one that nobody knows of expires.
func (x *exportWriter) writePart(ctx context.Context, e store.CallExport, out *calls.Export, asked *exportAsked) (store.CallExport, error) {
	var buf bytes.Buffer
	if err := out.Heading(&buf); err != nil {
		return e, err
	}
	before, rows, done := e.After, int64(0), false
	for !done && (rows == 0 || buf.Len() < x.part) {
		var n int
		var err error
		if n, done, err = out.Next(ctx, &buf, &asked.Filter); err != nil {
			return e, err
		}
		rows += int64(n)
	}
	names, err := x.names(ctx, e)
	if err != nil {
		return e, err
	}
	name, err := x.blobs.Put(ctx, e.UserID, e.ID, exportType(asked.Form.Format), buf.Bytes())
	if err != nil {
		return e, err
	}
	if err := x.seal(ctx, &e, append(names, name)); err != nil {
		return e, err
	}
	e.State, e.After, e.Rows, e.Bytes = store.ExportWriting, asked.Filter.Before, e.Rows+rows, e.Bytes+int64(buf.Len())
	if done {
		now := x.now()
		e.State, e.FinishedAt, e.ExpiresAt = store.ExportDone, &now, new(now.Add(x.blobs.Life))
	}
	return e, x.log.Store.SaveCallExport(ctx, e, before)
}

func exportAAD(id string) string { return "call_exports/" + id + "/sealed" }

// names opens the names of an export's files.
func (x *exportWriter) names(ctx context.Context, e store.CallExport) ([]string, error) {
	if e.Sealed == "" {
		return nil, nil
	}
	ring, err := x.vault(ctx)
	if err != nil {
		return nil, err
	}
	plain, err := ring.Open(exportAAD(e.ID), e.Sealed)
	if err != nil {
		return nil, err
	}
	var names []string
	return names, json.Unmarshal([]byte(plain.Reveal()), &names)
}

func (x *exportWriter) seal(ctx context.Context, e *store.CallExport, names []string) error {
	ring, err := x.vault(ctx)
	if err != nil {
		return err
	}
	text, err := json.Marshal(names)
	if err != nil {
		return err
	}
	e.Sealed, e.KeyID, err = ring.Seal(exportAAD(e.ID), hub.Secret(text))
	return err
}
