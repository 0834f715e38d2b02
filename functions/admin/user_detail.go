package admin

import (
	"errors"
	"net/http"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/limits"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// userDetail is a user with what an administrator decides by.
type userDetail struct {
	userView
	Language     string           `json:"language"`
	TimeZone     string           `json:"time_zone"`
	Wallet       purseView        `json:"wallet"`
	Password     bool             `json:"password"`      // one is set
	SecondFactor bool             `json:"second_factor"` // one is in force
	Recovery     int              `json:"recovery_left"` // unused recovery codes
	Ways         []wayView        `json:"ways"`          // outside providers that sign the user in
	Use          operator.UseView `json:"use"`
	Limits       []limitView      `json:"limits"` // of this user alone
}

// purseView is a user's own wallet.
type purseView struct {
	AccountID string        `json:"account_id"`
	Balance   money.Credits `json:"balance"`
	Held      money.Credits `json:"held"`
	Available money.Credits `json:"available"`
	Debt      money.Credits `json:"debt"`
}

type wayView struct {
	Issuer string    `json:"issuer"`
	Email  string    `json:"email"` // as the provider said it last
	UsedAt time.Time `json:"used_at"`
}

// getUser shows a user: ?startTime=, ?endTime= of the use (seconds; the last 30
// days, at most 31).
func (h *handler) getUser(w http.ResponseWriter, r *http.Request, _ hub.Caller) error {
	u, err := h.Desk.User(r.Context(), r.PathValue("email"))
	if err != nil {
		return err
	}
	span, err := operator.UseSpan(r.URL.Query().Get("startTime"), r.URL.Query().Get("endTime"), h.Now())
	if err != nil {
		return err
	}
	v := userDetail{userView: viewUser(u), Language: u.Language, TimeZone: u.TimeZone, Password: u.PasswordHash != "", Ways: []wayView{}, Limits: []limitView{}}
	if v.Use, err = h.Desk.UserUse(r.Context(), u.ID, span); err != nil {
		return err
	}
	if err := h.purse(r, u, &v.Wallet); err != nil {
		return err
	}
	if err := h.waysOf(r, u, &v); err != nil {
		return err
	}
	own, err := h.Store.LimitsOf(r.Context(), limits.User, u.ID)
	if err != nil {
		return err
	}
	for _, l := range own {
		v.Limits = append(v.Limits, viewLimit(l))
	}
	return httpkit.WriteJSON(w, http.StatusOK, v)
}

func (h *handler) purse(r *http.Request, u store.User, into *purseView) error {
	a, err := h.Store.AccountByID(r.Context(), u.AccountID)
	if err != nil {
		return err
	}
	*into = purseView{a.ID, a.Balance, a.Held, a.Available(), a.Debt}
	return nil
}

// waysOf says how a user signs in.
func (h *handler) waysOf(r *http.Request, u store.User, v *userDetail) error {
	factor, err := h.Store.UserTOTP(r.Context(), u.ID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if v.SecondFactor = factor.ConfirmedAt != nil; v.SecondFactor {
		if v.Recovery, err = h.Store.RecoveryLeft(r.Context(), u.ID); err != nil {
			return err
		}
	}
	ways, err := h.Store.Identities(r.Context(), u.ID)
	for _, n := range ways {
		v.Ways = append(v.Ways, wayView{n.Issuer, n.Email, n.UsedAt})
	}
	return err
}
