package main

import (
	"fmt"
	"net/http"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/routing"
	"github.com/aigne-hub/aigne-hub/shared/testkit/fakeprovider"
)

const oldToken = "sk-abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRST0"

func TestAOneAPIComesOverAndItsClientsNoticeNothing(t *testing.T) {
	t.Parallel()
	fake := fakeprovider.Start(t, fakeprovider.OpenAI, fakeprovider.Options{Models: []string{"gpt-4o"}})
	h := newHub(t, "AIGNE_HUB_BILLING=on", "AIGNE_HUB_CREDIT_PRICE=0.5")
	db := foreignDB(t, filepath.Join(t.TempDir(), "one-api.db"), "one-api.sql",
		fmt.Sprintf("UPDATE channels SET base_url = '%s', key = '%s' || char(10) || 'sk-second-000000002' WHERE id = 1", fake.URL, fakeprovider.DefaultKey))
	dry := decode[movedView](h, "import", "one-api", db, "--dry-run")
	assert.Empty(t, decode[[]keyView](h, "key", "list"))
	first := decode[movedView](h, "import", "one-api", db)
	assert.Equal(t, acts(dry), acts(first))
	assert.Equal(t, []string{
		"create provider openai-main", "create credential openai-main/key-1", "create credential openai-main/key-2", "create provider proxy", "create credential proxy/default",
		"create provider deepseek", "create credential deepseek/default", "create provider aws", "create credential aws/default", "create provider local",
		"create rate openai-main/gpt-4o chatCompletion", "create rate openai-main/text-embedding-3-small embedding", "create rate proxy/gpt-4o-2024-11-20 chatCompletion",
		"create rate deepseek/deepseek-chat chatCompletion", "create rate local/llama3 chatCompletion",
		"create alias claude-3-haiku", "create alias deepseek-chat", "create alias gpt-4", "create alias gpt-4o", "create alias llama3", "create alias text-embedding-3-small",
		"create user root@one-api.invalid", "create balance root@one-api.invalid", "create user ann@example.com", "create balance ann@example.com",
		"create user bob@one-api.invalid", "create user user-4@one-api.invalid",
		"create key laptop of ann@example.com", "create key ci of ann@example.com",
	}, acts(first))
	assert.Equal(t, []string{"off (3)", "old (4)", "empty (5)", "odd (6)", "nobody (7)"}, leftBehind(first, "key"), "no restriction is lost on the way")
	assert.Equal(t, []string{"gpt-4", "claude-3-haiku"}, leftBehind(first, "rate"), "their ratios are not in the database")
	assert.Equal(t, []string{"deepseek/deepseek-chat"}, leftBehind(first, "digits"))
	assert.Equal(t, []string{"vip × 0.5"}, leftBehind(first, "group price"), "who paid half is to know")
	assert.Equal(t, []string{"2 unused"}, leftBehind(first, "redeem codes"))
	assertOneAPI(t, h)

	again := decode[movedView](h, "import", "one-api", db)
	assert.Zero(t, again.Created+again.Kept, "%v", again.Steps)

	s := h.serve()
	before := decode[balanceView](h, "credits", "balance", "ann@example.com").Balance
	assert.Equal(t, "3.000004", before.String(), "750,001 of quota at half a dollar a credit")
	status, _, answer, err := s.call(t.Context(), oldToken+"1", `{"model":"gpt-4o","messages":[{"role":"user","content":"hi"}],"max_tokens":100}`)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, status, answer)
	status, _, answer, err = s.call(t.Context(), oldToken+"2", `{"model":"gpt-4o","messages":[{"role":"user","content":"hi"}],"max_tokens":100}`)
	require.NoError(t, err)
	assert.Equal(t, http.StatusForbidden, status, "from another network: %s", answer)
	status, _, _, err = s.call(t.Context(), oldToken+"3", `{"model":"gpt-4o","messages":[]}`)
	require.NoError(t, err)
	assert.Equal(t, http.StatusUnauthorized, status)
	calls := decode[[]callView](h, "calls", "list")
	require.Len(t, calls, 1)
	assert.Equal(t, before-calls[0].Credits, decode[balanceView](h, "credits", "balance", "ann@example.com").Balance)
	assert.EqualValues(t, 1000*(5*calls[0].Usage["input"]+20*calls[0].Usage["output"]), calls[0].Credits, "ratio 1.25 and 4: 2.5 and 10 dollars per million")
	h.ok("ledger", "verify", "--all")
}

