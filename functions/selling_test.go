package functions_test

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/testkit/fakestripe"
)

// openShop opens a hub that sells credits through a fake Stripe.
func openShop(t *testing.T, settings ...string) (*world, *fakestripe.Stripe) {
	t.Helper()
	fake := fakestripe.Start(t)
	w := open(t, append([]string{"AIGNE_HUB_BILLING=on", "AIGNE_HUB_PUBLIC_URL=https://hub.example/ai", "AIGNE_HUB_STRIPE_SECRET_KEY=" + fakestripe.Key,
		"AIGNE_HUB_STRIPE_WEBHOOK_SECRET=" + fakestripe.WebhookSecret, "AIGNE_HUB_STRIPE_URL=" + fake.URL, "AIGNE_HUB_SALE_PACKAGES=50=47.50",
		"AIGNE_HUB_SELLER=Example & Sons;1 Main St"}, settings...)...)
	w.secrets = append(w.secrets, fakestripe.Key, fakestripe.WebhookSecret)
	return w, fake
}

// hook sends an event to the webhook.
func (w *world) hook(body []byte, signature string) *httptest.ResponseRecorder {
	w.t.Helper()
	r := httptest.NewRequestWithContext(w.t.Context(), "POST", "/api/billing/stripe/webhook", strings.NewReader(string(body)))
	r.Header.Set("Content-Type", "application/json; charset=utf-8")
	r.Header.Set("Stripe-Signature", signature)
	res := httptest.NewRecorder()
	w.fn["billing"].ServeHTTP(res, r)
	return res
}

func (w *world) deliver(fake *fakestripe.Stripe) {
	w.t.Helper()
	for _, e := range fake.Take() {
		res := w.hook(e.Body, e.Signature(time.Now()))
		require.Equal(w.t, 200, res.Code, res.Body.String())
	}
}

func TestCodesAreMadeRedeemedAndEnded(t *testing.T) {
	t.Parallel()
	w := open(t)
	res := w.do("billing", "admin", "POST", "/api/billing/codes", `{"count":3,"amount":"5","batch":"spring","prefix":"sp","life_days":30}`)
	require.Equal(t, 201, res.Code, res.Body.String())
	assert.Equal(t, "no-store", res.Header().Get("Cache-Control"))
	var made struct {
		Data []struct{ ID, Code, Hint string }
	}
	require.NoError(t, json.Unmarshal(res.Body.Bytes(), &made))
	require.Len(t, made.Data, 3)
	for _, c := range made.Data {
		assert.Regexp(t, `^SP(-[0-9A-HJKMNP-TV-Z]{5}){4}$`, c.Code)
		w.secrets = append(w.secrets, c.Code)
	}
	redeem := func(as, code string) *httptest.ResponseRecorder {
		return w.do("billing", as, "POST", "/api/user/credit/redeem", fmt.Sprintf(`{"code":%q}`, code))
	}
	typed := strings.ToLower(strings.ReplaceAll(strings.ReplaceAll(made.Data[0].Code, "-", " "), "0", "o"))
	res = redeem("member", typed)
	require.Equal(t, 201, res.Code, res.Body.String())
	assert.Equal(t, "5", field(t, res, "available"))
	assert.Equal(t, "promotional", field(t, res, "grant", "kind"))
	for _, c := range []struct {
		as, code string
		status   int
		want     string
	}{
		{"member", made.Data[0].Code, 409, "You have redeemed this code already; its credits are in your account."},
		{"other", made.Data[0].Code, 409, "This code has been used."},
		{"other", "SP-00000-00000-00000-00000", 404, "This code is not valid. Check it for typing errors."},
		{"other", "", 400, "Send the code as it was given to you, such as SPRING-7Q2ZD-0F3VK-9XWTN-4C8MB."},
	} {
		res := redeem(c.as, c.code)
		assert.Equal(t, c.status, res.Code)
		assert.Equal(t, c.want, field(t, res, "error", "message"))
	}
	require.Equal(t, 200, w.do("billing", "admin", "POST", "/api/billing/codes/"+made.Data[1].ID+"/disable", "").Code)
	assert.Equal(t, 404, redeem("other", made.Data[1].Code).Code, "as if it had never been")
	for range 20 {
		redeem("owner", "wrong")
	}
	res = redeem("owner", made.Data[2].Code)
	assert.Equal(t, 429, res.Code, "who guesses is not listened to")
	assert.NotEmpty(t, res.Header().Get("Retry-After"))
	assert.Equal(t, 201, redeem("other", made.Data[2].Code).Code)

	list := w.do("billing", "admin", "GET", "/api/billing/codes?batch=spring&pageSize=2", "").Body.String()
	assert.Contains(t, list, `"state":"used"`)
	assert.Contains(t, list, `"next_cursor":"`)
	for _, c := range made.Data {
		assert.NotContains(t, list, c.Code)
	}
	assert.Equal(t, 400, w.do("billing", "admin", "GET", "/api/billing/codes?state=odd", "").Code)
	res = w.do("billing", "admin", "GET", "/api/billing/codes/export?batch=spring", "")
	rows, err := csv.NewReader(res.Body).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 4)
	assert.Equal(t, made.Data[0].Code, rows[1][0])
	assert.Equal(t, 404, w.do("billing", "admin", "GET", "/api/billing/codes/export?batch=none", "").Code)
	assert.JSONEq(t, `{"disabled":2}`, w.do("billing", "admin", "POST", "/api/billing/codes/batches/spring/disable", "").Body.String())
	assert.Equal(t, 409, w.do("billing", "admin", "POST", "/api/billing/codes", `{"count":1,"amount":"5","batch":"spring"}`).Code)
	for param, body := range map[string]string{"count": `{"count":10001,"amount":"1"}`, "amount": `{"count":1,"amount":"0"}`, "batch": `{"count":1,"amount":"1","batch":"=x"}`,
		"prefix": `{"count":1,"amount":"1","prefix":"a-b"}`, "kind": `{"count":1,"amount":"1","kind":"welcome"}`, "expires_at": `{"count":1,"amount":"1","expires_at":"2020-01-01T00:00:00Z"}`,
		"life_days": `{"count":1,"amount":"1","life_days":-1}`, "max_uses": `{"count":1,"amount":"1","max_uses":-1}`} {
		res := w.do("billing", "admin", "POST", "/api/billing/codes", body)
		assert.Equal(t, 400, res.Code, param)
		assert.Equal(t, param, field(t, res, "error", "param"))
	}
	var acts []string
	require.NoError(t, w.app.Store.Tx(t.Context(), readAudit("admin@example.com", &acts)))
	assert.Equal(t, []string{"codes.create", "codes.disable", "codes.export", "codes.disable"}, acts)
}

