package backup_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/archive"
	"github.com/aigne-hub/aigne-hub/shared/backup"
	"github.com/aigne-hub/aigne-hub/shared/blob"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/ledger"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/testkit/blank"
	"github.com/aigne-hub/aigne-hub/shared/testkit/fakes3"
)

// world is a data folder whose database is open, with a wallet that has one grant,
// an archive, a file behind a link and a master key.
type world struct {
	*store.Store
	t       *testing.T
	data    string
	now     time.Time
	account string
	taker   *backup.Taker
}

const link = "blobs/ab/abcdef"

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, data: filepath.Join(t.TempDir(), "data"), now: time.Date(2026, 7, 1, 2, 0, 0, 0, time.UTC)}
	file := filepath.Join(w.data, "my hub.db")
	blank.Copy(t, file)
	blank.Copy(t, filepath.Join(w.data, "archive", "my hub-2025Q1.db"))
	write(t, filepath.Join(w.data, link), "sealed")
	write(t, filepath.Join(w.data, "master.key"), "the key")
	var err error
	w.Store, err = store.Open(t.Context(), store.Options{URL: store.FileURL(file)})
	require.NoError(t, err)
	t.Cleanup(func() { _ = w.Close() })
	user, err := w.CreateUser(t.Context(), store.User{Email: "a@example.com", Role: hub.RoleMember})
	require.NoError(t, err)
	w.account = user.AccountID
	w.grant(1_000_000_000)
	require.NoError(t, w.AddArchive(t.Context(), store.Archive{Name: "2025Q1", Kind: store.ArchiveDatabase,
		From: time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC), Until: time.Date(2025, 4, 1, 0, 0, 0, 0, time.UTC)}))
	clock := func() time.Time { return w.now }
	log := slog.New(slog.DiscardHandler)
	keeper := &archive.Keeper{Store: w.Store, Folder: filepath.Join(w.data, "archive"), Stem: "my hub", Now: clock, Log: log}
	w.taker = &backup.Taker{Store: w.Store, Archive: keeper, Data: w.data, File: file, KeyFile: filepath.Join(w.data, "master.key"),
		Version: "test", Now: clock, Log: log}
	return w
}

func write(t *testing.T, path, text string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(b)
}

func (w *world) grant(nano int64) {
	w.t.Helper()
	require.NoError(w.t, w.Do(w.t.Context(), w.GrantUnit(store.Grant{ID: w.NewID(), AccountID: w.account, Kind: "promotional",
		Amount: money.Credits(nano), Priority: 50})))
}

func (w *world) take(to backup.Place, key bool) backup.Manifest {
	w.t.Helper()
	m, err := w.taker.Take(w.t.Context(), to, key)
	require.NoError(w.t, err)
	w.now = w.now.Add(24 * time.Hour)
	return m
}

func (w *world) target() backup.Target {
	return backup.Target{Data: w.data, File: w.taker.File, KeyFile: w.taker.KeyFile, Now: w.taker.Now}
}

// balances opens a database and returns what its wallets hold, having proved the books.
func balances(t *testing.T, file string) (total int64) {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{URL: store.FileURL(file)})
	require.NoError(t, err)
	defer s.Close()
	report, err := (&ledger.Book{Store: s, Now: time.Now}).VerifyAll(t.Context())
	require.NoError(t, err)
	assert.Empty(t, report.Violations)
	all, err := s.Users(t.Context(), "", 10)
	require.NoError(t, err)
	for _, u := range all {
		a, err := s.AccountByID(t.Context(), u.AccountID)
		require.NoError(t, err)
		total += int64(a.Balance)
	}
	return total
}

func paths(m backup.Manifest) (out []string) {
	for _, f := range m.Files {
		out = append(out, f.Path)
	}
	return out
}

