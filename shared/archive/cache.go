package archive

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// cache is exported calls that were read back: for each archive a database in a
// folder of this process's own, of those files that were asked for. It can be thrown
// away at any time.
type cache struct {
	mu     sync.Mutex
	folder string // "": nothing was read back yet
	made   int    // databases so far, for their names
	all    map[string]*restored
	left   []*restored // nobody is told of them any more; some may still be reading
}

type restored struct {
	path  string
	db    *store.Store // for reading
	files map[string]bool
	used  time.Time
	until time.Time // of one that was left
}

const (
	// ahead is how many files a list reads back at once, of those that go on below
	// where it is.
	ahead = 3
	// mostFiles bounds the files that are looked at for one question.
	mostFiles = 5000
	// perCall is what a call takes in a database, in bytes, generously.
	perCall = 2048
	// stillRead is for how long a database may be in use after it was handed out.
	stillRead = 10 * time.Minute
	// together is how many files are fetched at a time.
	together = 4
)

func errTooMuch() error {
	return hub.Errorf(hub.CodeInvalid, "More calls of this time were exported than can be read back at once: ask for a shorter time, or give AIGNE_HUB_ARCHIVE_CACHE more room.")
}

// readBack reads back all calls of a span.
func (k *Keeper) readBack(ctx context.Context, a store.Archive, within store.Span) (*store.Store, string, error) {
	if k.Place == nil || k.Settings.Cache == 0 {
		return nil, "", nil
	}
	files, _, err := k.Store.ArchiveFilesOf(ctx, a.Name, within, mostFiles)
	if err == nil && len(files) == mostFiles {
		err = errTooMuch()
	}
	if err != nil {
		return nil, "", err
	}
	s, err := k.restore(ctx, a.Name, files)
	return s, "", err
}

// readNext reads back the newest calls of a span.
func (k *Keeper) readNext(ctx context.Context, a store.Archive, within store.Span) (*store.Store, string, error) {
	if k.Place == nil || k.Settings.Cache == 0 {
		return nil, "", nil
	}
	const page = 500
	files, before, err := k.Store.ArchiveFilesOf(ctx, a.Name, within, page)
	if err != nil {
		return nil, "", err
	}
	// Files that reach over the span's end are read too, however many: without one of
	// them nothing of the span would be complete.
	n := 0
	for n < len(files) && files[n].LastID >= before {
		n++
	}
	if n += ahead; n >= page {
		return nil, "", errTooMuch()
	}
	floor := ""
	if n < len(files) {
		floor = after(files[n].LastID)
	}
	s, err := k.restore(ctx, a.Name, files[:min(n, len(files))])
	return s, floor, err
}

// firstOf is the id that the name of an exported file begins with.
func firstOf(name string) string {
	_, name, _ = strings.Cut(name, "/")
	id, _, _ := strings.Cut(name, "-")
	return id
}

// after is the id that follows on another.
func after(id string) string {
	u, err := ulid.ParseStrict(id)
	if err != nil {
		return id
	}
	for i := len(u) - 1; i >= 0; i-- {
		if u[i]++; u[i] != 0 {
			break
		}
	}
	return u.String()
}

// restore makes sure that files are in the database of an archive, nil without any.
func (k *Keeper) restore(ctx context.Context, archive string, files []store.ArchiveFile) (*store.Store, error) {
	if len(files) == 0 {
		return nil, nil
	}
	c := &k.cache
	c.mu.Lock()
	defer c.mu.Unlock()
	now := k.Now()
	c.sweep(now)
	limit, err := k.allowance()
	if err != nil {
		return nil, err
	}
	var missing []store.ArchiveFile
	for {
		need := int64(0)
		missing = missing[:0]
		for _, f := range files {
			if r := c.all[archive]; r == nil || !r.files[f.Name] {
				missing = append(missing, f)
				need += f.Calls * perCall
			}
		}
		if need > limit {
			return nil, errTooMuch()
		}
		if need == 0 || c.size()+need <= limit || !c.leaveOne(archive, now) {
			break
		}
	}
	r := c.all[archive]
	if r == nil {
		if r, err = k.newCache(ctx); err != nil {
			return nil, err
		}
		c.all[archive] = r
	}
	r.used = now
	for group := range slices.Chunk(missing, together) {
		if err := k.take(ctx, r, group); err != nil {
			return nil, err
		}
	}
	return r.db, nil
}

