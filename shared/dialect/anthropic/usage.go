package anthropic

import (
	"encoding/json"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// usageIn is a usage report. What is nil was not reported.
type usageIn struct {
	Input         *int64 `json:"input_tokens"`
	CacheWrite    *int64 `json:"cache_creation_input_tokens"`
	CacheRead     *int64 `json:"cache_read_input_tokens"`
	CacheCreation *struct {
		FiveMinutes int64 `json:"ephemeral_5m_input_tokens"`
		OneHour     int64 `json:"ephemeral_1h_input_tokens"`
	} `json:"cache_creation"`
	Output  *int64 `json:"output_tokens"`
	Details *struct {
		Thinking int64 `json:"thinking_tokens"`
	} `json:"output_tokens_details"`
	ServerTools *struct {
		WebSearches int64 `json:"web_search_requests"`
	} `json:"server_tool_use"`
	Iterations []iteration `json:"iterations"`
	Service    string      `json:"service_tier"`
}

// iteration is one sampling of an answer. Those of type compaction are billed
// too but are not in the totals (public "Compaction" page).
type iteration struct {
	Type       string `json:"type"`
	Input      int64  `json:"input_tokens"`
	Output     int64  `json:"output_tokens"`
	CacheWrite int64  `json:"cache_creation_input_tokens"`
	CacheRead  int64  `json:"cache_read_input_tokens"`
}

// tally is what the reports of one answer say together. They are cumulative:
// a later number replaces the earlier one.
type tally struct {
	input, output, thinking int64
	read, write, five, hour int64
	searches                int64
	compaction              []iteration
	service                 string
	final                   bool // output_tokens was reported at the end, not only as message_start's placeholder
}

// add takes a report in. Reports that cannot be read change nothing. end tells
// that it is the one of a whole answer or of message_delta.
func (t *tally) add(raw []byte, end bool) {
	var u usageIn
	if len(raw) == 0 || json.Unmarshal(raw, &u) != nil {
		return
	}
	for _, f := range []struct {
		to   *int64
		from *int64
	}{{&t.input, u.Input}, {&t.write, u.CacheWrite}, {&t.read, u.CacheRead}, {&t.output, u.Output}} {
		if f.from != nil {
			*f.to = bounded(*f.from)
		}
	}
	if u.CacheCreation != nil {
		t.five, t.hour = bounded(u.CacheCreation.FiveMinutes), bounded(u.CacheCreation.OneHour)
	}
	if u.Details != nil {
		t.thinking = bounded(u.Details.Thinking)
	}
	if u.ServerTools != nil {
		t.searches = bounded(u.ServerTools.WebSearches)
	}
	if u.Service != "" {
		t.service = u.Service
	}
	if u.Iterations != nil {
		t.compaction = t.compaction[:0]
		for _, it := range u.Iterations {
			if it.Type == "compaction" && len(t.compaction) < 1000 {
				t.compaction = append(t.compaction, it)
			}
		}
	}
	t.final = t.final || end && u.Output != nil
}

// bounded keeps a count of a lying provider from overflowing a sum.
func bounded(n int64) int64 { return min(max(n, 0), 1<<40) }

// usage returns the disjoint buckets. Cache writes without a split by lifetime
// count as those of five minutes, the API's default. Thinking is part of
// output_tokens and is told apart only where the provider does.
func (t *tally) usage() hub.Usage {
	var u hub.Usage
	u[hub.Input], u[hub.CacheRead], u[hub.WebSearches] = t.input, t.read, t.searches
	u[hub.CacheWrite1h] = t.hour
	u[hub.CacheWrite5m] = t.five
	if t.write > 0 {
		u[hub.CacheWrite1h] = min(t.hour, t.write)
		u[hub.CacheWrite5m] = t.write - u[hub.CacheWrite1h]
	}
	u[hub.Reasoning] = min(t.thinking, t.output)
	u[hub.Output] = t.output - u[hub.Reasoning]
	for _, it := range t.compaction {
		u[hub.Input] += bounded(it.Input)
		u[hub.Output] += bounded(it.Output)
		u[hub.CacheWrite5m] += bounded(it.CacheWrite)
		u[hub.CacheRead] += bounded(it.CacheRead)
	}
	return u
}
