package routing

import (
	"encoding/json"
	"strconv"

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
// written for every call, so the text is put together by hand: the plan is not
// encoded anew, and nothing is reflected upon.
func WithHold(plan string, h *HoldRecord) string {
	const room = 256
	dst := make([]byte, 0, len(plan)+room)
	dst = append(dst, plan[:len(plan)-1]...)
	dst = append(append(dst, `,"hold":{"amount":"`...), h.Amount.String()...)
	dst = append(dst, '"')
	dst = appendText(dst, "target", h.Target)
	dst = appendBound(dst, &h.Bound)
	dst = appendText(dst, "quality", h.Quality)
	dst = appendText(dst, "size", h.Size)
	for _, f := range [...]struct {
		name string
		is   bool
	}{{"opaque", h.Opaque}, {"counted", h.Counted}, {"slice", h.Slice}, {"lowered", h.Lowered}} {
		if f.is {
			dst = append(append(append(dst, `,"`...), f.name...), `":true`...)
		}
	}
	if h.Percent != nil {
		dst = strconv.AppendInt(append(dst, `,"percent":`...), *h.Percent, 10)
	}
	return string(append(dst, "}}"...))
}

func appendBound(dst []byte, b *pricing.Bound) []byte {
	start := len(dst)
	for _, f := range [...]struct {
		name string
		n    int64
	}{
		{"input", b.Input}, {"output", b.Output}, {"n", b.N}, {"images", b.Images}, {"seconds", b.Seconds},
		{"characters", b.Characters}, {"web_searches", b.WebSearches}, {"requests", b.Requests},
	} {
		if f.n == 0 {
			continue
		}
		dst = append(dst, opening(len(dst) == start)...)
		dst = strconv.AppendInt(append(append(dst, f.name...), `":`...), f.n, 10)
	}
	if len(dst) > start {
		dst = append(dst, '}')
	}
	return dst
}

// appendText appends a member that is not empty.
func appendText(dst []byte, name, s string) []byte {
	if s == "" {
		return dst
	}
	dst = append(append(append(dst, `,"`...), name...), `":`...)
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			b, _ := json.Marshal(s) // a text always encodes
			return append(dst, b...)
		}
	}
	return append(append(append(dst, '"'), s...), '"')
}

func opening(first bool) string {
	if first {
		return `,"bound":{"`
	}
	return `,"`
}
