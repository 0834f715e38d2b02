package operator_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/identity"
	"github.com/aigne-hub/aigne-hub/shared/ledger"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/pricing"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/vault"
)

const (
	secret   = "sk-hunter2-first"
	second   = "sk-hunter2-second"
	password = "hunter2 hunter2 hunter2"
)

// desk is a desk over a database of its own.
type desk struct {
	*operator.Desk
	t    *testing.T
	path string
	ring *vault.Keyring
	log  bytes.Buffer
}

func open(t *testing.T) *desk {
	t.Helper()
	d := &desk{t: t, path: filepath.Join(t.TempDir(), "hub.db")}
	s, err := store.Open(t.Context(), store.Options{URL: "file:" + d.path})
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	_, err = s.Migrate(t.Context())
	require.NoError(t, err)
	master, err := vault.ParseMaster(vault.GenerateMaster())
	require.NoError(t, err)
	wrapped, err := vault.NewDataKey(master, time.Now())
	require.NoError(t, err)
	_, err = s.AddFirstVaultKey(t.Context(), store.VaultKey{ID: wrapped.ID, Wrapped: wrapped.Wrapped, MasterID: wrapped.MasterID})
	require.NoError(t, err)
	d.ring, err = vault.New(master, []vault.WrappedKey{wrapped})
	require.NoError(t, err)
	d.Desk = &operator.Desk{
		Store: s, Users: &identity.Users{Store: s}, Keys: identity.NewKeys(s, time.Now, func() int64 { return 1 }, nil),
		Book: &ledger.Book{Store: s, Now: time.Now}, Log: slog.New(slog.NewJSONHandler(&d.log, nil)), Now: time.Now,
		Vault: func(context.Context) (*vault.Keyring, error) { return d.ring, nil }, CreditPrice: "1",
	}
	return d
}

type act struct{ actor, action, subject, before, after string }

// acts are the audit rows, oldest first, without those that the ledger makes.
func (d *desk) acts() []act {
	d.t.Helper()
	db, err := sql.Open("sqlite", "file:"+d.path)
	require.NoError(d.t, err)
	defer db.Close()
	rows, err := db.QueryContext(d.t.Context(), "SELECT actor, action, subject, coalesce(before_json, ''), coalesce(after_json, '') FROM audit_log WHERE id NOT LIKE 'ledger/%' ORDER BY id")
	require.NoError(d.t, err)
	defer rows.Close()
	var all []act
	for rows.Next() {
		var a act
		require.NoError(d.t, rows.Scan(&a.actor, &a.action, &a.subject, &a.before, &a.after))
		all = append(all, a)
	}
	require.NoError(d.t, rows.Err())
	return all
}

// refused checks that an act was refused for one field and left no trace.
func (d *desk) refused(t *testing.T, err error, code hub.Code, param string, acts int) {
	t.Helper()
	require.Error(t, err)
	e := hub.AsError(err)
	assert.Equal(t, code, e.Code, err)
	assert.Equal(t, param, e.Param, err)
	assert.NotContains(t, err.Error(), "hunter2")
	assert.Len(t, d.acts(), acts, "what was refused is not recorded as done")
}

func (d *desk) openai(name string) store.Provider {
	d.t.Helper()
	p, err := d.AddProvider(d.t.Context(), "boss", operator.NewProvider{Kind: "openai", Name: name, Credential: secret})
	require.NoError(d.t, err)
	return p
}

