package stripe

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// Tolerance is how old, or how far ahead, a signature's time may be.
const Tolerance = 5 * time.Minute

// ErrSignature is why a webhook is not Stripe's; which check failed is nobody
// else's business.
var ErrSignature = errors.New("webhook signature does not fit")

// Verify checks the header Stripe-Signature of a webhook's body as it came
// (docs.stripe.com/webhooks/signature): t=<seconds>,v1=<hex>[,v1=…], where v1 is
// HMAC-SHA256 of "<t>.<body>" under the endpoint's secret. While a secret is being
// rolled there are several v1; other schemes are ignored. An empty secret fits
// nothing.
func Verify(secret hub.Secret, header string, body []byte, now time.Time) error {
	if secret == "" {
		return ErrSignature
	}
	stamp, signatures := "", [][]byte(nil)
	for item := range strings.SplitSeq(header, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(item), "=")
		switch name {
		case "t":
			stamp = value
		case "v1":
			if sig, err := hex.DecodeString(value); err == nil {
				signatures = append(signatures, sig)
			}
		}
	}
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return ErrSignature
	}
	want := Sign(secret, stamp, body)
	fits := false
	for _, sig := range signatures {
		fits = hmac.Equal(sig, want) || fits
	}
	if age := now.Sub(time.Unix(seconds, 0)); !fits || age > Tolerance || age < -Tolerance {
		return ErrSignature
	}
	return nil
}

// Sign is the signature of a body at a time, in seconds as text.
func Sign(secret hub.Secret, stamp string, body []byte) []byte {
	mac := hmac.New(sha256.New, []byte(secret.Reveal()))
	mac.Write([]byte(stamp + "."))
	mac.Write(body)
	return mac.Sum(nil)
}

// Event is what a webhook tells (docs.stripe.com/api/events).
type Event struct {
	ID   string `json:"id"`
	Type string `json:"type"`
	Data struct {
		Object json.RawMessage `json:"object"`
	} `json:"data"`
}

// ParseEvent reads an event.
func ParseEvent(body []byte) (Event, error) {
	var e Event
	if err := json.Unmarshal(body, &e); err != nil {
		return e, fmt.Errorf("webhook event: %w", err)
	}
	if e.ID == "" || e.Type == "" || len(e.Data.Object) == 0 {
		return e, errors.New("webhook event: id, type or object is missing")
	}
	return e, nil
}

// Charge is a charge, as charge.refunded tells it.
type Charge struct {
	ID       string `json:"id"`
	Refunded int64  `json:"amount_refunded"` // in all
	Currency string `json:"currency"`
	Intent   ID     `json:"payment_intent"`
}

// Refund is a refund, as refund.failed tells it.
type Refund struct {
	ID       string `json:"id"`
	Amount   int64  `json:"amount"`
	Currency string `json:"currency"`
	Intent   ID     `json:"payment_intent"`
	Reason   string `json:"failure_reason"`
}

// Dispute is a dispute (docs.stripe.com/api/disputes).
type Dispute struct {
	ID       string `json:"id"`
	Amount   int64  `json:"amount"`
	Currency string `json:"currency"`
	Charge   ID     `json:"charge"`
	Intent   ID     `json:"payment_intent"`
	Status   string `json:"status"`
	Reason   string `json:"reason"`
}

// Object reads the object of an event.
func Object[T any](e Event) (T, error) {
	var v T
	if err := json.Unmarshal(e.Data.Object, &v); err != nil {
		return v, fmt.Errorf("event %s: %w", e.Type, err)
	}
	return v, nil
}
