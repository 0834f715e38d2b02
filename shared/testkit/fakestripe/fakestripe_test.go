package fakestripe_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/testkit/fakestripe"
)

// TestTheFakeRefusesWhatStripeRefuses: a fake that takes everything proves
// nothing.
func TestTheFakeRefusesWhatStripeRefuses(t *testing.T) {
	t.Parallel()
	f := fakestripe.Start(t)
	post := func(path, key, auth string, form url.Values) (int, string) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, f.URL+path, strings.NewReader(form.Encode()))
		require.NoError(t, err)
		r.Header.Set("Authorization", "Bearer "+auth)
		r.Header.Set("Stripe-Version", "2024-06-20")
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Idempotency-Key", key)
		res, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		return res.StatusCode, string(body)
	}
	status, customer := post("/v1/customers", "c", fakestripe.Key, url.Values{"email": {"a@example.com"}})
	require.Equal(t, 200, status, customer)
	good := url.Values{"mode": {"payment"}, "customer": {"cus_fake000001"}, "success_url": {"https://x.test"}, "cancel_url": {"https://x.test"}, "line_items[0][quantity]": {"1"},
		"line_items[0][price_data][currency]": {"usd"}, "line_items[0][price_data][unit_amount]": {"500"}, "line_items[0][price_data][product_data][name]": {"x"}}
	status, body := post("/v1/checkout/sessions", "s", fakestripe.Key, good)
	require.Equal(t, 200, status, body)
	for name, c := range map[string]struct {
		field, value, says string
		status             int
	}{
		"a missing field":              {"success_url", "", "parameter_missing", 400},
		"an unknown field":             {"colour", "red", "parameter_unknown", 400},
		"too little":                   {"line_items[0][price_data][unit_amount]", "49", "amount_too_small", 400},
		"no integer":                   {"line_items[0][price_data][unit_amount]", "5.00", "parameter_invalid_integer", 400},
		"a currency that is none":      {"line_items[0][price_data][currency]", "zzz", "Invalid currency", 400},
		"a customer that is not there": {"customer", "cus_none", "resource_missing", 400},
		"tax without an address":       {"automatic_tax[enabled]", "true", "customer_tax_location_invalid", 400},
	} {
		form := url.Values{}
		for k, v := range good {
			form[k] = v
		}
		form.Set(c.field, c.value)
		if c.value == "" {
			form.Del(c.field)
		}
		status, body := post("/v1/checkout/sessions", name, fakestripe.Key, form)
		assert.Equal(t, c.status, status, name)
		assert.Contains(t, body, c.says, name)
	}
	status, _ = post("/v1/checkout/sessions", "t", "sk_test_wrong", good)
	assert.Equal(t, 401, status)
	good.Set("success_url", "https://y.test")
	status, body = post("/v1/checkout/sessions", "s", fakestripe.Key, good)
	assert.Equal(t, 400, status)
	assert.Contains(t, body, "idempotency_error")
	status, _ = post("/v1/checkout/sessions", "", fakestripe.Key, good)
	assert.Equal(t, 400, status)
	status, body = post("/v1/payment_intents", "p", fakestripe.Key, url.Values{"amount": {"500"}, "currency": {"usd"}, "customer": {"cus_fake000001"}, "payment_method": {"pm_none"},
		"off_session": {"true"}, "confirm": {"true"}})
	assert.Equal(t, 400, status)
	assert.Contains(t, body, "resource_missing")
	assert.NotEmpty(t, f.Refused())
}
