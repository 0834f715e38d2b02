package vault_test

import (
	"encoding/base64"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/vault"
)

func TestParseMasterReadsEverySpellingOfTheSameKey(t *testing.T) {
	t.Parallel()
	key := make([]byte, 32)
	for i := range key {
		key[i] = 0xF0 + byte(i%16)
	}
	want, err := vault.ParseMaster(hub.Secret(base64.StdEncoding.EncodeToString(key)))
	require.NoError(t, err)
	assert.Len(t, want.ID(), 16)
	for _, enc := range []*base64.Encoding{base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
		got, err := vault.ParseMaster(hub.Secret(" " + enc.EncodeToString(key) + "\n"))
		require.NoError(t, err)
		assert.Equal(t, want.ID(), got.ID())
	}
}

func TestParseMasterRefusesWhatIsNoKeyAndNeverRepeatsIt(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, text string }{
		{"nothing", ""},
		{"a pass phrase", "correct horse battery staple"},
		{"16 bytes", base64.StdEncoding.EncodeToString([]byte(strings.Repeat("a1", 8)))},
		{"33 bytes", base64.StdEncoding.EncodeToString([]byte(strings.Repeat("abc", 11)))},
		{"32 equal bytes", base64.StdEncoding.EncodeToString(make([]byte, 32))},
		{"hexadecimal", strings.Repeat("0f", 32)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := vault.ParseMaster(hub.Secret(tt.text))
			require.ErrorIs(t, err, vault.ErrMasterKey)
			if tt.text != "" {
				assert.NotContains(t, err.Error(), tt.text)
			}
		})
	}
}

func TestTheKeyFileIsMadeOnceAndIsPrivate(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "data", "master.key")
	_, err := vault.ReadMasterFile(path)
	require.ErrorIs(t, err, fs.ErrNotExist)

	first, created, err := vault.EnsureMasterFile(path)
	require.NoError(t, err)
	assert.True(t, created)
	info, err := os.Stat(path)
	require.NoError(t, err)
	assert.Equal(t, fs.FileMode(0o600), info.Mode().Perm())

	second, created, err := vault.EnsureMasterFile(path)
	require.NoError(t, err)
	assert.False(t, created)
	assert.Equal(t, first.ID(), second.ID())

	names, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	assert.Len(t, names, 1, "nothing is left beside the key")
}

func TestStartersAtOnceGetTheSameKey(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "master.key")
	const starters = 16
	ids := make([]string, starters)
	made := make([]bool, starters)
	var wg sync.WaitGroup
	for i := range starters {
		wg.Go(func() {
			m, created, err := vault.EnsureMasterFile(path)
			if assert.NoError(t, err) {
				ids[i], made[i] = m.ID(), created
			}
		})
	}
	wg.Wait()
	winners := 0
	for i := range starters {
		assert.Equal(t, ids[0], ids[i])
		if made[i] {
			winners++
		}
	}
	assert.Equal(t, 1, winners)
}

func TestAKeyFileThatOthersCanReachIsRefused(t *testing.T) {
	t.Parallel()
	for _, mode := range []fs.FileMode{0o604, 0o640, 0o644, 0o660, 0o602, 0o666} {
		path := filepath.Join(t.TempDir(), "master.key")
		key := vault.GenerateMaster()
		require.NoError(t, os.WriteFile(path, []byte(key.Reveal()), 0o600))
		require.NoError(t, os.Chmod(path, mode))
		_, _, err := vault.EnsureMasterFile(path)
		require.ErrorContains(t, err, "chmod 600", "mode %o", mode)
		assert.NotContains(t, err.Error(), key.Reveal())
	}
}

func TestABrokenKeyFileIsNeverReplaced(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "master.key")
	require.NoError(t, os.WriteFile(path, nil, 0o600))
	_, _, err := vault.EnsureMasterFile(path)
	require.ErrorIs(t, err, vault.ErrMasterKey)
	require.ErrorContains(t, err, path)
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Empty(t, b)

	_, _, err = vault.EnsureMasterFile(t.TempDir())
	require.ErrorContains(t, err, "not a regular file")
}
