package functions_test

import (
	"context"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/admission"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/notify"
)

// mailbox takes what a hub mails.
type mailbox struct {
	mu  sync.Mutex
	got []string // address and subject
}

func (m *mailbox) Send(_ context.Context, msg notify.Message) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.got = append(m.got, msg.To+" "+msg.Subject)
	return nil
}

// taken empties the mailbox.
func (m *mailbox) taken() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := m.got
	m.got = nil
	slices.Sort(out)
	return out
}

// spend makes calls that cost so many thousandths of a credit each.
func (w *world) spend(as string, times int, thousandths int64) {
	w.t.Helper()
	for range times {
		ticket, plan := w.admit(as)
		_, err := ticket.Settle(w.t.Context(), admission.Outcome{Status: hub.StatusSuccess, Target: &plan.Targets[0],
			Usage: hub.Usage{hub.Output: thousandths * 100}, Source: hub.UsageReported})
		require.NoError(w.t, err)
	}
}

// tell is the job of several processes at once.
func (w *world) tell(m *mailbox) {
	w.t.Helper()
	var all sync.WaitGroup
	for range 4 {
		post := *w.app.Notify
		post.Mail = m
		all.Go(func() { assert.NoError(w.t, post.Wallets(context.Background(), "https://pay.example")) })
	}
	all.Wait()
	post := *w.app.Notify
	post.Mail = m
	require.NoError(w.t, post.Deliver(w.t.Context()))
}

// told lists the kinds of notifications, oldest first.
func (w *world) told() (kinds []string) {
	w.t.Helper()
	all, err := w.app.Store.Notifications(w.t.Context(), "", 100)
	require.NoError(w.t, err)
	for _, n := range all {
		kinds = append([]string{n.Kind}, kinds...)
		assert.Contains(w.t, n.Body, "https://pay.example")
	}
	return kinds
}

func TestAUserIsToldOnceThatTheWalletRunsLow(t *testing.T) {
	t.Parallel()
	w := open(t, "AIGNE_HUB_BILLING=on")
	w.priced()
	m := &mailbox{}
	const low = "[AIGNE Hub] The wallet of member@example.com is low: 0.09 credits are left."
	w.golden("admin", []apiCase{
		{"the threshold is 0 at first", "admin", "GET /api/admin/notifications/low-balance", "", 200, `{"low_balance":"0"}`},
		{"a threshold is in credits", "admin", "PUT /api/admin/notifications/low-balance", `{"low_balance":"0.1"}`, 200, `{"low_balance":"0.1"}`},
		{"and not negative", "admin", "PUT /api/admin/notifications/low-balance", `{"low_balance":"-1"}`, 400, invalid("low_balance", "The balance must not be negative.")},
	})
	w.grant("member@example.com", "0.12")
	w.spend("member", 2, 10)
	w.tell(m)
	assert.Empty(t, m.taken(), "0.1 is not below 0.1")
	w.spend("member", 1, 10)
	w.spend("member", 3, 10)
	w.tell(m)
	assert.Equal(t, []string{"member@example.com " + low}, m.taken(), "once, however many calls and processes there were")
	assert.Equal(t, []string{"wallet.low"}, w.told())
	w.tell(m)
	assert.Empty(t, m.taken())

	w.grant("member@example.com", "0.01")
	w.spend("member", 1, 10)
	w.tell(m)
	assert.Empty(t, m.taken(), "a top-up that stays below does not arm it again")
	w.grant("member@example.com", "0.05")
	w.spend("member", 3, 10)
	w.tell(m)
	assert.Len(t, m.taken(), 1, "one that rises above does")
	w.spend("member", 5, 10)
	w.spend("member", 1, 100)
	w.tell(m)
	assert.Equal(t, []string{"member@example.com [AIGNE Hub] The wallet of member@example.com is empty."}, m.taken())
	assert.Equal(t, []string{"wallet.low", "wallet.low", "wallet.empty"}, w.told())

	report, err := w.app.Book.Verify(t.Context())
	require.NoError(t, err)
	assert.Empty(t, report.Violations)
}

func TestAUserChoosesWhatToBeTold(t *testing.T) {
	t.Parallel()
	w := open(t, "AIGNE_HUB_BILLING=on")
	w.priced()
	require.NoError(t, w.app.Desk.SetLowBalance(t.Context(), "test", 100_000_000))
	const path = "/api/user/credit/notices"
	w.golden("billing", []apiCase{
		{"nobody else's", "", "GET " + path, "", 401, noKey},
		{"everything at first", "member", "GET " + path, "", 200, `{"email":true,"low_balance":null,"hub_low_balance":"0.1"}`},
		{"one's own threshold", "member", "PUT " + path, `{"email":true,"low_balance":"0.5"}`, 200, `{"email":true,"low_balance":"0.5","hub_low_balance":"0.1"}`},
		{"no e-mail", "other", "PUT " + path, `{"email":false,"low_balance":null}`, 200, `{"email":false,"low_balance":null,"hub_low_balance":"0.1"}`},
		{"whether by e-mail is said", "other", "PUT " + path, `{"low_balance":null}`, 400, invalid("email", "email is required.")},
	})
	require.NoError(t, w.app.Desk.SetLowBalance(t.Context(), "test", 200_000_000))
	for _, email := range []string{"member@example.com", "other@example.com"} {
		w.grant(email, "0.51")
	}
	w.spend("member", 2, 10)
	w.spend("other", 2, 10)
	m := &mailbox{}
	w.tell(m)
	require.Len(t, m.taken(), 1, "the own threshold stays when the hub's changes")
	w.spend("other", 30, 10)
	w.tell(m)
	assert.Empty(t, m.taken(), "who switched it off gets no e-mail")
	assert.Equal(t, []string{"wallet.low", "wallet.low"}, w.told(), "operators' webhooks hear of both")
}

func TestNewWalletsGetTheHubsThreshold(t *testing.T) {
	t.Parallel()
	w := open(t, "AIGNE_HUB_BILLING=on")
	w.priced()
	require.NoError(t, w.app.Desk.SetLowBalance(t.Context(), "test", 100_000_000))
	_, err := w.app.Desk.CreateUser(t.Context(), "test", "late@example.com", hub.RoleMember, "")
	require.NoError(t, err)
	key, _, err := w.app.Desk.CreateKey(t.Context(), "test", "late@example.com", "laptop", nil)
	require.NoError(t, err)
	w.keys["late"] = key
	w.grant("late@example.com", "0.11")
	m := &mailbox{}
	w.tell(m)
	w.spend("late", 2, 10)
	w.tell(m)
	assert.Len(t, m.taken(), 1)
}
