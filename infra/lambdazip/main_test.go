package main

import (
	"archive/zip"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPackIsExecutableAndReproducible(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	in := filepath.Join(dir, "some-binary")
	require.NoError(t, os.WriteFile(in, []byte("binary"), 0o600))
	var made [2][]byte
	for i := range made {
		require.NoError(t, os.Chtimes(in, time.Time{}, time.Unix(int64(i), 0)))
		out := filepath.Join(dir, "out.zip")
		require.NoError(t, pack(in, out))
		b, err := os.ReadFile(out)
		require.NoError(t, err)
		made[i] = b
		checkEntry(t, out)
	}
	assert.Equal(t, made[0], made[1])
}

func checkEntry(t *testing.T, path string) {
	t.Helper()
	z, err := zip.OpenReader(path)
	require.NoError(t, err)
	defer z.Close()
	require.Len(t, z.File, 1)
	f := z.File[0]
	assert.Equal(t, "bootstrap", f.Name)
	assert.Equal(t, os.FileMode(0o755), f.Mode())
	r, err := f.Open()
	require.NoError(t, err)
	defer r.Close()
	b, err := io.ReadAll(r)
	require.NoError(t, err)
	assert.Equal(t, "binary", string(b))
}

func TestPackFailsWithoutABootstrap(t *testing.T) {
	t.Parallel()
	assert.Error(t, pack(filepath.Join(t.TempDir(), "absent"), filepath.Join(t.TempDir(), "out.zip")))
}