func TestCreditsAreBoughtByCard(t *testing.T) {
	t.Parallel()
	w, fake := openShop(t)
	res := w.do("billing", "member", "POST", "/api/user/credit/checkout", `{"package":"50","save_card":true}`)
	require.Equal(t, 201, res.Code, res.Body.String())
	assert.Equal(t, "47.50", field(t, res, "amount"))
	address := field(t, res, "url")
	assert.Equal(t, "https://hub.example/ai/api/billing/buy", w.app.Gate.Settings.PaymentLink, "what 402 answers say")
	intent := fake.Pay(address)
	events := fake.Take()
	last := events[len(events)-1]
	assert.Equal(t, 400, w.hook(last.Body, "").Code)
	assert.Equal(t, 400, w.hook(last.Body, fakestripe.Sign("other", last.Body, time.Now())).Code)
	assert.Equal(t, `"0"`, balanceOf(w, "member"))
	for range 2 {
		assert.Equal(t, 200, w.hook(last.Body, last.Signature(time.Now())).Code)
	}
	assert.Equal(t, `"50"`, balanceOf(w, "member"))

	top := `{"threshold":"60","credits":"10","monthly_cap":"25"}`
	assert.Equal(t, 404, w.do("billing", "member", "GET", "/api/user/credit/auto-topup", "").Code)
	assert.Equal(t, 409, w.do("billing", "other", "PUT", "/api/user/credit/auto-topup", top).Code, "no card")
	want := `{"enabled":true,"threshold":"60","credits":"10","monthly_cap":"25.00","month_spent":"0.00","currency":"usd","card":"visa …4242","failures":0,"error":""}`
	assert.JSONEq(t, want, w.do("billing", "member", "PUT", "/api/user/credit/auto-topup", top).Body.String())
	require.NoError(t, w.app.Shop.TopUp(t.Context()))
	w.deliver(fake)
	assert.Equal(t, `"60"`, balanceOf(w, "member"))
	assert.Equal(t, 204, w.do("billing", "member", "DELETE", "/api/user/credit/auto-topup", "").Code)
	assert.Contains(t, w.do("billing", "member", "GET", "/api/user/credit/auto-topup", "").Body.String(), `"enabled":false`)

	assert.Equal(t, 204, w.do("billing", "member", "DELETE", "/api/user/credit/cards", "").Code)
	assert.Equal(t, 409, w.do("billing", "member", "PUT", "/api/user/credit/auto-topup", top).Code, "no card is kept any more")
	assert.Equal(t, 204, w.do("billing", "other", "DELETE", "/api/user/credit/cards", "").Code, "none was")

	fake.Refund(intent, 950)
	w.deliver(fake)
	assert.Equal(t, `"50"`, balanceOf(w, "member"))
	w.receipts()
	assert.Empty(t, fake.Refused())
}

