package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTheDemoRunsAndLeavesNothing(t *testing.T) {
	t.Parallel()
	binary := filepath.Join(t.TempDir(), "aigne-hub")
	out, err := exec.Command("go", "build", "-o", binary, "../../../localrun").CombinedOutput()
	require.NoError(t, err, string(out))

	var said strings.Builder
	require.NoError(t, run(t.Context(), options{hub: binary, listen: "127.0.0.1:0", once: true}, &said))
	assert.True(t, strings.HasPrefix(said.String(), "DEMO."), "it says first what it is")
	assert.Equal(t, 4, strings.Count(said.String(), " success "))
	assert.Equal(t, 1, strings.Count(said.String(), " failed "))
	folder := regexp.MustCompile(`Data folder: +(\S+)`).FindStringSubmatch(said.String())
	require.Len(t, folder, 2)
	_, err = os.Stat(folder[1])
	assert.ErrorIs(t, err, os.ErrNotExist)
}