func TestProvidersAreCheckedFieldByField(t *testing.T) {
	t.Parallel()
	d := open(t)
	for name, tt := range map[string]struct {
		in    operator.NewProvider
		param string
	}{
		"no such kind":           {operator.NewProvider{Kind: "opensesame", Name: "x"}, "kind"},
		"a name with a slash":    {operator.NewProvider{Kind: "openai", Name: "a/b"}, "name"},
		"a name in upper case":   {operator.NewProvider{Kind: "openai", Name: "OpenAI"}, "name"},
		"a long name":            {operator.NewProvider{Kind: "openai", Name: strings.Repeat("a", 65)}, "name"},
		"no base URL":            {operator.NewProvider{Kind: "openai-compatible", Name: "x"}, "base_url"},
		"a file for a base URL":  {operator.NewProvider{Kind: "openai", Name: "x", BaseURL: "file:///etc/passwd"}, "base_url"},
		"a password in a URL":    {operator.NewProvider{Kind: "openai", Name: "x", BaseURL: "https://u:hunter2@h.example"}, "base_url"},
		"an empty credential":    {operator.NewProvider{Kind: "openai", Name: "x", Credential: " \n"}, "credential"},
		"two lines":              {operator.NewProvider{Kind: "openai", Name: "x", Credential: "hunter2\nhunter2"}, "credential"},
		"no pair where it signs": {operator.NewProvider{Kind: "bedrock", Name: "x", Region: "us-east-1", Credential: "hunter2"}, "credential"},
		"half a pair":            {operator.NewProvider{Kind: "bedrock", Name: "x", Region: "us-east-1", Credential: `{"access_key_id":"hunter2"}`}, "credential"},
		"no region":              {operator.NewProvider{Kind: "bedrock", Name: "x"}, "region"},
		"a region with a host":   {operator.NewProvider{Kind: "vertex", Name: "x", Region: "x.example/"}, "region"},
		"no service account":     {operator.NewProvider{Kind: "vertex", Name: "x", Region: "global", Credential: "hunter2"}, "credential"},
		"a credential's name":    {operator.NewProvider{Kind: "openai", Name: "x", Credential: secret, CredentialName: "a b"}, "name"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := d.AddProvider(t.Context(), "boss", tt.in)
			d.refused(t, err, hub.CodeInvalid, tt.param, 0)
		})
	}
	all, err := d.Store.Providers(t.Context())
	require.NoError(t, err)
	assert.Empty(t, all)
}

func TestAProviderIsStoredWithItsSealedCredential(t *testing.T) {
	t.Parallel()
	d := open(t)
	p, err := d.AddProvider(t.Context(), "boss", operator.NewProvider{Kind: "openai", BaseURL: "HTTPS://API.example/v1/", Credential: secret + "\n"})
	require.NoError(t, err)
	assert.Equal(t, "openai", p.Name, "the kind's name unless told otherwise")
	assert.Equal(t, "https://api.example/v1", p.BaseURL)
	creds, err := d.Store.Credentials(t.Context())
	require.NoError(t, err)
	require.Len(t, creds, 1)
	c := creds[0]
	assert.Equal(t, "default", c.Name)
	assert.True(t, c.Active)
	assert.NotContains(t, c.Sealed, "hunter2")
	plain, err := d.ring.Open(operator.CredentialAAD(c.ID), c.Sealed)
	require.NoError(t, err)
	assert.Equal(t, secret, plain.Reveal(), "without the line break")
	_, err = d.ring.Open(operator.CredentialAAD("other"), c.Sealed)
	require.Error(t, err, "a sealed value is bound to its row")

	_, err = d.AddProvider(t.Context(), "boss", operator.NewProvider{Kind: "openai"})
	d.refused(t, err, hub.CodeConflict, "", 1)
	_, err = d.AddProvider(t.Context(), "boss", operator.NewProvider{Kind: "bedrock", Region: "us-east-1", Credential: `{"access_key_id":"AKIA","secret_access_key":"hunter2"}`})
	require.NoError(t, err)
}

