package billing

import (
	"net/http"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/ledger"
	"github.com/aigne-hub/aigne-hub/shared/money"
)

type newGrant struct {
	Email     string        `json:"email" validate:"required,max=254"`
	Amount    money.Credits `json:"amount"` // decimal text, at most nine decimals
	ExpiresAt *time.Time    `json:"expires_at"`
	Reason    string        `json:"reason" validate:"max=500"` // the user sees it
}

// grant gives credits to a user.
func (h *handler) grant(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	in, err := httpkit.Decode[newGrant](r)
	if err != nil {
		return err
	}
	g, err := h.Desk.Grant(r.Context(), c.Email, in.Email, in.Amount, in.ExpiresAt, in.Reason)
	if err != nil {
		return err
	}
	return httpkit.WriteJSON(w, http.StatusCreated, viewGrant(g))
}

type verifyView struct {
	OK bool `json:"ok"`
	ledger.Report
}

// verify proves the books; what is wrong with them is part of the answer, not
// an error.
func (h *handler) verify(w http.ResponseWriter, r *http.Request, _ hub.Caller) error {
	report, err := h.Book.Verify(r.Context())
	if err != nil {
		return err
	}
	return httpkit.WriteJSON(w, http.StatusOK, verifyView{OK: len(report.Violations) == 0, Report: report})
}
