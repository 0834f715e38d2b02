package upstream

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestWhatIsLeftOfALimitIsReadFromHeaders(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_800_000_000, 0).UTC()
	for _, tt := range []struct {
		name   string
		header []string
		near   bool
		reset  time.Duration
		ok     bool
	}{
		{"none", nil, false, 0, false},
		{"plenty", []string{"x-ratelimit-remaining-requests", "90", "x-ratelimit-limit-requests", "100", "x-ratelimit-reset-requests", "1s"}, false, 0, true},
		{"one request", []string{"x-ratelimit-remaining-requests", "1", "x-ratelimit-reset-requests", "6m0s"}, true, 6 * time.Minute, true},
		{"two of a hundred", []string{"x-ratelimit-remaining-tokens", "2000", "x-ratelimit-limit-tokens", "100000", "x-ratelimit-reset-tokens", "120ms"}, true, 120 * time.Millisecond, true},
		{"seconds", []string{"x-ratelimit-remaining-requests", "0", "x-ratelimit-reset-requests", "7"}, true, 7 * time.Second, true},
		{"the longer of two", []string{"x-ratelimit-remaining-requests", "0", "x-ratelimit-reset-requests", "2s",
			"x-ratelimit-remaining-tokens", "0", "x-ratelimit-reset-tokens", "9s"}, true, 9 * time.Second, true},
		{"Anthropic's time", []string{"anthropic-ratelimit-input-tokens-remaining", "0", "anthropic-ratelimit-input-tokens-limit", "50000",
			"anthropic-ratelimit-input-tokens-reset", now.Add(30 * time.Second).Format(time.RFC3339)}, true, 30 * time.Second, true},
		{"a reset that has passed", []string{"anthropic-ratelimit-requests-remaining", "0", "anthropic-ratelimit-requests-reset", now.Add(-time.Second).Format(time.RFC3339)}, false, 0, true},
		{"no reset", []string{"x-ratelimit-remaining-requests", "0"}, false, 0, true},
		{"a month", []string{"x-ratelimit-remaining-requests", "0", "x-ratelimit-reset-requests", "720h"}, true, longestReset, true},
		{"no number", []string{"x-ratelimit-remaining-requests", "few", "x-ratelimit-reset-requests", "1s"}, false, 0, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := http.Header{}
			for i := 0; i < len(tt.header); i += 2 {
				h.Set(tt.header[i], tt.header[i+1])
			}
			q, ok := readQuota(h, now)
			assert.Equal(t, tt.ok, ok)
			assert.Equal(t, quota{tt.near, tt.reset}, q)
		})
	}
}

func FuzzQuotaHeaders(f *testing.F) {
	f.Add("1", "100", "6m0s")
	f.Add("-1", "0", "2027-01-01T00:00:00Z")
	f.Fuzz(func(t *testing.T, left, limit, reset string) {
		h := http.Header{"X-Ratelimit-Remaining-Requests": {left}, "X-Ratelimit-Limit-Requests": {limit}, "X-Ratelimit-Reset-Requests": {reset}}
		if q, _ := readQuota(h, time.Unix(0, 0)); q.reset < 0 || q.reset > longestReset || q.near != (q.reset > 0) {
			t.Errorf("%+v", q)
		}
	})
}
