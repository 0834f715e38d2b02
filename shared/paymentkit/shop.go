package paymentkit

import (
	"context"
	"net/http"
)

// Price is what something costs.
type Price struct {
	ID       string         `json:"id"`
	Metadata map[string]any `json:"metadata"`
}

// Price finds a price by its id or lookup key.
func (c *Client) Price(ctx context.Context, key string) (p Price, err error) {
	return p, c.call(ctx, http.MethodGet, []string{"prices", key}, nil, nil, &p)
}

// Product is what is sold, with its prices.
type Product struct {
	ID          string     `json:"id,omitempty"`
	Name        string     `json:"name"`
	Description string     `json:"description,omitempty"`
	Type        string     `json:"type"` // credit
	Prices      []NewPrice `json:"prices"`
}

// NewPrice is a price to be made with its product.
type NewPrice struct {
	Type       string           `json:"type"` // one_time
	UnitAmount string           `json:"unit_amount"`
	CurrencyID string           `json:"currency_id"`
	Currencies []CurrencyAmount `json:"currency_options"`
	LookupKey  string           `json:"lookup_key"`
	Nickname   string           `json:"nickname"`
	Metadata   PriceMetadata    `json:"metadata"`
}

// CurrencyAmount is a price in one currency, in display units.
type CurrencyAmount struct {
	CurrencyID string `json:"currency_id"`
	UnitAmount string `json:"unit_amount"`
}

// PriceMetadata says which credits a price buys.
type PriceMetadata struct {
	Credit  CreditConfig `json:"credit_config"`
	MeterID string       `json:"meter_id"`
}

// CreditConfig is the grant that a purchase makes.
type CreditConfig struct {
	Priority   int64  `json:"priority"`
	Valid      int64  `json:"valid_duration_value"` // 0: for ever
	ValidUnit  string `json:"valid_duration_unit"`
	CurrencyID string `json:"currency_id"`
	Amount     string `json:"credit_amount"` // per unit bought, display units
}

// CreateProduct makes a product and its prices.
func (c *Client) CreateProduct(ctx context.Context, p Product) error {
	return c.call(ctx, http.MethodPost, []string{"products"}, nil, p, nil)
}

// PaymentLink is a page on which something can be bought.
type PaymentLink struct {
	ID        string     `json:"id,omitempty"`
	Name      string     `json:"name"`
	LookupKey string     `json:"lookup_key"`
	Items     []LinkItem `json:"line_items"`
}

// LinkItem is what a link sells.
type LinkItem struct {
	PriceID    string     `json:"price_id"`
	Quantity   int64      `json:"quantity"`
	Adjustable Adjustable `json:"adjustable_quantity"`
}

// Adjustable says how many the buyer may choose.
type Adjustable struct {
	Enabled bool  `json:"enabled"`
	Minimum int64 `json:"minimum"`
	Maximum int64 `json:"maximum"`
}

// PaymentLink finds a link by its id or lookup key.
func (c *Client) PaymentLink(ctx context.Context, key string) (l PaymentLink, err error) {
	return l, c.call(ctx, http.MethodGet, []string{"payment-links", key}, nil, nil, &l)
}

// CreatePaymentLink makes a link.
func (c *Client) CreatePaymentLink(ctx context.Context, n PaymentLink) (l PaymentLink, err error) {
	return l, c.call(ctx, http.MethodPost, []string{"payment-links"}, nil, n, &l)
}

// Currencies lists all payment currencies.
func (c *Client) Currencies(ctx context.Context) (all []Currency, err error) {
	return all, c.call(ctx, http.MethodGet, []string{"payment-currencies"}, nil, nil, &all)
}

// Recharge says how a currency of credits is bought when it runs out.
type Recharge struct {
	PriceID     string `json:"base_price_id"`
	LinkID      string `json:"payment_link_id"`
	CheckoutURL string `json:"checkout_url"`
}

// RechargeConfig returns how a currency of credits is bought, nil where nobody has
// said.
func (c *Client) RechargeConfig(ctx context.Context, currency string) (*Recharge, error) {
	var out Currency
	err := c.call(ctx, http.MethodGet, []string{"payment-currencies", currency, "recharge-config"}, nil, nil, &out)
	return out.Recharge, err
}

// SetRechargeConfig says how a currency of credits is bought.
func (c *Client) SetRechargeConfig(ctx context.Context, currency string, r Recharge) error {
	return c.call(ctx, http.MethodPut, []string{"payment-currencies", currency, "recharge-config"}, nil, r, nil)
}

// NotificationSetting says who tells customers of what.
type NotificationSetting struct {
	ID            string       `json:"id,omitempty"`
	Type          string       `json:"type"` // notification
	MountLocation string       `json:"mountLocation"`
	Description   string       `json:"description"`
	Settings      Notification `json:"settings"`
}

// Notification is what a component tells customers itself.
type Notification struct {
	SelfHandle bool     `json:"self_handle"`
	Events     []string `json:"include_events"`
}

// NotificationSetting finds the setting of a component.
func (c *Client) NotificationSetting(ctx context.Context, did string) (s NotificationSetting, err error) {
	return s, c.call(ctx, http.MethodGet, []string{"settings", did}, nil, nil, &s)
}

// CreateNotificationSetting makes the setting of a component.
func (c *Client) CreateNotificationSetting(ctx context.Context, s NotificationSetting) (made NotificationSetting, err error) {
	return made, c.call(ctx, http.MethodPost, []string{"settings"}, nil, s, &made)
}
