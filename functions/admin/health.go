package admin

import (
	"net/http"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/health"
	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// The states of a credential.
const (
	running  = "running"
	cooling  = "cooling"  // it rests after a failure, as the process that answers knows it
	disabled = "disabled" // switched off, by an operator or for the reason given
)

// credentialHealth is how a credential fares. Running is all that the original
// hub tells.
type credentialHealth struct {
	Running bool       `json:"running"`
	State   string     `json:"state"`
	Reason  string     `json:"reason,omitempty"`
	Until   *time.Time `json:"until,omitempty"` // when it may be used again
}

// targetHealth is how a model at a provider fares, over all processes.
type targetHealth struct {
	Provider    string       `json:"provider"`
	Model       string       `json:"model"`
	Type        hub.CallType `json:"type"`
	Available   *bool        `json:"available"` // null: not known
	Error       string       `json:"error,omitempty"`
	Reason      string       `json:"reason,omitempty"`
	Calls       int64        `json:"calls"` // in the last five minutes of traffic of the process that reported last
	SuccessRate float64      `json:"success_rate"`
	P50         int64        `json:"p50_ms"` // to the first byte; 0: unknown
	P95         int64        `json:"p95_ms"`
	Failing     bool         `json:"failing"` // asked after all others, because calls of the process that answers fail
	CheckedAt   time.Time    `json:"checked_at"`
	ChangedAt   time.Time    `json:"changed_at"` // since when available is what it is
}

// healthView keeps the shape of the original's GET /api/ai-providers/health and
// adds to it.
type healthView struct {
	Providers map[string]map[string]credentialHealth `json:"providers"`
	Targets   []targetHealth                         `json:"targets"`
	Timestamp time.Time                              `json:"timestamp"`
}

// health shows how credentials and targets fare.
func (h *handler) health(w http.ResponseWriter, r *http.Request, _ hub.Caller) error {
	v := healthView{Providers: map[string]map[string]credentialHealth{}, Timestamp: h.Now().UTC()}
	for _, p := range h.Routes().Providers() {
		keys := map[string]credentialHealth{}
		for _, c := range p.Credentials {
			keys[c.Name] = credentialHealth{Running: true, State: running}
			if until := h.Upstream.RestsUntil(p, c); !until.IsZero() {
				keys[c.Name] = credentialHealth{State: cooling, Until: &until, Reason: "It rests after a failure."}
			}
		}
		v.Providers[p.Name] = keys
	}
	if err := h.addDisabled(r, v.Providers); err != nil {
		return err
	}
	statuses, err := h.Store.ModelStatuses(r.Context())
	if err != nil {
		return err
	}
	failing := map[[2]string]bool{}
	for _, b := range h.Upstream.OpenBreakers() {
		failing[b] = true
	}
	v.Targets = make([]targetHealth, len(statuses))
	for i, m := range statuses {
		v.Targets[i] = h.viewTarget(m)
		v.Targets[i].Failing = failing[[2]string{m.Provider, m.Model}]
	}
	return httpkit.WriteJSON(w, http.StatusOK, v)
}

// addDisabled adds stored credentials that no call may use: they are not among
// the routes.
func (h *handler) addDisabled(r *http.Request, into map[string]map[string]credentialHealth) error {
	providers, err := h.Store.Providers(r.Context())
	if err != nil {
		return err
	}
	all, err := h.Store.Credentials(r.Context())
	if err != nil {
		return err
	}
	for _, p := range providers {
		keys := into[p.Name]
		if keys == nil {
			keys = map[string]credentialHealth{}
			into[p.Name] = keys
		}
		for _, c := range all {
			switch {
			case c.ProviderID != p.ID:
			case !p.Enabled:
				keys[c.Name] = credentialHealth{State: disabled, Reason: "The provider is switched off."}
			case !c.Active:
				keys[c.Name] = credentialHealth{State: disabled, Reason: c.Error}
			}
		}
	}
	return nil
}

func (h *handler) viewTarget(m store.ModelStatus) targetHealth {
	v := targetHealth{Provider: m.Provider, Model: m.Model, Type: m.Type, Available: health.Known(m, h.Now()), Calls: m.Calls, SuccessRate: m.Success,
		P50: m.Response.Milliseconds(), P95: m.P95.Milliseconds(), CheckedAt: m.CheckedAt, ChangedAt: m.ChangedAt}
	if !m.Available {
		v.Error, v.Reason = m.Category, m.Error
	}
	return v
}
