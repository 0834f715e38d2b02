// Package stripe speaks with Stripe's API (docs.stripe.com/api) as far as selling
// credits needs it: customers, Checkout sessions, payment intents, and the
// signature of webhooks. It is a client of its own because the official one sends
// telemetry, repeats requests by itself, refuses events of other API versions and
// keeps keys and loggers in globals; what is needed is a handful of forms.
package stripe

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// DefaultBase is where Stripe's API is.
const DefaultBase = "https://api.stripe.com"

// version pins the shape of answers (docs.stripe.com/api/versioning). Events come
// in the shape of the endpoint's own version; only fields that all of them have
// are read.
const version = "2024-11-20.acacia"

const (
	timeout   = 40 * time.Second
	maxAnswer = 1 << 20
)

// Client asks Stripe. It repeats nothing by itself and follows no redirect.
type Client struct {
	key  hub.Secret
	base string
	http *http.Client
}

// New makes a client. base is DefaultBase or a stand-in's origin.
func New(key hub.Secret, base string) *Client {
	t, _ := http.DefaultTransport.(*http.Transport)
	return &Client{key: key, base: strings.TrimRight(base, "/"), http: &http.Client{
		Transport: t.Clone(), Timeout: timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Error is what Stripe answers when it refuses (docs.stripe.com/api/errors).
type Error struct {
	Status  int
	Type    string  // card_error, idempotency_error, invalid_request_error, api_error …
	Code    string  // card_declined, authentication_required …
	Decline string  // the bank's reason
	Message string  // for people; Stripe masks keys in it
	Intent  *Intent // of card errors: the payment intent that failed
}

// Error names what Stripe said.
func (e *Error) Error() string {
	return fmt.Sprintf("stripe: status %d, %s %s: %s", e.Status, e.Type, e.Code, e.Message)
}

// ErrUnknown marks a request whose outcome is not known: no answer came, or a 5xx.
// The same request under the same idempotency key finds out.
var ErrUnknown = errors.New("stripe did not answer")

// ID is a reference, which Stripe sends as an id, as null or as the whole object.
type ID string

// UnmarshalJSON reads all three.
func (id *ID) UnmarshalJSON(b []byte) error {
	if bytes.HasPrefix(bytes.TrimSpace(b), []byte("{")) {
		var v struct {
			ID string `json:"id"`
		}
		err := json.Unmarshal(b, &v)
		*id = ID(v.ID)
		return err
	}
	var s *string
	err := json.Unmarshal(b, &s)
	if s != nil {
		*id = ID(*s)
	}
	return err
}

// call sends a form and reads the answer. key is the idempotency key, "" for none.
func (c *Client) call(ctx context.Context, method, path string, form url.Values, key string, into any) error {
	target, body := c.base+path, io.Reader(nil)
	if method == http.MethodGet {
		if len(form) > 0 {
			target += "?" + form.Encode()
		}
	} else {
		body = strings.NewReader(form.Encode())
	}
	r, err := http.NewRequestWithContext(ctx, method, target, body)
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+c.key.Reveal())
	r.Header.Set("Stripe-Version", version)
	if body != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if key != "" {
		r.Header.Set("Idempotency-Key", key)
	}
	res, err := c.http.Do(r)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnknown, err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnknown, err)
	}
	if res.StatusCode == http.StatusOK {
		return json.Unmarshal(answer, into)
	}
	return refusal(res.StatusCode, answer)
}

func refusal(status int, answer []byte) error {
	var v struct {
		Error struct {
			Type    string  `json:"type"`
			Code    string  `json:"code"`
			Decline string  `json:"decline_code"`
			Message string  `json:"message"`
			Intent  *Intent `json:"payment_intent"`
		} `json:"error"`
	}
	_ = json.Unmarshal(answer, &v) // what cannot be read leaves the status
	e := &Error{Status: status, Type: v.Error.Type, Code: v.Error.Code, Decline: v.Error.Decline, Message: v.Error.Message, Intent: v.Error.Intent}
	// 409: another request under the same key is under way.
	if status >= http.StatusInternalServerError || status == http.StatusConflict || status == http.StatusTooManyRequests {
		return fmt.Errorf("%w: %w", ErrUnknown, e)
	}
	return e
}

