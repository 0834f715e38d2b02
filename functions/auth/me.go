package auth

import (
	"fmt"
	"net/http"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// userView is what a user may see of itself.
type userView struct {
	ID    string   `json:"id"`
	Email string   `json:"email"`
	Name  string   `json:"name"`
	Role  hub.Role `json:"role"`
}

func viewUser(u store.User) userView {
	return userView{ID: u.ID, Email: u.Email, Name: u.Name, Role: u.Role}
}

type meView struct {
	User userView   `json:"user"`
	Key  *meKeyView `json:"key"` // null when the caller came without an API key
}

type meKeyView struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Hint string `json:"hint"` // the key's last characters
}

// me tells the caller who it is.
func (h *handler) me(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	user, err := h.Store.UserByID(r.Context(), c.UserID)
	if err != nil {
		return fmt.Errorf("caller's user: %w", err)
	}
	out := meView{User: viewUser(user)}
	if c.KeyID != "" {
		key, err := h.Store.KeyByID(r.Context(), c.KeyID)
		if err != nil {
			return fmt.Errorf("caller's key: %w", err)
		}
		out.Key = &meKeyView{ID: key.ID, Name: key.Name, Hint: key.Hint}
		if c.KeySerial < key.Serial {
			out.Key.Hint = key.OldHint // of the secret that was shown
		}
	}
	return httpkit.WriteJSON(w, http.StatusOK, out)
}
