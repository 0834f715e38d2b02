package notify

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/testkit/logbuf"
	"github.com/aigne-hub/aigne-hub/shared/vault"
)

// office is a post over a real database, with what it logs.
type office struct {
	*Post
	t    *testing.T
	logs *logbuf.Buffer
}

func newOffice(t *testing.T) *office {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{URL: "file:" + filepath.Join(t.TempDir(), "hub.db")})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	_, err = s.Migrate(t.Context())
	require.NoError(t, err)
	logs := &logbuf.Buffer{}
	keyring := newKeyring(t)
	return &office{t: t, logs: logs, Post: &Post{Store: s, Log: slog.New(slog.NewTextHandler(logs, nil)), Now: time.Now,
		Vault: func(context.Context) (*vault.Keyring, error) { return keyring, nil }}}
}

func newKeyring(t *testing.T) *vault.Keyring {
	t.Helper()
	m, _, err := vault.EnsureMasterFile(filepath.Join(t.TempDir(), "master.key"))
	require.NoError(t, err)
	k, err := vault.NewDataKey(m, time.Now())
	require.NoError(t, err)
	keyring, err := vault.New(m, []vault.WrappedKey{k})
	require.NoError(t, err)
	return keyring
}

// hook adds a webhook that leads to a new receiver.
func (o *office) hook(kinds string) (*receiver, store.Endpoint) {
	o.t.Helper()
	r := newReceiver(o.t, time.Now)
	secret, err := NewSecret()
	require.NoError(o.t, err)
	r.secret = secret.Reveal()
	e := store.Endpoint{ID: o.Store.NewID(), URL: r.URL + "/?token=url-token", Kinds: kinds}
	keyring, err := o.Vault(o.t.Context())
	require.NoError(o.t, err)
	e.Sealed, e.KeyID, err = keyring.Seal(EndpointAAD(e.ID), secret)
	require.NoError(o.t, err)
	require.NoError(o.t, o.Store.AddEndpoint(o.t.Context(), e))
	o.t.Cleanup(func() {
		assert.NotContains(o.t, o.logs.String(), secret.Reveal())
		assert.NotContains(o.t, o.logs.String(), "url-token")
	})
	return r, e
}

// deliver lets everything that waits be due, and sends it.
func (o *office) deliver() {
	o.t.Helper()
	u := &store.Unit{}
	u.Add("UPDATE notification_deliveries SET next_at = 0 WHERE state = 'pending'")
	require.NoError(o.t, o.Store.Do(o.t.Context(), u))
	require.NoError(o.t, o.Deliver(o.t.Context()))
}

func (o *office) states(id string) map[string]store.DeliveryState {
	o.t.Helper()
	all, err := o.Store.DeliveryStates(o.t.Context(), []string{id})
	require.NoError(o.t, err)
	out := map[string]store.DeliveryState{}
	for _, d := range all {
		out[d.Address] = d
	}
	return out
}

func TestAnEventReachesEveryWebhookThatWantsItSigned(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	all, _ := o.hook("[]")
	some, _ := o.hook(`["target.down"]`)
	other, _ := o.hook(`["credential.disabled"]`)
	require.NoError(t, o.Tell(t.Context(), Event{ID: "e1", Kind: TargetDown, Severity: Failure, Title: "p/m does not answer", Data: map[string]any{"model": "m"}}))
	require.NoError(t, o.Tell(t.Context(), Event{ID: "e1", Kind: TargetDown, Severity: Failure, Title: "told again"}), "equal ids are told once")
	o.deliver()
	o.deliver()
	for _, r := range []*receiver{all, some} {
		tries, took := r.seen()
		assert.Equal(t, 1, tries)
		assert.Equal(t, map[string]int{"e1": 1}, took)
		assert.Equal(t, "target.down", r.last.Type)
		assert.JSONEq(t, `{"model":"m"}`, string(r.last.Data))
		assert.Equal(t, "p/m does not answer", r.last.Title)
	}
	tries, _ := other.seen()
	assert.Zero(t, tries)
}

func TestAReceiverThatFailsIsTriedAgainUntilItTakesTheEvent(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	r, e := o.hook("[]")
	r.answer(0, http.StatusInternalServerError, http.StatusFound, http.StatusServiceUnavailable)
	require.NoError(t, o.Tell(t.Context(), Event{ID: "e1", Kind: Test, Severity: Info, Title: "t"}))
	for i := range 3 {
		o.deliver()
		d := o.states("e1")[e.ID]
		assert.Equal(t, "pending", d.State)
		assert.Equal(t, i+1, d.Attempts)
		require.NoError(t, o.Deliver(t.Context()), "it is not due yet")
	}
	tries, took := r.seen()
	assert.Equal(t, 3, tries, "a redirect is not followed")
	assert.Empty(t, took)
	o.deliver()
	assert.Equal(t, "sent", o.states("e1")[e.ID].State)
	_, took = r.seen()
	assert.Equal(t, map[string]int{"e1": 1}, took)
}