func TestCredentialsAreCheckedAndChanged(t *testing.T) {
	t.Parallel()
	d, ctx := open(t), t.Context()
	d.openai("p")
	for _, tt := range []struct {
		provider, name string
		weight         int64
		secret         hub.Secret
		code           hub.Code
		param          string
	}{
		{"absent", "x", 0, secret, hub.CodeNotFound, ""},
		{"p", "No Name", 0, secret, hub.CodeInvalid, "name"},
		{"p", "x", -1, secret, hub.CodeInvalid, "weight"},
		{"p", "x", 1_000_001, secret, hub.CodeInvalid, "weight"},
		{"p", "x", 0, "", hub.CodeInvalid, "credential"},
		{"p", "default", 0, secret, hub.CodeConflict, ""},
	} {
		_, err := d.AddCredential(ctx, "boss", tt.provider, tt.name, tt.weight, tt.secret)
		d.refused(t, err, tt.code, tt.param, 1)
	}
	c, err := d.AddCredential(ctx, "boss", "p", "spare", 0, secret)
	require.NoError(t, err)
	assert.Equal(t, int64(100), c.Weight)

	require.NoError(t, d.ChangeCredential(ctx, "boss", "p", "spare", 5, second))
	require.NoError(t, d.SetCredentialActive(ctx, "boss", "p", "spare", false))
	creds, err := d.Store.Credentials(ctx)
	require.NoError(t, err)
	spare := creds[1]
	plain, err := d.ring.Open(operator.CredentialAAD(spare.ID), spare.Sealed)
	require.NoError(t, err)
	assert.Equal(t, second, plain.Reveal())
	assert.Equal(t, int64(5), spare.Weight)
	assert.False(t, spare.Active)
	assert.Equal(t, "disabled by boss", spare.Error)

	before := len(d.acts())
	d.refused(t, d.ChangeCredential(ctx, "boss", "p", "absent", 1, ""), hub.CodeNotFound, "", before)
	d.refused(t, d.ChangeCredential(ctx, "boss", "p", "spare", -1, ""), hub.CodeInvalid, "weight", before)
	d.refused(t, d.ChangeCredential(ctx, "boss", "p", "spare", 1, "hunter2\nhunter2"), hub.CodeInvalid, "credential", before)
	require.NoError(t, d.RemoveCredential(ctx, "boss", "p", "spare"))
	d.refused(t, d.RemoveCredential(ctx, "boss", "p", "spare"), hub.CodeNotFound, "", before+1)
}

func TestProvidersAreChangedAndRemoved(t *testing.T) {
	t.Parallel()
	d, ctx := open(t), t.Context()
	d.openai("p")
	_, err := d.AddProvider(ctx, "boss", operator.NewProvider{Kind: "openai-compatible", Name: "own", BaseURL: "http://localhost:9/v1"})
	require.NoError(t, err)
	bad, none, off, better := "ftp://x", "", false, "https://proxy.example/v1"
	d.refused(t, d.ChangeProvider(ctx, "boss", "p", operator.ChangedProvider{BaseURL: &bad}), hub.CodeInvalid, "base_url", 2)
	d.refused(t, d.ChangeProvider(ctx, "boss", "own", operator.ChangedProvider{BaseURL: &none}), hub.CodeInvalid, "base_url", 2)
	d.refused(t, d.ChangeProvider(ctx, "boss", "absent", operator.ChangedProvider{}), hub.CodeNotFound, "", 2)
	require.NoError(t, d.ChangeProvider(ctx, "boss", "p", operator.ChangedProvider{BaseURL: &better, Enabled: &off}))
	p, err := d.Store.ProviderByName(ctx, "p")
	require.NoError(t, err)
	assert.Equal(t, better, p.BaseURL)
	assert.False(t, p.Enabled)
	last := d.acts()[2]
	assert.JSONEq(t, `{"display_name":"","base_url":"","region":"","enabled":true}`, last.before)
	assert.JSONEq(t, `{"display_name":"","base_url":"https://proxy.example/v1","region":"","enabled":false}`, last.after)
	require.NoError(t, d.ChangeProvider(ctx, "boss", "p", operator.ChangedProvider{BaseURL: &none}))

	require.NoError(t, d.RemoveProvider(ctx, "boss", "p"))
	d.refused(t, d.RemoveProvider(ctx, "boss", "p"), hub.CodeNotFound, "", 5)
	creds, err := d.Store.Credentials(ctx)
	require.NoError(t, err)
	assert.Empty(t, creds, "its credentials go with it")
}

