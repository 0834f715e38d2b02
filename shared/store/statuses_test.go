package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

func report(available bool, age time.Duration, ok, failed int64) store.StatusReport {
	r := store.StatusReport{ModelStatus: store.ModelStatus{Provider: "p", Model: "m", Type: hub.TypeChat, Available: available, Calls: ok + failed, Success: 0.5,
		Response: 120 * time.Millisecond}, Age: age, OK: ok, Failed: failed}
	if !available {
		r.Category, r.Error = string(hub.CodeTimeout), "slow"
	}
	return r
}

func TestStatusesOfManyProcessesBecomeOne(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		only := func() store.ModelStatus {
			all, err := s.ModelStatuses(ctx)
			require.NoError(t, err)
			require.Len(t, all, 1)
			return all[0]
		}
		require.NoError(t, s.ReportStatuses(ctx, []store.StatusReport{report(false, 10*time.Second, 1, 3)}))
		first := only()
		assert.False(t, first.Available)
		assert.True(t, first.Told, "what nobody was told of passed for available")
		assert.Equal(t, "slow", first.Error)
		assert.Equal(t, 120*time.Millisecond, first.Response)

		require.NoError(t, s.ReportStatuses(ctx, []store.StatusReport{report(true, time.Minute, 2, 0)}))
		assert.False(t, only().Available, "an older attempt does not win")
		require.NoError(t, s.ReportStatuses(ctx, []store.StatusReport{report(false, 0, 0, 1)}))
		assert.Equal(t, first.ChangedAt, only().ChangedAt, "down since then")

		untold, err := s.UntoldStatuses(ctx, time.Hour, 10)
		require.NoError(t, err)
		assert.Empty(t, untold, "it may be over in a moment")
		untold, err = s.UntoldStatuses(ctx, 5*time.Second, 10)
		require.NoError(t, err)
		require.Len(t, untold, 1)
		require.NoError(t, s.TellStatus(ctx, untold[0]))
		untold, err = s.UntoldStatuses(ctx, 0, 10)
		require.NoError(t, err)
		assert.Empty(t, untold)

		hours, err := s.StatusHours(ctx, time.Now().Add(-2*time.Hour))
		require.NoError(t, err)
		var ok, failed int64
		for _, h := range hours { // two when the clock strikes meanwhile
			ok, failed = ok+h.OK, failed+h.Failed
		}
		assert.Equal(t, []int64{3, 4}, []int64{ok, failed}, "attempts add up")
		require.NoError(t, s.ForgetStatuses(ctx))
		only()
	})
}

func TestWhatConsolesMustKnowBecomesAnEvent(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		p, err := s.CreateProvider(ctx, store.Provider{Kind: "openai", Name: "p", Enabled: true},
			&store.Credential{Active: true, ID: "c1", Name: "default", Type: "api_key", Sealed: "SEALED", KeyID: "k", Weight: 100})
		require.NoError(t, err)
		require.NoError(t, s.SetCredentialActive(ctx, "c1", false, "quota"))
		require.NoError(t, s.SetCredentialActive(ctx, "c1", false, "quota")) // nothing new
		require.NoError(t, s.ReportStatuses(ctx, []store.StatusReport{report(true, 0, 1, 0)}))
		require.NoError(t, s.ReportStatuses(ctx, []store.StatusReport{report(true, 0, 1, 0)})) // nothing new
		require.NoError(t, s.ReportStatuses(ctx, []store.StatusReport{report(false, 0, 0, 3)}))
		require.NoError(t, s.Notify(ctx, store.Notification{ID: "n1", Kind: "test", Severity: "info", Title: "T", Body: `{"a":1}`}, nil))
		require.NoError(t, s.RemoveProvider(ctx, p.ID))
		all, err := s.EventsAfter(ctx, 0, 100)
		require.NoError(t, err)
		var kinds []string
		for i, e := range all {
			kinds = append(kinds, e.Kind)
			assert.NotContains(t, string(e.Body), "SEALED")
			if i > 0 {
				assert.Greater(t, e.ID, all[i-1].ID)
			}
		}
		require.Equal(t, []string{"credential", "credential", "status", "status", "notification", "credential"}, kinds)
		assert.JSONEq(t, `{"id":"c1","name":"default","change":"changed","provider":"p","active":false,"error":"quota"}`, string(all[1].Body))
		assert.JSONEq(t, `{"provider":"p","model":"m","type":"chatCompletion","available":false,"error":"upstream_timeout"}`, string(all[3].Body))
		assert.JSONEq(t, `{"id":"n1","kind":"test","severity":"info","title":"T","data":{"a":1}}`, string(all[4].Body))
		newest, err := s.NewestEvent(ctx)
		require.NoError(t, err)
		assert.Equal(t, all[5].ID, newest)
		rest, err := s.EventsAfter(ctx, all[4].ID, 100)
		require.NoError(t, err)
		assert.Len(t, rest, 1)
	})
}
