package archive

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/store"
)

// mover is how this hub's calls move, and how many at once.
func (r *run) mover() (mover, int, error) {
	switch {
	case !r.Store.Remote() && r.Folder != "":
		return databases{r}, batch, nil
	case r.Store.Remote() && r.Place != nil:
		return exports{r.Keeper}, exported, nil
	}
	return nil, 0, errNoPlace()
}

// databases moves calls into databases beside the hub's own.
type databases struct{ *run }

func (databases) marked(ids []string) []string { return ids }

// copy takes calls into an archive and reads them back.
func (d databases) copy(ctx context.Context, archive string, ids []string) (rows store.CallRows, sums store.ArchiveSums, _ *store.ArchiveFile, err error) {
	to := d.to[archive]
	if to == nil {
		if to, err = d.writer(ctx, archive); err != nil {
			return rows, sums, nil, err
		}
		d.to[archive] = to
		if err := d.step("made"); err != nil {
			return rows, sums, nil, err
		}
	}
	rows, err = to.TakeCallRows(ctx, func(ctx context.Context) (store.CallRows, error) { return d.Store.CallRows(ctx, ids) })
	if err != nil {
		return rows, sums, nil, err
	}
	if err := d.step("copied"); err != nil {
		return rows, sums, nil, err
	}
	if sums, err = sumUp(rows); err != nil || sums.Calls == 0 {
		return rows, sums, nil, err
	}
	there, err := to.CallRows(ctx, rows.IDs())
	if err != nil {
		return rows, sums, nil, err
	}
	return rows, sums, nil, same(sums, there)
}

// errDiffers says that a copy is not what was copied.
var errDiffers = errors.New("the copy differs from the original; nothing was deleted")

// same compares what was copied with what lies there.
func same(want store.ArchiveSums, there store.CallRows) error {
	got, err := sumUp(there)
	if err == nil && got != want {
		err = fmt.Errorf("%w: %d of %d calls", errDiffers, got.Calls, want.Calls)
	}
	return err
}

// tidy takes out of archives what an interrupted move left there of calls that are
// still in the hub's database. Whoever does so holds the archiver's lease; a
// process that lost it and goes on later cannot delete those calls any more, for
// the move has another id by then.
func (k *Keeper) tidy(ctx context.Context) error {
	if k.Folder == "" {
		return nil
	}
	moves, err := k.Store.Moves(ctx)
	if err != nil {
		return err
	}
	for _, m := range moves {
		if m, err = k.Store.BeginMove(ctx, m.Archive, m.IDs); err != nil {
			return err
		}
		if err := k.step("tidy"); err != nil {
			return err
		}
		if err := k.takeOut(ctx, m); err != nil {
			return err
		}
		if err := k.Store.EndMove(ctx, m); err != nil {
			return err
		}
	}
	return nil
}

func (k *Keeper) takeOut(ctx context.Context, m store.Move) error {
	still, err := k.Store.CallsThere(ctx, m.IDs)
	if err != nil || len(still) == 0 {
		return err
	}
	to, err := k.writer(ctx, m.Archive)
	if err != nil {
		return err
	}
	return errors.Join(to.DropCallRows(ctx, slices.Sorted(maps.Keys(still))), to.Close())
}

// Still runs work while no call moves and none lies in two places: for sums over
// the hub's database and its archives. It returns ErrBusy while an archiver is at
// work. The context of work ends when that can no longer be promised.
func (k *Keeper) Still(ctx context.Context, work func(context.Context) error) error {
	renew, release, err := k.hold(ctx)
	if err != nil {
		return err
	}
	defer release()
	if err := k.tidy(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	var renewing sync.WaitGroup
	defer renewing.Wait() // before the lease is given back
	defer cancel(nil)
	renewing.Go(func() {
		const often = leaseTime / 5
		tick := time.NewTicker(often)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			if err := renew(ctx); err != nil {
				cancel(err)
			}
		}
	})
	if err := work(ctx); err != nil {
		return err
	}
	return context.Cause(ctx)
}
