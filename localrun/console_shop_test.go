package main

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/testkit/fakestripe"
)

// TestCreditsAreBoughtInTheConsole drives the console of a hub that sells credits
// by card: a purchase, automatic top-ups with the kept card, a receipt.
func TestCreditsAreBoughtInTheConsole(t *testing.T) {
	t.Parallel()
	web, err := filepath.Abs("../functions/console/web")
	require.NoError(t, err)
	browser := chromium()
	if why := untried(web, browser); why != "" {
		t.Skip(why)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	addr := l.Addr().String() // links need it before the hub starts
	require.NoError(t, l.Close())
	stripe := fakestripe.Start(t)
	h := newHub(t, "AIGNE_HUB_BILLING=on", "AIGNE_HUB_PUBLIC_URL=http://"+addr, "AIGNE_HUB_STRIPE_URL="+stripe.URL, "AIGNE_HUB_STRIPE_SECRET_KEY="+fakestripe.Key,
		"AIGNE_HUB_STRIPE_WEBHOOK_SECRET="+fakestripe.WebhookSecret)
	s := h.serve("--listen", addr)
	// The till stands for the payment provider's page: somebody pays there, the hub is
	// told, and the browser goes back.
	till := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		page := r.URL.Query().Get("page")
		back, _ := stripe.Session(page)["success_url"].(string)
		stripe.Pay(page)
		for _, e := range stripe.Take() {
			status, body := s.api("POST", "/api/billing/stripe/webhook", "", string(e.Body), "Stripe-Signature", e.Signature(time.Now()))
			assert.Equal(t, 200, status, body)
		}
		_, _ = w.Write([]byte(back))
	}))
	defer till.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", "e2e/shop.mjs")
	cmd.Dir = web
	cmd.Env = append(os.Environ(), "HUB="+s.url, "TOKEN="+s.token, "CHROMIUM="+browser, "TILL="+till.URL, "SHOTS="+os.Getenv("AIGNE_HUB_TEST_SHOTS"))
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	require.NoError(t, err, "hub's log: %s", s.log)
}
