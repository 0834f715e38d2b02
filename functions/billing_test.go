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
	const currency = `{"id":"credit","name":"Credit","symbol":"credits","decimal":0}`
	const charge = `{"id":"ID/settle","kind":"charge","cause":"","call_id":"ID","amount":"0.00304","change":"-0.00304","reason":"","created_at":"TIME"}`
	const gift = `{"id":"grant/ID","kind":"grant","cause":"","call_id":"","amount":"2.5","change":"2.5","reason":"for a test","created_at":"TIME"}`
	const kitCharge = `{"id":"ID/settle","quantity":"0.00304","credit_amount":"0.00304","meter_event_name":"charge","description":"","created_at":"TIME","paymentCurrency":` + currency + `}`
	const kitGift = `{"id":"grant/ID","quantity":"-2.5","credit_amount":"-2.5","meter_event_name":"grant","description":"for a test","created_at":"TIME","paymentCurrency":` + currency + `}`
	w.golden("billing", []apiCase{
		{"a balance needs a key", "", "GET /api/user/credit/balance", "", 401, noKey},
		{"a balance has what is held, which clients must not take for overdue", "member", "GET /api/user/credit/balance", "", 200,
			`{"balance":"2.49696","held":"0.014","available":"2.48296","debt":"0","billing":"on","total":"2.5","grantCount":1,"pendingCredit":"0","currency":` + currency + `}`},
		{"grants are listed", "member", "GET /api/user/credit/grants", "", 200,
			`{"data":[{"id":"ID","kind":"promotional","name":"","amount":"2.5","remaining":"2.49696","priority":50,"state":"active",
			"reason":"for a test","expires_at":null,"created_at":"TIME"}],"count":1,"list":[{"id":"ID","name":"","amount":"2.5","remaining_amount":"2.49696",
			"status":"granted","category":"promotional","priority":50,"expires_at":0,"created_at":"TIME","paymentCurrency":` + currency + `}],
			"paging":{"page":1,"pageSize":20,"total":1}}`},
		{"grants of a span", "member", "GET /api/user/credit/grants?end=1000", "", 200, `{"data":[],"count":0,"list":[],"paging":{"page":1,"pageSize":20,"total":0}}`},
		{"a span is seconds", "member", "GET /api/user/credit/grants?start=soon", "", 400, invalid("start", "start must be seconds since 1970.")},
		{"transactions are listed, newest first", "member", "GET /api/user/credit/transactions", "", 200, `{"data":[` + charge + `,` + gift + `],
			"next_cursor":null,"count":2,"list":[` + kitCharge + `,` + kitGift + `],"paging":{"page":1,"pageSize":20,"total":2}}`},
		{"transactions go on by page", "member", "GET /api/user/credit/transactions?page=2&pageSize=1", "", 200, `{"data":[` + gift + `],
			"next_cursor":null,"count":2,"list":[` + kitGift + `],"paging":{"page":2,"pageSize":1,"total":2}}`},
		{"beyond the last page there is nothing", "member", "GET /api/user/credit/transactions?page=9", "", 200,
			`{"data":[],"next_cursor":null,"count":2,"list":[],"paging":{"page":9,"pageSize":20,"total":2}}`},
		{"transactions of a span", "member", "GET /api/user/credit/transactions?start=9000000000", "", 200,
			`{"data":[],"next_cursor":null,"count":0,"list":[],"paging":{"page":1,"pageSize":20,"total":0}}`},
		{"pages end somewhere", "member", "GET /api/user/credit/transactions?page=101&pageSize=100", "", 400,
			invalid("page", "Pages end at the newest 10000; go on with cursor=<next_cursor>.")},
		{"a cursor is one of theirs", "member", "GET /api/user/credit/transactions?cursor=x", "", 400,
			invalid("cursor", "cursor is not one that this list gave out.")},
		{"info is what the command line asks for", "member", "GET /api/user/info", "", 200,
			`{"user":{"did":"ID","fullName":"member@example.com","email":"member@example.com","avatar":"","role":"member"},
			"creditBalance":{"balance":"2.49696","total":"2.5","grantCount":1,"pendingCredit":"0"},"currency":` + currency + `,
			"paymentLink": null,"enableCredit":true,"profileLink":"https://hub.example/ai","creditPrefix":""}`},
		{"info needs a key", "", "GET /api/user/info", "", 401, noKey},
		{"anybody may ask for the payment link", "", "GET /api/user/credit/payment-link", "", 200, `null`},
		{"but not with a bad key", "bad", "GET /api/user/credit/payment-link", "", 401, badKey},
	})
}

func TestThePaymentLinkIsAText(t *testing.T) {
	t.Parallel()
	w := open(t, "AIGNE_HUB_BILLING=on")
	w.app.Gate.Settings.PaymentLink = "https://pay.example/x"
	w.fn["billing"] = billing.Wire(w.app)
	w.golden("billing", []apiCase{{"a JSON string", "", "GET /api/user/credit/payment-link", "", 200, `"https://pay.example/x"`}})
}