func TestARateIsStoredInCreditsExactly(t *testing.T) {
	t.Parallel()
	d, ctx := open(t), t.Context()
	d.CreditPrice = "0.03"
	row, err := d.SetRate(ctx, "boss", operator.NewRate{
		Provider: "openai", Model: "gpt", Prices: map[hub.Bucket]string{hub.Input: "3", hub.Output: "15", hub.CacheRead: "0", hub.Reasoning: "1"},
		Costs: map[hub.Bucket]string{hub.Input: "2.5"}, Context: 128000, MaxOutput: 4096,
	})
	require.NoError(t, err)
	assert.Equal(t, hub.TypeChat, row.Type)
	assert.JSONEq(t, `{"input":"0.0001","output":"0.0005","cache_read":"0","reasoning":"0.000033333333"}`, row.Prices)
	assert.JSONEq(t, `{"input":"0.0000025"}`, row.Costs, "costs stay in dollars")
	assert.JSONEq(t, `{"context":128000,"max_output":4096}`, row.Metadata)

	var stored pricing.Prices
	rates, err := d.Store.Rates(ctx)
	require.NoError(t, err)
	require.Len(t, rates, 1)
	require.NoError(t, json.Unmarshal([]byte(rates[0].Prices), &stored))
	amount, err := stored.Charge(hub.Usage{hub.Input: 1_000_000, hub.CacheRead: 1_000_000})
	require.NoError(t, err)
	assert.Equal(t, 100*money.Credit, amount, "three dollars are a hundred credits of three cents")

	row, err = d.SetRate(ctx, "boss", operator.NewRate{Provider: "openai", Model: "gpt", Prices: map[hub.Bucket]string{hub.Input: "1"}})
	require.NoError(t, err)
	assert.Equal(t, int64(2), row.Version, "a new version, the old one stays in the history")
	acts := d.acts()
	require.Len(t, acts, 2)
	assert.Equal(t, act{"boss", "rate.set", "openai/gpt", "", acts[1].after}, acts[1])
	assert.JSONEq(t, `{"version":2,"prices":{"input":"0.000033333333"}}`, acts[1].after)
}

func TestRatesAreCheckedFieldByField(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.CreditPrice = "0.03"
	good := map[hub.Bucket]string{hub.Input: "1"}
	tooMuch := money.Rate(math.MaxInt64).PerMillion()
	for name, tt := range map[string]struct {
		in    operator.NewRate
		param string
	}{
		"no provider":        {operator.NewRate{Model: "m", Prices: good}, "provider"},
		"no model":           {operator.NewRate{Provider: "p", Prices: good}, "model"},
		"blanks":             {operator.NewRate{Provider: "p", Model: " m", Prices: good}, "model"},
		"an endless model":   {operator.NewRate{Provider: "p", Model: strings.Repeat("m", 201), Prices: good}, "model"},
		"a wrong type":       {operator.NewRate{Provider: "p", Model: "m", Type: "chat", Prices: good}, "type"},
		"no price":           {operator.NewRate{Provider: "p", Model: "m"}, "input"},
		"a negative price":   {operator.NewRate{Provider: "p", Model: "m", Prices: map[hub.Bucket]string{hub.Output: "-1"}}, "output"},
		"a word":             {operator.NewRate{Provider: "p", Model: "m", Prices: map[hub.Bucket]string{hub.CacheRead: "free"}}, "cache_read"},
		"too many decimals":  {operator.NewRate{Provider: "p", Model: "m", Prices: map[hub.Bucket]string{hub.Input: "0.0000001"}}, "input"},
		"too large":          {operator.NewRate{Provider: "p", Model: "m", Prices: map[hub.Bucket]string{hub.Output: tooMuch}}, "output"},
		"a wrong cost":       {operator.NewRate{Provider: "p", Model: "m", Prices: good, Costs: map[hub.Bucket]string{hub.Output: "1e3"}}, "output"},
		"a negative context": {operator.NewRate{Provider: "p", Model: "m", Prices: good, Context: -1}, "context"},
		"a negative maximum": {operator.NewRate{Provider: "p", Model: "m", Prices: good, MaxOutput: -1}, "max_output"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := d.SetRate(t.Context(), "boss", tt.in)
			d.refused(t, err, hub.CodeInvalid, tt.param, 0)
		})
	}
}