// take reads files back.
func (k *Keeper) take(ctx context.Context, r *restored, files []store.ArchiveFile) error {
	rows, failed := make([]store.CallRows, len(files)), make([]error, len(files))
	var fetching sync.WaitGroup
	for i, f := range files {
		fetching.Go(func() { rows[i], failed[i] = k.read(ctx, f) })
	}
	fetching.Wait()
	if err := errors.Join(failed...); err != nil {
		return err
	}
	to, err := k.openFile(ctx, r.path, false)
	if err != nil {
		return err
	}
	for i, f := range files {
		if _, err = to.TakeCallRows(ctx, func(context.Context) (store.CallRows, error) { return rows[i], nil }); err != nil {
			err = fmt.Errorf("file %s: %w", f.Name, err)
			break
		}
		r.files[f.Name] = true
	}
	return errors.Join(err, to.Close())
}

// newCache makes an empty database.
func (k *Keeper) newCache(ctx context.Context) (*restored, error) {
	c := &k.cache
	var err error
	if c.folder == "" {
		if c.folder, err = os.MkdirTemp("", "aigne-hub-archive-"); err != nil {
			return nil, err
		}
		c.all = map[string]*restored{}
	}
	c.made++
	r := &restored{path: filepath.Join(c.folder, fmt.Sprintf("%d.db", c.made)), files: map[string]bool{}}
	s, err := k.openFile(ctx, r.path, false)
	if err != nil {
		return nil, err
	}
	_, err = s.Migrate(ctx)
	if err = errors.Join(err, s.Close()); err != nil {
		return nil, err
	}
	r.db, err = k.openFile(ctx, r.path, true)
	return r, err
}

// allowance is how many bytes the databases in use may take: half of the whole, since
// those that were left stay for a while, and no more of what is free.
func (k *Keeper) allowance() (int64, error) {
	const share = 2
	free, look := k.FreeDisk, os.TempDir()
	if free == nil {
		free = FreeDisk
	}
	bytes, known, err := free(look)
	if err != nil {
		return 0, err
	}
	limit := k.Settings.Cache / share
	if known {
		limit = min(limit, k.cache.size()+bytes/share)
	}
	return limit, nil
}

// size is what the databases in use take.
func (c *cache) size() (bytes int64) {
	for _, r := range c.all {
		for _, ending := range []string{"", "-wal"} {
			if info, err := os.Stat(r.path + ending); err == nil {
				bytes += info.Size()
			}
		}
	}
	return bytes
}

// leaveOne leaves the database that was not used for longest, the wanted one last.
// It reports false when there is none.
func (c *cache) leaveOne(wanted string, now time.Time) bool {
	names := make([]string, 0, len(c.all))
	for name := range c.all {
		names = append(names, name)
	}
	if len(names) == 0 {
		return false
	}
	c.leave(slices.MinFunc(names, func(a, b string) int {
		if a == wanted || b == wanted {
			return cmp.Compare(boolRank(a == wanted), boolRank(b == wanted))
		}
		return c.all[a].used.Compare(c.all[b].used)
	}), now)
	return true
}

func boolRank(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (c *cache) leave(name string, now time.Time) {
	r := c.all[name]
	if r == nil {
		return
	}
	delete(c.all, name)
	r.until = now.Add(stillRead)
	c.left = append(c.left, r)
}

// drop leaves the database of an archive that is gone.
func (c *cache) drop(name string, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.leave(name, now)
}

// sweep deletes what was left long enough ago.
func (c *cache) sweep(now time.Time) {
	c.left = slices.DeleteFunc(c.left, func(r *restored) bool {
		return !now.Before(r.until) && r.remove() == nil
	})
}

func (r *restored) remove() error {
	failed := []error{r.db.Close()}
	for _, ending := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(r.path + ending); err != nil && !errors.Is(err, os.ErrNotExist) {
			failed = append(failed, err)
		}
	}
	return errors.Join(failed...)
}

func (c *cache) close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var failed []error
	for _, r := range c.left {
		failed = append(failed, r.remove())
	}
	for _, r := range c.all {
		failed = append(failed, r.remove())
	}
	if c.folder != "" {
		failed = append(failed, os.RemoveAll(c.folder))
	}
	c.folder, c.all, c.left = "", nil, nil
	return errors.Join(failed...)
}
