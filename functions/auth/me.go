package auth

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // the names of time zones, where the machine has none

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/identity"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// userView is what a user may see of itself.
type userView struct {
	ID       string   `json:"id"`
	Email    string   `json:"email"`
	Name     string   `json:"name"`
	Role     hub.Role `json:"role"`
	Language string   `json:"language"`  // en, zh-CN, zh-TW or ja; "": the browser's
	TimeZone string   `json:"time_zone"` // IANA name; "": the browser's
}

func viewUser(u store.User) userView {
	return userView{ID: u.ID, Email: u.Email, Name: u.Name, Role: u.Role, Language: u.Language, TimeZone: u.TimeZone}
}

type meView struct {
	User   userView   `json:"user"`
	SignIn signInView `json:"sign_in"`
	Key    *meKeyView `json:"key"` // null when the caller came without an API key

	Blocklet *hostView `json:"blocklet,omitempty"` // of a user of a Blocklet Server
}

// signInView is how a user can sign in.
type signInView struct {
	Password     bool `json:"password"`
	SecondFactor bool `json:"second_factor"`
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
	return h.showMe(w, r, c, user)
}

func (h *handler) showMe(w http.ResponseWriter, r *http.Request, c hub.Caller, user store.User) error {
	if h.Host != nil && c.KeyID == "" {
		user.Role = c.Role // of the passport that was shown, which may give less
	}
	out := meView{User: viewUser(user), SignIn: signInView{Password: user.PasswordHash != ""}}
	factor, err := h.Store.UserTOTP(r.Context(), user.ID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	out.SignIn.SecondFactor = factor.ConfirmedAt != nil
	if out.Blocklet, err = h.hostView(r, user); err != nil {
		return err
	}
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

// profile is what users say about themselves. What is left out stays.
type profile struct {
	Name     *string `json:"name" validate:"omitnil,max=100"`
	Language *string `json:"language"`
	TimeZone *string `json:"time_zone"`
}

// apply writes the profile into u.
func (p profile) apply(u *store.User) error {
	if p.Name != nil {
		u.Name = strings.TrimSpace(*p.Name)
		if strings.ContainsFunc(u.Name, func(r rune) bool { return r < ' ' }) {
			return hub.Invalid("name", "The name has a character that cannot be shown.")
		}
	}
	if p.Language != nil {
		if u.Language = *p.Language; u.Language != "" && !slices.Contains(identity.Languages(), u.Language) {
			return hub.Invalid("language", "The language must be one of %s.", strings.Join(identity.Languages(), ", "))
		}
	}
	if p.TimeZone != nil {
		u.TimeZone = *p.TimeZone
		if _, err := time.LoadLocation(u.TimeZone); err != nil || u.TimeZone == "Local" {
			return hub.Invalid("time_zone", "The time zone must be a name such as Europe/Berlin or Asia/Tokyo.")
		}
	}
	return nil
}

// changeMe changes what the caller says about itself.
func (h *handler) changeMe(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	in, err := httpkit.Decode[profile](r)
	if err != nil {
		return err
	}
	before, err := h.Store.UserByID(r.Context(), c.UserID)
	if err != nil {
		return fmt.Errorf("caller's user: %w", err)
	}
	user := before
	if err := in.apply(&user); err != nil {
		return err
	}
	if err := h.Desk.SetProfile(r.Context(), c.Email, before, user); err != nil {
		return err
	}
	return h.showMe(w, r, c, user)
}
