package npm

import (
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A lock file without packages: npm ci succeeds without asking any registry.
func project(script string) fstest.MapFS {
	return fstest.MapFS{
		"package.json":      {Data: []byte(`{"name":"empty","version":"1.0.0","private":true,"type":"module"}`)},
		"package-lock.json": {Data: []byte(`{"name":"empty","version":"1.0.0","lockfileVersion":3,"requires":true,"packages":{"":{"name":"empty","version":"1.0.0"}}}`)},
		"hello.mjs":         {Data: []byte(script)},
	}
}

func TestInstallRunsOnceForManyCallersAndHandsOutTheScripts(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	node := Node(t)
	dirs := make([]string, 4)
	var wg sync.WaitGroup
	for i := range dirs {
		wg.Go(func() { dirs[i], _ = install("empty", project(`console.log("hello")`)) })
	}
	wg.Wait()
	for _, dir := range dirs {
		require.NotEmpty(t, dir)
		assert.Equal(t, dirs[0], dir)
	}
	out, err := exec.Command(node, filepath.Join(dirs[0], "hello.mjs")).Output()
	require.NoError(t, err)
	assert.Equal(t, "hello\n", string(out))
}

func TestInstallKeepsPackagesWhenOnlyAScriptChanges(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	Node(t)
	before := Install(t, "empty", project("1"))
	mark := filepath.Join(filepath.Dir(before), ".installed")
	was, err := os.Stat(mark)
	require.NoError(t, err)
	after := Install(t, "empty", project("2"))
	assert.NotEqual(t, before, after)
	assert.Equal(t, filepath.Dir(before), filepath.Dir(after))
	is, err := os.Stat(mark)
	require.NoError(t, err)
	assert.Equal(t, was.ModTime(), is.ModTime())
}

func TestInstallNeverTouchesAScriptInPlace(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	script := filepath.Join(Install(t, "empty", project("1")), "hello.mjs")
	was, err := os.Stat(script)
	require.NoError(t, err)
	require.NoError(t, os.Chtimes(script, was.ModTime().Add(-time.Hour), was.ModTime().Add(-time.Hour)))
	was, err = os.Stat(script)
	require.NoError(t, err)
	Install(t, "empty", project("1"))
	is, err := os.Stat(script)
	require.NoError(t, err)
	assert.Equal(t, was.ModTime(), is.ModTime())
}

func TestInstallReportsABrokenLockFile(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	Node(t)
	files := project("1")
	files["package-lock.json"] = &fstest.MapFile{Data: []byte(`{"lockfileVersion":3,"packages":{"":{"dependencies":{"x":"1"}}}}`)}
	files["package.json"] = &fstest.MapFile{Data: []byte(`{"name":"empty","dependencies":{"y":"1"}}`)}
	_, err := install("broken", files)
	assert.ErrorContains(t, err, "npm ci")
}
