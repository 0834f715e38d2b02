package main

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/testkit/hrana"
)

const (
	oldEK  = "0x7d2f6c1b9a4e8d3350f1c2b7a6958473625140f3e2d1c0bfae9d8c7b6a594837"
	oldDID = "zNKWm5HBgaTLptTZBzjHo6PPFAp8X3n8pabc"
)

// foreignDB makes another system's database of statements under testdata.
func foreignDB(t *testing.T, path, script string, more ...string) string {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
	db, err := sql.Open("sqlite", "file:"+path)
	require.NoError(t, err)
	defer db.Close()
	for _, q := range append([]string{manifestOf(t, filepath.Join("movein", script))}, more...) {
		_, err = db.Exec(q)
		require.NoError(t, err)
	}
	return path
}

// oldHub is an original hub in the folder that blocklet export writes: main
// database, an archive, and the application's description with its key.
func oldHub(t *testing.T) (folder, database string) {
	t.Helper()
	folder = t.TempDir()
	database = foreignDB(t, filepath.Join(folder, "data", "ai-kit", "aikit.db"), "aikit.sql")
	foreignDB(t, filepath.Join(folder, "data", "ai-kit", "archives", "archive_2025_Q3.db"), "aikit.sql",
		`DELETE FROM ModelCalls; DELETE FROM Usages`,
		`INSERT INTO ModelCalls (id, providerId, model, credentialId, totalUsage, credits, status, userDid, callTime, createdAt, updatedAt)
VALUES ('301', '101', 'gpt-4o', '', 12, 0.3, 'success', 'z1UserOldddddddddddd', 1753000000, '2025-07-20 00:00:00.000 +00:00', '2025-07-20 00:00:00.000 +00:00')`)
	app := fmt.Sprintf(`{"meta":{"did":%q},"appSk":"0xsecret","children":[{"meta":{"did":"other"},"appEk":"0x1"},{"meta":{"did":"z8ia3xzq2tMq8CRHfaXj1BTYJyYnEcHbqP8cJ","name":"ai-kit"},"appEk":%q}]}`, oldDID, oldEK)
	require.NoError(t, os.WriteFile(filepath.Join(folder, "blocklet.json"), []byte(app), 0o600))
	extras := `{"children":[{"configs":[{"key":"prefs.baseCreditPrice","value":0.003},{"key":"prefs.unheardOf","value":"x"},{"key":"SECRET","value":"hidden","secure":true}]}]}`
	require.NoError(t, os.WriteFile(filepath.Join(folder, "blocklet-extras.json"), []byte(extras), 0o600))
	return folder, database
}

// acts are the steps of an import: "create provider openai".
func acts(v movedView) (out []string) {
	for _, c := range v.Steps {
		out = append(out, c.Action+" "+c.Kind+" "+c.Name)
	}
	return out
}

func leftBehind(v movedView, kind string) (out []string) {
	for _, l := range v.Left {
		if l.Kind == kind {
			out = append(out, l.Name)
		}
	}
	return out
}

func TestAnOriginalHubComesOverWhole(t *testing.T) {
	t.Parallel()
	h := newHub(t, "AIGNE_HUB_CREDIT_PRICE=0.003")
	folder, _ := oldHub(t)
	want := []string{
		"create provider openai", "create credential openai/main-key", "create provider anthropic", "create credential anthropic/a",
		"create provider bedrock", "create credential bedrock/aws", "create provider google",
		"create rate openai/gpt-5-mini chatCompletion", "create rate openai/dall-e-3 imageGeneration", "create rate anthropic/claude-haiku-4-5 chatCompletion",
		"create rate openai/text-embedding-3-small embedding",
		"create user z1UserAaaaaaaaaaaaa@did.invalid", "create user z1UserBbbbbbbbbbbbb@did.invalid", "create user z1UserOldddddddddddd@did.invalid",
		"create app zNKapp",
	}
	dry := decode[movedView](h, "import", "aigne-hub", "--from", folder, "--dry-run")
	assert.Equal(t, want, acts(dry))
	assert.Equal(t, []string{"archive_2025_Q3.db/ModelCalls 1 0.3", "aikit.db/ModelCalls 3 0.10150911"}, histories(dry))
	assert.Empty(t, decode[[]providerView](h, "provider", "list"), "a dry run changes nothing")

	first := decode[movedView](h, "import", "aigne-hub", folder)
	assert.Equal(t, want, acts(first))
	assert.Equal(t, histories(dry), histories(first))
	assert.Equal(t, []string{"openai/odd"}, leftBehind(first, "credential"))
	assert.Equal(t, []string{"anthropic"}, leftBehind(first, "base URL"), "keys do not begin to go where they did not go")
	assert.Equal(t, []string{"prefs.baseCreditPrice"}, leftBehind(first, "setting"), "prices in dollars depend on it")
	assert.Equal(t, []string{"2 rows"}, leftBehind(first, "usage"), "reported twice it would cost twice")
	assertOldHub(t, h)

	again := decode[movedView](h, "import", "aigne-hub", folder)
	assert.Zero(t, again.Created, "%v", acts(again))
	assert.Zero(t, again.Kept, "%v", again.Steps)
	for _, one := range again.History {
		assert.Zero(t, one.Added, one.Name)
	}
	h.ok("ledger", "verify", "--all")
	h.ok("audit", "verify")
}