func TestUsersAreNamedToAdmins(t *testing.T) {
	t.Parallel()
	w := open(t)
	u, err := w.app.Desk.User(t.Context(), "member@example.com")
	require.NoError(t, err)
	const send = "POST /api/user/admin/user-info"
	w.golden("billing", []apiCase{
		{"not to members", "member", send, `{"userDids":["x"]}`, 403, adminsOnly},
		{"in the order asked for", "admin", send, `{"userDids":["nobody","` + u.ID + `"]}`, 200,
			`{"users":[{"did":"nobody","fullName":"Unknown User","email":""},{"did":"ID","fullName":"member@example.com","email":"member@example.com"}]}`},
		{"at least one", "admin", send, `{"userDids":[]}`, 400, invalid("userDids", "userDids must have at least 1 entry.")},
	})
}

func TestTransactionsPageThroughAllOfThem(t *testing.T) {
	t.Parallel()
	w := open(t, "AIGNE_HUB_BILLING=on")
	w.priced()
	w.grant("member@example.com", "1")
	const n = 25
	want := []string{}
	for range n {
		want = append([]string{w.call("member") + "/settle"}, want...)
	}
	var got []string
	for target, pages := "/api/user/credit/transactions?pageSize=4", 0; target != ""; pages++ {
		require.Less(t, pages, n)
		res := w.do("billing", "member", "GET", target, "")
		require.Equal(t, 200, res.Code, res.Body.String())
		ids, next := idsOf(t, res)
		got = append(got, ids...)
		if target = ""; next != "" {
			target = "/api/user/credit/transactions?pageSize=4&cursor=" + next
		}
	}
	require.Len(t, got, n+1)
	assert.ElementsMatch(t, want, got[:n], "each once, also those of one millisecond")
}

func TestTheQuotaIsOfTheRealRange(t *testing.T) {
	t.Parallel()
	w := open(t, "AIGNE_HUB_BILLING=on")
	w.priced()
	quota := func(as, query string) string {
		res := w.do("usage", as, "GET", "/api/usage/quota"+query, "")
		require.Equal(t, 200, res.Code, res.Body.String())
		return res.Body.String()
	}
	assert.JSONEq(t, `{"total":0,"remaining":0,"used":0,"pendingCredit":0,"dailyAvgCredits":0,"estimatedDaysRemaining":0,"currency":"credits","unlimited":false,"days":1}`,
		quota("member", ""), "nothing is left")
	w.grant("member@example.com", "1")
	assert.Contains(t, quota("member", ""), `"estimatedDaysRemaining":999`, "nothing is spent")
	w.call("member")
	assert.JSONEq(t, `{"total":1,"remaining":0.99696,"used":0.00304,"pendingCredit":0,"dailyAvgCredits":0.00304,"estimatedDaysRemaining":327,"currency":"credits",
		"unlimited":false,"days":1}`, quota("member", ""), "the wallet is of today, so the average is of a day and not of thirty")

	u, err := w.app.Desk.User(t.Context(), "member@example.com")
	require.NoError(t, err)
	old := time.Now().Add(-100 * 24 * time.Hour)
	require.NoError(t, w.app.Store.Exec(t.Context(), "UPDATE accounts SET created_at = ?2 WHERE id = ?1", u.AccountID, old.UnixMilli()))
	assert.Contains(t, quota("member", ""), `"dailyAvgCredits":0.000101333,"estimatedDaysRemaining":9838`, "of thirty days")
	assert.Contains(t, quota("member", "?timeRange=10"), `"dailyAvgCredits":0.000304,`)
	assert.Contains(t, quota("member", "?timeRange=10"), `"days":10`)
	w.golden("usage", []apiCase{
		{"a range has an order", "member", "GET /api/usage/quota?startTime=2000000000&endTime=1999999999", "", 400,
			invalid("startTime", "startTime must lie before endTime, by at most 366 days.")},
		{"a quota is somebody's", "", "GET /api/usage/quota", "", 401, noKey},
	})
	off := open(t)
	assert.Contains(t, off.do("usage", "member", "GET", "/api/usage/quota", "").Body.String(), `"unlimited":true`)
}

func TestWithBillingOffThereIsNothingToPay(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.golden("billing", []apiCase{
		{"the balance says so", "owner", "GET /api/user/credit/balance", "", 200,
			`{"balance":"0","held":"0","available":"0","debt":"0","billing":"off","total":"0","grantCount":0,"pendingCredit":"0","currency":{"id":"credit","name":"Credit","symbol":"credits","decimal":0}}`},
		{"grants are an empty list", "owner", "GET /api/user/credit/grants", "", 200, `{"data":[],"count":0,"list":[],"paging":{"page":1,"pageSize":20,"total":0}}`},
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
		{"as its user sees", "member", "GET /api/user/credit/balance", "", 200,
			`{"balance":"1.5","held":"0","available":"1.5","debt":"0","billing":"on","total":"1.5","grantCount":1,"pendingCredit":"0","currency":{"id":"credit","name":"Credit","symbol":"credits","decimal":0}}`},
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
		"billing.jobs": 10 * time.Second, "billing.files": 10 * time.Minute, "billing.payments": 10 * time.Second,
		"billing.outbox": time.Minute, "billing.customers": time.Minute,
	}, due)
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for name := range due {
		assert.Error(t, schedule.Run(cancelled, billing.Jobs(w.app), name), "%s heeds its context", name)
	}
}
