package functions_test

import (
	"encoding/csv"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/admission"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/ledger"
	"github.com/aigne-hub/aigne-hub/shared/limits"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/routing"
)

func TestAdminsMoveCredits(t *testing.T) {
	t.Parallel()
	w := open(t, "AIGNE_HUB_BILLING=on")
	w.grant("member@example.com", "10")
	balance := func(left, debt string) string {
		return `{"balance":"` + left + `","held":"0","available":"` + left + `","debt":"` + debt + `"}`
	}
	const adjust, reverse, transfer, wallets = "POST /api/billing/adjustments", "POST /api/billing/reversals", "POST /api/billing/transfers", "POST /api/billing/wallets"
	w.golden("billing", []apiCase{
		{"members do not adjust", "member", adjust, `{"email":"member@example.com","amount":"1","reason":"mine"}`, 403, adminsOnly},
		{"an adjustment has a reason", "admin", adjust, `{"email":"member@example.com","amount":"1"}`, 400, invalid("reason", "reason is required.")},
		{"and a wallet", "admin", adjust, `{"amount":"1","reason":"x"}`, 400, invalid("user", "Name a user or a shared wallet, and not both.")},
		{"credits are given", "admin", adjust, `{"id":"a","email":"member@example.com","amount":"2","reason":"sorry"}`, 200, balance("12", "0")},
		{"once", "admin", adjust, `{"id":"a","email":"member@example.com","amount":"2","reason":"sorry"}`, 200, balance("12", "0")},
		{"and taken", "admin", adjust, `{"email":"member@example.com","amount":"-3","reason":"mistake"}`, 200, balance("9", "0")},
		{"at most what is there", "admin", adjust, `{"email":"member@example.com","amount":"-9.1","reason":"mistake"}`, 400,
			invalid("amount", "That much is not free on the wallet; a reversal takes what there is and leaves the rest as a debt.")},
		{"a reversal has a cause", "admin", reverse, `{"email":"member@example.com","amount":"1","cause":"whim","reason":"x"}`, 400,
			invalid("cause", "Credits are reversed for a refund, a dispute or a correction.")},
		{"a wallet is made", "admin", wallets, `{"name":"Research"}`, 201, `{"id":"ID","name":"Research","kind":"team","balance":"0","held":"0","available":"0",
			"debt":"0","created_at":"TIME","closed_at":null}`},
		{"with a name of its own", "admin", wallets, `{"name":"research"}`, 409,
			refused("invalid_request_error", "conflict", "There is a wallet named research already.")},
		{"that is no address", "admin", wallets, `{"name":"a@b"}`, 400,
			invalid("name", "A wallet's name has 1 to 64 letters, digits, spaces, dots, dashes and underscores, and begins with a letter or digit.")},
		{"credits are transferred", "admin", transfer, `{"from":{"email":"member@example.com"},"to":{"wallet":"Research"},"amount":"4","reason":"project"}`,
			200, balance("5", "0")},
		{"an empty wallet is needed to close one", "admin", "DELETE /api/billing/wallets/Research", "", 409,
			refused("invalid_request_error", "conflict", "Credits are left on the wallet Research, or calls are running on it; transfer what is left first.")},
		{"a reversal takes what there is", "admin", reverse, `{"email":"member@example.com","amount":"7","cause":"refund","reason":"returned"}`, 200,
			`{"taken":"5","debt":"2"}`},
		{"the user sees the debt", "member", "GET /api/user/credit/balance", "", 200, `{"balance":"0","held":"0","available":"0","debt":"2","billing":"on","total":"12","grantCount":0,"pendingCredit":"2","currency":{"id":"credit","name":"Credit","symbol":"credits","decimal":0}}`},
		{"a purchase pays it", "admin", "POST /api/billing/grants", `{"email":"member@example.com","kind":"purchased","amount":"3"}`, 201,
			`{"id":"ID","kind":"purchased","name":"","amount":"3","remaining":"3","priority":50,"state":"active","reason":"","expires_at":null,"created_at":"TIME"}`},
		{"and leaves the rest", "member", "GET /api/user/credit/balance", "", 200, `{"balance":"1","held":"0","available":"1","debt":"0","billing":"on","total":"15","grantCount":1,"pendingCredit":"0","currency":{"id":"credit","name":"Credit","symbol":"credits","decimal":0}}`},
		{"the books balance", "owner", "GET /api/billing/ledger/verify", "", 200, `{"ok":true,"operations":8,"violations":[]}`},
	})
	var acts []string
	require.NoError(t, w.app.Store.Tx(t.Context(), readAudit("admin@example.com", &acts)))
	assert.Equal(t, []string{"credits.adjust", "credits.adjust", "credits.adjust", "wallet.create", "credits.transfer", "credits.reverse", "credits.grant"}, acts)
}