func TestABackupIsPutBackAsItWas(t *testing.T) {
	t.Parallel()
	for name, place := range places(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			at := place(t)
			m := w.take(at, true)
			assert.Equal(t, []string{"archive/hub-2025Q1.db", "hub.db", link, "master.key"}, paths(m))
			w.grant(5_000_000_000) // after the backup, so lost with it
			require.NoError(t, w.Close())
			write(t, filepath.Join(w.data, "archive", "my hub-2026Q1.db"), "made after the backup")
			write(t, filepath.Join(w.data, "master.key"), "another")
			require.NoError(t, os.Remove(filepath.Join(w.data, link)))

			_, err := backup.Restore(t.Context(), at, m.Name, w.target(), false)
			var fault *hub.Error
			require.ErrorAs(t, err, &fault)
			assert.Equal(t, "replace", fault.Param)
			assert.Equal(t, "another", read(t, w.taker.KeyFile), "nothing was touched")

			out, err := backup.Restore(t.Context(), at, m.Name, w.target(), true)
			require.NoError(t, err)
			assert.EqualValues(t, 1_000_000_000, balances(t, w.taker.File))
			assert.EqualValues(t, 6_000_000_000, balances(t, filepath.Join(out.Aside, "hub.db")), "what was there is kept")
			assert.Equal(t, "sealed", read(t, filepath.Join(w.data, link)))
			assert.Equal(t, "the key", read(t, w.taker.KeyFile))
			assert.NoFileExists(t, filepath.Join(w.data, "archive", "my hub-2026Q1.db"))
			assert.FileExists(t, filepath.Join(w.data, "archive", "my hub-2025Q1.db"))
			left, err := filepath.Glob(filepath.Join(w.data, ".*"))
			require.NoError(t, err)
			assert.Empty(t, left)
			info, err := os.Stat(w.taker.File)
			require.NoError(t, err)
			assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
		})
	}
}

// places are where backups may lie.
func places(*testing.T) map[string]func(t *testing.T) backup.Place {
	return map[string]func(t *testing.T) backup.Place{
		"a folder": func(t *testing.T) backup.Place { return blob.Folder{Path: filepath.Join(t.TempDir(), "backups")} },
		"a bucket": func(t *testing.T) backup.Place {
			s := fakes3.New(t)
			return &blob.S3{Endpoint: s.URL, Bucket: s.Bucket, Prefix: "hub/", Region: fakes3.Region, KeyID: fakes3.KeyID, Secret: fakes3.Secret, Now: time.Now}
		},
	}
}

func TestTheMasterKeyIsLeftOutUnlessAskedFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.take(blob.Folder{Path: t.TempDir()}, false)
	assert.False(t, m.HasKey)
	assert.NotContains(t, paths(m), "master.key")
}

func TestABackupNeedsNoHubToBeRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dir := t.TempDir()
	m := w.take(blob.Folder{Path: dir}, false)
	parts, err := filepath.Glob(filepath.Join(dir, m.Name, "hub.db.*.gz"))
	require.NoError(t, err)
	var all []io.Reader
	for _, p := range parts {
		all = append(all, bytes.NewReader([]byte(read(t, p))))
	}
	zip, err := gzip.NewReader(io.MultiReader(all...))
	require.NoError(t, err)
	plain, err := io.ReadAll(zip)
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "plain.db")
	write(t, file, string(plain))
	assert.EqualValues(t, 1_000_000_000, balances(t, file))
}

func TestABackupTakenWhileMoneyMovesHasBooksThatBalance(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	at := blob.Folder{Path: t.TempDir()}
	var stop atomic.Bool
	done := make(chan int64)
	go func() {
		n := int64(1)
		for ; !stop.Load(); n++ {
			if w.Do(context.Background(), w.GrantUnit(store.Grant{ID: w.NewID(), AccountID: w.account, Kind: "promotional", Amount: 1_000_000_000, Priority: 50})) != nil {
				break
			}
		}
		done <- n
	}()
	var names []string
	for range 3 {
		names = append(names, w.take(at, false).Name)
	}
	stop.Store(true)
	made := <-done
	require.NoError(t, w.Close())
	before := int64(0)
	for _, name := range names {
		_, err := backup.Restore(t.Context(), at, name, w.target(), true)
		require.NoError(t, err)
		w.now = w.now.Add(time.Minute)
		got := balances(t, w.taker.File)
		assert.GreaterOrEqual(t, got, max(before, 1_000_000_000))
		before = got
	}
	assert.LessOrEqual(t, before, made*1_000_000_000)
}

