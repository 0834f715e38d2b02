package archive

import (
	"context"
	"errors"
	"fmt"

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
