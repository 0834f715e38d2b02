package upstream

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// forbidden is the status of a key that may not do something.
const forbidden = http.StatusForbidden

// quota is what an answer says of the limits that a key has left.
type quota struct {
	near  bool
	reset time.Duration // until the limit that is near is full again
}

// limitHeaders are the headers, in canonical form, by which providers tell what is
// left. OpenAI's form, which many share, has durations until the reset
// (platform.openai.com/docs/guides/rate-limits), Anthropic's has times
// (docs.claude.com/en/api/rate-limits).
var limitHeaders = []struct{ remaining, limit, reset string }{
	{"X-Ratelimit-Remaining-Requests", "X-Ratelimit-Limit-Requests", "X-Ratelimit-Reset-Requests"},
	{"X-Ratelimit-Remaining-Tokens", "X-Ratelimit-Limit-Tokens", "X-Ratelimit-Reset-Tokens"},
	{"Anthropic-Ratelimit-Requests-Remaining", "Anthropic-Ratelimit-Requests-Limit", "Anthropic-Ratelimit-Requests-Reset"},
	{"Anthropic-Ratelimit-Tokens-Remaining", "Anthropic-Ratelimit-Tokens-Limit", "Anthropic-Ratelimit-Tokens-Reset"},
	{"Anthropic-Ratelimit-Input-Tokens-Remaining", "Anthropic-Ratelimit-Input-Tokens-Limit", "Anthropic-Ratelimit-Input-Tokens-Reset"},
	{"Anthropic-Ratelimit-Output-Tokens-Remaining", "Anthropic-Ratelimit-Output-Tokens-Limit", "Anthropic-Ratelimit-Output-Tokens-Reset"},
}

const (
	fewLeft      = 1
	smallShare   = 50 // a fiftieth, 2 %
	longestReset = time.Hour
)

// readQuota reads those headers; ok is false where there are none. A limit is
// near with at most one request or 2 % left, and only until a reset that is told.
func readQuota(h http.Header, now time.Time) (q quota, ok bool) {
	for i := range limitHeaders {
		n := &limitHeaders[i]
		values := h[n.remaining]
		if len(values) == 0 {
			continue
		}
		left, err := strconv.ParseInt(values[0], 10, 64)
		if err != nil {
			continue
		}
		ok = true
		most, _ := strconv.ParseInt(h.Get(n.limit), 10, 64) // 0: not told
		if left > fewLeft && (most <= 0 || left > most/smallShare) {
			continue
		}
		if reset := readReset(h.Get(n.reset), now); reset > 0 {
			q.near, q.reset = true, max(q.reset, min(reset, longestReset))
		}
	}
	return q, ok
}

// readReset reads when a limit is full again: a duration ("6m0s"), a number of
// seconds, or a time. 0: it is not told, or has passed.
func readReset(text string, now time.Time) time.Duration {
	if text = strings.TrimSpace(text); text == "" {
		return 0
	}
	if d, err := time.ParseDuration(text); err == nil {
		return d
	}
	if s, err := strconv.ParseFloat(text, 64); err == nil && s > 0 && s <= longestReset.Seconds() {
		return time.Duration(s * float64(time.Second))
	}
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at.Sub(now)
	}
	return 0
}
