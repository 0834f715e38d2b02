package boot_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/routing"
)

func openAt(t *testing.T, data string, more map[string]string) *boot.App {
	t.Helper()
	settings := map[string]string{"AIGNE_HUB_DATA": data}
	for name, v := range more {
		settings[name] = v
	}
	cfg, err := boot.Load(func(string) (string, bool) { return "", false }, nil, settings)
	require.NoError(t, err)
	a, err := boot.Open(t.Context(), cfg, boot.Options{Log: slog.New(slog.DiscardHandler), Migrate: true})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, a.Close(context.Background())) })
	return a
}

func TestPoliciesGoByWhatWasMeasuredHereOrElsewhere(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	a := openAt(t, data, nil)
	for _, name := range []string{"one", "two"} {
		_, err := a.Desk.AddProvider(t.Context(), "test", operator.NewProvider{Kind: "openai", Name: name, Credential: "sk-1"})
		require.NoError(t, err)
	}
	require.NoError(t, a.Desk.SetAlias(t.Context(), "test", routing.Alias{Name: "quick", Rules: []routing.Rule{{Policy: routing.Fast,
		Steps: []routing.Step{{Targets: []routing.Weighted{{Model: "one/m"}, {Model: "two/m"}}}}}}}))
	require.NoError(t, a.Reload(t.Context()))
	first := func(a *boot.App) string {
		t.Helper()
		plan, err := a.Routes().Plan(routing.Request{Model: "quick", Type: hub.TypeChat, Dialect: dialect.OpenAIChat})
		require.NoError(t, err)
		return plan.Targets[0].Name()
	}
	a.Health.Attempt("one", "m", hub.TypeChat, 3*time.Second, nil)
	a.Health.Attempt("two", "m", hub.TypeChat, 100*time.Millisecond, nil)
	assert.Equal(t, "two/m", first(a))
	require.NoError(t, a.Reporter.Report(t.Context()))

	other := openAt(t, data, nil)
	require.NoError(t, other.Reload(t.Context()))
	assert.Equal(t, "one/m", first(other), "nothing is known, so by name")
	other.Health.Attempt("third", "m", hub.TypeChat, time.Second, nil)
	other.Reporter.Due(t.Context())
	assert.Equal(t, "two/m", first(other), "what the other process saw")
}

func TestMailIsSentOnlyWhereAServerIsSet(t *testing.T) {
	t.Parallel()
	assert.Nil(t, openAt(t, filepath.Join(t.TempDir(), "a"), nil).Notify.Mail)
	a := openAt(t, filepath.Join(t.TempDir(), "b"), map[string]string{"AIGNE_HUB_SMTP_URL": "smtp://me:pw@mail.test?from=hub@example.com"})
	assert.NotNil(t, a.Notify.Mail)
	assert.False(t, a.OnLambda())
}