func TestARepeatedDeliveryKeepsItsID(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	r, _ := o.hook("[]")
	require.NoError(t, o.Tell(t.Context(), Event{ID: "e1", Kind: Test, Severity: Info, Title: "t"}))
	o.deliver()
	u := &store.Unit{} // the process died before it could note that it had arrived
	u.Add("UPDATE notification_deliveries SET state = 'pending'")
	require.NoError(t, o.Store.Do(t.Context(), u))
	o.deliver()
	_, took := r.seen()
	assert.Equal(t, map[string]int{"e1": 2}, took, "a receiver can tell by the id, and the new stamp passes")
}

func TestADeliveryIsGivenUpAtLast(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	gone, g := o.hook("[]")
	gone.answer(0, http.StatusGone)
	dead, d := o.hook("[]")
	dead.answer(0, 500, 500, 500, 500, 500, 500, 500, 500, 500, 500, 500, 500)
	removed, rm := o.hook("[]")
	require.NoError(t, o.Tell(t.Context(), Event{ID: "e1", Kind: Test, Severity: Info, Title: "t"}))
	require.NoError(t, o.Store.RemoveEndpoint(t.Context(), rm.ID))
	for range len(waits) + 3 {
		o.deliver()
	}
	states := o.states("e1")
	assert.Equal(t, "dead", states[g.ID].State)
	assert.Equal(t, 1, states[g.ID].Attempts, "who says 410 wants no more")
	assert.Equal(t, "dead", states[d.ID].State)
	assert.Equal(t, len(waits)+1, states[d.ID].Attempts)
	assert.Contains(t, states[d.ID].Error, "500")
	assert.Equal(t, "dead", states[rm.ID].State)
	tries, _ := removed.seen()
	assert.Zero(t, tries)
}

func TestASlowReceiverKeepsNobodyWaiting(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.Hook.Client = &http.Client{Timeout: 300 * time.Millisecond}
	slow, _ := o.hook("[]")
	slow.answer(10 * time.Second)
	quick, _ := o.hook("[]")
	const events = 30
	for range events {
		require.NoError(t, o.Tell(t.Context(), Event{Kind: Test, Severity: Info, Title: "t"}))
	}
	start := time.Now()
	o.deliver()
	o.deliver()
	assert.Less(t, time.Since(start), 5*time.Second)
	_, took := quick.seen()
	assert.Len(t, took, events)
	tries, _ := slow.seen()
	assert.Equal(t, 2, tries, "one that fails is left alone until the next run")
	_, took = slow.seen()
	assert.Empty(t, took)
}

func TestATrialSaysWhatTheReceiverDid(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	r, e := o.hook("[]")
	require.NoError(t, o.TryHook(t.Context(), e))
	r.answer(0, http.StatusTeapot)
	assert.ErrorContains(t, o.TryHook(t.Context(), e), "418")
	r.Close()
	err := o.TryHook(t.Context(), e)
	require.Error(t, err)
	assert.NotContains(t, err.Error(), "url-token")
	all, err := o.Store.Notifications(t.Context(), "", 10)
	require.NoError(t, err)
	assert.Empty(t, all, "a trial is no news")
}

// outbox is a mailer that keeps what it is given.
type outbox struct {
	mu   sync.Mutex
	sent []Message
	err  error
}

func (o *outbox) Send(_ context.Context, m Message) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err != nil {
		return o.err
	}
	o.sent = append(o.sent, m)
	return nil
}

func TestMailGoesToAdministratorsForTheKindsChosen(t *testing.T) {
	t.Parallel()
	o, box := newOffice(t), &outbox{}
	o.Mail = box
	for email, role := range map[string]hub.Role{"boss@example.com": hub.RoleOwner, "ops@example.com": hub.RoleAdmin, "me@example.com": hub.RoleMember} {
		_, err := o.Store.CreateUser(t.Context(), store.User{Email: email, Role: role})
		require.NoError(t, err)
	}
	told := func(k Kind, severity string) int {
		t.Helper()
		box.sent = nil
		require.NoError(t, o.Tell(t.Context(), Event{Kind: k, Severity: severity, Title: "A title", Data: map[string]any{"b": 2, "a": "x"}}))
		o.deliver()
		return len(box.sent)
	}
	assert.Equal(t, 2, told(TargetDown, Failure))
	assert.Equal(t, "[AIGNE Hub] A title", box.sent[0].Subject)
	assert.Contains(t, box.sent[0].Text, "a: x\nb: 2\n")
	assert.Equal(t, 0, told(TargetUp, Info), "mere information")
	require.NoError(t, o.SetMailed(t.Context(), []Kind{TargetUp}))
	assert.Equal(t, 2, told(TargetUp, Info))
	assert.Equal(t, 0, told(TargetDown, Failure))
	require.NoError(t, o.SetMailed(t.Context(), []Kind{}))
	assert.Equal(t, 0, told(TargetDown, Failure))
	require.NoError(t, o.SetMailed(t.Context(), nil))
	assert.Equal(t, 2, told(CredentialDisabled, Warning), "the default again")

	box.err = errors.New("451 later")
	require.NoError(t, o.Tell(t.Context(), Event{ID: "e", Kind: TargetDown, Severity: Failure, Title: "t"}))
	o.deliver()
	box.err = nil
	o.deliver()
	for address, d := range o.states("e") {
		assert.Equal(t, "sent", d.State, address)
		assert.Equal(t, 2, d.Attempts)
	}
}

