package billing

import (
	"net/http"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// noticeView is what the caller is told about the own wallet.
type noticeView struct {
	Email      *bool          `json:"email" validate:"required"` // by e-mail, where the hub can send some
	LowBalance *money.Credits `json:"low_balance"`               // below which; "0": only when it is empty; null: the hub's
}

type noticesView struct {
	noticeView
	HubLowBalance money.Credits `json:"hub_low_balance"`
}

func (h *handler) notices(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	choice, err := h.Store.NoticeChoice(r.Context(), c.UserID)
	if err != nil {
		return err
	}
	all, err := h.Store.LowBalance(r.Context())
	if err != nil {
		return err
	}
	return httpkit.WriteJSON(w, http.StatusOK, noticesView{noticeView{&choice.Mail, choice.Low}, all})
}

// setNotices keeps the caller's choice.
func (h *handler) setNotices(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	in, err := httpkit.Decode[noticeView](r)
	if err != nil {
		return err
	}
	if in.LowBalance != nil && *in.LowBalance < 0 {
		return hub.Invalid("low_balance", "The balance must not be negative.")
	}
	if err := h.Store.ChooseNotices(r.Context(), c.UserID, store.NoticeChoice{Low: in.LowBalance, Mail: *in.Email}); err != nil {
		return err
	}
	return h.notices(w, r, c)
}
