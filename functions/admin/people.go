package admin

import (
	"errors"
	"net/http"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// peopleRoutes: who is let in, and as what.
func (h *handler) peopleRoutes(admin administered) []httpkit.Route {
	const (
		user        = "/api/admin/users/{email}"
		invitations = "/api/admin/invitations"
	)
	return []httpkit.Route{
		admin("PATCH", user, h.changeUser),
		admin("GET", user+"/sessions", h.listSessions),
		admin("DELETE", user+"/sessions", h.endSessions),
		admin("DELETE", user+"/second-factor", h.removeFactor),
		admin("POST", user+"/reset-link", h.resetLink),
		admin("DELETE", "/api/admin/sessions/{id}", h.endSession),
		admin("GET", invitations, h.listInvitations),
		admin("POST", invitations, h.invite),
		admin("POST", invitations+"/{id}/resend", h.resendInvitation),
		admin("DELETE", invitations+"/{id}", h.revokeInvitation),
	}
}

// subject is the user that a path names, whom the caller may change: admins keep
// their hands off owners.
func (h *handler) subject(r *http.Request, c hub.Caller) (store.User, error) {
	u, err := h.Desk.User(r.Context(), r.PathValue("email"))
	if err == nil && u.Role == hub.RoleOwner && c.Role != hub.RoleOwner {
		err = hub.Errorf(hub.CodeForbidden, "Only an owner may change an owner.")
	}
	return u, err
}

type userChange struct {
	Role     *hub.Role `json:"role"`
	Disabled *bool     `json:"disabled"`
}

// changeUser gives a user another role, disables or enables the user.
func (h *handler) changeUser(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	in, err := httpkit.Decode[userChange](r)
	if err != nil {
		return err
	}
	u, err := h.subject(r, c)
	if err != nil {
		return err
	}
	if in.Role != nil {
		if err := mayEmpower(c, *in.Role); err != nil {
			return err
		}
		if err := h.Desk.SetRole(r.Context(), c.Email, u.Email, *in.Role); err != nil {
			return err
		}
	}
	if in.Disabled != nil {
		if _, err := h.Desk.SetDisabled(r.Context(), c.Email, u.Email, *in.Disabled); err != nil {
			return err
		}
	}
	if u, err = h.Desk.User(r.Context(), u.Email); err != nil {
		return err
	}
	return httpkit.WriteJSON(w, http.StatusOK, viewUser(u))
}

// sessionView is a session without what could be used in its place.
type sessionView struct {
	ID        string    `json:"id"`
	Method    string    `json:"method"`
	Address   string    `json:"address"`
	Agent     string    `json:"agent"`
	CreatedAt time.Time `json:"created_at"`
	SeenAt    time.Time `json:"seen_at"` // some minutes behind
	ExpiresAt time.Time `json:"expires_at"`
}

// listSessions lists a user's sessions, newest first; there are at most 50.
func (h *handler) listSessions(w http.ResponseWriter, r *http.Request, _ hub.Caller) error {
	rows, err := h.Desk.Sessions(r.Context(), r.PathValue("email"))
	if err != nil {
		return err
	}
	data := make([]sessionView, len(rows))
	for i, s := range rows {
		data[i] = sessionView{ID: s.ID, Method: s.Method, Address: s.Address, Agent: s.Agent, CreatedAt: s.CreatedAt, SeenAt: s.SeenAt, ExpiresAt: s.ExpiresAt}
	}
	return httpkit.WriteJSON(w, http.StatusOK, map[string]any{"data": data})
}

// endSessions ends all sessions of a user; an owner's too, like a key's.
func (h *handler) endSessions(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	if err := h.Desk.EndSessions(r.Context(), c.Email, r.PathValue("email"), ""); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// endSession ends one session of anybody.
func (h *handler) endSession(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	if err := h.Desk.EndSession(r.Context(), c.Email, r.PathValue("id")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// removeFactor takes a user's second factor away.
func (h *handler) removeFactor(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	u, err := h.subject(r, c)
	if err != nil {
		return err
	}
	if err := h.Desk.RemoveSecondFactor(r.Context(), c.Email, u.Email); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// resetLink makes a link by which a user can set a new password, to be passed on
// by hand.
func (h *handler) resetLink(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	u, err := h.subject(r, c)
	if err != nil {
		return err
	}
	link, expires, err := h.Desk.ResetLink(r.Context(), c.Email, u.Email)
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	return httpkit.WriteJSON(w, http.StatusCreated, map[string]any{"link": link.Reveal(), "expires_at": expires})
}

type invitationView struct {
	ID         string     `json:"id"`
	Email      string     `json:"email"`
	Role       hub.Role   `json:"role"`
	Groups     []string   `json:"groups"`
	InvitedBy  string     `json:"invited_by"`
	CreatedAt  time.Time  `json:"created_at"`
	SentAt     time.Time  `json:"sent_at"`
	ExpiresAt  time.Time  `json:"expires_at"`
	AcceptedAt *time.Time `json:"accepted_at"`
	RevokedAt  *time.Time `json:"revoked_at"`
}

func viewInvitation(n store.Invitation) invitationView {
	return invitationView{ID: n.ID, Email: n.Email, Role: n.Role, Groups: append([]string{}, n.Groups...), InvitedBy: n.Actor, CreatedAt: n.CreatedAt,
		SentAt: n.SentAt, ExpiresAt: n.ExpiresAt, AcceptedAt: n.AcceptedAt, RevokedAt: n.RevokedAt}
}

// listInvitations lists invitations, newest first: ?cursor=, ?pageSize=.
func (h *handler) listInvitations(w http.ResponseWriter, r *http.Request, _ hub.Caller) error {
	before, size, err := httpkit.CursorPage(r)
	if err != nil {
		return err
	}
	rows, err := h.Store.Invitations(r.Context(), before, size+1)
	if err != nil {
		return err
	}
	return httpkit.WriteJSON(w, http.StatusOK, httpkit.Listed(rows, size, func(n store.Invitation) string { return n.ID }, viewInvitation))
}

type newInvitation struct {
	Email    string   `json:"email" validate:"required,max=254"`
	Role     hub.Role `json:"role" validate:"required"`
	Groups   []string `json:"groups"`
	Language string   `json:"language" validate:"max=10"` // of the mail; "": English
}

// invited is an invitation with its link where no mail carries it.
type invited struct {
	invitationView
	Mailed bool   `json:"mailed"`
	Link   string `json:"link,omitempty"`
}

// invite lets somebody become a user.
func (h *handler) invite(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	in, err := httpkit.Decode[newInvitation](r)
	if err != nil {
		return err
	}
	if err := mayEmpower(c, in.Role); err != nil {
		return err
	}
	n, err := h.Desk.Invite(r.Context(), c.Email, in.Email, in.Role, in.Groups, in.Language)
	if err != nil {
		return err
	}
	return showInvited(w, http.StatusCreated, n)
}

func showInvited(w http.ResponseWriter, status int, n operator.Invited) error {
	w.Header().Set("Cache-Control", "no-store")
	return httpkit.WriteJSON(w, status, invited{viewInvitation(n.Invitation), n.Mailed, n.Link.Reveal()})
}

// resendInvitation gives an invitation a new link and a new time.
func (h *handler) resendInvitation(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	before, err := h.Store.InvitationByID(r.Context(), r.PathValue("id"))
	if err == nil {
		err = mayEmpower(c, before.Role) // the link would make whoever asks an owner
	}
	if err != nil {
		if errors.Is(err, store.ErrNotFound) {
			return hub.Errorf(hub.CodeNotFound, "There is no open invitation with this id.")
		}
		return err
	}
	n, err := h.Desk.ResendInvitation(r.Context(), c.Email, before.ID, r.URL.Query().Get("language"))
	if err != nil {
		return err
	}
	return showInvited(w, http.StatusOK, n)
}

// revokeInvitation ends an open invitation.
func (h *handler) revokeInvitation(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	if err := h.Desk.RevokeInvitation(r.Context(), c.Email, r.PathValue("id")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