func histories(v movedView) (out []string) {
	for _, h := range v.History {
		out = append(out, fmt.Sprint(h.Name, " ", h.Added, " ", h.Credits))
	}
	return out
}

func assertOldHub(t *testing.T, h *testHub) {
	t.Helper()
	credentials := decode[[]credentialView](h, "credential", "list")
	require.Len(t, credentials, 3)
	for _, c := range credentials {
		assert.Equal(t, c.Name != "a", c.Active, c.Name)
	}
	h.env = append(h.env, "A=sk-old-openai-key-0001", "B=sk-ant-old-key-0002",
		`C={"access_key_id":"AKIAIOSFODNN7EXAMPLE","secret_access_key":"wJalrXUtnFEMI/K7MDENG+bPxRfiCY","session_token":""}`)
	same := decode[applyView](h, "apply", "-f", h.file(`version: 1
providers:
  - {kind: openai, name: openai, credentials: [{name: main-key, value: "env:A"}]}
  - {kind: anthropic, name: anthropic, credentials: [{name: a, value: "env:B"}]}
  - {kind: bedrock, name: bedrock, credentials: [{name: aws, value: "env:C"}]}
`))
	assert.Equal(t, 6, same.Unchanged, "the values are those that were sealed there: %v", same.Changes)
	rates := map[string]rateView{}
	for _, r := range decode[[]rateView](h, "rate", "list") {
		rates[r.Model] = r
	}
	mini := rates["gpt-5-mini"]
	assert.Equal(t, "0.3 2.4 0.03", strings.Join([]string{mini.Prices.Base["input"], mini.Prices.Base["output"], mini.Prices.Base["cache_read"]}, " "),
		"credits per million, whatever a credit costs")
	assert.NotContains(t, mini.Prices.Base, "cache_write_5m", "0 meant the input's rate")
	assert.Equal(t, "0.0247", rates["text-embedding-3-small"].Prices.Base["input"])
	assert.Equal(t, "48000", rates["dall-e-3"].Prices.Base["images"])

	calls := decode[[]callView](h, "calls", "list")
	require.Len(t, calls, 4)
	byRequest := map[string]callView{}
	for _, c := range calls {
		byRequest[c.RequestID] = c
		assert.False(t, c.Billing)
		assert.EqualValues(t, "imported", c.UsageSource)
	}
	one := byRequest["req-1"]
	assert.Equal(t, "0.00150911", one.Credits.String())
	assert.Equal(t, "2026-01-01T00:00:00Z", one.CreatedAt.UTC().Format("2006-01-02T15:04:05Z07:00"))
	for bucket, n := range map[string]int64{"input": 1000, "output": 500, "cache_read": 300, "cache_write_5m": 0} {
		assert.Equal(t, n, one.Usage[bucket], bucket)
	}
	assert.EqualValues(t, "failed", byRequest["req-2"].Status)
	assert.Contains(t, h.ok("why", one.ID), "Another system served the call")
	h.ok("ledger", "verify", "--all")
}

