package stripe_test

import (
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/stripe"
	"github.com/aigne-hub/aigne-hub/shared/testkit/fakestripe"
)

func TestASignatureIsAsStripeDocumentsIt(t *testing.T) {
	t.Parallel()
	// HMAC-SHA256 of `1700000000.{"id":"evt_1"}` under the key whsec_test, by openssl.
	const want = "c89214b5b5da833daed6f0b8c5bb6bd58cea9022bd80ccc78230f3942d632925"
	body := []byte(`{"id":"evt_1"}`)
	assert.Equal(t, want, hex.EncodeToString(stripe.Sign("whsec_test", "1700000000", body)))
	at := time.Unix(1700000000, 0)
	require.NoError(t, stripe.Verify("whsec_test", "t=1700000000,v1="+want, body, at))
	require.NoError(t, stripe.Verify("whsec_test", "t=1700000000,v1=00,v1="+want+",v0=xx", body, at.Add(5*time.Minute)))
	for name, header := range map[string]string{
		"nothing": "", "no time": "v1=" + want, "no signature": "t=1700000000", "the test scheme": "t=1700000000,v0=" + want,
		"cut": "t=1700000000,v1=" + want[:62], "not hex": "t=1700000000,v1=zz", "another time": "t=1700000001,v1=" + want, "no number": "t=x,v1=" + want,
	} {
		require.ErrorIs(t, stripe.Verify("whsec_test", header, body, at), stripe.ErrSignature, name)
	}
	require.ErrorIs(t, stripe.Verify("whsec_test", "t=1700000000,v1="+want, body, at.Add(5*time.Minute+time.Second)), stripe.ErrSignature)
	require.ErrorIs(t, stripe.Verify("whsec_test", "t=1700000000,v1="+want, body, at.Add(-6*time.Minute)), stripe.ErrSignature)
	require.ErrorIs(t, stripe.Verify("", "t=1700000000,v1="+hex.EncodeToString(stripe.Sign("", "1700000000", body)), body, at), stripe.ErrSignature)
}

func FuzzVerify(f *testing.F) {
	body := []byte(`{"id":"evt_1"}`)
	at := time.Unix(1700000000, 0)
	f.Add(fakestripe.Sign("other", body, at))
	f.Add("t=1700000000,v1=,v1=00")
	f.Add("t=,=,v1")
	f.Fuzz(func(t *testing.T, header string) {
		if stripe.Verify("whsec_test", header, body, at) == nil &&
			!strings.Contains(strings.ToLower(header), hex.EncodeToString(stripe.Sign("whsec_test", "1700000000", body))) {
			// Another time within the tolerance would need its own signature.
			t.Fatalf("%q fits", header)
		}
	})
}

func FuzzParseEvent(f *testing.F) {
	f.Add([]byte(`{"id":"e","type":"t","data":{"object":{"id":"ch","payment_intent":{"id":"pi"}}}}`))
	f.Add([]byte(`{"id":"e","type":"t","data":{"object":{"payment_intent":null,"amount_refunded":1e3}}}`))
	f.Fuzz(func(_ *testing.T, body []byte) {
		e, err := stripe.ParseEvent(body)
		if err != nil {
			return
		}
		_, _ = stripe.Object[stripe.Charge](e)
		_, _ = stripe.Object[stripe.Session](e)
		_, _ = stripe.Object[stripe.Dispute](e)
		_, _ = stripe.Object[stripe.Intent](e)
	})
}

func TestReferencesAreIDsObjectsOrNull(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]stripe.ID{`"pi_1"`: "pi_1", `null`: "", `{"id":"pi_2","object":"payment_intent"}`: "pi_2"} {
		var id stripe.ID
		require.NoError(t, json.Unmarshal([]byte(in), &id))
		assert.Equal(t, want, id)
	}
	var id stripe.ID
	require.Error(t, json.Unmarshal([]byte(`12`), &id))
}

func TestWhatStripeSaysIsToldApart(t *testing.T) {
	t.Parallel()
	fake := fakestripe.Start(t)
	ctx := t.Context()
	c := stripe.New(fakestripe.Key, fake.URL+"/")
	id, err := c.CreateCustomer(ctx, "a@example.com", "A", "u", "k1")
	require.NoError(t, err)
	again, err := c.CreateCustomer(ctx, "a@example.com", "A", "u", "k1")
	require.NoError(t, err)
	assert.Equal(t, id, again, "the same key gives the same answer")
	var refused *stripe.Error
	_, err = c.CreateCustomer(ctx, "b@example.com", "A", "u", "k1")
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, "idempotency_error", refused.Type)
	require.NotErrorIs(t, err, stripe.ErrUnknown)

	_, err = stripe.New("sk_test_wrong", fake.URL).CreateCustomer(ctx, "a@example.com", "", "u", "k2")
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, http.StatusUnauthorized, refused.Status)
	assert.NotContains(t, err.Error(), "wrong")

	fake.Plan(fakestripe.Faults{Errors: 1})
	_, err = c.Session(ctx, "cs_none")
	require.ErrorIs(t, err, stripe.ErrUnknown)
	_, err = c.Session(ctx, "cs_none")
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, "resource_missing", refused.Code)
	_, err = stripe.New(fakestripe.Key, "http://127.0.0.1:1").Session(ctx, "cs")
	require.ErrorIs(t, err, stripe.ErrUnknown)
	assert.NotContains(t, err.Error(), fakestripe.Key)
}

func TestARedirectIsNotFollowed(t *testing.T) {
	t.Parallel()
	var seen []string
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		seen = append(seen, r.Header.Get("Authorization"))
	}))
	t.Cleanup(elsewhere.Close)
	server := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect))
	t.Cleanup(server.Close)
	_, err := stripe.New(fakestripe.Key, server.URL).Session(t.Context(), "cs")
	require.Error(t, err)
	var refused *stripe.Error
	require.ErrorAs(t, err, &refused)
	assert.Empty(t, seen)
}
