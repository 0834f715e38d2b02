package admin

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/provider"
	"github.com/aigne-hub/aigne-hub/shared/routing"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

const (
	fromStore = "stored"
	fromEnv   = "env"
)

// providerView is a provider; its credentials are counted only.
type providerView struct {
	ID          string     `json:"id,omitempty"` // none for one of the environment
	Name        string     `json:"name"`
	Kind        string     `json:"kind"`
	DisplayName string     `json:"display_name"`
	BaseURL     string     `json:"base_url"`
	Region      string     `json:"region"`
	Enabled     bool       `json:"enabled"`
	Source      string     `json:"source"` // stored or env
	Credentials int        `json:"credentials"`
	CreatedAt   *time.Time `json:"created_at,omitempty"`

	Timeouts routing.Timeouts `json:"timeouts,omitzero"`
	Managed  string           `json:"managed,omitempty"` // file: only the file that was applied may change it and its credentials
}

func viewProvider(p store.Provider, credentials int) providerView {
	v := providerView{ID: p.ID, Name: p.Name, Kind: p.Kind, DisplayName: p.DisplayName, BaseURL: p.BaseURL, Region: p.Region,
		Enabled: p.Enabled, Source: fromStore, Credentials: credentials, CreatedAt: &p.CreatedAt, Managed: p.Managed}
	var settings routing.ProviderSettings
	_ = json.Unmarshal([]byte(p.Settings), &settings) // what cannot be read is left out of the configuration too
	v.Timeouts = settings.Timeouts
	if v.BaseURL == "" {
		kind, _ := provider.Find(p.Kind) // of an unknown kind nothing is known
		v.BaseURL = kind.BaseURL
	}
	return v
}

// listProviders lists the stored providers and those that the environment gives.
func (h *handler) listProviders(w http.ResponseWriter, r *http.Request, _ hub.Caller) error {
	stored, err := h.Store.Providers(r.Context())
	if err != nil {
		return err
	}
	credentials, err := h.Store.Credentials(r.Context())
	if err != nil {
		return err
	}
	count := map[string]int{}
	for _, c := range credentials {
		count[c.ProviderID]++
	}
	data, taken := []providerView{}, map[string]bool{}
	for _, p := range stored {
		data = append(data, viewProvider(p, count[p.ID]))
		taken[p.Name] = true
	}
	for _, p := range h.Routes().Providers() {
		// The snapshot may be a moment older than the rows.
		if p.Source != fromEnv || taken[p.Name] {
			continue
		}
		data = append(data, providerView{Name: p.Name, Kind: p.Kind.ID, BaseURL: p.BaseURL, Region: p.Region, Enabled: true,
			Source: fromEnv, Credentials: len(p.Credentials)})
	}
	return httpkit.WriteJSON(w, http.StatusOK, map[string]any{"data": data})
}

type newProvider struct {
	Kind           string     `json:"kind" validate:"required"`
	Name           string     `json:"name"` // "" means the kind's
	DisplayName    string     `json:"display_name" validate:"max=100"`
	BaseURL        string     `json:"base_url"` // "" means the kind's
	Region         string     `json:"region" validate:"max=64"`
	Credential     hub.Secret `json:"credential"` // "" for none yet
	CredentialName string     `json:"credential_name" validate:"max=64"`

	Timeouts routing.Timeouts `json:"timeouts"` // durations such as "30s"; unset: the hub's
}

// addProvider stores a provider, with its first credential if one is given.
func (h *handler) addProvider(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	in, err := httpkit.Decode[newProvider](r)
	if err != nil {
		return err
	}
	p, err := h.Desk.AddProvider(r.Context(), c.Email, operator.NewProvider(in))
	if err != nil {
		return err
	}
	credentials := 0
	if in.Credential != "" {
		credentials = 1
	}
	return httpkit.WriteJSON(w, http.StatusCreated, viewProvider(p, credentials))
}

// providerChange says what changes; what is null or left out stays.
type providerChange struct {
	DisplayName *string           `json:"display_name" validate:"omitempty,max=100"`
	BaseURL     *string           `json:"base_url"` // "" for the kind's
	Region      *string           `json:"region" validate:"omitempty,max=64"`
	Enabled     *bool             `json:"enabled"`
	Timeouts    *routing.Timeouts `json:"timeouts"` // all of them
}

// changeProvider changes a stored provider.
func (h *handler) changeProvider(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	in, err := httpkit.Decode[providerChange](r)
	if err != nil {
		return err
	}
	name := r.PathValue("name")
	facts := operator.ChangedProvider{DisplayName: in.DisplayName, BaseURL: in.BaseURL, Region: in.Region, Enabled: in.Enabled}
	if facts == (operator.ChangedProvider{}) && in.Timeouts == nil {
		return hub.Invalid("timeouts", "There is nothing to change: give display_name, base_url, region, enabled or timeouts.")
	}
	if facts != (operator.ChangedProvider{}) {
		if err := h.Desk.ChangeProvider(r.Context(), c.Email, name, facts); err != nil {
			return err
		}
	}
	if in.Timeouts != nil {
		if _, err := h.Desk.SetProviderTimeouts(r.Context(), c.Email, name, *in.Timeouts); err != nil {
			return err
		}
	}
	p, err := h.Store.ProviderByName(r.Context(), name)
	if err != nil {
		return err
	}
	own, err := h.credentialsOf(r.Context(), p.Name)
	if err != nil {
		return err
	}
	return httpkit.WriteJSON(w, http.StatusOK, viewProvider(p, len(own)))
}

// removeProvider deletes a stored provider and its credentials.
func (h *handler) removeProvider(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	if err := h.Desk.RemoveProvider(r.Context(), c.Email, r.PathValue("name")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