func TestPeopleTheirKeysAndTheirCredits(t *testing.T) {
	t.Parallel()
	d, ctx := open(t), t.Context()
	_, err := d.CreateUser(ctx, "boss", "owner@example.com", hub.RoleOwner, password)
	require.NoError(t, err)
	_, err = d.CreateUser(ctx, "boss", "m@example.com", hub.RoleMember, "")
	require.NoError(t, err)
	_, err = d.CreateUser(ctx, "boss", "m@example.com", hub.RoleMember, "")
	d.refused(t, err, hub.CodeConflict, "", 2)
	_, err = d.CreateUser(ctx, "boss", "no address", hub.RoleMember, "")
	d.refused(t, err, hub.CodeInvalid, "email", 2)
	_, err = d.CreateUser(ctx, "boss", "n@example.com", "root", "")
	d.refused(t, err, hub.CodeInvalid, "role", 2)
	d.refused(t, d.SetPassword(ctx, "boss", "absent@example.com", password), hub.CodeNotFound, "", 2)
	d.refused(t, d.SetRole(ctx, "boss", "owner@example.com", hub.RoleMember), hub.CodeConflict, "", 2)
	d.refused(t, d.SetRole(ctx, "boss", "m@example.com", "root"), hub.CodeInvalid, "role", 2)
	require.NoError(t, d.SetPassword(ctx, "boss", "m@example.com", password))
	require.NoError(t, d.SetRole(ctx, "boss", "m@example.com", hub.RoleAdmin))

	key, row, err := d.CreateKey(ctx, "boss", "m@example.com", "laptop", nil)
	require.NoError(t, err)
	_, _, err = d.CreateKey(ctx, "boss", "absent@example.com", "laptop", nil)
	d.refused(t, err, hub.CodeNotFound, "", 5)
	_, _, err = d.CreateKey(ctx, "boss", "m@example.com", "", nil)
	d.refused(t, err, hub.CodeInvalid, "name", 5)
	past := time.Now().Add(-time.Hour)
	_, _, err = d.CreateKey(ctx, "boss", "m@example.com", "late", &past)
	d.refused(t, err, hub.CodeInvalid, "expires_at", 5)
	require.NoError(t, d.RevokeKey(ctx, "boss", row.ID))
	d.refused(t, d.RevokeKey(ctx, "boss", "absent"), hub.CodeNotFound, "", 6)

	_, err = d.Grant(ctx, "boss", "m@example.com", 0, nil, "")
	d.refused(t, err, hub.CodeInvalid, "amount", 6)
	_, err = d.Grant(ctx, "boss", "m@example.com", money.Credit, &past, "")
	d.refused(t, err, hub.CodeInvalid, "expires_at", 6)
	_, err = d.Grant(ctx, "boss", "m@example.com", 3*money.Credit/2, nil, "welcome")
	require.NoError(t, err)
	a, err := d.Balance(ctx, "m@example.com")
	require.NoError(t, err)
	assert.Equal(t, 3*money.Credit/2, a.Balance)
	_, err = d.Balance(ctx, "absent@example.com")
	assert.Equal(t, hub.CodeNotFound, hub.CodeOf(err))

	var done []string
	for _, a := range d.acts() {
		assert.Equal(t, "boss", a.actor)
		done = append(done, a.action)
		assert.NotContains(t, a.subject+a.before+a.after, key.Reveal())
		assert.NotContains(t, a.subject+a.before+a.after, "hunter2")
	}
	assert.Equal(t, []string{"user.create", "user.create", "user.set-password", "user.role", "key.create", "key.revoke", "credits.grant"}, done)
	granted := d.acts()[6]
	assert.Contains(t, granted.after, `"amount":"1.5"`, "amounts are decimals")
}

func TestNoSecretIsInTheDatabaseTheLogOrTheAudit(t *testing.T) {
	t.Parallel()
	d, ctx := open(t), t.Context()
	d.openai("p")
	_, err := d.AddCredential(ctx, "boss", "p", "spare", 1, second)
	require.NoError(t, err)
	require.NoError(t, d.ChangeCredential(ctx, "boss", "p", "spare", 2, "sk-hunter2-third"))
	_, err = d.CreateUser(ctx, "boss", "m@example.com", hub.RoleMember, password)
	require.NoError(t, err)
	key, _, err := d.CreateKey(ctx, "boss", "m@example.com", "laptop", nil)
	require.NoError(t, err)

	var text strings.Builder
	for _, a := range d.acts() {
		text.WriteString(a.subject + a.before + a.after)
		for _, j := range []string{a.before, a.after} {
			assert.True(t, j == "" || json.Valid([]byte(j)), j)
		}
	}
	text.WriteString(d.log.String())
	files, err := filepath.Glob(d.path + "*")
	require.NoError(t, err)
	for _, f := range files {
		b, err := os.ReadFile(f)
		require.NoError(t, err)
		text.Write(b)
	}
	assert.NotContains(t, text.String(), "hunter2")
	assert.NotContains(t, text.String(), key.Reveal())
}