func TestARestoreThatIsInterruptedIsFinishedByTheNext(t *testing.T) {
	t.Parallel()
	broken := errors.New("power failure")
	for _, at := range []string{"archive/hub-2025Q1.db", "hub.db", link} {
		t.Run("before "+at, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			place := blob.Folder{Path: t.TempDir()}
			m := w.take(place, false)
			w.grant(5_000_000_000)
			require.NoError(t, w.Close())
			require.NoError(t, backup.Unfinished(w.taker.File))
			to := w.target()
			to.Step = func(path string) error {
				if path == at {
					return broken
				}
				return nil
			}
			_, err := backup.Restore(t.Context(), place, m.Name, to, true)
			require.ErrorIs(t, err, broken)
			require.ErrorContains(t, backup.Unfinished(w.taker.File), "interrupted")
			_, err = backup.Restore(t.Context(), place, "20200101T000000Z", w.target(), true)
			require.ErrorContains(t, err, m.Name, "another backup in between would mix the two")
			out, err := backup.Restore(t.Context(), nil, m.Name, w.target(), true) // all of it was fetched before
			require.NoError(t, err)
			assert.True(t, out.Resumed)
			require.NoError(t, backup.Unfinished(w.taker.File))
			assert.EqualValues(t, 1_000_000_000, balances(t, w.taker.File))
			assert.EqualValues(t, 6_000_000_000, balances(t, filepath.Join(out.Aside, "hub.db")))
		})
	}
}

func TestADatabaseInUseIsNotReplaced(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	place := blob.Folder{Path: t.TempDir()}
	m := w.take(place, false)
	_, err := backup.Restore(t.Context(), place, m.Name, w.target(), true)
	require.ErrorContains(t, err, "in use")
	w.grant(1) // it still works
	left, err := filepath.Glob(filepath.Join(w.data, ".restore-*"))
	require.NoError(t, err)
	assert.Empty(t, left)
}

func TestADamagedBackupChangesNothing(t *testing.T) {
	t.Parallel()
	for name, harm := range map[string]func(t *testing.T, dir string){
		"a byte of a part is another": func(t *testing.T, dir string) {
			path := filepath.Join(dir, "hub.db.0001.gz")
			b := []byte(read(t, path))
			b[len(b)/2] ^= 1
			write(t, path, string(b))
		},
		"a part is missing": func(t *testing.T, dir string) { require.NoError(t, os.Remove(filepath.Join(dir, "hub.db.0001.gz"))) },
		"a part is longer": func(t *testing.T, dir string) {
			path := filepath.Join(dir, "hub.db.0001.gz")
			write(t, path, read(t, path)+"x")
		},
		"the manifest leads out of the folder": func(t *testing.T, dir string) {
			path := filepath.Join(dir, "manifest.json")
			write(t, path, string(bytes.ReplaceAll([]byte(read(t, path)), []byte(`"path": "hub.db"`), []byte(`"path": "../hub.db"`))))
		},
		"the manifest is missing": func(t *testing.T, dir string) { require.NoError(t, os.Remove(filepath.Join(dir, "manifest.json"))) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			dir := t.TempDir()
			m := w.take(blob.Folder{Path: dir}, false)
			w.grant(5_000_000_000)
			require.NoError(t, w.Close())
			harm(t, filepath.Join(dir, m.Name))
			_, err := backup.Restore(t.Context(), blob.Folder{Path: dir}, m.Name, w.target(), true)
			require.Error(t, err)
			assert.EqualValues(t, 6_000_000_000, balances(t, w.taker.File))
			require.NoError(t, backup.Unfinished(w.taker.File))
		})
	}
}

func TestAPlaceThatFailsLeavesNoBackup(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := fakes3.New(t)
	at := &blob.S3{Endpoint: s.URL, Bucket: s.Bucket, Region: fakes3.Region, KeyID: fakes3.KeyID, Secret: fakes3.Secret, Now: time.Now}
	var puts int
	s.Fail = func(method, _ string) int {
		if method == http.MethodPut {
			if puts++; puts == 3 {
				return http.StatusServiceUnavailable
			}
		}
		return 0
	}
	_, err := w.taker.Take(t.Context(), at, false)
	require.Error(t, err)
	assert.Empty(t, s.Names())
	left, err := filepath.Glob(filepath.Join(w.data, ".backup-*"))
	require.NoError(t, err)
	assert.Empty(t, left)
}

func TestOldBackupsAreThinnedOut(t *testing.T) {
	t.Parallel()
	for name, place := range places(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			at := place(t)
			var names []string
			for range 4 {
				names = append(names, w.take(at, false).Name)
			}
			removed, err := backup.Thin(t.Context(), at, 2)
			require.NoError(t, err)
			assert.Equal(t, []string{names[1], names[0]}, removed)
			all, err := backup.List(t.Context(), at)
			require.NoError(t, err)
			require.Len(t, all, 2)
			assert.Equal(t, names[3], all[0].Name)
			require.NoError(t, backup.Check(t.Context(), at, all[1]))
		})
	}
}
