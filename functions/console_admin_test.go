package functions_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/notify"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/testkit/fakepaymentkit"
)

// names reads one field of each row of a list.
func (w *world) listed(fn, target, field string) []string {
	w.t.Helper()
	out := []string{}
	for _, row := range w.act(fn, "GET "+target, "")["data"].([]any) {
		out = append(out, row.(object)[field].(string))
	}
	return out
}

func TestUsersAreFoundByAPartOfTheirNameTheirRoleAndTheirState(t *testing.T) {
	t.Parallel()
	w := open(t)
	const users = "/api/admin/users"
	assert.Equal(t, []string{"member@example.com"}, w.listed("admin", users+"?q=MEMBER", "email"))
	assert.ElementsMatch(t, []string{"member@example.com", "other@example.com"}, w.listed("admin", users+"?role=member", "email"))
	w.act("admin", "PATCH "+users+"/other@example.com", `{"disabled":true}`)
	assert.Equal(t, []string{"other@example.com"}, w.listed("admin", users+"?state=disabled", "email"))
	assert.Equal(t, []string{"member@example.com"}, w.listed("admin", users+"?state=active&role=member", "email"))
	assert.Empty(t, w.listed("admin", users+"?q=%25", "email"), "what was typed is no pattern")
	page := w.act("admin", "GET "+users+"?q=example&pageSize=2", "")
	require.Len(t, page["data"], 2)
	rest := w.act("admin", "GET "+users+"?q=example&pageSize=10&cursor="+page["next_cursor"].(string), "")
	assert.Len(t, rest["data"], 3, "a filtered list pages on")
	assert.Equal(t, 400, w.do("admin", "admin", "GET", users+"?role=king", "").Code)
	assert.Equal(t, 400, w.do("admin", "admin", "GET", users+"?state=asleep", "").Code)
	assert.Equal(t, 403, w.do("admin", "member", "GET", users+"?q=a", "").Code)
}

func TestAnAdministratorSeesAUserWhole(t *testing.T) {
	t.Parallel()
	w := open(t, "AIGNE_HUB_BILLING=on")
	w.priced()
	w.grant("member@example.com", "2")
	w.call("member")
	w.act("admin", "PUT /api/admin/limits", `{"scope":"user","subject":"member@example.com","metric":"requests","period":"minute","amount":"9"}`)
	v := w.act("admin", "GET /api/admin/users/member@example.com", "")
	assert.Equal(t, "1.99696", v["wallet"].(object)["available"])
	assert.Equal(t, false, v["second_factor"])
	assert.Equal(t, false, v["password"])
	require.Len(t, v["limits"], 1)
	assert.Equal(t, "9", v["limits"].([]any)[0].(object)["amount"])
	assert.Contains(t, v["use"], "calls")
	assert.Equal(t, 404, w.do("admin", "admin", "GET", "/api/admin/users/nobody@example.com", "").Code)
	assert.Equal(t, 403, w.do("admin", "member", "GET", "/api/admin/users/other@example.com", "").Code)
}

func TestWalletsAreFoundAndReadByThoseWhoKeepTheBooks(t *testing.T) {
	t.Parallel()
	w := open(t, "AIGNE_HUB_BILLING=on")
	w.grant("member@example.com", "2")
	w.act("billing", "POST /api/billing/wallets", `{"name":"Team Blue"}`)
	const accounts = "/api/billing/accounts"
	assert.Len(t, w.listed("billing", accounts, "id"), 6, "five users' and a shared one; the books' own accounts are no wallets")
	assert.Equal(t, []string{"Team Blue"}, w.listed("billing", accounts+"?kind=shared", "wallet"))
	assert.Equal(t, []string{"Team Blue"}, w.listed("billing", accounts+"?q=blue", "wallet"))
	assert.Len(t, w.listed("billing", accounts+"?kind=user", "id"), 5)
	assert.Empty(t, w.listed("billing", accounts+"?kind=debt", "id"))
	assert.Equal(t, 400, w.do("billing", "admin", "GET", accounts+"?kind=gold", "").Code)

	id := w.listed("billing", accounts+"?q=member", "id")[0]
	assert.Equal(t, "2", w.act("billing", "GET "+accounts+"/"+id, "")["available"])
	grants := w.act("billing", "GET "+accounts+"/"+id+"/grants", "")["data"].([]any)
	require.Len(t, grants, 1)
	w.act("billing", "POST /api/billing/reversals", `{"email":"member@example.com","amount":"2","cause":"correction","grant_id":"`+grants[0].(object)["id"].(string)+`","reason":"given twice"}`)
	moves := w.act("billing", "GET "+accounts+"/"+id+"/transactions", "")["data"].([]any)
	require.Len(t, moves, 2)
	assert.Equal(t, "given twice", moves[0].(object)["reason"])
	assert.Equal(t, "0", w.act("billing", "GET "+accounts+"/"+id, "")["balance"])

	for _, system := range []string{"revenue", "nowhere"} {
		for _, rest := range []string{"", "/grants", "/transactions"} {
			assert.Equal(t, 404, w.do("billing", "admin", "GET", accounts+"/"+system+rest, "").Code)
		}
	}
	for _, path := range []string{accounts, accounts + "/" + id, accounts + "/" + id + "/grants", accounts + "/" + id + "/transactions"} {
		assert.Equal(t, 403, w.do("billing", "member", "GET", path, "").Code, "not even the own by this address")
	}
}

