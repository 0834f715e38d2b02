package admin

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// credentialView is a credential without its value, sealed or not.
type credentialView struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Type      string    `json:"type"`
	Weight    int64     `json:"weight"`
	Active    bool      `json:"active"`
	Error     string    `json:"error"` // why it is not active
	CreatedAt time.Time `json:"created_at"`

	MaxConcurrent int64 `json:"max_concurrent"` // calls at once in each process; 0: any number
}

func viewCredential(c store.Credential) credentialView {
	return credentialView{ID: c.ID, Name: c.Name, Type: c.Type, Weight: c.Weight, Active: c.Active, Error: c.Error, CreatedAt: c.CreatedAt,
		MaxConcurrent: c.MaxConcurrent}
}

// credentialsOf lists the credentials of a stored provider.
func (h *handler) credentialsOf(ctx context.Context, name string) ([]store.Credential, error) {
	p, err := h.Store.ProviderByName(ctx, name)
	if errors.Is(err, store.ErrNotFound) {
		return nil, hub.Errorf(hub.CodeNotFound, "There is no stored provider with this name.")
	}
	if err != nil {
		return nil, err
	}
	all, err := h.Store.Credentials(ctx)
	if err != nil {
		return nil, err
	}
	var own []store.Credential
	for _, c := range all {
		if c.ProviderID == p.ID {
			own = append(own, c)
		}
	}
	return own, nil
}

// listCredentials lists a provider's credentials.
func (h *handler) listCredentials(w http.ResponseWriter, r *http.Request, _ hub.Caller) error {
	own, err := h.credentialsOf(r.Context(), r.PathValue("name"))
	if err != nil {
		return err
	}
	data := make([]credentialView, len(own))
	for i, c := range own {
		data[i] = viewCredential(c)
	}
	return httpkit.WriteJSON(w, http.StatusOK, map[string]any{"data": data})
}

type newCredential struct {
	Name   string     `json:"name" validate:"required"`
	Value  hub.Secret `json:"value" validate:"required"`
	Weight *int64     `json:"weight" validate:"omitempty,min=1,max=1000000"` // 100 unless given
}

// addCredential stores a credential of a provider.
func (h *handler) addCredential(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	in, err := httpkit.Decode[newCredential](r)
	if err != nil {
		return err
	}
	var weight int64
	if in.Weight != nil {
		weight = *in.Weight
	}
	name := r.PathValue("name")
	row, err := h.Desk.AddCredential(r.Context(), c.Email, name, in.Name, weight, in.Value)
	if err != nil {
		return err
	}
	return h.writeCredential(w, r, http.StatusCreated, name, row.ID)
}

type credentialChange struct {
	Active        *bool  `json:"active"`
	Weight        *int64 `json:"weight"`
	MaxConcurrent *int64 `json:"max_concurrent"`

	Value hub.Secret `json:"value"` // in place of the one there is; "": it stays
}

// changeCredential switches a credential on or off, or changes its use. It may be named by its name
// or by its id.
func (h *handler) changeCredential(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	in, err := httpkit.Decode[credentialChange](r)
	if err != nil {
		return err
	}
	name, credential := r.PathValue("name"), r.PathValue("credential")
	if in.Active == nil && in.Weight == nil && in.MaxConcurrent == nil && in.Value == "" {
		return hub.Invalid("active", "There is nothing to change: give active, weight, max_concurrent or value.")
	}
	if in.Value != "" {
		const sameWeight = 0
		if err := h.Desk.ChangeCredential(r.Context(), c.Email, name, credential, sameWeight, in.Value); err != nil {
			return err
		}
	}
	if in.Weight != nil || in.MaxConcurrent != nil {
		use := operator.CredentialUse{Weight: in.Weight, MaxConcurrent: in.MaxConcurrent}
		if err := h.Desk.SetCredentialUse(r.Context(), c.Email, name, credential, use); err != nil {
			return err
		}
	}
	if in.Active != nil {
		if err := h.Desk.SetCredentialActive(r.Context(), c.Email, name, credential, *in.Active); err != nil {
			return err
		}
	}
	return h.writeCredential(w, r, http.StatusOK, name, credential)
}

// writeCredential answers with a credential as it is stored.
func (h *handler) writeCredential(w http.ResponseWriter, r *http.Request, status int, name, credential string) error {
	own, err := h.credentialsOf(r.Context(), name)
	if err != nil {
		return err
	}
	for _, c := range own {
		if c.ID == credential || c.Name == credential {
			return httpkit.WriteJSON(w, status, viewCredential(c))
		}
	}
	return hub.Errorf(hub.CodeNotFound, "The credential has been removed meanwhile.")
}

// removeCredential deletes a credential.
func (h *handler) removeCredential(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	if err := h.Desk.RemoveCredential(r.Context(), c.Email, r.PathValue("name"), r.PathValue("credential")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