// CreateCustomer makes a customer.
func (c *Client) CreateCustomer(ctx context.Context, email, name, reference, key string) (string, error) {
	form := url.Values{"metadata[aigne_hub_user]": {reference}}
	if email != "" {
		form.Set("email", email)
	}
	if name != "" {
		form.Set("name", name)
	}
	var v struct {
		ID string `json:"id"`
	}
	err := c.call(ctx, http.MethodPost, "/v1/customers", form, key, &v)
	return v.ID, err
}

// NewSession describes a Checkout session for one payment.
type NewSession struct {
	Customer   string
	Amount     int64 // in the currency's smallest unit
	Currency   string
	Product    string // what the customer reads
	SuccessURL string
	CancelURL  string
	Reference  string // the hub's own id of the payment
	Metadata   map[string]string
	SaveCard   bool // for later charges without the customer
	Tax        bool // Stripe adds tax
}

// Session is a Checkout session.
type Session struct {
	ID             string `json:"id"`
	URL            string `json:"url"`
	Status         string `json:"status"`         // open, complete or expired
	PaymentStatus  string `json:"payment_status"` // paid, unpaid or no_payment_required
	AmountSubtotal int64  `json:"amount_subtotal"`
	AmountTotal    int64  `json:"amount_total"`
	Currency       string `json:"currency"`
	Customer       ID     `json:"customer"`
	Intent         ID     `json:"payment_intent"`
	Reference      string `json:"client_reference_id"`
	TotalDetails   struct {
		Tax      int64 `json:"amount_tax"`
		Discount int64 `json:"amount_discount"`
	} `json:"total_details"`
	Buyer Buyer `json:"customer_details"`
}

// Buyer is what the customer said at Checkout.
type Buyer struct {
	Name    string `json:"name"`
	Email   string `json:"email"`
	Address struct {
		Line1      string `json:"line1"`
		Line2      string `json:"line2"`
		PostalCode string `json:"postal_code"`
		City       string `json:"city"`
		State      string `json:"state"`
		Country    string `json:"country"`
	} `json:"address"`
	TaxIDs []struct {
		Type  string `json:"type"`
		Value string `json:"value"`
	} `json:"tax_ids"`
}

// CreateSession makes a Checkout session.
func (c *Client) CreateSession(ctx context.Context, n NewSession, key string) (Session, error) {
	form := url.Values{
		"mode": {"payment"}, "customer": {n.Customer}, "client_reference_id": {n.Reference}, "success_url": {n.SuccessURL}, "cancel_url": {n.CancelURL},
		"line_items[0][quantity]":                       {"1"},
		"line_items[0][price_data][currency]":           {n.Currency},
		"line_items[0][price_data][unit_amount]":        {strconv.FormatInt(n.Amount, 10)},
		"line_items[0][price_data][product_data][name]": {n.Product},
		"payment_intent_data[description]":              {n.Product},
		// Else buyers might pay in a currency of their own, and refunds be told in it
		// (docs.stripe.com/payments/currencies/localize-prices/adaptive-pricing).
		"adaptive_pricing[enabled]": {"false"},
	}
	for k, v := range n.Metadata {
		form.Set("metadata["+k+"]", v)
		form.Set("payment_intent_data[metadata]["+k+"]", v)
	}
	if n.SaveCard {
		form.Set("payment_intent_data[setup_future_usage]", "off_session")
	}
	if n.Tax {
		form.Set("automatic_tax[enabled]", "true")
		form.Set("line_items[0][price_data][tax_behavior]", "exclusive")
		form.Set("tax_id_collection[enabled]", "true")
		form.Set("billing_address_collection", "required")
		// What is typed at Checkout is kept with the customer, which both need.
		form.Set("customer_update[address]", "auto")
		form.Set("customer_update[name]", "auto")
	}
	var s Session
	err := c.call(ctx, http.MethodPost, "/v1/checkout/sessions", form, key, &s)
	return s, err
}

// Session asks for a Checkout session.
func (c *Client) Session(ctx context.Context, id string) (s Session, err error) {
	err = c.call(ctx, http.MethodGet, "/v1/checkout/sessions/"+url.PathEscape(id), nil, "", &s)
	return s, err
}
