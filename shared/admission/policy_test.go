package admission_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/admission"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/pricing"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

func TestWhatPolicyDecidesIsFixedAtAdmissionAndOnRecord(t *testing.T) {
	t.Parallel()
	used := hub.Usage{hub.Input: 90, hub.Output: 40}
	for name, tt := range map[string]struct {
		abort, failure, empty string
		out                   admission.Outcome
		label                 hub.ChargePolicy
		charged               bool
	}{
		"an answer like any other":          {"free", "free", "free", admission.Outcome{Status: hub.StatusSuccess, Usage: used}, "", true},
		"left, and read on":                 {"reported", "delivered", "charge", admission.Outcome{Status: hub.StatusAborted, Usage: used}, hub.ReportedOnAbort, true},
		"left, and cut off":                 {"reported", "delivered", "charge", admission.Outcome{Status: hub.StatusAborted, Usage: used, Cut: true}, hub.DeliveredOnAbort, true},
		"left, and only what was delivered": {"delivered", "free", "free", admission.Outcome{Status: hub.StatusAborted, Usage: used, Cut: true}, hub.DeliveredOnAbort, true},
		"left, for nothing":                 {"free", "delivered", "charge", admission.Outcome{Status: hub.StatusAborted, Usage: used}, hub.FreeOnAbort, false},
		"left before anything came":         {"free", "delivered", "charge", admission.Outcome{Status: hub.StatusAborted}, "", false},
		"failed in the middle":              {"free", "delivered", "charge", admission.Outcome{Status: hub.StatusFailed, Usage: used}, hub.DeliveredOnFailure, true},
		"failed, for nothing":               {"reported", "free", "charge", admission.Outcome{Status: hub.StatusFailed, Usage: used}, hub.FreeOnFailure, false},
		"failed, and insured":               {"reported", "delivered", "free", admission.Outcome{Status: hub.StatusFailed, Usage: used}, hub.InsuredFailed, false},
		"failed before anything came":       {"reported", "free", "free", admission.Outcome{Status: hub.StatusFailed}, "", false},
		"empty":                             {"reported", "delivered", "charge", admission.Outcome{Status: hub.StatusSuccess, Usage: used, Empty: true}, "", true},
		"empty, and insured":                {"reported", "delivered", "free", admission.Outcome{Status: hub.StatusSuccess, Usage: used, Empty: true}, hub.InsuredEmpty, false},
		"ended by the wallet":               {"reported", "delivered", "free", admission.Outcome{Status: hub.StatusSuccess, Usage: used, Ended: hub.MoneyEnded}, hub.MoneyEnded, true},
		"ended by a limit":                  {"reported", "delivered", "free", admission.Outcome{Status: hub.StatusSuccess, Usage: used, Ended: hub.LimitEnded}, hub.LimitEnded, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := open(t, file(t), money.Credit)
			cost := &pricing.Prices{}
			cost.Set(hub.Input, 500_000)
			cost.Set(hub.Output, 500_000)
			w.plan.Targets[0].Cost = cost
			s := &w.gate.Settings
			s.OnAbort, s.OnFailure, s.OnEmpty = tt.abort, tt.failure, tt.empty
			ticket, err := w.gate.Admit(t.Context(), w.request())
			require.NoError(t, err)
			asJob, err := w.gate.Admit(t.Context(), w.request())
			require.NoError(t, err)
			row, err := asJob.HandOver(t.Context(), w.job())
			require.NoError(t, err)
			s.OnAbort, s.OnFailure, s.OnEmpty = "nonsense", "nonsense", "nonsense" // the operator changes his mind meanwhile

			tt.out.Target, tt.out.Source = &w.plan.Targets[0], hub.UsageReported
			_, err = ticket.Settle(t.Context(), tt.out)
			require.NoError(t, err)
			_, err = w.gate.FinishJob(t.Context(), row, store.JobEnd{State: store.JobSucceeded}, tt.out)
			require.NoError(t, err)
			for _, id := range []string{ticket.CallID, row.CallID} {
				c, err := w.CallByID(t.Context(), id)
				require.NoError(t, err)
				assert.Equal(t, tt.label, c.ChargePolicy)
				assert.Equal(t, []string{tt.abort, tt.failure, tt.empty}, []string{c.OnAbort, c.OnFailure, c.OnEmpty})
				want := money.Credits(0)
				if tt.charged {
					want = 130_000
				}
				assert.Equal(t, want, c.Credits)
				if !tt.out.Usage.IsZero() {
					require.NotNil(t, c.Cost)
					assert.Equal(t, money.Credits(65_000), *c.Cost, "what the operator pays stays on record")
				}
			}
			w.clean(t)
		})
	}
}
