package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/archive"
	"github.com/aigne-hub/aigne-hub/shared/operator"
)

func TestOldCallsAreArchivedFromTheCommandLine(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.ok("user", "create", "--email", "a@example.com", "--role", "member")
	h.tamper(`INSERT INTO model_calls (id, created_at, finished_at, user_id, api_key_id, account_id, type, dialect, requested_model, stream, status,
  owner, config_version, request_id, billing, on_abort, on_failure, plan_json, cost_nano)
SELECT '01HX2M5E00ABCDEFGHJKMNPQRS', 1715000000000, 1715000001000, u.id, '', a.id, 'chatCompletion', 'openai', 'm', 0, 'success', '', 1, 'r', 0, '', '', '{}', 7
FROM users u JOIN accounts a ON a.user_id = u.id`,
		`INSERT INTO usage (call_id, created_at, user_id, app_id, provider, model, type, units_json, usage_source, open_owner)
SELECT id, created_at, user_id, '', '', '', type, '{}', '', '' FROM model_calls`)

	assert.Contains(t, h.ok("archive", "run", "--dry-run"), "1 calls admitted before")
	assert.Empty(t, decode[[]operator.ArchiveView](h, "archive", "list"))
	report := decode[archive.Report](h, "archive", "run", "--limit", "1m")
	assert.EqualValues(t, 1, report.Calls)
	assert.EqualValues(t, 0, decode[archive.Report](h, "archive", "run").Calls)

	list := decode[[]operator.ArchiveView](h, "archive", "list")
	require.Len(t, list, 1)
	assert.Equal(t, "2024Q2", list[0].Name)
	assert.Equal(t, filepath.Join(h.data, "archive", "hub-2024Q2.db"), list[0].File)
	info, err := os.Stat(list[0].File)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	assert.Contains(t, h.ok("archive", "verify", "2024Q2"), "yes")
	assert.Contains(t, h.ok("archive", "runs"), "done")
	assert.Contains(t, h.ok("archive", "compact"), "MB now")
	h.ok("ledger", "verify", "--all")

	require.Equal(t, 3, h.run("", "archive", "verify", "1999Q1").code)
	require.Equal(t, 2, h.run("", "archive", "run", "--limit", "soon").code)
	require.NoError(t, os.Remove(list[0].File))
	out := h.run("", "archive", "verify")
	assert.Equal(t, 1, out.code)
	assert.Contains(t, strings.ToLower(out.stdout), "no such file")
}
