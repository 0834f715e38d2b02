package functions_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/functions/billing"
	"github.com/aigne-hub/aigne-hub/shared/admission"
	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/paymentkit"
	"github.com/aigne-hub/aigne-hub/shared/routing"
	"github.com/aigne-hub/aigne-hub/shared/schedule"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/testkit/fakepaymentkit"
)

// memberDID is under which the Payment Kit of these tests knows the member.
const memberDID = "z1UX2Y2cdTR85knvpkemSTPizXfimNyM88S"

// onBlocklet opens a hub as a component of an app with a Payment Kit.
func onBlocklet(t *testing.T, settings ...string) (*world, *fakepaymentkit.Server) {
	t.Helper()
	kit := fakepaymentkit.New(t)
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, ".config"), 0o700))
	_, port, _ := strings.Cut(strings.TrimPrefix(kit.URL, "http://"), ":")
	config := `{"components":[{"did":"` + paymentkit.ComponentDID + `","mountPoint":"/payment","status":6,"port":` + port + `}]}`
	require.NoError(t, os.WriteFile(filepath.Join(dir, ".config", "config.json"), []byte(config), 0o600))
	w := open(t, append([]string{"AIGNE_HUB_BILLING=on", "BLOCKLET_APP_ASK=" + fakepaymentkit.AppKey, "BLOCKLET_COMPONENT_DID=zHub", "BLOCKLET_APP_PID=zApp",
		"BLOCKLET_APP_URL=https://app.example", "BLOCKLET_APP_DATA_DIR=" + dir}, settings...)...)
	w.secrets = append(w.secrets, fakepaymentkit.AppKey)
	require.NotNil(t, w.app.Mirror)
	w.priced()
	return w, kit
}

func (w *world) run(job string) {
	w.t.Helper()
	require.NoError(w.t, schedule.Run(w.t.Context(), billing.Jobs(w.app), job))
}

func TestOnABlockletServerCreditsComeFromPaymentKitAndUsageGoesThere(t *testing.T) {
	t.Parallel()
	w, kit := onBlocklet(t, "AIGNE_HUB_WELCOME_CREDITS=0.5")
	w.golden("admin", []apiCase{
		{"a user is known by DID", "admin", "PUT /api/admin/users/member@example.com/did", `{"did":"did:abt:` + memberDID + `"}`, 200,
			`{"id":"ID","email":"member@example.com","name":"","role":"member","groups":[],"did":"` + memberDID + `","created_at":"TIME","disabled_at":null}`},
		{"it stays", "admin", "PUT /api/admin/users/member@example.com/did", `{"did":"z1UX2Y2cdTR85knvpkemSTPizXfimNyM88T"}`, 409,
			refused("invalid_request_error", "conflict", "member@example.com has the DID "+memberDID+" already, under which usage is reported; it stays.")},
		{"it is nobody else's", "admin", "PUT /api/admin/users/other@example.com/did", `{"did":"` + memberDID + `"}`, 409,
			refused("invalid_request_error", "conflict", "Another user has that DID.")},
		{"it has a form", "admin", "PUT /api/admin/users/other@example.com/did", `{"did":"x"}`, 400,
			invalid("did", "A DID is z and 10 to 63 characters of base58, with or without did:abt: before it.")},
		{"members say nothing of it", "member", "PUT /api/admin/users/member@example.com/did", `{"did":"` + memberDID + `"}`, 403, adminsOnly},
	})
	w.run("billing.customers")
	assert.Len(t, kit.Grants, 1, "the welcome gift, at Payment Kit")
	u, err := w.app.Desk.User(t.Context(), "member@example.com")
	require.NoError(t, err)
	balance := func() money.Credits {
		a, err := w.app.Store.AccountByID(t.Context(), u.AccountID)
		require.NoError(t, err)
		return a.Balance
	}
	assert.Equal(t, money.Credit/2, balance())
	other, err := w.app.Desk.User(t.Context(), "other@example.com")
	require.NoError(t, err)
	a, err := w.app.Store.AccountByID(t.Context(), other.AccountID)
	require.NoError(t, err)
	assert.Zero(t, a.Balance, "who is not known there is not welcomed twice one day")

	w.call("member")
	w.run("billing.outbox")
	assert.Equal(t, money.Credits(3_040_000), kit.Reported(memberDID))
	res := w.do("billing", "member", "GET", "/api/user/info", "")
	assert.Equal(t, memberDID, field(t, res, "user", "did"))
	assert.Contains(t, field(t, res, "paymentLink"), "https://app.example/payment/checkout/pay/plink_")
	assert.Contains(t, field(t, res, "paymentLink"), "__did-connect__=")

	w.grant("member@example.com", "2") // by an administrator
	assert.Len(t, kit.Grants, 2, "credits of customers are given at Payment Kit")
	assert.Equal(t, 5*money.Credit/2-3_040_000, balance())
	w.golden("billing", []apiCase{
		{"what Payment Kit keeps is not moved", "admin", "POST /api/billing/transfers",
			`{"from":{"email":"member@example.com"},"to":{"email":"other@example.com"},"amount":"1","reason":"r"}`, 409,
			refused("invalid_request_error", "conflict", "The wallet of member@example.com is kept by Payment Kit too; its credits cannot be moved.")},
		{"codes work for wallets that the hub alone keeps", "member", "POST /api/user/credit/redeem", `{"code":"SPRING"}`, 409,
			refused("invalid_request_error", "conflict", "The credits of your account are kept by a payment system beside the hub; this hub's codes do not work for it.")},
		{"nothing is under way", "admin", "GET /api/billing/outbox", "", 200, `{"on":true,"calls":0,"calls_amount":"0","pending":0,"sent":0,"dead":0,
			"unconfirmed":"0","oldest":null,"oldest_age_seconds":0,"data":[],"next_cursor":null}`},
	})
	assert.Empty(t, kit.Bad)
	r, err := w.app.Book.Verify(t.Context())
	require.NoError(t, err)
	assert.Empty(t, r.Violations)
}