func balanceOf(w *world, as string) string {
	var v struct{ Balance json.RawMessage }
	require.NoError(w.t, json.Unmarshal(w.do("billing", as, "GET", "/api/user/credit/balance", "").Body.Bytes(), &v))
	return string(v.Balance)
}

// receipts looks at the receipts of a purchase of 50 credits, of which a fifth
// went back, and of a top-up.
func (w *world) receipts() {
	t := w.t
	res := w.do("billing", "member", "GET", "/api/user/receipts?pageSize=1", "")
	assert.Contains(t, res.Body.String(), `"number":"000002"`)
	next := field(t, res, "next_cursor")
	assert.Contains(t, w.do("billing", "member", "GET", "/api/user/receipts/2", "").Body.String(), `"1 Main St","12345 Town"`, "a top-up has the buyer of the last purchase")
	res = w.do("billing", "member", "GET", "/api/user/receipts?cursor="+next, "")
	assert.Contains(t, res.Body.String(), `"number":"000001"`)
	assert.Contains(t, res.Body.String(), `"next_cursor":null`)
	assert.Equal(t, 400, w.do("billing", "member", "GET", "/api/user/receipts?cursor=xyz", "").Code)
	w.golden("billing", []apiCase{
		{"a receipt as data", "member", "GET /api/user/receipts/000001", "", 200, `{"number":"000001","issued_at":"TIME","payment_id":"ID","kind":"checkout",
			"seller":["Example & Sons","1 Main St"],"buyer":["Ada <Buyer>","1 Main St","12345 Town","DE"],"email":"ada@example.com","tax_ids":["DE123456789"],
			"credits":"50","currency":"USD","net":"47.50","tax":"0.00","total":"47.50","refunded":"9.50","disputed":"0.00","reversed":"10"}`},
		{"somebody else's is not there", "other", "GET /api/user/receipts/000001", "", 404, notFound(`There is no receipt "000001".`)},
		{"a number that is none", "member", "GET /api/user/receipts/x", "", 404, notFound(`There is no receipt "x".`)},
	})
	res = w.do("billing", "member", "GET", "/api/user/receipts/000001.html", "")
	page := res.Body.String()
	assert.Equal(t, "text/html; charset=utf-8", res.Header().Get("Content-Type"))
	policy := res.Header().Get("Content-Security-Policy")
	assert.Contains(t, policy, "default-src 'none'; style-src 'sha256-")
	assert.NotContains(t, policy, "unsafe")
	assert.Contains(t, page, "Ada &lt;Buyer&gt;")
	assert.Contains(t, page, "Example &amp; Sons")
	assert.Contains(t, page, "−9.50 USD")
	assert.NotContains(t, page, "<Buyer>")
	assert.Equal(t, 404, w.do("billing", "other", "GET", "/api/user/receipts/1.html", "").Code)
	assert.Equal(t, 200, w.do("billing", "admin", "GET", "/api/billing/receipts/1.html", "").Code)
	assert.Contains(t, w.do("billing", "admin", "GET", "/api/billing/receipts", "").Body.String(), `"number":"000002"`)
	rows, err := csv.NewReader(w.do("billing", "admin", "GET", "/api/billing/receipts/export", "").Body).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 3)
	assert.Equal(t, "47.50", rows[2][9])
}

func TestWithoutStripeNothingIsSoldByCard(t *testing.T) {
	t.Parallel()
	w := open(t, "AIGNE_HUB_PAYMENT_LINK=https://shop.example/buy")
	assert.Equal(t, "https://shop.example/buy", w.app.Gate.Settings.PaymentLink)
	assert.Equal(t, 503, w.do("billing", "member", "POST", "/api/user/credit/checkout", `{"credits":"5"}`).Code)
	assert.Equal(t, 503, w.do("billing", "member", "PUT", "/api/user/credit/auto-topup", `{"threshold":"1","credits":"5","monthly_cap":"5"}`).Code)
	assert.Equal(t, 503, w.hook([]byte("{}"), fakestripe.Sign("", []byte("{}"), time.Now())).Code)
	assert.Contains(t, w.do("billing", "", "GET", "/api/billing/offer", "").Body.String(), `"enabled":false`)
	require.NoError(t, w.app.Shop.Follow(t.Context()))
	require.NoError(t, w.app.Shop.TopUp(t.Context()))
}

