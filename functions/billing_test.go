package functions_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/functions/billing"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/schedule"
)

func TestAWalletIsShownToItsUser(t *testing.T) {
	t.Parallel()
	w := open(t, "AIGNE_HUB_BILLING=on", "AIGNE_HUB_PUBLIC_URL=https://hub.example/ai")
	w.priced()
	w.grant("member@example.com", "2.5")
	w.grant("other@example.com", "7")
	w.call("member")
	w.admit("member") // stays open
	w.golden("billing", []apiCase{
		{"a balance needs a key", "", "GET /api/user/credit/balance", "", 401, noKey},
		{"a balance has what is held", "member", "GET /api/user/credit/balance", "", 200,
			`{"balance":"2.49696","held":"0.014","available":"2.48296","debt":"0","billing":"on"}`},
		{"grants are listed", "member", "GET /api/user/credit/grants", "", 200,
			`{"data":[{"id":"ID","kind":"promotional","name":"","amount":"2.5","remaining":"2.49696","priority":50,"state":"active",
			"reason":"for a test","expires_at":null,"created_at":"TIME"}]}`},
		{"transactions are listed, newest first", "member", "GET /api/user/credit/transactions", "", 200, `{"data":[
			{"id":"ID/settle","kind":"charge","cause":"","call_id":"ID","amount":"0.00304","reason":"","created_at":"TIME"},
			{"id":"grant/ID","kind":"grant","cause":"","call_id":"","amount":"2.5","reason":"for a test","created_at":"TIME"}]}`},
		{"transactions go on by page", "member", "GET /api/user/credit/transactions?page=2&pageSize=1", "", 200, `{"data":[
			{"id":"grant/ID","kind":"grant","cause":"","call_id":"","amount":"2.5","reason":"for a test","created_at":"TIME"}]}`},
		{"beyond the last page there is nothing", "member", "GET /api/user/credit/transactions?page=9", "", 200, `{"data":[]}`},
		{"transactions end somewhere", "member", "GET /api/user/credit/transactions?page=11&pageSize=100", "", 400,
			invalid("page", "This list ends at the newest 1000; GET /api/user/model-calls goes further back.")},
		{"transactions have no cursor", "member", "GET /api/user/credit/transactions?cursor=x", "", 400,
			invalid("cursor", "This list has no cursor; use page.")},
		{"info is what the command line asks for", "member", "GET /api/user/info", "", 200,
			`{"user":{"did":"ID","fullName":"member@example.com","email":"member@example.com","avatar":"","role":"member"},
			"creditBalance":{"balance":"2.49696","total":"2.5","grantCount":1,"pendingCredit":"0.014"},
			"paymentLink": null,"enableCredit":true,"profileLink":"https://hub.example/ai","creditPrefix":""}`},
		{"info needs a key", "", "GET /api/user/info", "", 401, noKey},
	})
}

func TestWithBillingOffThereIsNothingToPay(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.golden("billing", []apiCase{
		{"the balance says so", "guest", "GET /api/user/credit/balance", "", 200, `{"balance":"0","held":"0","available":"0","debt":"0","billing":"off"}`},
		{"grants are an empty list", "guest", "GET /api/user/credit/grants", "", 200, `{"data":[]}`},
		{"info has no credits", "guest", "GET /api/user/info", "", 200,
			`{"user":{"did":"ID","fullName":"guest@example.com","email":"guest@example.com","avatar":"","role":"guest"},
			"creditBalance":null,"paymentLink":null,"enableCredit":false,"profileLink":null,"creditPrefix":""}`},
	})
}

func TestAdminsGiveCredits(t *testing.T) {
	t.Parallel()
	w := open(t, "AIGNE_HUB_BILLING=on")
	const send = "POST /api/billing/grants"
	w.golden("billing", []apiCase{
		{"members do not", "member", send, `{"email":"member@example.com","amount":"5"}`, 403, adminsOnly},
		{"the amount is text", "admin", send, `{"email":"member@example.com","amount":5}`, 400, invalid("amount", "amount must be a string, not a number.")},
		{"the amount has nine decimals at most", "admin", send, `{"email":"member@example.com","amount":"0.0000000001"}`, 400,
			invalid("amount", `amount: "0.0000000001" has more than 9 decimals.`)},
		{"the amount is given", "admin", send, `{"email":"member@example.com"}`, 400, invalid("amount", "The amount must be greater than 0 credits.")},
		{"the amount is positive", "admin", send, `{"email":"member@example.com","amount":"-1"}`, 400, invalid("amount", "The amount must be greater than 0 credits.")},
		{"the user is known", "admin", send, `{"email":"nobody@example.com","amount":"1"}`, 404,
			notFound("There is no user with the e-mail address nobody@example.com.")},
		{"the expiry lies ahead", "admin", send, `{"email":"member@example.com","amount":"1","expires_at":"2020-01-01T00:00:00Z"}`, 400,
			invalid("expires_at", "The expiry must lie in the future.")},
		{"a grant counts at once", "admin", send, `{"email":"member@example.com","amount":"1.5","expires_at":"2099-01-01T00:00:00Z","reason":"welcome"}`, 201,
			`{"id":"ID","kind":"promotional","name":"","amount":"1.5","remaining":"1.5","priority":50,"state":"active","reason":"welcome",
			"expires_at":"TIME","created_at":"TIME"}`},
		{"as its user sees", "member", "GET /api/user/credit/balance", "", 200, `{"balance":"1.5","held":"0","available":"1.5","debt":"0","billing":"on"}`},
		{"members do not verify the books", "member", "GET /api/billing/ledger/verify", "", 403, adminsOnly},
		{"the books balance", "owner", "GET /api/billing/ledger/verify", "", 200, `{"ok":true,"operations":1,"violations":[]}`},
	})
}

