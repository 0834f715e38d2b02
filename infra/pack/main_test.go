package main

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// files are a binary and a text that were made at some time by somebody.
func files(t *testing.T, at time.Time) []string {
	t.Helper()
	dir := t.TempDir()
	var out []string
	for name, mode := range map[string]os.FileMode{"aigne-hub": 0o700, "README.md": 0o600} {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte("content of "+name), mode))
		require.NoError(t, os.Chtimes(path, at, at))
		out = append(out, path)
	}
	if filepath.Base(out[0]) != "aigne-hub" {
		out[0], out[1] = out[1], out[0]
	}
	return out
}

func TestTheSameFilesMakeTheSameArchive(t *testing.T) {
	t.Parallel()
	var made []string
	for _, at := range []time.Time{time.Unix(1_700_000_000, 0), time.Unix(1_600_000_000, 0)} {
		output := filepath.Join(t.TempDir(), "a.tar.gz")
		require.NoError(t, pack(output, "hub", files(t, at)))
		data, err := os.ReadFile(output)
		require.NoError(t, err)
		made = append(made, string(data))
	}
	assert.Equal(t, made[0], made[1])
}

func TestAnArchiveHoldsAProgramThatRunsAndTextsThatEverybodyReads(t *testing.T) {
	t.Parallel()
	want := map[string]os.FileMode{"hub/aigne-hub": 0o755, "hub/README.md": 0o644}
	dir := t.TempDir()
	require.NoError(t, pack(filepath.Join(dir, "a.tar.gz"), "hub", files(t, time.Now())))

	f, err := os.Open(filepath.Join(dir, "a.tar.gz"))
	require.NoError(t, err)
	defer f.Close()
	z, err := gzip.NewReader(f)
	require.NoError(t, err)
	got := map[string]os.FileMode{}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		got[h.Name] = h.FileInfo().Mode()
		assert.Empty(t, h.Uname)
	}
	assert.Equal(t, want, got)
}

func TestDigestsAreListedAsSha256sumReadsThem(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	require.NoError(t, os.WriteFile(path, []byte("abc"), 0o600))
	require.NoError(t, sums(filepath.Join(dir, "SUMS"), []string{path}))
	text, err := os.ReadFile(filepath.Join(dir, "SUMS"))
	require.NoError(t, err)
	// The digest of "abc" in FIPS 180-4's examples.
	assert.Equal(t, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  a\n", string(text))
}
