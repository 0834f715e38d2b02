package boot_test

import (
	"log/slog"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/telemetry"
	"github.com/aigne-hub/aigne-hub/shared/testkit/logbuf"
)

func TestADataFolderMayHaveAnyName(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"plain", "with space", "100%", "%25", "a?b#c", "ü"} {
		data := filepath.Join(t.TempDir(), name)
		env := func(key string) (string, bool) {
			if key != "AIGNE_HUB_DATA" {
				return "", false
			}
			return data, true
		}
		cfg, err := boot.Load(env, nil, nil)
		require.NoError(t, err, name)
		a, err := boot.Open(t.Context(), cfg, boot.Options{Log: telemetry.NewLogger(&logbuf.Buffer{}, telemetry.FormatText, slog.LevelInfo), Env: env, Migrate: true})
		require.NoError(t, err, name)
		require.NoError(t, a.Close(t.Context()))
		assert.FileExists(t, filepath.Join(data, "hub.db"))
	}
}
