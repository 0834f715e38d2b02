package routing

import (
	"encoding/json"

	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/pricing"
)

// HoldRecord is how a call's hold came about: the most that it could use, at the
// target where that is dearest. A call answered from the cache has Percent only:
// its price was known.
type HoldRecord struct {
	Amount  money.Credits `json:"amount"` // at admission
	Target  string        `json:"target,omitempty"`
	Bound   pricing.Bound `json:"bound,omitzero"`
	Quality string        `json:"quality,omitempty"` // of pictures and films, as far as it was known
	Size    string        `json:"size,omitempty"`
	Opaque  bool          `json:"opaque,omitempty"`  // the prompt had no bound of its own: the model's context window
	Counted bool          `json:"counted,omitempty"` // the prompt's tokens were counted; else a token is taken for a byte
	Slice   bool          `json:"slice,omitempty"`   // the output is the first slice of the answer; the hold grows
	Lowered bool          `json:"lowered,omitempty"` // the output limit is what the wallet or a limit left room for
	Percent *int64        `json:"percent,omitempty"` // of the price that a kept answer costs
}

// WithHold returns a plan's stored form with how the hold came about. It is
// written for every call, so the text is put together and not encoded anew.
func WithHold(plan string, h HoldRecord) (string, error) {
	b, err := json.Marshal(h)
	if err != nil || len(plan) < 2 {
		return plan, err
	}
	return plan[:len(plan)-1] + `,"hold":` + string(b) + "}", nil
}