func TestAReportThatPaymentKitRefusedIsDroppedForGood(t *testing.T) {
	t.Parallel()
	w, kit := onBlocklet(t)
	_, err := w.app.Desk.SetDID(t.Context(), "test", "member@example.com", memberDID)
	require.NoError(t, err)
	w.run("billing.customers")
	w.grant("member@example.com", "1")
	w.run("billing.customers")
	kit.Break(func(r *http.Request) fakepaymentkit.Fault {
		if strings.Contains(r.URL.Path, "meter-events") {
			return fakepaymentkit.Deny
		}
		return fakepaymentkit.None
	})
	w.call("member")
	w.run("billing.outbox")
	const outbox = "/api/billing/outbox"
	dead := w.act("billing", "GET "+outbox, "")
	require.Len(t, dead["data"], 1, "%v", dead)
	row := dead["data"].([]any)[0].(object)
	assert.NotEmpty(t, row["error"], "why it failed")
	assert.Nil(t, row["dropped_at"])
	id := row["id"].(string)
	balance := w.act("admin", "GET /api/admin/users/member@example.com", "")["wallet"].(object)["balance"]

	assert.Equal(t, 400, w.do("billing", "admin", "POST", outbox+"/drop", `{"id":"`+id+`"}`).Code, "why is on record")
	assert.Equal(t, 403, w.do("billing", "member", "POST", outbox+"/drop", `{"id":"`+id+`","reason":"r"}`).Code)
	w.act("billing", "POST "+outbox+"/drop", `{"id":"`+id+`","reason":"they left"}`)
	assert.Equal(t, 404, w.do("billing", "admin", "POST", outbox+"/drop", `{"id":"`+id+`","reason":"again"}`).Code)
	assert.Equal(t, 404, w.do("billing", "admin", "POST", outbox+"/resend", `{"id":"`+id+`"}`).Code, "it does not come back")
	after := w.act("billing", "GET "+outbox+"?state=confirmed", "")
	assert.Equal(t, "0", after["unconfirmed"])
	assert.EqualValues(t, 0, after["dead"])
	assert.NotNil(t, after["data"].([]any)[0].(object)["dropped_at"])

	kit.Break(nil)
	sent := kit.Reported(memberDID)
	w.run("billing.outbox")
	w.run("billing.customers")
	assert.Equal(t, sent, kit.Reported(memberDID), "Payment Kit never hears of it")
	assert.Equal(t, balance, w.act("admin", "GET /api/admin/users/member@example.com", "")["wallet"].(object)["balance"], "the wallet stays as it is")
	r, err := w.app.Book.Verify(t.Context())
	require.NoError(t, err)
	assert.Empty(t, r.Violations)
}

