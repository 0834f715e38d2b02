package boot

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/store"
)

// keptCopies is how many copies from before migrations stay.
const keptCopies = 3

// CopyBeforeMigration copies a database file that lacks migrations, so that what
// was before them can be come back to. Others are left alone.
func CopyBeforeMigration(ctx context.Context, cfg Config, log *slog.Logger) (err error) {
	path := cfg.DatabaseFile()
	if path == "" {
		return nil
	}
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return nil
	} else if err != nil {
		return fmt.Errorf("database: %w", err)
	}
	s, err := store.Open(ctx, store.Options{URL: cfg.Database, Synchronous: cfg.Synchronous, Log: log})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	missing, err := s.Pending(ctx)
	if err != nil || len(missing) == 0 {
		return err
	}
	to := path + ".before-" + missing[0] + ".db"
	if _, err := os.Stat(to); err == nil {
		return nil // of an attempt that did not get to the end; what was before is in it
	}
	began := time.Now()
	if err := s.CopyTo(ctx, to); err != nil {
		return fmt.Errorf("nothing is migrated: %w", err)
	}
	log.Info("database copied before its migration", "to", to, "took", time.Since(began).String())
	return dropCopies(path)
}

// dropCopies removes all but the newest copies, which are those with the highest
// numbers of migrations.
func dropCopies(path string) error {
	all, err := filepath.Glob(globbed(path) + ".before-*.db")
	if err != nil {
		return err
	}
	slices.Sort(all)
	for _, old := range all[:max(0, len(all)-keptCopies)] {
		err = errors.Join(err, os.Remove(old))
	}
	return err
}

// globbed keeps a path's own stars from meaning something.
func globbed(path string) string {
	out := make([]byte, 0, len(path))
	for _, c := range []byte(path) {
		if c == '*' || c == '?' || c == '[' || c == '\\' {
			out = append(out, '\\')
		}
		out = append(out, c)
	}
	return string(out)
}