func TestThePageToBuyAtLoadsOnlyWhatIsTheHubs(t *testing.T) {
	t.Parallel()
	w, _ := openShop(t)
	res := w.do("billing", "", "GET", "/api/billing/buy?state=done", "")
	assert.Equal(t, 200, res.Code)
	assert.NotContains(t, res.Header().Get("Content-Security-Policy"), "unsafe")
	for path, kind := range map[string]string{"buy.js": "text/javascript; charset=utf-8", "page.css": "text/css; charset=utf-8"} {
		assert.Contains(t, res.Body.String(), `"`+path+`"`)
		got := w.do("billing", "", "GET", "/api/billing/"+path, "")
		assert.Equal(t, 200, got.Code)
		assert.Equal(t, kind, got.Header().Get("Content-Type"))
	}
	assert.NotContains(t, res.Body.String(), "style=")
	assert.NotContains(t, res.Body.String(), "onclick")
	assert.JSONEq(t, `{"enabled":true,"currency":"usd","price":"1","min":"5","max":"1000","tax_added":false,"packages":[{"id":"50","credits":"50","price":"47.50"}]}`,
		w.do("billing", "", "GET", "/api/billing/offer", "").Body.String())
}

func TestPricesAreListedAsUsersPayThem(t *testing.T) {
	t.Parallel()
	w := open(t, "AIGNE_HUB_BILLING=on")
	w.priced()
	res := w.do("billing", "", "GET", "/api/billing/prices", "")
	require.Equal(t, 200, res.Code)
	assert.Contains(t, res.Body.String(), `"total":2`)
	assert.Contains(t, res.Body.String(), `"input":"0.00000`)
	assert.Contains(t, res.Body.String(), `"cache_read":"0.00000`, "a bucket without a rate has the one that stands in for it")
	assert.Contains(t, w.do("billing", "member", "GET", "/api/billing/prices?q=NOTHING", "").Body.String(), `"data":[],"total":0,"page":1,"page_size":20`)
	assert.Contains(t, w.do("billing", "member", "GET", "/api/billing/prices?type=chatCompletion&page=2", "").Body.String(), `"data":[]`)
	assert.Equal(t, 400, w.do("billing", "member", "GET", "/api/billing/prices?type=odd", "").Code)
	for _, bad := range []string{"capability=flying", "minContext=long", "sort=luck", "order=up", "models=" + strings.Repeat("a,", 21)} {
		assert.Equal(t, 400, w.do("billing", "member", "GET", "/api/billing/prices?"+bad, "").Code, bad)
	}
	names := func(query string) (out []string) {
		for _, row := range at(w.act("billing", "GET /api/billing/prices?"+query, ""), "data").([]any) {
			out = append(out, at(row, "model").(string))
		}
		return out
	}
	_, err := w.app.Desk.SetRate(t.Context(), "test", operator.NewRate{Provider: "beta", Model: "m", Prices: map[hub.Bucket]string{hub.Input: "1", hub.Output: "3"}})
	require.NoError(t, err)
	require.NoError(t, w.app.Reload(t.Context()))
	assert.Equal(t, []string{"beta/m", "alpha/m"}, names("sort=output"))
	assert.Equal(t, []string{"alpha/m", "beta/m"}, names("sort=output&order=desc"))
	assert.Equal(t, []string{"beta/m"}, names("models=beta/m,nobody/m"))
	assert.Empty(t, names("capability=audio"), "what is not known to do something is not listed for it")
	assert.Equal(t, 401, w.do("billing", "bad", "GET", "/api/billing/prices", "").Code)
	closed := open(t, "AIGNE_HUB_PUBLIC_MODELS=off", "AIGNE_HUB_BILLING=on")
	closed.priced()
	assert.Contains(t, closed.do("billing", "", "GET", "/api/billing/prices", "").Body.String(), `"total":0`)
	assert.Contains(t, closed.do("billing", "member", "GET", "/api/billing/prices", "").Body.String(), `"total":2`)
}
