package stripe

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Intent is a payment intent.
type Intent struct {
	ID       string            `json:"id"`
	Status   string            `json:"status"` // succeeded, processing, requires_payment_method, requires_action, canceled …
	Amount   int64             `json:"amount"`
	Received int64             `json:"amount_received"`
	Currency string            `json:"currency"`
	Customer ID                `json:"customer"`
	Metadata map[string]string `json:"metadata"`
	Failure  *struct {
		Code    string `json:"code"`
		Decline string `json:"decline_code"`
		Message string `json:"message"`
	} `json:"last_payment_error"`
}

// NewIntent describes a charge of a kept card without the customer.
type NewIntent struct {
	Customer    string
	Method      string
	Amount      int64 // in the currency's smallest unit
	Currency    string
	Description string
	Metadata    map[string]string
}

// Charge charges a kept card (docs.stripe.com/payments/save-and-reuse). A card
// that refuses gives *Error of the type card_error.
func (c *Client) Charge(ctx context.Context, n NewIntent, key string) (Intent, error) {
	form := url.Values{
		"amount": {strconv.FormatInt(n.Amount, 10)}, "currency": {n.Currency}, "customer": {n.Customer}, "payment_method": {n.Method},
		"payment_method_types[0]": {"card"}, "off_session": {"true"}, "confirm": {"true"}, "description": {n.Description},
	}
	for k, v := range n.Metadata {
		form.Set("metadata["+k+"]", v)
	}
	var i Intent
	err := c.call(ctx, http.MethodPost, "/v1/payment_intents", form, key, &i)
	return i, err
}

// Intent asks for a payment intent.
func (c *Client) Intent(ctx context.Context, id string) (i Intent, err error) {
	err = c.call(ctx, http.MethodGet, "/v1/payment_intents/"+url.PathEscape(id), nil, "", &i)
	return i, err
}

// Intents lists a customer's newest payment intents, at most 100, made at or
// after a moment.
func (c *Client) Intents(ctx context.Context, customer string, since time.Time) ([]Intent, error) {
	var v struct {
		Data []Intent `json:"data"`
	}
	err := c.call(ctx, http.MethodGet, "/v1/payment_intents", url.Values{"customer": {customer}, "limit": {"100"},
		"created[gte]": {strconv.FormatInt(since.Unix(), 10)}}, "", &v)
	return v.Data, err
}

// Card is a kept card.
type Card struct {
	ID   string `json:"id"`
	Card struct {
		Brand string `json:"brand"`
		Last4 string `json:"last4"`
	} `json:"card"`
}

// Detach forgets a kept card.
func (c *Client) Detach(ctx context.Context, method string) error {
	var v struct {
		ID string `json:"id"`
	}
	return c.call(ctx, http.MethodPost, "/v1/payment_methods/"+url.PathEscape(method)+"/detach", nil, "detach-"+method, &v)
}

// Cards lists a customer's kept cards, newest first, at most ten.
func (c *Client) Cards(ctx context.Context, customer string) ([]Card, error) {
	var v struct {
		Data []Card `json:"data"`
	}
	err := c.call(ctx, http.MethodGet, "/v1/customers/"+url.PathEscape(customer)+"/payment_methods", url.Values{"type": {"card"}, "limit": {"10"}}, "", &v)
	return v.Data, err
}