func TestWhoAnEventIsAboutHearsOfItToo(t *testing.T) {
	t.Parallel()
	o, box := newOffice(t), &outbox{}
	_, err := o.Store.CreateUser(t.Context(), store.User{Email: "boss@example.com", Role: hub.RoleOwner})
	require.NoError(t, err)
	e := Event{ID: "a", Kind: TopUpFailed, Severity: Warning, Title: "t", To: []string{"me@example.com", "boss@example.com"}}
	require.NoError(t, o.Tell(t.Context(), e), "nobody can be mailed")
	o.Mail = box
	e.ID = "b"
	require.NoError(t, o.Tell(t.Context(), e))
	o.deliver()
	var to []string
	for _, m := range box.sent {
		to = append(to, m.To)
	}
	assert.ElementsMatch(t, []string{"boss@example.com", "me@example.com"}, to, "each once")
}

func TestATargetThatIsDownIsToldOnceOverAllProcesses(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	down := store.StatusReport{ModelStatus: store.ModelStatus{Provider: "p", Model: "m", Type: hub.TypeChat, Category: string(hub.CodeTimeout), Error: "slow"}, Failed: 3}
	report := func(available bool, age time.Duration) {
		t.Helper()
		r := down
		r.Available, r.Age = available, age
		if available {
			r.Category, r.Error = "", ""
		}
		require.NoError(t, o.Store.ReportStatuses(t.Context(), []store.StatusReport{r}))
	}
	offered := func(m store.ModelStatus) bool { return m.Model == "m" }
	titles := func() (out []string) {
		t.Helper()
		require.NoError(t, o.Watch(t.Context(), offered))
		all, err := o.Store.Notifications(t.Context(), "", 100)
		require.NoError(t, err)
		for _, n := range all {
			out = append(out, n.Title)
		}
		return out
	}
	report(false, time.Second)
	assert.Empty(t, titles(), "it may be over in a moment")
	report(true, 0)
	assert.Empty(t, titles(), "and it was")

	u := &store.Unit{} // long ago
	u.Add("UPDATE ai_model_statuses SET checked_at = 0, changed_at = 0")
	require.NoError(t, o.Store.Do(t.Context(), u))
	report(false, time.Minute)
	assert.Equal(t, []string{"p/m does not answer (no answer in time)."}, titles())
	report(false, 0)
	assert.Len(t, titles(), 1)

	// A process that died between telling and noting it tells nobody twice.
	u = &store.Unit{}
	u.Add("UPDATE ai_model_statuses SET told = 1")
	require.NoError(t, o.Store.Do(t.Context(), u))
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() { assert.NoError(t, o.Watch(t.Context(), offered)) })
	}
	all.Wait()
	assert.Len(t, titles(), 1)

	report(true, 0)
	u = &store.Unit{}
	u.Add("UPDATE ai_model_statuses SET changed_at = changed_at - 60000")
	require.NoError(t, o.Store.Do(t.Context(), u))
	assert.Contains(t, titles(), "p/m answers again.")
	assert.Len(t, titles(), 2)

	down.Model = "made-up"
	report(false, time.Minute)
	assert.Len(t, titles(), 2, "callers can make up names")
	down.Model, down.OK = "worked", 1
	report(false, time.Minute)
	assert.Len(t, titles(), 3, "a name that answered is none of those")
}

// The example is the one that the libraries of Standard Webhooks are tested with.
func TestSignaturesAreThoseOfStandardWebhooks(t *testing.T) {
	t.Parallel()
	got, err := Sign("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", []byte(`{"test": 2432232314}`))
	require.NoError(t, err)
	assert.Equal(t, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", got)
	_, err = Sign("whsec_*", "a", "1", nil)
	require.Error(t, err)
	a, err := NewSecret()
	require.NoError(t, err)
	b, err := NewSecret()
	require.NoError(t, err)
	assert.NotEqual(t, a, b)
	assert.True(t, strings.HasPrefix(a.Reveal(), "whsec_"))
}
