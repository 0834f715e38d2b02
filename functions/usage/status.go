package usage

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/health"
	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

const (
	statusHours = 24
	// statusEvery is how long a status page serves for others who ask: anybody may.
	statusEvery = 10 * time.Second
)

// statusPage is what a public status page shows. It names models, not
// providers, and no addresses.
type statusPage struct {
	Status    string        `json:"status"` // operational, degraded, outage, or unknown when nothing was called lately
	UpdatedAt time.Time     `json:"updated_at"`
	Models    []modelStatus `json:"models"`
	// Incidents are hours of the last seven days in which many attempts at a model
	// failed, the newest first.
	Incidents []incident `json:"incidents"`
}

// modelStatus is how a model fares, at whichever providers serve it.
type modelStatus struct {
	Model       string       `json:"model"`
	Type        hub.CallType `json:"type"`
	Available   *bool        `json:"available"`    // null: not called lately
	SuccessRate *float64     `json:"success_rate"` // of the last 24 hours; null: no calls
	Hours       []*float64   `json:"hours"`        // the success rate of each of the last 24 hours, the current one last; null: no calls
	ResponseMS  *int64       `json:"response_ms"`  // median time to the first byte lately, where it is called most; null: unknown
	P95MS       *int64       `json:"p95_ms"`       // of the same, what 95 % stay below
	CheckedAt   *time.Time   `json:"checked_at"`   // the newest attempt; null: not lately
}

// statusCache makes the page once for all who ask within ten seconds.
type statusCache struct {
	mu   sync.Mutex
	made time.Time
	page statusPage
}

// status shows how models fare. Like the list of models it is public, unless
// the operator keeps that to users.
func (h *handler) status(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	if c.UserID == "" && !h.PublicModels {
		return hub.Errorf(hub.CodeUnauthenticated, "This hub shows its status to users only: send an API key.")
	}
	h.cache.mu.Lock()
	defer h.cache.mu.Unlock()
	if now := h.Now(); now.Sub(h.cache.made) >= statusEvery {
		page, err := h.statusPage(r.Context(), now)
		if err != nil {
			return err
		}
		h.cache.page, h.cache.made = page, now
	}
	return httpkit.WriteJSON(w, http.StatusOK, h.cache.page)
}

type modelKey struct {
	model string
	kind  hub.CallType
}

// tally is what is gathered of a model.
type tally struct {
	down, up, unknown int
	ok, failed        [statusHours]int64
	response, p95     time.Duration // of the target with the most calls
	calls             int64
	checked           time.Time
}

func (h *handler) statusPage(ctx context.Context, now time.Time) (statusPage, error) {
	statuses, err := h.Store.ModelStatuses(ctx)
	if err != nil {
		return statusPage{}, err
	}
	first := now.UTC().Truncate(time.Hour).Add(-(statusHours - 1) * time.Hour)
	hours, err := h.Store.StatusHours(ctx, first)
	if err != nil {
		return statusPage{}, err
	}
	offered := h.Routes().Offers()
	all := map[modelKey]*tally{}
	of := func(provider, model string, kind hub.CallType) *tally {
		if !offered(provider, model, kind) {
			return nil // callers can ask for names that no page should show
		}
		key := modelKey{model, kind}
		if all[key] == nil {
			all[key] = &tally{}
		}
		return all[key]
	}
	for _, m := range statuses {
		if t := of(m.Provider, m.Model, m.Type); t != nil {
			t.note(m, now)
		}
	}
	for _, hour := range hours {
		i := int(hour.Hour.Sub(first) / time.Hour)
		if t := of(hour.Provider, hour.Model, hour.Type); t != nil && i >= 0 && i < statusHours {
			t.ok[i] += hour.OK
			t.failed[i] += hour.Failed
		}
	}
	page := statusPage{UpdatedAt: now.UTC(), Models: make([]modelStatus, 0, len(all))}
	for key, t := range all {
		page.Models = append(page.Models, t.view(key))
	}
	slices.SortFunc(page.Models, func(a, b modelStatus) int {
		return cmp.Or(cmp.Compare(a.Model, b.Model), cmp.Compare(a.Type, b.Type))
	})
	page.Status = overall(page.Models)
	page.Incidents, err = h.incidents(ctx, now, func(k modelKey) bool { return all[k] != nil })
	return page, err
}

func (t *tally) note(m store.ModelStatus, now time.Time) {
	switch known := health.Known(m, now); {
	case known == nil:
		t.unknown++
	case *known:
		t.up++
	default:
		t.down++
	}
	if m.Response > 0 && m.Calls > t.calls {
		t.response, t.p95, t.calls = m.Response, m.P95, m.Calls
	}
	if m.CheckedAt.After(t.checked) {
		t.checked = m.CheckedAt
	}
}

func (t *tally) view(key modelKey) modelStatus {
	v := modelStatus{Model: key.model, Type: key.kind, Hours: make([]*float64, statusHours)}
	switch {
	case t.up > 0: // one provider that answers is enough
		v.Available = new(true)
	case t.down > 0 && t.unknown == 0:
		v.Available = new(false)
	}
	var ok, failed int64
	for i := range t.ok {
		v.Hours[i] = share(t.ok[i], t.failed[i])
		ok, failed = ok+t.ok[i], failed+t.failed[i]
	}
	v.SuccessRate = share(ok, failed)
	if t.response > 0 {
		v.ResponseMS, v.P95MS = new(t.response.Milliseconds()), new(max(t.response, t.p95).Milliseconds())
	}
	if !t.checked.IsZero() {
		v.CheckedAt = &t.checked
	}
	return v
}

// share is a rate with four decimals, nil of nothing.
func share(ok, failed int64) *float64 {
	if ok+failed == 0 {
		return nil
	}
	const steps = 10_000
	return new(float64(ok*steps/(ok+failed)) / steps)
}

// overall sums a page up in a word.
func overall(models []modelStatus) string {
	var up, down int
	for _, m := range models {
		switch {
		case m.Available == nil:
		case *m.Available:
			up++
		default:
			down++
		}
	}
	switch {
	case up+down == 0:
		return "unknown"
	case down == 0:
		return "operational"
	case up == 0:
		return "outage"
	}
	return "degraded"
}
