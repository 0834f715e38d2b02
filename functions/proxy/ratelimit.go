package proxy

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/admission"
	"github.com/aigne-hub/aigne-hub/shared/limits"
	"github.com/aigne-hub/aigne-hub/shared/store"
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
		if i, ok := tightest[metric]; ok {
			windowHeaders(w.Header(), holds[i], windows[i])
		}
	}
}

// refusalHeaders tells a caller who was refused which limit is used up, and until
// when. A refused request is no call: it is in the log, not on record.
func refusalHeaders(w http.ResponseWriter, err error) {
	var l *admission.LimitError
	if errors.As(err, &l) && (l.Hold.Metric == limits.Requests || l.Hold.Metric == limits.Tokens) {
		windowHeaders(w.Header(), l.Hold, l.Window)
	}
}

func windowHeaders(h http.Header, hold store.LimitHold, win store.Window) {
	h.Set("x-ratelimit-limit-"+hold.Metric, strconv.FormatInt(hold.Most, 10))
	h.Set("x-ratelimit-remaining-"+hold.Metric, strconv.FormatInt(max(0, hold.Most-win.Used), 10))
	h.Set("x-ratelimit-reset-"+hold.Metric, (time.Duration(win.Ends) * time.Millisecond).String())
}
