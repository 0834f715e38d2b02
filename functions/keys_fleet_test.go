package functions_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/functions/proxy"
	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/limits"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/telemetry"
	"github.com/aigne-hub/aigne-hub/shared/testkit/fakeprovider"
	"github.com/aigne-hub/aigne-hub/shared/testkit/hrana"
	"github.com/aigne-hub/aigne-hub/shared/testkit/logbuf"
)

// fleet is two processes on one database: the operator acts at one, calls come to
// the other.
type fleet struct {
	t        *testing.T
	operator *boot.App
	serving  *boot.App
	handler  http.Handler
}

func eachFleet(t *testing.T, test func(t *testing.T, f *fleet)) {
	t.Helper()
	run := func(t *testing.T, database, token string) {
		t.Helper()
		data := filepath.Join(t.TempDir(), "data")
		f := &fleet{t: t, operator: member(t, data, database, token), serving: member(t, data, database, token)}
		f.handler = proxy.Wire(f.serving)
		ctx := t.Context()
		fake := fakeprovider.Start(t, fakeprovider.OpenAI, fakeprovider.Options{})
		_, err := f.operator.Desk.AddProvider(ctx, "test", operator.NewProvider{Kind: "openai", BaseURL: fake.URL + "/v1", Credential: fakeprovider.DefaultKey})
		require.NoError(t, err)
		_, err = f.operator.Desk.CreateUser(ctx, "test", "m@example.com", hub.RoleMember, "")
		require.NoError(t, err)
		require.NoError(t, f.serving.Reload(ctx))
		test(t, f)
	}
	t.Run("embedded file", func(t *testing.T) {
		t.Parallel()
		run(t, "file:"+filepath.Join(t.TempDir(), "hub.db"), "")
	})
	t.Run("libSQL server", func(t *testing.T) {
		t.Parallel()
		url, token := hrana.Start(t)
		run(t, url, token)
	})
}

func member(t *testing.T, data, database, token string, settings ...string) *boot.App {
	t.Helper()
	env := map[string]string{"AIGNE_HUB_DATA": data, "AIGNE_HUB_DATABASE": database}
	if token != "" {
		env["AIGNE_HUB_DATABASE_TOKEN"] = token
	}
	for _, s := range settings {
		name, value, _ := strings.Cut(s, "=")
		env[name] = value
	}
	lookup := func(name string) (string, bool) {
		v, ok := env[name]
		return v, ok
	}
	cfg, err := boot.Load(lookup, nil, nil)
	require.NoError(t, err)
	a, err := boot.Open(t.Context(), cfg, boot.Options{Log: telemetry.NewLogger(&logbuf.Buffer{}, telemetry.FormatText, slog.LevelDebug), Env: lookup, Migrate: true})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, a.Close(context.Background())) })
	require.NoError(t, a.Reload(t.Context()))
	return a
}

// key makes a key at the operator's process.
func (f *fleet) key(k operator.KeyLimits) (hub.Secret, store.APIKey) {
	f.t.Helper()
	key, row, err := f.operator.Desk.CreateLimitedKey(f.t.Context(), "test", "m@example.com", "k", nil, k)
	require.NoError(f.t, err)
	return key, row
}

// call sends a call to the serving process, which is told nothing.
func (f *fleet) call(key hub.Secret, model string) int {
	f.t.Helper()
	r := httptest.NewRequestWithContext(f.t.Context(), http.MethodPost, "/v1/chat/completions",
		strings.NewReader(`{"model":"`+model+`","messages":[{"role":"user","content":"Hi"}]}`))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+key.Reveal())
	res := httptest.NewRecorder()
	f.handler.ServeHTTP(res, r)
	return res.Code
}

// soon asserts that the serving process, looking for changes as it does while it
// serves, gives an answer within two seconds.
func (f *fleet) soon(status int, key hub.Secret, model, what string) {
	f.t.Helper()
	assert.Eventually(f.t, func() bool {
		return assert.NoError(f.t, f.serving.Fresh(f.t.Context())) && f.call(key, model) == status
	}, 2*time.Second, 50*time.Millisecond, what)
}

const fake = "openai/gpt-fake"

