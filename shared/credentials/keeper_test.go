package credentials

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/notify"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/upstream"
)

func TestQuestionsComeLessAndLessOften(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_800_000_000, 0)
	s := schedule{Since: now.UnixMilli()}
	var waits []time.Duration
	for range 15 {
		w := s.wait(now)
		waits = append(waits, w)
		now = now.Add(w)
		s.Tries++
	}
	sec := func(n ...int) (all []time.Duration) {
		for _, x := range n {
			all = append(all, time.Duration(x)*time.Second)
		}
		return all
	}
	assert.Equal(t, sec(5, 6, 7, 9, 13, 21, 37, 69, 133, 261, 517, 1029, 2053, 3600, 3600), waits)
	s.Tries = 3
	assert.Equal(t, time.Hour, s.wait(time.UnixMilli(s.Since).Add(3*time.Hour)), "hourly once three hours are used up")
}

// bench is a keeper over a real store, with one credential.
type bench struct {
	*Keeper
	t    *testing.T
	at   time.Time
	good bool
	told []notify.Kind
	asks int
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t, at: time.Unix(1_800_000_000, 0)}
	now := func() time.Time { return b.at }
	s, err := store.Open(t.Context(), store.Options{URL: "file:" + filepath.Join(t.TempDir(), "hub.db"), Now: now, Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	_, err = s.Migrate(t.Context())
	require.NoError(t, err)
	_, err = s.CreateProvider(t.Context(), store.Provider{ID: "p", Kind: "openai", Name: "openai", Enabled: true},
		&store.Credential{Active: true, ID: "c", Name: "main", Type: "api_key", Sealed: "x", KeyID: "k", Weight: 1})
	require.NoError(t, err)
	b.Keeper = &Keeper{Store: s, Now: now, Log: slog.New(slog.DiscardHandler),
		Tell: func(_ context.Context, e notify.Event) error { b.told = append(b.told, e.Kind); return nil },
		Ask: func(_ context.Context, p store.Provider, c store.Credential) (upstream.Probe, error) {
			b.asks++
			assert.Equal(t, "openai main", p.Name+" "+c.Name)
			return upstream.Probe{OK: b.good}, nil
		}}
	return b
}

func (b *bench) row() store.Credential {
	b.t.Helper()
	all, err := b.Store.Credentials(b.t.Context())
	require.NoError(b.t, err)
	return all[0]
}

func (b *bench) refuse(status int) {
	b.Refused(b.t.Context(), upstream.Refusal{Provider: "openai", CredentialID: "c", Credential: "main", Status: status, Reason: "no"})
}

func (b *bench) after(d time.Duration) {
	b.t.Helper()
	b.at = b.at.Add(d)
	require.NoError(b.t, b.Recheck(b.t.Context()))
}

func TestARefusedCredentialIsDisabledToldOfAndReturns(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.refuse(401)
	b.refuse(401) // by another call at the same time
	assert.False(t, b.row().Active)
	assert.Equal(t, "no", b.row().Error)
	assert.Equal(t, []notify.Kind{notify.CredentialDisabled}, b.told)
	b.after(4 * time.Second)
	assert.Zero(t, b.asks)
	b.after(time.Second)
	assert.Equal(t, 1, b.asks)
	assert.False(t, b.row().Active)
	b.good = true
	b.after(5 * time.Second)
	assert.Equal(t, 1, b.asks, "6 s this time")
	b.after(time.Second)
	assert.True(t, b.row().Active)
	assert.Empty(t, b.row().Error)
	assert.Equal(t, []notify.Kind{notify.CredentialDisabled, notify.CredentialRestored}, b.told)
	b.after(time.Hour)
	assert.Equal(t, none, b.row().Recheck, "it lasted: the next refusal begins anew")
	assert.Len(t, b.told, 2)
}

func TestAQuotaIsTriedByRealCallsLessAndLessOften(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.good = true // the free question knows nothing of quotas
	var waits []time.Duration
	for range 6 {
		b.refuse(402)
		began := b.at
		for !b.row().Active {
			b.after(time.Second)
		}
		waits = append(waits, b.at.Sub(began))
		b.at = b.at.Add(time.Second)
	}
	assert.IsIncreasing(t, waits)
	assert.Equal(t, []notify.Kind{notify.CredentialDisabled}, b.told, "one trouble is told once")
	b.after(2 * time.Hour)
	assert.Equal(t, []notify.Kind{notify.CredentialDisabled, notify.CredentialRestored}, b.told, "once it has lasted")
}

func TestWhatAnOperatorDecidedStands(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.good = true
	require.NoError(t, b.Store.SetCredentialActive(t.Context(), "c", false, "disabled by me"))
	b.refuse(401) // of a call that was under way
	b.after(time.Hour)
	assert.Zero(t, b.asks)
	assert.Equal(t, "disabled by me", b.row().Error)
	assert.Empty(t, b.told)

	require.NoError(t, b.Store.SetCredentialActive(t.Context(), "c", true, ""))
	b.refuse(401)
	require.NoError(t, b.Store.SetCredentialActive(t.Context(), "c", true, ""))
	assert.Equal(t, none, b.row().Recheck, "enabling ends the schedule")
	b.after(time.Hour)
	assert.Zero(t, b.asks)
}
