package main

import (
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestADatabaseIsCopiedBeforeItIsMigrated brings a hub to an older schema, as an
// upgrade finds it: the last migration that can be taken back is.
func TestADatabaseIsCopiedBeforeItIsMigrated(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.ok("migrate", "--copy", "--log-level", "error")
	copies := func() []string {
		all, err := filepath.Glob(filepath.Join(h.data, "hub.db.before-*.db"))
		require.NoError(t, err)
		return all
	}
	assert.Empty(t, copies(), "there was nothing to copy")
	h.ok("user", "create", "--email", "ann@example.com", "--role", "member")
	h.ok("migrate", "--copy", "--log-level", "error")
	assert.Empty(t, copies(), "nothing is to be migrated")

	file := filepath.Join(h.data, "hub.db")
	lack := func() { // an index may be dropped, and is made again
		db, err := sql.Open("sqlite", file)
		require.NoError(t, err)
		defer db.Close()
		_, err = db.ExecContext(t.Context(), "CREATE TABLE before_upgrade (x INTEGER)")
		require.NoError(t, err)
		_, err = db.ExecContext(t.Context(), "DELETE FROM schema_migrations WHERE name = (SELECT max(name) FROM schema_migrations)")
		require.NoError(t, err)
	}
	lack()
	o := h.run("", "migrate", "--copy")
	// The migration itself finds its own tables; what matters is that the copy came first.
	assert.NotEqual(t, 0, o.code, "a migration that fails")
	require.Len(t, copies(), 1)
	info, err := os.Stat(copies()[0])
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	db, err := sql.Open("sqlite", copies()[0])
	require.NoError(t, err)
	defer db.Close()
	var users, tables int
	require.NoError(t, db.QueryRowContext(t.Context(), "SELECT count(*) FROM users WHERE email = 'ann@example.com'").Scan(&users))
	require.NoError(t, db.QueryRowContext(t.Context(), "SELECT count(*) FROM sqlite_schema WHERE name = 'before_upgrade'").Scan(&tables))
	assert.Equal(t, 1, users)
	assert.Equal(t, 1, tables)
	assert.Contains(t, o.stderr, "database copied before its migration")

	// A second attempt keeps the first copy: what was before is in it.
	first := info.ModTime()
	h.run("", "migrate", "--copy")
	info, err = os.Stat(copies()[0])
	require.NoError(t, err)
	assert.Equal(t, first, info.ModTime())
	assert.True(t, strings.HasPrefix(filepath.Base(copies()[0]), "hub.db.before-00"))
}
