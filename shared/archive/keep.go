package archive

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// overdue lists archives that the retention of archives ends, and those that it
// ended without their files being gone.
func (k *Keeper) overdue(ctx context.Context) (out []store.Archive) {
	if k.Settings.Keep <= 0 {
		return nil
	}
	all, err := k.Store.Archives(ctx)
	if err != nil {
		return nil
	}
	for _, a := range all {
		if !a.Until.Add(k.Settings.Keep).After(k.Now()) && !a.Until.After(k.Cutoff()) {
			out = append(out, a)
		}
	}
	return out
}

// expire deletes archives whose own time is over. That they are gone is noted
// first: what is left of a deletion that was interrupted goes with the next run.
func (r *run) expire(ctx context.Context) error {
	for _, a := range r.overdue(ctx) {
		if a.RemovedAt == nil {
			if err := r.Store.ArchiveRemoved(ctx, a.Name); err != nil {
				return err
			}
			r.report.Removed = append(r.report.Removed, a.Name)
			r.Log.InfoContext(ctx, "archive deleted, its time is over", "archive", a.Name, "calls", a.Calls)
		}
		if err := r.step("removed"); err != nil {
			return err
		}
		if err := r.erase(ctx, a); err != nil {
			return fmt.Errorf("delete archive %s: %w", a.Name, err)
		}
	}
	return nil
}

func (r *run) erase(ctx context.Context, a store.Archive) error {
	if a.Kind == store.ArchiveDatabase && r.Folder != "" {
		failed := []error{r.forget(a.Name)}
		for _, ending := range []string{"", "-wal", "-shm"} {
			if err := os.Remove(r.file(a.Name) + ending); err != nil && !errors.Is(err, os.ErrNotExist) {
				failed = append(failed, err)
			}
		}
		return errors.Join(failed...)
	}
	const page = 500
	for r.Place != nil {
		files, err := r.Store.ArchiveFiles(ctx, a.Name, "", page)
		if err != nil || len(files) == 0 {
			return err
		}
		for _, f := range files {
			err := errors.Join(r.renew(ctx), r.Place.Delete(ctx, f.Name), r.Place.Delete(ctx, f.Name+manifestEnding))
			if err == nil {
				err = r.Store.DropArchiveFile(ctx, a.Name, f.Name)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// Verification is what was found in an archive.
type Verification struct {
	Name       string            `json:"name"`
	OK         bool              `json:"ok"`
	Problem    string            `json:"problem,omitempty"`
	Moved      store.ArchiveSums `json:"moved"` // by the hub's own books
	Found      store.ArchiveSums `json:"found"`
	Unfinished int64             `json:"unfinished"` // copies of calls that are still in the hub's database
}

// Verify reads an archive as a whole and compares it with what was moved there. It
// returns ErrBusy while an archiver is at work. hub.CodeNotFound: there is no such
// archive.
func (k *Keeper) Verify(ctx context.Context, name string) (Verification, error) {
	a, err := k.Store.ArchiveByName(ctx, name)
	if errors.Is(err, store.ErrNotFound) {
		return Verification{}, hub.Errorf(hub.CodeNotFound, "There is no archive %q.", name)
	}
	if err != nil {
		return Verification{}, err
	}
	renew, release, err := k.hold(ctx) // nothing moves meanwhile
	if err != nil {
		return Verification{}, err
	}
	defer release()
	if a, err = k.Store.ArchiveByName(ctx, name); err != nil {
		return Verification{}, err
	}
	v := Verification{Name: name, Moved: a.ArchiveSums}
	if a.RemovedAt != nil {
		return v, hub.Errorf(hub.CodeNotFound, "The archive %s was deleted, its time was over.", name)
	}
	if a.Kind == store.ArchiveDatabase {
		err = k.verifyDatabase(ctx, a, &v, renew)
	} else {
		err = k.verifyFiles(ctx, a, &v, renew)
	}
	switch {
	case ctx.Err() != nil:
		return v, ctx.Err()
	case err != nil:
		v.Problem = err.Error()
		return v, nil
	case v.Found != v.Moved:
		v.Problem = fmt.Sprintf("%d calls were moved there, %d are found, or they are not as they were", v.Moved.Calls, v.Found.Calls)
		return v, nil
	}
	v.OK = true
	return v, k.Store.ArchiveVerified(ctx, name)
}

func (k *Keeper) verifyDatabase(ctx context.Context, a store.Archive, v *Verification, renew func(context.Context) error) error {
	if k.Folder == "" {
		return errNoPlace()
	}
	if a.Calls == 0 {
		return nil
	}
	s, err := k.reader(ctx, a.Name)
	if err != nil {
		return err
	}
	switch wrong, err := s.Integrity(ctx); {
	case err != nil:
		return err
	case wrong != "":
		return fmt.Errorf("its file is damaged: %s", wrong)
	}
	const page = 1000
	for after := ""; ; {
		ids, err := s.CallsBetween(ctx, after, "~", page)
		if err != nil || len(ids) == 0 {
			return err
		}
		after = ids[len(ids)-1]
		if err := renew(ctx); err != nil {
			return err
		}
		still, err := k.Store.CallsThere(ctx, ids)
		if err != nil {
			return err
		}
		moved := ids[:0]
		for _, id := range ids {
			if still[id] {
				v.Unfinished++
				continue
			}
			moved = append(moved, id)
		}
		rows, err := s.CallRows(ctx, moved)
		if err != nil {
			return err
		}
		sums, err := sumUp(rows)
		if err != nil {
			return err
		}
		v.Found.Add(sums)
	}
}

func (k *Keeper) verifyFiles(ctx context.Context, a store.Archive, v *Verification, renew func(context.Context) error) error {
	if k.Place == nil {
		return errNoPlace()
	}
	const page = 500
	for after := ""; ; {
		files, err := k.Store.ArchiveFiles(ctx, a.Name, after, page)
		if err != nil || len(files) == 0 {
			return err
		}
		for _, f := range files {
			after = f.Name
			if err := renew(ctx); err != nil {
				return err
			}
			rows, err := k.read(ctx, f)
			if err != nil {
				return err
			}
			sums, err := sumUp(rows)
			if err != nil {
				return err
			}
			v.Found.Add(sums)
		}
	}
}
