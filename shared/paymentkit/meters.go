package paymentkit

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/money"
)

// Meter counts what is used; its currency is what credits are granted in.
type Meter struct {
	ID         string         `json:"id"`
	EventName  string         `json:"event_name"`
	Unit       string         `json:"unit"`
	CurrencyID string         `json:"currency_id"`
	Status     string         `json:"status"`
	Currency   Currency       `json:"paymentCurrency"`
	Metadata   map[string]any `json:"metadata"`
}

// NewMeter is a meter to make; Payment Kit makes its currency with it.
type NewMeter struct {
	Name        string         `json:"name"`
	Description string         `json:"description"`
	EventName   string         `json:"event_name"`
	Unit        string         `json:"unit"`
	Aggregation string         `json:"aggregation_method"` // sum
	Decimal     int            `json:"decimal,omitempty"`
	Metadata    map[string]any `json:"metadata,omitempty"`
}

// Meter finds a meter by its id or the name of its events.
func (c *Client) Meter(ctx context.Context, name string) (m Meter, err error) {
	return m, c.call(ctx, http.MethodGet, []string{"meters", name}, nil, nil, &m)
}

// CreateMeter makes a meter.
func (c *Client) CreateMeter(ctx context.Context, n NewMeter) (m Meter, err error) {
	return m, c.call(ctx, http.MethodPost, []string{"meters"}, nil, n, &m)
}

// UpdateMeter changes the unit and the metadata of a meter.
func (c *Client) UpdateMeter(ctx context.Context, id, unit string, metadata map[string]any) error {
	return c.call(ctx, http.MethodPut, []string{"meters", id}, nil, map[string]any{"unit": unit, "metadata": metadata}, nil)
}

// MeterEvent is usage to be billed. Payment Kit takes an identifier once: a repeat
// changes nothing.
type MeterEvent struct {
	EventName  string         `json:"event_name"`
	Timestamp  int64          `json:"timestamp"` // Unix seconds
	Payload    MeterPayload   `json:"payload"`
	Identifier string         `json:"identifier"`
	Metadata   map[string]any `json:"metadata,omitempty"`
	Source     []SourceData   `json:"source_data,omitempty"`
}

// MeterPayload says who used how much.
type MeterPayload struct {
	CustomerID string        `json:"customer_id"` // a user's DID or a cus_ id
	Value      money.Credits `json:"value"`       // decimal text in display units
}

// SourceData explains an event to people, in the languages that it has.
type SourceData struct {
	Key   string            `json:"key"`
	Label map[string]string `json:"label"`
	Value string            `json:"value"`
}

// ErrRepeated says that Payment Kit has had a meter event of that identifier
// before.
var ErrRepeated = errors.New("the meter event was taken before")

// CreateMeterEvent reports usage. ErrRepeated: it had been reported.
func (c *Client) CreateMeterEvent(ctx context.Context, e MeterEvent) error {
	var answer struct {
		Identifier string `json:"identifier"`
	}
	err := c.call(ctx, http.MethodPost, []string{"meter-events"}, nil, e, &answer)
	var r *RefusalError
	if errors.As(err, &r) && repeated(r) {
		return ErrRepeated
	}
	if err == nil && answer.Identifier != "" && answer.Identifier != e.Identifier {
		return &DownError{errors.New("the answer is about another meter event")}
	}
	return err
}

// repeated tells a refusal because of the identifier: nobody else makes ours, so it
// is there because it arrived.
func repeated(r *RefusalError) bool {
	if r.Status == http.StatusConflict {
		return true
	}
	said := strings.ToLower(r.Message)
	return (r.Status == http.StatusBadRequest || r.Status == http.StatusUnprocessableEntity) && strings.Contains(said, "identifier") &&
		(strings.Contains(said, "exist") || strings.Contains(said, "duplicate") || strings.Contains(said, "unique"))
}

// PendingAmount is what a customer has used beyond its grants, by currency, in
// smallest units.
func (c *Client) PendingAmount(ctx context.Context, customer string) (map[string]string, error) {
	out := map[string]json.RawMessage{}
	err := c.call(ctx, http.MethodGet, []string{"meter-events", "pending-amount"}, url.Values{"customer_id": {customer}}, nil, &out)
	if err != nil {
		return nil, err
	}
	return amounts(out), nil
}

// amounts reads numbers that come as text or bare.
func amounts(in map[string]json.RawMessage) map[string]string {
	out := make(map[string]string, len(in))
	for k, v := range in {
		out[k] = strings.Trim(string(v), `"`)
	}
	return out
}
