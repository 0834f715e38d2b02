package main

import (
	"encoding/csv"
	"encoding/json"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// tamper runs statements on the database as somebody with the file would.
func (h *testHub) tamper(statements ...string) {
	h.t.Helper()
	s, err := store.Open(h.t.Context(), store.Options{URL: "file:" + filepath.Join(h.data, "hub.db"), Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	require.NoError(h.t, err)
	u := &store.Unit{}
	for _, q := range statements {
		u.Add(q)
	}
	require.NoError(h.t, s.Do(h.t.Context(), u))
	require.NoError(h.t, s.Close())
}

func TestTheAuditLogIsListedExportedAndProved(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.ok("user", "create", "--email", "a@example.com", "--role", "member")
	h.ok("credits", "grant", "--user", "a@example.com", "--amount", "5", "--reason", "=HYPERLINK(1)")
	acts := decode[[]operator.ActView](h, "audit", "list", "--action", "credits.grant")
	require.Len(t, acts, 1)
	assert.Equal(t, []string{"cli", "local", "a@example.com"}, []string{acts[0].Actor, acts[0].Address, acts[0].Subject})
	assert.Contains(t, h.ok("audit", "list"), "ledger.grant")
	for line := range strings.Lines(h.ok("audit", "export", "--actor", "cli")) {
		assert.True(t, json.Valid([]byte(line)), line)
	}
	h.tamper("INSERT INTO audit_log (id, created_at, actor, action, subject) VALUES ('x', 1, 'cli', 'catalogue.review', '=cmd')")
	rows, err := csv.NewReader(strings.NewReader(h.ok("audit", "export", "--format", "csv"))).ReadAll()
	require.NoError(t, err)
	formula := false
	for _, r := range rows {
		for _, cell := range r {
			assert.False(t, strings.HasPrefix(cell, "="), cell)
			formula = formula || cell == "'=cmd"
		}
	}
	assert.True(t, formula)

	proof := decode[auditView](h, "audit", "verify")
	assert.True(t, proof.OK)
	h.ok("user", "create", "--email", "b@example.com", "--role", "member")
	h.ok("audit", "verify", "--anchor", proof.Anchor)
	assert.Equal(t, 2, h.run("", "audit", "verify", "--anchor", "12").code)
	assert.Equal(t, 2, h.run("", "audit", "list", "--from", "soon").code)

	h.tamper("DROP TRIGGER audit_log_fixed", "UPDATE audit_log SET after_json = replace(after_json, '5', '6') WHERE action = 'credits.grant'")
	o := h.run("", "audit", "verify")
	assert.Equal(t, 1, o.code)
	assert.Contains(t, o.stdout, "credits.grant of a@example.com) was changed")
	assert.Contains(t, o.stdout, "the trigger is gone")
}

func TestALogThatWasCutWithItsHeadIsFoundByItsAnchor(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	for _, email := range []string{"a@example.com", "b@example.com"} {
		h.ok("user", "create", "--email", email, "--role", "member")
	}
	anchor := decode[auditView](h, "audit", "verify").Anchor
	h.tamper("DROP TRIGGER audit_log_kept", "DROP TRIGGER audit_head_fixed", "DELETE FROM audit_log WHERE number = (SELECT max(number) FROM audit_log)",
		"UPDATE audit_head SET number = (SELECT max(number) FROM audit_log), hash = (SELECT hash FROM audit_log ORDER BY number DESC LIMIT 1)",
		"CREATE TRIGGER audit_log_kept BEFORE DELETE ON audit_log BEGIN SELECT 1; END", "CREATE TRIGGER audit_head_fixed BEFORE UPDATE ON audit_head BEGIN SELECT 1; END")
	h.ok("audit", "verify")
	o := h.run("", "audit", "verify", "--anchor", anchor)
	assert.Equal(t, 1, o.code)
	assert.Contains(t, o.stdout, "the log holds the anchor")
}