func TestAPurchaseCountsWithoutWaitingForAJob(t *testing.T) {
	t.Parallel()
	w, kit := onBlocklet(t)
	_, err := w.app.Desk.SetDID(t.Context(), "test", "member@example.com", memberDID)
	require.NoError(t, err)
	caller, err := w.app.Keys.Caller(t.Context(), w.keys["member"])
	require.NoError(t, err)
	plan, err := w.app.Routes().Plan(routing.Request{Model: "alpha/m", Type: hub.TypeChat, Dialect: "openai"})
	require.NoError(t, err)
	w.run("billing.customers") // the first of them makes the page to buy at
	ask := admission.Request{Caller: caller, Plan: plan, Type: hub.TypeChat, Dialect: "openai", RequestID: "req-1", PromptBytes: 2000}
	_, err = w.app.Gate.Admit(t.Context(), ask)
	refusal := hub.AsError(err)
	require.Equal(t, hub.CodeInsufficientCredits, refusal.Code)
	assert.Contains(t, refusal.Link, "https://app.example/payment/checkout/pay/", "where to buy")
	kit.Give(memberDID, "paid", 10*money.Credit, 0)
	w.do("billing", "member", "GET", "/api/user/credit/balance", "") // the user looks after buying
	ticket, err := w.app.Gate.Admit(t.Context(), ask)
	require.NoError(t, err)
	require.NotNil(t, ticket)
}

func TestANoticeOfPaymentKitIsHeardWhenItIsSigned(t *testing.T) {
	t.Parallel()
	w, kit := onBlocklet(t)
	_, err := w.app.Desk.SetDID(t.Context(), "test", "member@example.com", memberDID)
	require.NoError(t, err)
	w.run("billing.customers")
	kit.Give(memberDID, "paid", 10*money.Credit, 0)
	u, err := w.app.Desk.User(t.Context(), "member@example.com")
	require.NoError(t, err)
	body, err := json.Marshal(map[string]any{"type": paymentkit.EventGranted,
		"data": map[string]any{"object": map[string]any{"customer_id": kit.Customers[memberDID].ID}}})
	require.NoError(t, err)
	send := func(sign bool) int {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/api/payment/callback", bytes.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		if sign {
			require.NoError(t, kit.Key.Sign(r, body, paymentkit.ComponentDID, time.Now()))
		}
		res := httptest.NewRecorder()
		w.fn["billing"].ServeHTTP(res, r)
		return res.Code
	}
	assert.Equal(t, 401, send(false))
	a, err := w.app.Store.AccountByID(t.Context(), u.AccountID)
	require.NoError(t, err)
	assert.Zero(t, a.Balance)
	assert.Equal(t, 200, send(true))
	a, err = w.app.Store.AccountByID(t.Context(), u.AccountID)
	require.NoError(t, err)
	assert.Equal(t, 10*money.Credit, a.Balance)
}

