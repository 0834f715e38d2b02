package auth

import (
	"errors"
	"net/http"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/identity"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

type loginRequest struct {
	Email    string     `json:"email" validate:"required,max=254"`
	Password hub.Secret `json:"password" validate:"required,max=1024"`
	Code     hub.Secret `json:"code" validate:"max=100"` // of the second factor; "" until it is asked for
}

// login begins a session for whoever has an e-mail address and its password.
func (h *handler) login(w http.ResponseWriter, r *http.Request) error {
	if err := h.Browser.SameSite(r); err != nil { // or a page signs its visitors in as somebody else
		return err
	}
	in, err := httpkit.Decode[loginRequest](r)
	if err != nil {
		return err
	}
	v := h.visitor(r)
	u, err := h.SignIn.Password(r.Context(), v, in.Email, in.Password, in.Code)
	if err != nil {
		return err
	}
	return h.welcome(w, r, v, u, "password", http.StatusOK)
}

func (h *handler) visitor(r *http.Request) identity.Visitor {
	return identity.Visitor{Address: httpkit.ClientIP(r, h.TrustedProxies), Agent: r.UserAgent()}
}

// signedIn is what whoever signed in is told.
type signedIn struct {
	User    userView `json:"user"`
	Session openView `json:"session"`
	Warning string   `json:"warning,omitempty"`
}

type openView struct {
	ID        string    `json:"id"`
	ExpiresAt time.Time `json:"expires_at"` // whatever happens
}

const clearWarning = "This sign-in crossed the network without encryption: whoever is on the way can read the password and take over the session. Serve the hub over https, and set AIGNE_HUB_PUBLIC_URL."

// welcome begins a session for a user who has shown who it is.
func (h *handler) welcome(w http.ResponseWriter, r *http.Request, v identity.Visitor, u store.User, method string, status int) error {
	s, err := h.begin(w, r, v, u, method)
	if err != nil {
		return err
	}
	out := signedIn{User: viewUser(u), Session: openView{s.ID, s.ExpiresAt}}
	if h.Browser.InTheClear(r) {
		out.Warning = clearWarning
	}
	w.Header().Set("Cache-Control", "no-store")
	return httpkit.WriteJSON(w, status, out)
}

// begin opens the session, records the sign-in, and says in the log what is
// wrong with the way it came.
func (h *handler) begin(w http.ResponseWriter, r *http.Request, v identity.Visitor, u store.User, method string) (store.Session, error) {
	s, err := h.Sessions.Open(r.Context(), w, r, h.Browser.Prefix(r), v, u.ID, method)
	if err != nil {
		return s, err
	}
	if h.Browser.InTheClear(r) {
		httpkit.Log(r.Context()).Warn("sign-in over plain HTTP from another machine; serve the hub over https and set AIGNE_HUB_PUBLIC_URL", "user_id", u.ID)
	}
	return s, h.SignIn.Record(r.Context(), u.Email, "login", s.ID, v, map[string]string{"method": method})
}

// logout ends the session.
func (h *handler) logout(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	s, err := h.Sessions.Current(r)
	if err != nil {
		return err
	}
	if err := errors.Join(h.Sessions.Close(w, r, h.Browser.Prefix(r)), h.leaveHost(w, r)); err != nil {
		return err
	}
	subject := s.ID
	if subject == "" { // signed in at a Blocklet Server
		subject = c.Email
	}
	if err := h.SignIn.Record(r.Context(), c.Email, "logout", subject, h.visitor(r), nil); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

type newPassword struct {
	Current  hub.Secret `json:"current" validate:"max=1024"` // "" where the user has none
	Password hub.Secret `json:"password" validate:"required,max=1024"`
}

// changePassword replaces the caller's own password, or sets the first one, and
// ends the caller's other sessions.
func (h *handler) changePassword(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	in, err := httpkit.Decode[newPassword](r)
	if err != nil {
		return err
	}
	u, err := h.Store.UserByID(r.Context(), c.UserID)
	if err != nil {
		return err
	}
	s, err := h.Sessions.Current(r)
	if err != nil {
		return err
	}
	if err := h.SignIn.Confirm(r.Context(), u, in.Current); err != nil {
		return err
	}
	hash, err := h.SignIn.Hash(r.Context(), u.Email, in.Password)
	if err != nil {
		return err
	}
	if err := h.Store.SetPassword(r.Context(), u.ID, hash, s.ID); err != nil {
		return err
	}
	if err := h.SignIn.Record(r.Context(), c.Email, "user.set-password", u.Email, h.visitor(r), nil); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
