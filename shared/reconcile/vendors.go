package reconcile

import (
	"strings"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// openAIUsageTable reads the export of OpenAI's usage page: the columns are those
// of a usage API result (platform.openai.com/docs/api-reference/usage) with the
// bucket's times in front.
func openAIUsageTable(t *table) (reader, error) {
	if err := t.need("start_time", "model", "input_tokens"); err != nil {
		return nil, err
	}
	return tableReader{t, func(t *table) (line, error) {
		l := line{model: t.text("model"), key: t.text("api_key_id")}
		var input *int64
		err := t.counts(map[string]**int64{"num_model_requests": &l.requests, "input_tokens": &input, "input_cached_tokens": &l.read,
			"input_cache_write_tokens": &l.write, "output_tokens": &l.output})
		if err != nil {
			return l, err
		}
		l.input = less(input, l.read, l.write)
		l.at, err = bucketStart(t, "start_time")
		return l, err
	}}, nil
}

func bucketStart(t *table, column string) (time.Time, error) {
	at, err := moment(t.text(column), time.UTC)
	if err != nil {
		return at, fault(t.place(), "%s: %v", column, err)
	}
	return at, nil
}

// openAICostTable reads the cost export: one line for each day and line item. A
// day without costs has empty cells.
func openAICostTable(t *table) (reader, error) {
	if err := t.need("start_time", "amount_value"); err != nil {
		return nil, err
	}
	return tableReader{t, func(t *table) (line, error) {
		l := line{model: itemModel(t.text("line_item")), key: t.text("api_key_id")}
		if err := onlyDollars(t.place(), t.text("amount_currency")); err != nil {
			return l, err
		}
		var err error
		if l.cost, err = t.money("amount_value", 1); err != nil {
			return l, err
		}
		l.at, err = bucketStart(t, "start_time")
		return l, err
	}}, nil
}

// itemModel takes the model out of a line item such as "gpt-5-mini-2025-08-07,
// cached input".
func itemModel(item string) string {
	model, _, _ := strings.Cut(item, ",")
	return strings.TrimSpace(model)
}

func onlyDollars(place, currency string) error {
	if currency == "" || strings.EqualFold(currency, "usd") {
		return nil
	}
	return fault(place, "the amount is in %.10s; costs are kept in US dollars", currency)
}

// anthropicUsageTable reads the usage export of Anthropic's console. It names
// keys, where the API has their ids.
func anthropicUsageTable(t *table) (reader, error) {
	if err := t.need("usage_date_utc", "model_version", "usage_input_tokens_no_cache", "usage_output_tokens"); err != nil {
		return nil, err
	}
	return tableReader{t, func(t *table) (line, error) {
		l := line{model: t.text("model_version"), key: t.text("api_key")}
		var short, long *int64
		err := t.counts(map[string]**int64{"usage_input_tokens_no_cache": &l.input, "usage_input_tokens_cache_read": &l.read,
			"usage_input_tokens_cache_write_5m": &short, "usage_input_tokens_cache_write_1h": &long, "usage_output_tokens": &l.output})
		if err != nil {
			return l, err
		}
		l.write = plus(short, long)
		l.at, err = bucketStart(t, "usage_date_utc")
		return l, err
	}}, nil
}

// anthropicCostTable reads the cost export of Anthropic's console, which names
// models as people do ("Claude Haiku 4.5").
func anthropicCostTable(t *table) (reader, error) {
	if err := t.need("usage_date_utc", "model", "cost_usd"); err != nil {
		return nil, err
	}
	return tableReader{t, func(t *table) (line, error) {
		l := line{model: t.text("model"), key: t.text("api_key")}
		var err error
		if l.cost, err = t.money("cost_usd", 1); err != nil {
			return l, err
		}
		l.at, err = bucketStart(t, "usage_date_utc")
		return l, err
	}}, nil
}

// result is one result of a bucket, of any of the four reports. OpenAI's input
// contains what was cached; Anthropic's does not.
type result struct {
	Model    string  `json:"model"`
	KeyID    string  `json:"api_key_id"`
	Requests *int64  `json:"num_model_requests"`
	Input    *int64  `json:"input_tokens"`
	Cached   *int64  `json:"input_cached_tokens"`
	Written  *int64  `json:"input_cache_write_tokens"`
	Output   *int64  `json:"output_tokens"`
	LineItem *string `json:"line_item"`

	Uncached *int64 `json:"uncached_input_tokens"`
	Read     *int64 `json:"cache_read_input_tokens"`
	Creation *struct {
		Short *int64 `json:"ephemeral_5m_input_tokens"`
		Long  *int64 `json:"ephemeral_1h_input_tokens"`
	} `json:"cache_creation"`
	Currency string `json:"currency"`
	Amount   amount `json:"amount"`
}

// line makes a line of a result.
func (r *result) line(f Format, at time.Time, place string) (line, error) {
	l := line{at: at, model: r.Model, key: r.KeyID}
	var ok bool
	switch f {
	case OpenAIUsage:
		l.requests, l.read, l.write, l.output = r.Requests, r.Cached, r.Written, r.Output
		l.input = less(r.Input, r.Cached, r.Written)
	case OpenAICosts:
		if r.LineItem != nil {
			l.model = itemModel(*r.LineItem)
		}
		if l.cost, ok = dollars(r.Amount.value, 1); !ok {
			return l, fault(place, "the amount is none: %.40q", r.Amount.value)
		}
		return l, onlyDollars(place, r.Amount.currency)
	case AnthropicUsage:
		l.input, l.read, l.output = r.Uncached, r.Read, r.Output
		if r.Creation != nil {
			l.write = plus(r.Creation.Short, r.Creation.Long)
		}
	case AnthropicCost:
		const cents = 100 // amounts are in the smallest unit of the currency
		if l.cost, ok = dollars(r.Amount.value, cents); !ok {
			return l, fault(place, "the amount is none: %.40q", r.Amount.value)
		}
		return l, onlyDollars(place, r.Currency)
	}
	for _, n := range []*int64{l.requests, l.input, l.read, l.write, l.output} {
		if n != nil && (*n < 0 || *n > mostUnits) {
			return l, fault(place, "a count is out of range: %d", *n)
		}
	}
	return l, nil
}

// kindOf checks that a result is of the report that was announced.
func (r *result) kindOf(f Format, place string) error {
	usage := r.Input != nil || r.Uncached != nil || r.Requests != nil || r.Output != nil
	if usage == (f == OpenAIUsage || f == AnthropicUsage) {
		return nil
	}
	return hub.Invalid("format", "%s: this is no result of %s.", place, f)
}
