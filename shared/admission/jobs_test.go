package admission_test

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/admission"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/testkit/hrana"
)

func (w *world) job() admission.Job {
	now := time.Now()
	return admission.Job{Kind: "video", Language: "openai", ProviderJob: "p1", Target: &w.plan.Targets[0], Asked: []byte("{}"),
		Poll: now, Deadline: now.Add(time.Hour), ExpiresAt: now.Add(time.Hour)}
}

func TestAJobSettlesOnceByTheTermsOfItsAdmission(t *testing.T) {
	t.Parallel()
	w := open(t, file(t), 10*money.Credit)
	ticket, err := w.gate.Admit(t.Context(), w.request())
	require.NoError(t, err)
	held := w.account(t).Held
	row, err := ticket.HandOver(t.Context(), w.job())
	require.NoError(t, err)
	assert.Equal(t, held, w.account(t).Held)
	ticket.Abandon(t.Context()) // as the handler's end does
	assert.Equal(t, held, w.account(t).Held, "the job has the call now")
	w.gate.Settings.Billing = false // the operator changes his mind meanwhile

	end := store.JobEnd{State: store.JobSucceeded}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			s, err := w.gate.FinishJob(t.Context(), row, end, w.outcome(90, 40))
			assert.NoError(t, err)
			assert.Equal(t, money.Credits(130_000), s.Credits)
		})
	}
	all.Wait()
	// Whoever comes late with another outcome changes nothing.
	_, err = w.gate.FinishJob(t.Context(), row, store.JobEnd{State: store.JobFailed}, admission.Outcome{Status: hub.StatusFailed})
	require.NoError(t, err)
	assert.Equal(t, 10*money.Credit-130_000, w.account(t).Balance)
	assert.Zero(t, w.account(t).Held)
	now, err := w.JobByID(t.Context(), row.ID, w.user.ID)
	require.NoError(t, err)
	assert.Equal(t, store.JobSucceeded, now.State)
	w.clean(t)
}

func TestACallThatWasSweptBecomesNoJob(t *testing.T) {
	t.Parallel()
	w := open(t, file(t), 10*money.Credit)
	ticket, err := w.gate.Admit(t.Context(), w.request())
	require.NoError(t, err)
	require.NoError(t, w.Exec(t.Context(), "UPDATE model_calls SET owner = 'somebody else' WHERE id = ?1", ticket.CallID))
	_, err = ticket.HandOver(t.Context(), w.job())
	assert.Equal(t, hub.CodeUnavailable, hub.CodeOf(err), "its id must not be shown")
	jobs, err := w.Jobs(t.Context(), w.user.ID, "", 10, false)
	require.NoError(t, err)
	assert.Empty(t, jobs)
}

func TestAJobIsRecordedOnceWhenTheAnswerIsLost(t *testing.T) {
	t.Parallel()
	server := hrana.New(t, hrana.Options{})
	w := open(t, store.Options{URL: server.URL, Token: hub.Secret(server.Token)}, money.Credit)
	ticket, err := w.gate.Admit(t.Context(), w.request())
	require.NoError(t, err)
	server.Plan(hrana.Faults{Drop: 2, Match: "INSERT INTO jobs"})
	row, err := ticket.HandOver(t.Context(), w.job())
	require.NoError(t, err)
	server.Plan(hrana.Faults{Drop: 2, Match: "open_owner"})
	_, err = w.gate.FinishJob(t.Context(), row, store.JobEnd{State: store.JobSucceeded}, w.outcome(90, 40))
	require.NoError(t, err)
	assert.Equal(t, money.Credit-130_000, w.account(t).Balance)
	w.clean(t)
}
