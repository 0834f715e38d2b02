package admin

import (
	"context"
	"net/http"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/capture"
	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// captureView is whether bodies are kept, and of which calls.
type captureView struct {
	On    bool              `json:"on"` // AIGNE_HUB_CAPTURE: without it the rules rest
	Rules []captureRuleView `json:"rules"`
	Stats capture.Stats     `json:"stats"` // of this process
}

type captureRuleView struct {
	ID        string    `json:"id"`
	CreatedAt time.Time `json:"created_at"`
	CreatedBy string    `json:"created_by"`
	UserID    string    `json:"user_id"` // "": anybody
	KeyID     string    `json:"key_id"`
	AppID     string    `json:"app_id"`
	Permille  int64     `json:"permille"`
	Parts     string    `json:"parts"`
	PII       []string  `json:"pii"`
	UsersSee  bool      `json:"users_see"`
}

func viewCaptureRule(c store.CaptureRule) captureRuleView {
	return captureRuleView{c.ID, c.CreatedAt.UTC().Truncate(time.Millisecond), c.CreatedBy, c.UserID, c.KeyID, c.AppID, c.Permille, c.Parts, c.PII, c.UsersSee}
}

// capture shows the rules by which bodies are kept: there are few.
func (h *handler) capture(w http.ResponseWriter, r *http.Request, _ hub.Caller) error {
	all, err := h.Store.CaptureRules(r.Context())
	if err != nil {
		return err
	}
	v := captureView{On: h.Capture != nil, Rules: make([]captureRuleView, len(all)), Stats: h.Capture.Stats()}
	for i, c := range all {
		v.Rules[i] = viewCaptureRule(c)
	}
	return httpkit.WriteJSON(w, http.StatusOK, v)
}

func (h *handler) addCaptureRule(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	n, err := httpkit.Decode[operator.NewCaptureRule](r)
	if err != nil {
		return err
	}
	rule, err := h.Desk.AddCaptureRule(r.Context(), c.Email, n)
	if err != nil {
		return err
	}
	return httpkit.WriteJSON(w, http.StatusCreated, viewCaptureRule(rule))
}

func (h *handler) removeCaptureRule(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	if err := h.Desk.RemoveCaptureRule(r.Context(), c.Email, r.PathValue("id")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// forgetPayloads deletes bodies whose time is over.
func forgetPayloads(ctx context.Context, s *store.Store) error {
	for {
		more, err := s.ForgetPayloads(ctx)
		if err != nil || !more {
			return err
		}
	}
}