func assertOneAPI(t *testing.T, h *testHub) {
	t.Helper()
	users := map[string]userView{}
	for _, u := range decode[[]userView](h, "user", "list") {
		users[u.Email] = u
		assert.False(t, u.Password)
	}
	assert.Equal(t, hub.RoleAdmin, users["root@one-api.invalid"].Role)
	assert.Equal(t, []string{"vip"}, users["ann@example.com"].Groups)
	assert.NotNil(t, users["bob@one-api.invalid"].DisabledAt)
	limits := decode[[]limitView](h, "limit", "list")
	require.Len(t, limits, 1)
	assert.Equal(t, "key credits month 1", fmt.Sprint(limits[0].Scope, " ", limits[0].Metric, " ", limits[0].Period, " ", limits[0].Amount))
	for _, k := range decode[[]keyView](h, "key", "list") {
		if k.Name == "ci" {
			assert.Equal(t, []string{"gpt-4o", "gpt-4"}, k.Models)
			assert.Equal(t, []string{"10.0.0.0/8", "192.0.2.7/32"}, k.IPs)
			assert.Equal(t, 2100, k.ExpiresAt.Year())
		}
	}
	for _, a := range decode[[]aliasView](h, "alias", "list") {
		if a.Name != "gpt-4o" {
			continue
		}
		main := routing.Step{Targets: []routing.Weighted{{Model: "openai-main/gpt-4o", Weight: 3}}}
		assert.Equal(t, []routing.Rule{
			{When: routing.When{Groups: []string{"vip"}}, Steps: []routing.Step{main, {Targets: []routing.Weighted{{Model: "proxy/gpt-4o-2024-11-20", Weight: 1}}}}},
			{Steps: []routing.Step{main}},
		}, a.Rules)
	}
	for _, p := range decode[[]providerView](h, "provider", "list") {
		assert.Equal(t, p.Name != "deepseek", p.Enabled, p.Name)
	}
	h.ok("ledger", "verify", "--all")
}

func TestANewAPIHasTypesPricesAndListsOfItsOwn(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	db := foreignDB(t, filepath.Join(t.TempDir(), "new-api.db"), "new-api.sql")
	v := decode[movedView](h, "import", "new-api", db, "--group", "vip")
	kinds := map[string]string{}
	for _, p := range decode[[]providerView](h, "provider", "list") {
		kinds[p.Name] = p.Kind
	}
	assert.Equal(t, map[string]string{"claude": "anthropic", "deepseek": "deepseek", "mistral": "mistral", "openai": "openai"}, kinds, "from 26 on types are numbered otherwise than in one-api")
	assert.Equal(t, []string{"kling (5)"}, leftBehind(v, "channel"))
	active := []bool{}
	for _, c := range decode[[]credentialView](h, "credential", "list", "--provider", "claude") {
		active = append(active, c.Active)
	}
	assert.Equal(t, []bool{true, false}, active)
	rates := map[string]map[string]string{}
	for _, r := range decode[[]rateView](h, "rate", "list") {
		rates[r.Provider+"/"+r.Model] = r.Prices.Base
	}
	assert.Equal(t, map[string]map[string]string{
		"claude/claude-sonnet-4-5": {"input": "2.4", "output": "12", "cache_read": "0.24", "cache_write_5m": "3", "cache_write_1h": "4.8"},
		"mistral/special":          {"input": "0", "output": "0", "requests": "8000"},
		"openai/gpt-image-1":       {"images": "32000"},
	}, rates, "for the group of 0.8")
	assert.Equal(t, []string{"sonnet", "deepseek-chat", "tiered"}, leftBehind(v, "rate"))
	for _, a := range decode[[]aliasView](h, "alias", "list") {
		if a.Name == "sonnet" {
			assert.Equal(t, "claude/claude-sonnet-4-5", a.Rules[0].Steps[0].Targets[0].Model, "mappings may have several steps")
		}
	}
	keys := decode[[]keyView](h, "key", "list")
	require.Len(t, keys, 1)
	assert.Equal(t, []string{"192.0.2.0/24", "2001:db8::1/128"}, keys[0].IPs)
	assert.Equal(t, []string{"sonnet", "claude-sonnet-4-5"}, keys[0].Models)
	assert.Equal(t, "0.666666", decode[balanceView](h, "credits", "balance", "ann@example.com").Balance.String())
	assert.Zero(t, decode[movedView](h, "import", "new-api", db, "--group", "vip").Created)
	o := h.run("", "import", "new-api", db, "--group", "nobody")
	assert.Equal(t, 2, o.code, o.stderr)
	o = h.run("", "import", "one-api", h.file("no database"))
	assert.Equal(t, 2, o.code, o.stderr)
	h.ok("ledger", "verify", "--all")
}
