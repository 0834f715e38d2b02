package admin

import (
	"encoding/json"
	"io"
	"net/http"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/alert"
	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// alertView is an alert as it is shown.
type alertView struct {
	ID             string          `json:"id"`
	Rule           string          `json:"rule"`
	Subject        string          `json:"subject"`
	Severity       string          `json:"severity"`
	State          string          `json:"state"` // open or resolved
	Title          string          `json:"title"`
	Data           json.RawMessage `json:"data"`
	RaisedAt       time.Time       `json:"raised_at"`
	SeenAt         time.Time       `json:"seen_at"`
	ResolvedAt     *time.Time      `json:"resolved_at"`
	AcknowledgedAt *time.Time      `json:"acknowledged_at"`
	AcknowledgedBy string          `json:"acknowledged_by"`
}

func viewAlert(a store.Alert) alertView {
	v := alertView{ID: a.ID, Rule: a.Rule, Subject: a.Subject, Severity: a.Severity, State: "open", Title: a.Title, Data: json.RawMessage(a.Data),
		RaisedAt: a.RaisedAt, SeenAt: a.SeenAt, ResolvedAt: a.ResolvedAt, AcknowledgedAt: a.AcknowledgedAt, AcknowledgedBy: a.AcknowledgedBy}
	if a.ResolvedAt != nil {
		v.State = "resolved"
	}
	return v
}

// listAlerts lists all alerts by pages, or the open ones, which are few, at once.
func (h *handler) listAlerts(w http.ResponseWriter, r *http.Request, _ hub.Caller) error {
	id := func(a store.Alert) string { return a.ID }
	switch state := r.URL.Query().Get("state"); state {
	case "", "all":
	case "open":
		open, err := h.Store.OpenAlerts(r.Context())
		if err != nil {
			return err
		}
		return httpkit.WriteJSON(w, http.StatusOK, httpkit.Listed(open, len(open), id, viewAlert))
	default:
		return hub.Invalid("state", "state is open or all, not %q.", state)
	}
	after, size, err := httpkit.CursorPage(r)
	if err != nil {
		return err
	}
	rows, err := h.Store.Alerts(r.Context(), after, size+1)
	if err != nil {
		return err
	}
	return httpkit.WriteJSON(w, http.StatusOK, httpkit.Listed(rows, size, id, viewAlert))
}

func (h *handler) acknowledgeAlert(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	a, err := h.Desk.AcknowledgeAlert(r.Context(), c.Email, r.PathValue("id"))
	if err != nil {
		return err
	}
	return httpkit.WriteJSON(w, http.StatusOK, viewAlert(a))
}

func (h *handler) alertRules(w http.ResponseWriter, r *http.Request, _ hub.Caller) error {
	rules, err := alert.Load(r.Context(), h.Store)
	if err != nil {
		return err
	}
	return httpkit.WriteJSON(w, http.StatusOK, rules)
}

// setAlertRules changes what the body names.
func (h *handler) setAlertRules(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return hub.Wrap(hub.CodeInvalid, err, "The request body broke off.")
	}
	rules, err := h.Desk.SetAlertRules(r.Context(), c.Email, body)
	if err != nil {
		return err
	}
	return httpkit.WriteJSON(w, http.StatusOK, rules)
}