// spoil makes the books of a user wrong, as only a fault or a stranger's hand can.
func (w *world) spoil(email string) {
	w.t.Helper()
	u, err := w.app.Desk.User(w.t.Context(), email)
	require.NoError(w.t, err)
	require.NoError(w.t, w.app.Store.Exec(w.t.Context(), "UPDATE accounts SET balance_nano = 1 WHERE id = ?1", u.AccountID))
}

func TestBooksThatDoNotBalanceAreReported(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.spoil("member@example.com")
	w.golden("billing", []apiCase{{"verify tells what is wrong", "admin", "GET /api/billing/ledger/verify", "", 200,
		`{"ok":false,"operations":0,"violations":[
		{"rule":"each balance equals its entries","subject":"ID","detail":"balance 1, entries 0"},
		{"rule":"each wallet's balance equals its grants' remainders","subject":"ID","detail":"balance 1, grants 0"}]}`}})

	err := schedule.Run(t.Context(), billing.Jobs(w.app), "billing.ledger-verify")
	require.ErrorContains(t, err, "2 violations")
	assert.Contains(t, w.logs.String(), "violations=2")
	require.Error(t, schedule.Run(t.Context(), billing.Jobs(w.app), "billing.ledger-verify"))
	told, err := w.app.Store.Notifications(t.Context(), "", 10)
	require.NoError(t, err)
	require.Len(t, told, 1, "operators are told once")
	assert.Equal(t, "ledger.wrong", told[0].Kind)
}

func TestTheJobsKeepTheBooks(t *testing.T) {
	t.Parallel()
	w := open(t, "AIGNE_HUB_BILLING=on")
	w.priced()
	w.grant("member@example.com", "1")
	ctx := t.Context()
	run := func(name string) {
		require.NoError(t, schedule.Run(ctx, billing.Jobs(w.app), name))
	}
	u, err := w.app.Desk.User(ctx, "member@example.com")
	require.NoError(t, err)

	soon := time.Now().Add(time.Hour)
	g, err := w.app.Desk.Grant(ctx, "test", u.Email, 3_000_000_000, &soon, "")
	require.NoError(t, err)
	run("billing.expiry")
	acc, err := w.app.Store.AccountByID(ctx, u.AccountID)
	require.NoError(t, err)
	assert.Equal(t, "4", acc.Balance.String(), "nothing is due")
	require.NoError(t, w.app.Store.Exec(ctx, "UPDATE credit_grants SET expires_at = 1 WHERE id = ?1", g.ID))
	require.NoError(t, w.app.Store.Exec(ctx, "UPDATE accounts SET next_expiry = 1 WHERE id = ?1", u.AccountID))
	run("billing.expiry")
	acc, err = w.app.Store.AccountByID(ctx, u.AccountID)
	require.NoError(t, err)
	assert.Equal(t, "1", acc.Balance.String(), "the due grant is gone")

	ticket, _ := w.admit("member")
	require.NoError(t, w.app.Store.Exec(ctx, "UPDATE leases SET dead = 1"))
	run("billing.sweep")
	call, err := w.app.Store.CallByID(ctx, ticket.CallID)
	require.NoError(t, err)
	assert.Equal(t, hub.StatusInterrupted, call.Status)
	acc, err = w.app.Store.AccountByID(ctx, u.AccountID)
	require.NoError(t, err)
	assert.Zero(t, acc.Held)

	run("billing.ledger-verify")
}

func TestTheJobsAreDueAsTheyShould(t *testing.T) {
	t.Parallel()
	w := empty(t)
	due := map[string]time.Duration{}
	for _, j := range billing.Jobs(w.app) {
		due[j.Name] = j.Every
	}
	assert.Equal(t, map[string]time.Duration{
		"billing.sweep": 10 * time.Second, "billing.expiry": time.Minute, "billing.ledger-verify": time.Hour, "billing.ledger-seal": 6 * time.Hour,
		"billing.jobs": 10 * time.Second, "billing.outbox": time.Minute, "billing.customers": time.Minute, "billing.files": 10 * time.Minute,
	}, due)
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for name := range due {
		assert.Error(t, schedule.Run(cancelled, billing.Jobs(w.app), name), "%s heeds its context", name)
	}
}
