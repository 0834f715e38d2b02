package operator

import (
	"context"
	"errors"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/archive"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// RunArchive moves old calls to the archives until none is left or ctx ends. That
// somebody asked for it is on record before it begins; what it did is in the log of
// runs.
func (d *Desk) RunArchive(ctx context.Context, actor string) (archive.Report, error) {
	if err := d.audit(ctx, actor, "archive.run", "", nil, map[string]any{"cutoff": d.Archive.Cutoff()}); err != nil {
		return archive.Report{}, err
	}
	r, err := d.Archive.Run(ctx, actor)
	return r, archiveError(err)
}

// VerifyArchive proves that an archive holds what was moved there.
func (d *Desk) VerifyArchive(ctx context.Context, name string) (archive.Verification, error) {
	v, err := d.Archive.Verify(ctx, name)
	return v, archiveError(err)
}

// CompactStore writes an embedded database anew without its empty space.
func (d *Desk) CompactStore(ctx context.Context, actor string) error {
	if err := d.audit(ctx, actor, "store.compact", "", nil, nil); err != nil {
		return err
	}
	return d.Store.Compact(ctx)
}

func archiveError(err error) error {
	if errors.Is(err, archive.ErrBusy) {
		return hub.Errorf(hub.CodeConflict, "Another archiver is at work; try again when it has finished.")
	}
	return err
}

// ArchiveView is an archive as it is shown.
type ArchiveView struct {
	Name       string            `json:"name"` // the quarter
	Kind       store.ArchiveKind `json:"kind"`
	File       string            `json:"file,omitempty"` // where its database lies
	From       time.Time         `json:"from"`
	Until      time.Time         `json:"until"`
	Calls      int64             `json:"calls"`
	Credits    money.Credits     `json:"credits"`
	CostUSD    money.Credits     `json:"cost_usd"` // as far as it is known
	ChangedAt  time.Time         `json:"changed_at"`
	VerifiedAt *time.Time        `json:"verified_at"` // null: never
	RemovedAt  *time.Time        `json:"removed_at"`  // null: it is there
}

// Archives lists all archives, newest first.
func (d *Desk) Archives(ctx context.Context) ([]ArchiveView, error) {
	all, err := d.Store.Archives(ctx)
	out := make([]ArchiveView, len(all))
	for i, a := range all {
		out[i] = ArchiveView{Name: a.Name, Kind: a.Kind, File: d.Archive.File(a), From: a.From, Until: a.Until, Calls: a.Calls,
			Credits: money.Credits(a.Credits), CostUSD: money.Credits(a.Cost), ChangedAt: a.ChangedAt, VerifiedAt: a.VerifiedAt, RemovedAt: a.RemovedAt}
	}
	return out, err
}

// ArchiveRunView is a run of the archiver as it is shown.
type ArchiveRunView struct {
	ID      string         `json:"id"`
	Actor   string         `json:"actor"`
	State   store.RunState `json:"state"` // running, done, partial, failed or interrupted
	Cutoff  time.Time      `json:"cutoff"`
	Calls   int64          `json:"calls"`
	Kept    int64          `json:"kept"` // older calls that had to stay
	Freed   int64          `json:"freed_bytes"`
	Error   string         `json:"error"`
	Started time.Time      `json:"started_at"`
	Ended   *time.Time     `json:"ended_at"` // null: it goes on
}

// ViewArchiveRun shows a run.
func ViewArchiveRun(r store.ArchiveRun) ArchiveRunView {
	return ArchiveRunView{ID: r.ID, Actor: r.Actor, State: r.State, Cutoff: r.Cutoff, Calls: r.Calls, Kept: r.Kept, Freed: r.Freed,
		Error: r.Error, Started: r.Started, Ended: r.Ended}
}