func TestAWrongKeyImportsNothing(t *testing.T) {
	t.Parallel()
	h := newHub(t, "OLD_EK=0x00"+oldEK[4:], "RIGHT_EK="+oldEK)
	_, database := oldHub(t)
	for name, args := range map[string][]string{
		"another key": {"--app-ek-env", "OLD_EK", "--app-did", oldDID},
		"another DID": {"--app-ek-env", "RIGHT_EK", "--app-did", "zNKother"},
		"no key":      {},
		"no DID":      {"--app-ek-env", "RIGHT_EK"},
		"both":        {"--app-ek-env", "RIGHT_EK", "--app-ek-stdin", "--app-did", oldDID},
	} {
		o := h.run("", append([]string{"import", "aigne-hub", "--from", database}, args...)...)
		assert.Equal(t, 2, o.code, "%s: %s", name, o.stderr)
		assert.NotContains(t, o.stderr, oldEK[4:], name)
	}
	assert.Empty(t, decode[[]providerView](h, "provider", "list"))
	o := h.run(oldEK+"\n", "import", "aigne-hub", database, "--app-ek-stdin", "--app-did", oldDID)
	require.Equal(t, 0, o.code, o.stderr)
	without := newHub(t)
	v := decode[movedView](without, "import", "aigne-hub", database, "--without-credentials")
	assert.Len(t, leftBehind(v, "credential"), 4)
}

func TestWhatIsHereAlreadyStays(t *testing.T) {
	t.Parallel()
	h := newHub(t, "MAIN_KEY="+secret)
	h.ok("provider", "add", "--kind", "openai-compatible", "--name", "openai", "--base-url", "http://127.0.0.1:9/v1", "--credential-env", "MAIN_KEY")
	h.ok("provider", "add", "--kind", "anthropic", "--name", "anthropic")
	h.ok("rate", "set", "--provider", "anthropic", "--model", "claude-haiku-4-5", "--input", "7", "--output", "8")
	h.ok("user", "create", "--email", "real@example.com", "--role", "admin")
	h.ok("user", "set-did", "--email", "real@example.com", "--did", "z1UserAaaaaaaaaaaaa")
	folder, _ := oldHub(t)
	v := decode[movedView](h, "import", "aigne-hub", folder)
	assert.Contains(t, acts(v), "keep user real@example.com", "whose DID it is, with the role it has here")
	assert.Len(t, decode[[]userView](h, "user", "list"), 4, "that one, two more and nobody")
	for _, c := range decode[[]callView](h, "calls", "list") {
		if c.RequestID == "req-1" {
			assert.Equal(t, "real@example.com", c.User)
		}
	}
	assert.Contains(t, acts(v), "create provider openai-aigne-hub", "keys do not go to another address of the same name")
	assert.Contains(t, acts(v), "create credential openai-aigne-hub/main-key")
	assert.Contains(t, acts(v), "none provider anthropic")
	assert.Contains(t, acts(v), "keep rate anthropic/claude-haiku-4-5 chatCompletion")
	for _, r := range decode[[]rateView](h, "rate", "list") {
		if r.Provider == "anthropic" {
			assert.Equal(t, "7", r.Prices.Base["input"])
		}
	}
	again := decode[movedView](h, "import", "aigne-hub", folder)
	assert.Zero(t, again.Created, "%v", acts(again))
}

func TestUsageIsTakenOverToBeReportedOnlyWhenAsked(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	folder, _ := oldHub(t)
	v := decode[movedView](h, "import", "aigne-hub", folder, "--report-usage")
	assert.Contains(t, histories(v), "aikit.db/Usages 2 0.75")
	waiting := decode[outboxView](h, "outbox", "status")
	assert.Equal(t, "2 0.75", fmt.Sprint(waiting.Calls, " ", waiting.CallsAmount))
	again := decode[movedView](h, "import", "aigne-hub", folder, "--report-usage")
	assert.Contains(t, histories(again), "aikit.db/Usages 0 0")
	assert.Equal(t, waiting.Calls, decode[outboxView](h, "outbox", "status").Calls)
	h.ok("ledger", "verify", "--all")
}

func TestAnImportWorksOnADatabaseServer(t *testing.T) {
	t.Parallel()
	url, token := hrana.Start(t)
	h := newHub(t, "AIGNE_HUB_LOG_LEVEL=error", "AIGNE_HUB_DATABASE="+url, "AIGNE_HUB_DATABASE_TOKEN="+token)
	h.ok("migrate")
	folder, _ := oldHub(t)
	first := decode[movedView](h, "import", "aigne-hub", folder)
	assert.Equal(t, []string{"archive_2025_Q3.db/ModelCalls 1 0.3", "aikit.db/ModelCalls 3 0.10150911"}, histories(first))
	again := decode[movedView](h, "import", "aigne-hub", folder)
	assert.Zero(t, again.Created, "%v", acts(again))
	db := foreignDB(t, filepath.Join(t.TempDir(), "one-api.db"), "one-api.sql")
	assert.Positive(t, decode[movedView](h, "import", "one-api", db).Created)
	assert.Zero(t, decode[movedView](h, "import", "one-api", db).Created)
	h.ok("ledger", "verify", "--all")
}