func TestDeadReportsAreSeenAndSentAgain(t *testing.T) {
	t.Parallel()
	w, kit := onBlocklet(t)
	for name, did := range map[string]string{"member": memberDID, "other": "z1UX2Y2cdTR85knvpkemSTPizXfimNyM88T"} {
		_, err := w.app.Desk.SetDID(t.Context(), "test", name+"@example.com", did)
		require.NoError(t, err)
		kit.Give(did, "paid", 10*money.Credit, 0)
	}
	w.run("billing.customers")
	w.call("member")
	w.call("other")
	kit.Break(func(r *http.Request) fakepaymentkit.Fault {
		if r.URL.Path == "/api/meter-events" {
			return fakepaymentkit.Deny
		}
		return fakepaymentkit.None
	})
	w.run("billing.outbox")
	res := w.do("billing", "admin", "GET", "/api/billing/outbox?pageSize=1", "")
	require.Equal(t, 200, res.Code)
	var v struct {
		Dead        int
		Unconfirmed string
		NextCursor  string `json:"next_cursor"`
		Data        []struct{ ID, Email, Error, State string }
	}
	require.NoError(t, json.Unmarshal(res.Body.Bytes(), &v))
	assert.Equal(t, 2, v.Dead)
	assert.Equal(t, "0.00608", v.Unconfirmed)
	require.Len(t, v.Data, 1)
	assert.NotEmpty(t, v.NextCursor)
	assert.Contains(t, v.Data[0].Error, "400")
	kit.Break(nil)
	w.golden("billing", []apiCase{
		{"a state has a name", "admin", "GET /api/billing/outbox?state=lost", "", 400, invalid("state", "state must be pending, sent, confirmed or dead.")},
		{"members see none of it", "member", "GET /api/billing/outbox", "", 403, adminsOnly},
		{"something must be named", "admin", "POST /api/billing/outbox/resend", `{}`, 400, invalid("id", "Name a report by its id, or say all.")},
		{"an unknown one is not there", "admin", "POST /api/billing/outbox/resend", `{"id":"x"}`, 404, notFound("There is no dead report x.")},
		{"one is sent again", "admin", "POST /api/billing/outbox/resend", `{"id":"` + v.Data[0].ID + `"}`, 200, `{"resent":1}`},
		{"and all others", "admin", "POST /api/billing/outbox/resend", `{"all":true}`, 200, `{"resent":1}`},
	})
	w.run("billing.outbox")
	o, err := w.app.Store.Outbox(t.Context())
	require.NoError(t, err)
	assert.Equal(t, store.Outbox{}, o)
	assert.Equal(t, money.Credits(3_040_000), kit.Reported(memberDID))
}

func TestWithoutAPaymentKitTheBooksSellThemselves(t *testing.T) {
	t.Parallel()
	for name, settings := range map[string][]string{
		"standing alone":       {"AIGNE_HUB_BILLING=on"},
		"billing off":          {"BLOCKLET_APP_ASK=" + fakepaymentkit.AppKey, "BLOCKLET_COMPONENT_DID=zHub", "AIGNE_HUB_PAYMENT_KIT_URL=http://127.0.0.1:1"},
		"no such component":    {"AIGNE_HUB_BILLING=on", "BLOCKLET_APP_ASK=" + fakepaymentkit.AppKey, "BLOCKLET_COMPONENT_DID=zHub", "BLOCKLET_MOUNT_POINTS=[]"},
		"the operator said so": {"AIGNE_HUB_BILLING=on", "AIGNE_HUB_PAYMENT=ledger", "BLOCKLET_APP_ASK=" + fakepaymentkit.AppKey, "BLOCKLET_COMPONENT_DID=zHub", "AIGNE_HUB_PAYMENT_KIT_URL=http://127.0.0.1:1"},
	} {
		w := empty(t, settings...)
		assert.Nil(t, w.app.Mirror, name)
		w.run("billing.outbox")
		w.run("billing.customers")
	}
	env := map[string]string{"AIGNE_HUB_BILLING": "on", "AIGNE_HUB_PAYMENT": "paymentkit", "AIGNE_HUB_DATA": t.TempDir()}
	lookup := func(n string) (string, bool) { v, ok := env[n]; return v, ok }
	cfg, err := boot.Load(lookup, nil, nil)
	require.NoError(t, err)
	_, err = boot.Open(t.Context(), cfg, boot.Options{Log: slog.New(slog.DiscardHandler), Env: lookup, Migrate: true})
	require.ErrorContains(t, err, "BLOCKLET_APP_ASK")
}