func TestMembersShareAWallet(t *testing.T) {
	t.Parallel()
	w := open(t, "AIGNE_HUB_BILLING=on")
	ctx := t.Context()
	team, err := w.app.Desk.CreateWallet(ctx, "test", "Team", "team")
	require.NoError(t, err)
	w.grant("other@example.com", "5")
	w.priced()
	w.golden("auth", []apiCase{
		{"a key of a stranger pays from its own", "member", "POST /api/auth/keys", `{"name":"work","wallet":"Team"}`, 400,
			invalid("wallet", "The key's user is no member of the wallet Team.")},
	})
	w.golden("billing", []apiCase{
		{"a stranger does not see the wallet", "member", "GET /api/user/wallets/Team/members", "", 404, notFound("There is no shared wallet Team.")},
		{"no more than one that is not there", "member", "GET /api/user/wallets/None/members", "", 404, notFound("There is no shared wallet None.")},
		{"an admin puts a manager in", "admin", "PUT /api/user/wallets/Team/members/other@example.com", `{"manager":true}`, 204, ""},
		{"who puts others in", "other", "PUT /api/user/wallets/Team/members/member@example.com", `{}`, 204, ""},
		{"a member manages nothing", "member", "PUT /api/user/wallets/Team/members/guest@example.com", `{}`, 403,
			refused("permission_error", "forbidden", "Only managers of the wallet Team may do that.")},
		{"members give to it", "other", "POST /api/user/credit/transfer", `{"wallet":"Team","amount":"3"}`, 200, `{"balance":"2","held":"0","available":"2","debt":"0"}`},
		{"strangers do not", "admin", "POST /api/user/credit/transfer", `{"wallet":"Team","amount":"3"}`, 404,
			notFound("There is no shared wallet Team of which you are a member.")},
		{"its members see it", "member", "GET /api/user/wallets", "", 200, `{"next_cursor":null,"data":[{"id":"ID","name":"Team","kind":"team","balance":"3",
			"held":"0","available":"3","debt":"0","created_at":"TIME","closed_at":null,"manager":false}]}`},
		{"its manager sees what moved", "other", "GET /api/user/credit/transactions?wallet=Team", "", 200, `{"data":[{"id":"grant/ID/0","kind":"adjust",
			"cause":"transfer","call_id":"","amount":"3","change":"3","reason":"transfer","created_at":"TIME"}],"next_cursor":null,"count":1,
			"list":[{"id":"grant/ID/0","quantity":"-3","credit_amount":"-3","meter_event_name":"transfer","description":"transfer","created_at":"TIME",
			"paymentCurrency":{"id":"credit","name":"Credit","symbol":"credits","decimal":0}}],"paging":{"page":1,"pageSize":20,"total":1}}`},
		{"of one kind", "other", "GET /api/user/credit/transactions?wallet=Team&kind=charge", "", 200,
			`{"data":[],"next_cursor":null,"count":0,"list":[],"paging":{"page":1,"pageSize":20,"total":0}}`},
		{"a kind must be one", "other", "GET /api/user/credit/transactions?kind=odd", "", 400,
			invalid("kind", "kind must be one of [charge correct grant expire adjust refund].")},
		{"a member does not", "member", "GET /api/user/credit/transactions?wallet=Team", "", 403,
			refused("permission_error", "forbidden", "Only managers of the wallet Team may do that.")},
	})
	_, err = w.app.Desk.SetLimit(ctx, "test", operator.NewLimit{Scope: limits.Member, Subject: "Team/*", Metric: limits.Credits, Period: "month", Amount: "0.014"})
	require.NoError(t, err)
	key, row, err := w.app.Desk.CreateLimitedKey(ctx, "test", "member@example.com", "work", nil, operator.KeyLimits{Wallet: "Team"})
	require.NoError(t, err)
	require.NoError(t, w.app.Reload(ctx))
	w.keys["work"] = key
	w.golden("billing", []apiCase{
		{"the key sees what pays for it", "work", "GET /api/user/credit/balance", "", 200, `{"balance":"3","held":"0","available":"3","debt":"0","billing":"on","total":"3","grantCount":1,"pendingCredit":"0","currency":{"id":"credit","name":"Credit","symbol":"credits","decimal":0}}`},
		{"but not what others do with it", "work", "GET /api/user/credit/transactions", "", 200,
			`{"data":[],"next_cursor":null,"count":0,"list":[],"paging":{"page":1,"pageSize":20,"total":0}}`},
	})

	caller, err := w.app.Keys.Caller(ctx, key)
	require.NoError(t, err)
	plan, err := w.app.Routes().Plan(routing.Request{Model: "alpha/m", Type: hub.TypeChat, Dialect: "openai"})
	require.NoError(t, err)
	admit := func() (*admission.Ticket, error) {
		plan.Version, err = w.app.Store.ConfigVersion(ctx)
		require.NoError(t, err)
		return w.app.Gate.Admit(ctx, admission.Request{Caller: caller, Plan: plan, Type: hub.TypeChat, Dialect: "openai", PromptBytes: 2000, MaxOutput: new(int64(1000))})
	}
	for range 3 { // a call costs 0.00304; the third one's answer is lowered to what is left
		ticket, err := admit()
		require.NoError(t, err)
		_, err = ticket.Settle(ctx, admission.Outcome{Status: hub.StatusSuccess, Target: &plan.Targets[0],
			Usage: hub.Usage{hub.Input: 1000, hub.CacheRead: 20, hub.Output: 100}, Source: hub.UsageReported, HTTPStatus: 200})
		require.NoError(t, err)
	}
	a, err := w.app.Book.Balance(ctx, team.AccountID)
	require.NoError(t, err)
	assert.Equal(t, "2.99088", a.Balance.String(), "the team paid")
	_, err = admit()
	require.ErrorContains(t, err, "The budget of 0.014 credits a month is used up.", "for this member")

	require.NoError(t, w.app.Desk.RemoveMember(ctx, "test", "Team", "member@example.com"))
	require.NoError(t, w.app.Reload(ctx))
	_, err = admit()
	require.ErrorContains(t, err, "may no longer spend", "also under a caller that is remembered")
	assert.Equal(t, http.StatusForbidden, w.do("billing", "work", "GET", "/api/user/credit/balance", "").Code)
	require.NoError(t, w.app.Desk.BindKey(ctx, "test", row.ID, ""))
	require.NoError(t, w.app.Reload(ctx))
	assert.Equal(t, http.StatusOK, w.do("billing", "work", "GET", "/api/user/credit/balance", "").Code)
}

func TestWhatMovedAWalletIsExported(t *testing.T) {
	t.Parallel()
	w := open(t, "AIGNE_HUB_BILLING=on")
	w.grant("member@example.com", "10")
	err := w.app.Desk.Adjust(t.Context(), "test", operator.Purse{User: "member@example.com"}, ledger.Adjustment{ID: "a", Amount: -money.Credit, Reason: "=cmd()"})
	require.NoError(t, err)
	rows := func(query string) [][]string {
		res := w.do("billing", "member", "GET", "/api/user/credit/transactions/export"+query, "")
		require.Equal(t, 200, res.Code, res.Body.String())
		out, err := csv.NewReader(res.Body).ReadAll()
		require.NoError(t, err)
		return out[1:]
	}
	all := rows("")
	require.Len(t, all, 2)
	assert.Equal(t, []string{"adjust", "adjust", "-1", "'=cmd()"}, all[0][2:6], "newest first, and no formula")
	assert.Len(t, rows("?kind=grant"), 1)
	assert.Empty(t, rows("?end=1000"))
	assert.Equal(t, 400, w.do("billing", "member", "GET", "/api/user/credit/transactions/export?kind=odd", "").Code)
}
