package proxy

import (
	"net/http"
	"strconv"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/admission"
	"github.com/aigne-hub/aigne-hub/shared/limits"
)

// rateHeaders tells a caller with limits how much is left of the tightest one of
// requests and of tokens, as OpenAI names these headers
// (platform.openai.com/docs/guides/rate-limits).
func rateHeaders(w http.ResponseWriter, r *http.Request, t *admission.Ticket) {
	holds, windows := t.Windows(r.Context())
	tightest := map[string]int{}
	left := func(i int) int64 { return max(0, holds[i].Most-windows[i].Used) }
	for i, h := range holds {
		if at, ok := tightest[h.Metric]; !ok || left(i) < left(at) {
			tightest[h.Metric] = i
		}
	}
	for _, metric := range []string{limits.Requests, limits.Tokens} {
		i, ok := tightest[metric]
		if !ok {
			continue
		}
		h := w.Header()
		h.Set("x-ratelimit-limit-"+metric, strconv.FormatInt(holds[i].Most, 10))
		h.Set("x-ratelimit-remaining-"+metric, strconv.FormatInt(left(i), 10))
		h.Set("x-ratelimit-reset-"+metric, (time.Duration(windows[i].Ends) * time.Millisecond).String())
	}
}
