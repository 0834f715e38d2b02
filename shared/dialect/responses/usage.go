package responses

import (
	"strconv"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// maxTokens bounds every count read from a provider, so that sums never
// overflow.
const maxTokens = 1 << 50

// tokens is a count as providers send it. Negative and absurd ones are brought
// into bounds; what is no number is none.
type tokens int64

// UnmarshalJSON never fails: a figure that cannot be read is left out.
func (t *tokens) UnmarshalJSON(raw []byte) error {
	f, err := strconv.ParseFloat(string(raw), 64)
	if err != nil || f != f {
		return nil //nolint:nilerr // documented: no number, no count
	}
	*t = tokens(min(max(f, 0), maxTokens))
	return nil
}

// usageIn is usage on the wire, where the figures overlap.
type usageIn struct {
	Input        *tokens `json:"input_tokens"`
	InputDetails struct {
		Cached  tokens `json:"cached_tokens"`
		Written tokens `json:"cache_write_tokens"`
	} `json:"input_tokens_details"`
	Output        *tokens `json:"output_tokens"`
	OutputDetails struct {
		Reasoning tokens `json:"reasoning_tokens"`
	} `json:"output_tokens_details"`
}

// buckets parts the overlapping figures. Details never exceed what they are
// part of. ok is false when there are no figures.
func (n *usageIn) buckets(searches int64) (u hub.Usage, ok bool) {
	if n == nil || n.Input == nil && n.Output == nil {
		return u, false
	}
	take := func(rest *tokens, want tokens) int64 {
		got := min(want, *rest)
		*rest -= got
		return int64(got)
	}
	var in, out tokens
	if n.Input != nil {
		in = *n.Input
	}
	if n.Output != nil {
		out = *n.Output
	}
	u[hub.CacheRead] = take(&in, n.InputDetails.Cached)
	u[hub.CacheWrite5m] = take(&in, n.InputDetails.Written)
	u[hub.Input] = int64(in)
	u[hub.Reasoning] = take(&out, n.OutputDetails.Reasoning)
	u[hub.Output] = int64(out)
	u[hub.WebSearches] = searches
	return u, true
}

// usageOut is usage as callers of this language read it.
type usageOut struct {
	Input        int64 `json:"input_tokens"`
	InputDetails struct {
		Cached  int64 `json:"cached_tokens"`
		Written int64 `json:"cache_write_tokens,omitempty"`
	} `json:"input_tokens_details"`
	Output        int64 `json:"output_tokens"`
	OutputDetails struct {
		Reasoning int64 `json:"reasoning_tokens"`
	} `json:"output_tokens_details"`
	Total int64 `json:"total_tokens"`
}

func usageFor(u hub.Usage) *usageOut {
	o := &usageOut{Input: u.Prompt(), Output: u.Completion()}
	o.Total = o.Input + o.Output
	o.InputDetails.Cached = u[hub.CacheRead]
	o.InputDetails.Written = u[hub.CacheWrite5m] + u[hub.CacheWrite1h]
	o.OutputDetails.Reasoning = u[hub.Reasoning]
	return o
}
