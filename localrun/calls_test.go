package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// logged puts calls into the log of a user, a minute apart, newest last.
func (h *testHub) logged(email string, models ...string) (ids []string) {
	h.t.Helper()
	for i, model := range models {
		id := fmt.Sprintf("01KB0000%02dAAAAAAAAAAAAAAAA", i)
		h.tamper(fmt.Sprintf(`INSERT INTO model_calls (id, created_at, user_id, api_key_id, account_id, type, dialect, requested_model, stream, status, owner,
  config_version, request_id, billing, on_abort, on_failure, plan_json, provider, model, duration_ms, credits_nano)
SELECT '%s', 1764000000000, u.id, '', a.id, 'chatCompletion', 'openai', '%s', 0, '%s', 'o', 1, 'req-%d', 0, '', '', '{}', 'p', '%s', %d, %d
FROM users u JOIN accounts a ON a.user_id = u.id WHERE u.email = '%s'`, id, model, []string{"success", "failed"}[i%2], i, model, i*1000, i, email))
		ids = append(ids, id)
	}
	return ids
}

func TestCallsAreFilteredAndExported(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.ok("user", "create", "--email", "a@example.com", "--role", "member")
	h.ok("user", "create", "--email", "b@example.com", "--role", "member")
	ids := h.logged("a@example.com", "gpt-1", "gpt-2", "=cmd()", "claude-1")
	for args, want := range map[string][]string{
		"":                            {ids[3], ids[2], ids[1], ids[0]},
		"--limit 2":                   {ids[3], ids[2]},
		"--before " + ids[1]:          {ids[0]},
		"--user b@example.com":        nil,
		"--model GPT":                 {ids[1], ids[0]},
		"--status failed,aborted":     {ids[3], ids[1]},
		"--slow 2s":                   {ids[3], ids[2]},
		"--min-credits 0.000000003":   {ids[3]},
		"--request-id req-2":          {ids[2]},
		"--provider q":                nil,
		"--from 2099-01-01T00:00:00Z": nil,
		"--model gpt --status success --user a@example.com": {ids[0]},
	} {
		var got []string
		for _, c := range decode[[]callView](h, append([]string{"calls", "list"}, strings.Fields(args)...)...) {
			got = append(got, c.ID)
		}
		assert.Equal(t, want, got, args)
	}
	for _, bad := range []string{"--status lost", "--type chat", "--min-credits x", "--from yesterday", "--slow soon"} {
		assert.Equal(t, 2, h.run("", append([]string{"calls", "list"}, strings.Fields(bad)...)...).code, bad)
	}
	text := h.ok("calls", "export", "--model", "=cmd", "--lang", "zh-TW", "--tz", "Asia/Taipei")
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(text, "\ufeff"))).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 2)
	assert.Equal(t, "時間", rows[0][0])
	assert.Equal(t, "2025-11-25T00:00:00.000+08:00", rows[1][0])
	assert.Contains(t, rows[1], "'=cmd()")
	assert.Contains(t, rows[1], "a@example.com")
	lines := strings.Split(strings.TrimSpace(h.ok("calls", "export", "--format", "ndjson")), "\n")
	require.Len(t, lines, 4)
	for _, line := range lines {
		assert.True(t, json.Valid([]byte(line)), line)
	}
	assert.Equal(t, 2, h.run("", "calls", "export", "--format", "xlsx").code)
	assert.Equal(t, 2, h.run("", "calls", "export", "--tz", "Nowhere").code)
	assert.Contains(t, h.ok("audit", "list", "--action", "calls.export"), "calls.export")
	assert.Equal(t, 3, h.run("", "calls", "payload", ids[0]).code, "nothing was kept")
}

func TestRulesOfCaptureAreMadeByCommand(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.ok("user", "create", "--email", "a@example.com", "--role", "member")
	assert.Contains(t, h.ok("capture", "add", "--user", "a@example.com", "--percent", "2.5", "--redact", "email,phone"), "AIGNE_HUB_CAPTURE is off")
	v := decode[captureRulesView](h, "capture", "list")
	assert.False(t, v.On)
	require.Len(t, v.Rules, 1)
	r := v.Rules[0]
	assert.Equal(t, []any{"a@example.com", int64(25), "both", []string{"email", "phone"}, "cli"}, []any{r.User, r.Permille, r.Parts, r.PII, r.CreatedBy})
	assert.Contains(t, h.ok("capture", "list"), "2.5 %")
	for _, bad := range []string{"--percent 101", "--percent 0.25", "--percent x", "--parts none", "--redact names"} {
		assert.Equal(t, 2, h.run("", append([]string{"capture", "add"}, strings.Fields(bad)...)...).code, bad)
	}
	h.ok("capture", "remove", r.ID)
	assert.Equal(t, 3, h.run("", "capture", "remove", r.ID).code)
	assert.Empty(t, decode[captureRulesView](h, "capture", "list").Rules)
}
