package paymentkit

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"

	"github.com/aigne-hub/aigne-hub/shared/money"
)

// Customer is somebody who pays.
type Customer struct {
	ID  string `json:"id"` // cus_…
	DID string `json:"did"`
}

// Customer finds a customer by DID or id and makes it if it is not there. The
// wish to make it goes in the body, as the npm client sends it with its GET, and in
// the query, where other clients of the same API have it.
func (c *Client) Customer(ctx context.Context, did string) (v Customer, err error) {
	return v, c.call(ctx, http.MethodGet, []string{"customers", did}, url.Values{"create": {"true"}}, map[string]any{"create": true}, &v)
}

// The states of a grant at Payment Kit.
const (
	GrantPending  = "pending"
	GrantGranted  = "granted"
	GrantDepleted = "depleted"
	GrantExpired  = "expired"
	GrantVoided   = "voided"
)

// The categories of a grant.
const (
	Paid        = "paid"
	Promotional = "promotional"
)

// Grant is credits that a customer was given. Amounts are in smallest units.
type Grant struct {
	ID         string         `json:"id"`
	CustomerID string         `json:"customer_id"`
	CurrencyID string         `json:"currency_id"`
	Name       string         `json:"name"`
	Amount     string         `json:"amount"`
	Remaining  string         `json:"remaining_amount"`
	Status     string         `json:"status"`
	Category   string         `json:"category"`
	Priority   int64          `json:"priority"`
	ExpiresAt  int64          `json:"expires_at"` // Unix seconds; 0: never
	Metadata   map[string]any `json:"metadata"`
}

// NewGrant is credits to be given.
type NewGrant struct {
	CustomerID string         `json:"customer_id"`
	CurrencyID string         `json:"currency_id"`
	Amount     money.Credits  `json:"amount"` // decimal text in display units
	Name       string         `json:"name"`
	ExpiresAt  int64          `json:"expires_at"` // Unix seconds; 0: never
	Category   string         `json:"category"`
	Priority   int64          `json:"priority,omitempty"`
	Metadata   map[string]any `json:"metadata,omitempty"`
}

// CreateGrant gives credits. It has no identifier: a repeat gives twice.
func (c *Client) CreateGrant(ctx context.Context, n NewGrant) (g Grant, err error) {
	return g, c.call(ctx, http.MethodPost, []string{"credit-grants"}, nil, n, &g)
}

// Grants lists a page, from 1, of a customer's grants, and how many there are.
func (c *Client) Grants(ctx context.Context, customer, currency string, page, size int) ([]Grant, int, error) {
	var out struct {
		Count int     `json:"count"`
		List  []Grant `json:"list"`
	}
	err := c.call(ctx, http.MethodGet, []string{"credit-grants"}, url.Values{"customer_id": {customer}, "currency_id": {currency},
		"page": {strconv.Itoa(page)}, "pageSize": {strconv.Itoa(size)}}, nil, &out)
	return out.List, out.Count, err
}

// ExpireGrant ends a grant.
func (c *Client) ExpireGrant(ctx context.Context, id string, metadata map[string]any) error {
	return c.call(ctx, http.MethodPut, []string{"credit-grants", id}, nil, map[string]any{"metadata": metadata, "expired": true}, nil)
}

// Summary is what a customer has in a currency, in smallest units.
type Summary struct {
	Currency  Currency `json:"paymentCurrency"`
	Total     string   `json:"totalAmount"`
	Remaining string   `json:"remainingAmount"`
	Grants    int      `json:"grantCount"`
}

// Summary lists what a customer has, by currency.
func (c *Client) Summary(ctx context.Context, customer string) (map[string]Summary, error) {
	out := map[string]Summary{}
	return out, c.call(ctx, http.MethodGet, []string{"credit-grants", "summary"}, url.Values{"customer_id": {customer}}, nil, &out)
}

// Availability is whether a customer may go on without credits, since Payment Kit
// will buy some.
type Availability struct {
	CanContinue bool   `json:"can_continue"`
	Reason      string `json:"reason"`
}

// VerifyAvailability asks whether a customer may go on. pending is in smallest
// units.
func (c *Client) VerifyAvailability(ctx context.Context, customer, currency, pending string) (a Availability, err error) {
	return a, c.call(ctx, http.MethodGet, []string{"credit-grants", "verify-availability"},
		url.Values{"customer_id": {customer}, "currency_id": {currency}, "pending_amount": {pending}}, nil, &a)
}

// Transaction is credits that Payment Kit took from a customer's grants.
type Transaction struct {
	ID        string `json:"id"`
	Quantity  string `json:"quantity"`
	Amount    string `json:"credit_amount"`
	Remaining string `json:"remaining_balance"`
	EventName string `json:"meter_event_name"`
}

// Transactions lists a page, from 1, of what a customer used of a meter.
func (c *Client) Transactions(ctx context.Context, customer, meter string, page, size int) ([]Transaction, int, error) {
	var out struct {
		Count int           `json:"count"`
		List  []Transaction `json:"list"`
	}
	err := c.call(ctx, http.MethodGet, []string{"credit-transactions"}, url.Values{"customer_id": {customer}, "meter_id": {meter},
		"page": {strconv.Itoa(page)}, "pageSize": {strconv.Itoa(size)}}, nil, &out)
	return out.List, out.Count, err
}

// UnmarshalJSON accepts amounts as text and as bare numbers, and a missing expiry.
func (g *Grant) UnmarshalJSON(b []byte) error {
	type plain Grant
	in := struct {
		*plain
		Amount    json.RawMessage `json:"amount"`
		Remaining json.RawMessage `json:"remaining_amount"`
		ExpiresAt *int64          `json:"expires_at"`
	}{plain: (*plain)(g)}
	if err := json.Unmarshal(b, &in); err != nil {
		return err
	}
	a := amounts(map[string]json.RawMessage{"amount": in.Amount, "remaining": in.Remaining})
	g.Amount, g.Remaining = a["amount"], a["remaining"]
	if in.ExpiresAt != nil {
		g.ExpiresAt = *in.ExpiresAt
	}
	return nil
}
