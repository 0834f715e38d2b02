// Package blank gives tests databases that are migrated already: parsing the
// migrations takes longer than most tests, above all under the race detector.
package blank

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/store"
)

// made is the file of an empty database with the newest schema.
var made = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "blank-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "hub.db")
	s, err := store.Open(context.Background(), store.Options{URL: "file:" + path})
	if err != nil {
		return nil, err
	}
	if _, err := s.Migrate(context.Background()); err != nil {
		return nil, err
	}
	if err := s.Close(); err != nil { // copies the write-ahead log back
		return nil, err
	}
	return os.ReadFile(path)
})

// At puts one where a file: URL points, and does nothing for a server's.
func At(t testing.TB, url string) {
	t.Helper()
	if path, ok := strings.CutPrefix(url, "file:"); ok {
		Copy(t, path)
	}
}

// Copy puts an empty, migrated database at path, unless there is a file.
func Copy(t testing.TB, path string) {
	t.Helper()
	if _, err := os.Stat(path); err == nil {
		return
	}
	b, err := made()
	require.NoError(t, err)
	const private, privateDir = 0o600, 0o700
	require.NoError(t, os.MkdirAll(filepath.Dir(path), privateDir))
	require.NoError(t, os.WriteFile(path, b, private))
}
