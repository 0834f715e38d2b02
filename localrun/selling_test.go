package main

import (
	"encoding/csv"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/testkit/fakestripe"
)

func TestRedeemCodesByCommand(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	made := decode[[]codeView](h, "credits", "code", "create", "--amount", "2.5", "--count", "3", "--batch", "fair", "--prefix", "fair", "--max-uses", "2", "--life-days", "30", "--expires", "720h")
	require.Len(t, made, 3)
	assert.Regexp(t, `^FAIR(-[0-9A-Z]{5}){4}$`, made[0].Code)
	assert.EqualValues(t, 30, made[0].LifeDays)
	printed := strings.Fields(h.ok("credits", "code", "create", "--amount", "1", "--count", "2"))
	assert.Len(t, printed, 2, "codes alone, one a line")
	listed := decode[[]codeView](h, "credits", "code", "list", "--batch", "fair")
	require.Len(t, listed, 3)
	assert.Empty(t, listed[0].Code)
	assert.Equal(t, "active", listed[0].State)
	assert.Len(t, decode[[]codeView](h, "credits", "code", "list", "--limit", "2", "--after", listed[0].ID), 2)
	assert.Contains(t, h.ok("credits", "code", "list"), "…"+made[0].Hint)
	rows, err := csv.NewReader(strings.NewReader(h.ok("credits", "code", "export", "fair"))).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 4)
	assert.Equal(t, made[0].Code, rows[1][0])
	h.ok("credits", "code", "disable", made[0].ID)
	assert.Equal(t, exitNotFound, h.run("", "credits", "code", "disable", made[0].ID).code)
	assert.Contains(t, h.ok("credits", "code", "disable", "--batch", "fair"), "Disabled 2")
	for _, args := range [][]string{{"create"}, {"create", "--amount", "x"}, {"create", "--amount", "1", "--count", "0"}, {"create", "--amount", "1", "--life-days", "-1"},
		{"list", "--state", "odd"}, {"list", "--limit", "0"}, {"disable"}, {"disable", "--id", "a", "--batch", "b"}, {"export"}, {}} {
		assert.Equal(t, exitUsage, h.run("", append([]string{"credits", "code"}, args...)...).code, "%v", args)
	}
	assert.Equal(t, exitNotFound, h.run("", "credits", "code", "export", "none").code)
	assert.Equal(t, exitFailed, h.run("", "credits", "code", "create", "--amount", "1", "--batch", "fair").code)
}

// api asks the serving hub.
func (s *served) api(method, path, key, body string, header ...string) (int, string) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, strings.NewReader(body))
	require.NoError(s.t, err)
	if key != "" {
		r.Header.Set("Authorization", "Bearer "+key)
	}
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultClient.Do(r)
	require.NoError(s.t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	require.NoError(s.t, err)
	return res.StatusCode, string(text)
}

// TestCreditsAreSoldAndToppedUp runs a hub that sells credits: a call without
// money names the page to buy at, a purchase lets it through, and when the money
// is at its end the kept card brings more.
func TestCreditsAreSoldAndToppedUp(t *testing.T) {
	t.Parallel()
	free, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // a port for a moment
	require.NoError(t, err)
	address := free.Addr().String()
	require.NoError(t, free.Close())
	stripe := fakestripe.Start(t)
	h := newHub(t, "AIGNE_HUB_BILLING=on", "AIGNE_HUB_PUBLIC_URL=http://"+address+"/ai", "AIGNE_HUB_STRIPE_URL="+stripe.URL,
		"AIGNE_HUB_STRIPE_SECRET_KEY="+fakestripe.Key, "AIGNE_HUB_STRIPE_WEBHOOK_SECRET="+fakestripe.WebhookSecret)
	_, key := h.withProvider()
	h.ok("rate", "set", "--provider", "openai", "--model", "gpt-fake", "--input", "1000", "--output", "10000")
	s := h.serve("--listen", address)

	status, _, answer, err := s.call(t.Context(), key, hello)
	require.NoError(t, err)
	require.Equal(t, 402, status, answer)
	var refused struct{ Error struct{ Link string } }
	require.NoError(t, json.Unmarshal([]byte(answer), &refused))
	require.Equal(t, "http://"+address+"/ai/api/billing/buy", refused.Error.Link)
	status, page := s.api("GET", "/api/billing/buy", "", "")
	assert.Equal(t, 200, status)
	assert.Contains(t, page, "<h1>Credits</h1>")
	status, script := s.api("GET", "/api/billing/buy.js", "", "")
	assert.Equal(t, 200, status)
	assert.NotEmpty(t, script)

	status, made := s.api("POST", "/api/user/credit/checkout", key, `{"credits":"5","save_card":true}`)
	require.Equal(t, 201, status, made)
	var checkout struct{ URL string }
	require.NoError(t, json.Unmarshal([]byte(made), &checkout))
	stripe.Pay(checkout.URL)
	hook := func() {
		for _, e := range stripe.Take() {
			status, body := s.api("POST", "/api/billing/stripe/webhook", "", string(e.Body), "Stripe-Signature", e.Signature(time.Now()))
			require.Equal(t, 200, status, body)
		}
	}
	hook()
	status, _, answer, err = s.call(t.Context(), key, hello)
	require.NoError(t, err)
	require.Equal(t, 200, status, answer)

	status, answer = s.api("PUT", "/api/user/credit/auto-topup", key, `{"threshold":"1","credits":"20","monthly_cap":"20"}`)
	require.Equal(t, 200, status, answer)
	for calls := 0; ; calls++ {
		require.Less(t, calls, 100, "the money comes to its end")
		if status, _, _, err = s.call(t.Context(), key, hello); status == 402 {
			break
		}
		require.NoError(t, err)
		if _, n := stripe.Charged(); n == 2 { // the job was faster
			break
		}
	}
	require.Eventually(t, func() bool { _, n := stripe.Charged(); return n == 2 }, 5*time.Second, 20*time.Millisecond)
	hook()
	require.Eventually(t, func() bool {
		status, _, _, err = s.call(t.Context(), key, hello)
		return err == nil && status == 200
	}, 5*time.Second, 50*time.Millisecond)
	payments := decode[[]paymentView](h, "payment", "list", "--user", "member@example.com", "--state", "paid")
	require.Len(t, payments, 2)
	assert.Equal(t, "topup", payments[0].Kind)
	assert.Contains(t, h.ok("payment", "list", "--limit", "1", "--after", payments[0].ID), "5.00 USD")
	assert.Contains(t, h.ok("payment", "receipts"), "\n000001,")
	assert.Equal(t, exitUsage, h.run("", "payment", "list", "--state", "odd").code)
	assert.Equal(t, exitNotFound, h.run("", "payment", "list", "--user", "nobody@example.com").code)
	status, receipt := s.api("GET", "/api/user/receipts/000002.html", key, "")
	assert.Equal(t, 200, status)
	assert.Contains(t, receipt, "20.00 USD")
	assert.Contains(t, h.ok("ledger", "verify"), "no violations")
	assert.Empty(t, stripe.Refused())
	for _, secret := range []string{fakestripe.Key, fakestripe.WebhookSecret} {
		assert.NotContains(t, s.log.String(), secret)
	}
}
