package admin

import (
	"net/http"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// userView is a user without what signs one in.
type userView struct {
	ID         string     `json:"id"`
	Email      string     `json:"email"`
	Name       string     `json:"name"`
	Role       hub.Role   `json:"role"`
	Groups     []string   `json:"groups"`
	DID        string     `json:"did"` // under which Payment Kit knows the user; "" where it does not
	CreatedAt  time.Time  `json:"created_at"`
	DisabledAt *time.Time `json:"disabled_at"`
}

func viewUser(u store.User) userView {
	return userView{ID: u.ID, Email: u.Email, Name: u.Name, Role: u.Role, Groups: append([]string{}, u.Groups...), DID: u.DID, CreatedAt: u.CreatedAt, DisabledAt: u.DisabledAt}
}

// listUsers lists users by age: ?q= (part of the e-mail address or the name),
// ?role=, ?state=active|disabled, ?cursor=, ?pageSize=.
func (h *handler) listUsers(w http.ResponseWriter, r *http.Request, _ hub.Caller) error {
	after, size, err := httpkit.CursorPage(r)
	if err != nil {
		return err
	}
	q := r.URL.Query()
	f := store.UserFilter{Part: q.Get("q"), Role: hub.Role(q.Get("role"))}
	if f.Role != "" && !f.Role.Valid() {
		return hub.Invalid("role", "role must be owner, admin, member or guest.")
	}
	switch q.Get("state") {
	case "":
	case "active":
		f.Disabled = new(false)
	case "disabled":
		f.Disabled = new(true)
	default:
		return hub.Invalid("state", "state must be active or disabled.")
	}
	rows, err := h.Store.FindUsers(r.Context(), f, after, size+1)
	if err != nil {
		return err
	}
	return httpkit.WriteJSON(w, http.StatusOK, httpkit.Listed(rows, size, func(u store.User) string { return u.ID }, viewUser))
}

type newUser struct {
	Email    string     `json:"email" validate:"required,max=254"`
	Role     hub.Role   `json:"role" validate:"required"`
	Password hub.Secret `json:"password"` // "" for none
}

// createUser makes a user and the wallet that goes with it.
func (h *handler) createUser(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	in, err := httpkit.Decode[newUser](r)
	if err != nil {
		return err
	}
	if err := mayEmpower(c, in.Role); err != nil {
		return err
	}
	u, err := h.Desk.CreateUser(r.Context(), c.Email, in.Email, in.Role, in.Password)
	if err != nil {
		return err
	}
	return httpkit.WriteJSON(w, http.StatusCreated, viewUser(u))
}

type newGroups struct {
	Groups []string `json:"groups" validate:"required"`
}

// setGroups puts a user into groups, and out of all others.
func (h *handler) setGroups(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	in, err := httpkit.Decode[newGroups](r)
	if err != nil {
		return err
	}
	u, err := h.Desk.SetGroups(r.Context(), c.Email, r.PathValue("email"), in.Groups)
	if err != nil {
		return err
	}
	return httpkit.WriteJSON(w, http.StatusOK, viewUser(u))
}

type newDID struct {
	DID string `json:"did" validate:"required"`
}

// setDID says under which DID Payment Kit knows a user.
func (h *handler) setDID(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	in, err := httpkit.Decode[newDID](r)
	if err != nil {
		return err
	}
	u, err := h.Desk.SetDID(r.Context(), c.Email, r.PathValue("email"), in.DID)
	if err != nil {
		return err
	}
	return httpkit.WriteJSON(w, http.StatusOK, viewUser(u))
}

// mayEmpower keeps admins from making themselves owners by way of a user or key
// that they hand out.
func mayEmpower(c hub.Caller, role hub.Role) error {
	if role == hub.RoleOwner && c.Role != hub.RoleOwner {
		return hub.Errorf(hub.CodeForbidden, "Only an owner may give an owner's powers.")
	}
	return nil
}
