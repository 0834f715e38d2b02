package blob_test

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/blob"
)

func TestAFolderKeepsFilesUnderTheirNames(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	d := blob.Folder{Path: filepath.Join(root, "archive")}
	require.NoError(t, d.Put(t.Context(), "2026Q3/a.gz", []byte("old")))
	require.NoError(t, d.Put(t.Context(), "2026Q3/a.gz", []byte("hello")))
	onDisk, err := os.ReadFile(filepath.Join(root, "archive", "2026Q3", "a.gz"))
	require.NoError(t, err)
	assert.Equal(t, "hello", string(onDisk))
	r, err := d.Get(t.Context(), "2026Q3/a.gz", 2)
	require.NoError(t, err)
	text, err := io.ReadAll(r)
	require.NoError(t, err)
	require.NoError(t, r.Close())
	assert.Equal(t, "llo", string(text))
	require.NoError(t, d.Delete(t.Context(), "2026Q3/a.gz"))
	require.NoError(t, d.Delete(t.Context(), "2026Q3/a.gz"), "gone is gone")
	_, err = d.Get(t.Context(), "2026Q3/a.gz", 0)
	require.ErrorIs(t, err, blob.ErrGone)
	for _, name := range []string{"../x", "/etc/passwd", "a/../../x", ""} {
		require.Error(t, d.Put(t.Context(), name, nil), name)
		_, err := d.Get(t.Context(), name, 0)
		require.Error(t, err, name)
		require.Error(t, d.Delete(t.Context(), name), name)
	}
}