func TestANotificationThatWasGivenUpIsSentAgain(t *testing.T) {
	t.Parallel()
	w := open(t)
	e, _, err := w.app.Desk.AddWebhook(t.Context(), "test", "https://ops.example.com/hub", nil)
	require.NoError(t, err)
	require.NoError(t, w.app.Notify.Tell(t.Context(), notify.Event{ID: "told", Kind: notify.Test, Severity: notify.Info, Title: "a test"}))
	const resend = "/api/admin/notifications/told/resend"
	assert.Equal(t, 404, w.do("admin", "admin", "POST", resend, "").Code, "it is still tried")
	give := func() {
		require.NoError(t, w.app.Store.Undelivered(t.Context(), store.Delivery{Notification: store.Notification{ID: "told"}, Channel: "webhook", Address: e.ID}, "refused", 0))
	}
	give()
	assert.Equal(t, 403, w.do("admin", "member", "POST", resend, "").Code)
	w.act("admin", "POST "+resend, "")
	due, err := w.app.Store.DueDeliveries(t.Context(), 5, 5)
	require.NoError(t, err)
	require.Len(t, due, 1)
	assert.Zero(t, due[0].Attempts)
	give()
	require.NoError(t, w.app.Desk.RemoveWebhook(t.Context(), "test", e.ID))
	assert.Equal(t, 404, w.do("admin", "admin", "POST", resend, "").Code, "a webhook that is gone gets nothing")
}

func TestTheAuditLogIsProvedAndTamperingIsShown(t *testing.T) {
	t.Parallel()
	w := open(t)
	const verify = "/api/admin/audit/verify"
	good := w.act("admin", "GET "+verify, "")
	assert.Equal(t, true, good["ok"])
	assert.Positive(t, good["rows"])
	head, err := w.app.Store.AuditHead(t.Context())
	require.NoError(t, err)
	assert.Equal(t, head.Hash, good["head"].(object)["hash"])
	assert.Equal(t, 400, w.do("admin", "admin", "GET", verify+"?anchor=x", "").Code)
	assert.Equal(t, 403, w.do("admin", "member", "GET", verify, "").Code)
	require.NoError(t, w.app.Store.Tx(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		for _, q := range []string{"DROP TRIGGER audit_log_fixed", "UPDATE audit_log SET subject = 'somebody else' WHERE number = 2"} {
			if _, err := tx.ExecContext(ctx, q); err != nil {
				return err
			}
		}
		return nil
	}))
	bad := w.act("admin", "GET "+verify, "")
	assert.Equal(t, false, bad["ok"])
	assert.Len(t, bad["violations"], 2, "the act, and the trigger that kept it")
}

func TestSettingsAreShownWithoutSecrets(t *testing.T) {
	t.Parallel()
	const token = "token-of-the-mail-server"
	w := open(t, "AIGNE_HUB_BILLING=on", "AIGNE_HUB_SMTP_URL=smtp://hub:"+token+"@mail.example.com:587?from=hub@example.com",
		"AIGNE_HUB_PUBLIC_URL=https://hub.example.com")
	w.secrets = append(w.secrets, token)
	res := w.do("admin", "admin", "GET", "/api/admin/settings", "")
	require.Equal(t, http.StatusOK, res.Code)
	assert.NotContains(t, res.Body.String(), token)
	var got struct {
		Data []struct {
			Name, Value   string
			Given, Secret bool
		}
	}
	require.NoError(t, json.Unmarshal(res.Body.Bytes(), &got))
	seen := map[string]string{}
	for _, s := range got.Data {
		if s.Given {
			seen[s.Name] = s.Value
		}
		assert.False(t, s.Secret && s.Value != "", s.Name)
	}
	assert.Equal(t, "on", seen["AIGNE_HUB_BILLING"])
	assert.Equal(t, "https://hub.example.com", seen["AIGNE_HUB_PUBLIC_URL"])
	assert.Contains(t, seen, "AIGNE_HUB_SMTP_URL", "that it is set is no secret")
	assert.Equal(t, 403, w.do("admin", "member", "GET", "/api/admin/settings", "").Code)
}

func TestTheArchivePageSaysWhetherThereIsRoom(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.app.Archive.FreeDisk = func(string) (int64, bool, error) { return 123, true, nil }
	v := w.act("admin", "GET /api/admin/archive", "")
	assert.EqualValues(t, 123, v["free_bytes"])
	assert.Positive(t, v["need_bytes"])
	w.app.Archive.FreeDisk = func(string) (int64, bool, error) { return 0, false, nil }
	assert.Nil(t, w.act("admin", "GET /api/admin/archive", "")["free_bytes"])
}