func TestARevokedKeyAdmitsNothingElsewhereAtOnce(t *testing.T) {
	t.Parallel()
	eachFleet(t, func(t *testing.T, f *fleet) {
		key, row := f.key(operator.KeyLimits{})
		require.Equal(t, 200, f.call(key, fake))
		require.NoError(t, f.operator.Desk.RevokeKey(t.Context(), "test", row.ID))
		assert.Equal(t, 401, f.call(key, fake), "the first call after the commit")

		key, row = f.key(operator.KeyLimits{})
		require.Equal(t, 200, f.call(key, fake))
		next, _, err := f.operator.Desk.RotateKey(t.Context(), "test", row.ID, 0)
		require.NoError(t, err)
		assert.Equal(t, 401, f.call(key, fake), "nor does a secret that was rotated without a grace")
		assert.Equal(t, 200, f.call(next, fake))

		key, _ = f.key(operator.KeyLimits{})
		require.Equal(t, 200, f.call(key, fake))
		u, err := f.operator.Desk.User(t.Context(), "m@example.com")
		require.NoError(t, err)
		require.NoError(t, f.operator.Store.SetUserDisabled(t.Context(), u.ID, true))
		assert.Equal(t, 401, f.call(key, fake), "nor does a disabled user's")
	})
}

func TestARotatedKeyGoesOnUnderBothSecretsAndOneCount(t *testing.T) {
	t.Parallel()
	eachFleet(t, func(t *testing.T, f *fleet) {
		ctx := t.Context()
		old, row := f.key(operator.KeyLimits{Models: []string{fake}})
		_, err := f.operator.Desk.SetLimit(ctx, "test", operator.NewLimit{Scope: limits.Key, Subject: row.ID, Metric: limits.Requests, Period: "month", Amount: "4"})
		require.NoError(t, err)
		require.NoError(t, f.serving.Reload(ctx))
		require.Equal(t, 200, f.call(old, fake))
		next, _, err := f.operator.Desk.RotateKey(ctx, "test", row.ID, time.Hour)
		require.NoError(t, err)
		assert.Equal(t, 200, f.call(old, fake))
		assert.Equal(t, 200, f.call(next, fake))
		assert.Equal(t, 404, f.call(next, "openai/other"), "what restricts the key restricts its new secret")
		assert.Equal(t, 200, f.call(old, fake))
		assert.Equal(t, []int{429, 429}, []int{f.call(old, fake), f.call(next, fake)}, "both secrets are counted together")
		v, err := f.operator.Desk.KeyDetail(ctx, &row, store.Span{From: time.Now().Add(-time.Hour), Until: time.Now().Add(time.Minute)})
		require.NoError(t, err)
		assert.EqualValues(t, 4, v.Use.Calls)
	})
}

func TestEveryOtherChangeOfAKeyWorksWithinTwoSeconds(t *testing.T) {
	t.Parallel()
	eachFleet(t, func(t *testing.T, f *fleet) {
		ctx := t.Context()
		key, row := f.key(operator.KeyLimits{})
		change := func(c operator.ChangedKey) {
			_, err := f.operator.Desk.ChangeKey(ctx, "test", row.ID, c)
			require.NoError(t, err)
		}
		require.Equal(t, 200, f.call(key, fake))
		change(operator.ChangedKey{Models: operator.Field[[]string]{Set: true, Value: []string{"openai/other"}}})
		f.soon(404, key, fake, "a list of models")
		change(operator.ChangedKey{Models: operator.Field[[]string]{Set: true}})
		f.soon(200, key, fake, "none again")
		change(operator.ChangedKey{IPs: operator.Field[[]string]{Set: true, Value: []string{"198.51.100.0/24"}}})
		f.soon(403, key, fake, "a list of addresses")
		change(operator.ChangedKey{IPs: operator.Field[[]string]{Set: true}})
		f.soon(200, key, fake, "none again")
		none := int64(0)
		change(operator.ChangedKey{Concurrency: operator.Field[*int64]{Set: true, Value: &none}})
		f.soon(429, key, fake, "a limit")
		change(operator.ChangedKey{Concurrency: operator.Field[*int64]{Set: true}})
		f.soon(200, key, fake, "none again")
		end := time.Now().Add(700 * time.Millisecond)
		change(operator.ChangedKey{ExpiresAt: operator.Field[*time.Time]{Set: true, Value: &end}})
		f.soon(401, key, fake, "an end")
		change(operator.ChangedKey{ExpiresAt: operator.Field[*time.Time]{Set: true}})
		f.soon(200, key, fake, "none again")
	})
}
