package admin

import (
	"net/http"
	"net/url"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/routing"
)

// planView says where a call of somebody would go, without making it.
type planView struct {
	Model   string            `json:"model"`
	Why     string            `json:"why"`     // how an alias or a wish led here; "" for a plain name
	Targets []planTarget      `json:"targets"` // in the order in which they would be tried
	Refused []routing.Refusal `json:"refused"`
	// Fault is why no call could be made; then there are no targets.
	Fault  string   `json:"fault,omitempty"`
	User   string   `json:"user,omitempty"`   // who calls
	Groups []string `json:"groups"`           // of the caller, the role among them
	Models []string `json:"models,omitempty"` // that the key may use; none: all
}

// planTarget is a target with how it fares now, as the process that answers knows it.
type planTarget struct {
	routing.ExplainedTarget
	Credentials int        `json:"credentials"` // that are in use
	Resting     int        `json:"resting"`     // of them, after a failure
	Until       *time.Time `json:"until"`       // when the first of them works again, where all rest
	Failing     bool       `json:"failing"`     // asked after all others, because calls fail
}

// plan explains where a call would go, as routing.Ask reads it, for the user with
// the address ?user= or for the API key with the id ?keyId=.
func (h *handler) plan(w http.ResponseWriter, r *http.Request, _ hub.Caller) error {
	q := r.URL.Query()
	v := planView{Model: q.Get("model"), Targets: []planTarget{}, Refused: []routing.Refusal{}, Groups: []string{}}
	if err := h.planFor(r, q, &v); err != nil {
		return err
	}
	req, err := routing.Ask(q, v.Groups, v.Models)
	if err != nil {
		return err
	}
	e, err := h.Routes().Explain(req)
	if err != nil {
		// Having nowhere to go is an answer to this question.
		fault := hub.AsError(err)
		if fault.Code == hub.CodeInternal {
			return err
		}
		v.Fault = fault.Message
		return httpkit.WriteJSON(w, http.StatusOK, v)
	}
	v.Why, v.Refused = e.Why, e.Refused
	failing := map[[2]string]bool{}
	for _, b := range h.Upstream.OpenBreakers() {
		failing[b] = true
	}
	for _, t := range e.Targets {
		v.Targets = append(v.Targets, h.standing(t, failing))
	}
	return httpkit.WriteJSON(w, http.StatusOK, v)
}

// planFor reads who would call.
func (h *handler) planFor(r *http.Request, q url.Values, v *planView) error {
	email := q.Get("user")
	if id := q.Get("keyId"); id != "" {
		k, err := h.Desk.Key(r.Context(), id)
		if hub.CodeOf(err) == hub.CodeNotFound {
			return hub.Invalid("keyId", "There is no API key with this id.")
		}
		if err != nil {
			return err
		}
		u, err := h.Store.UserByID(r.Context(), k.UserID)
		if err != nil {
			return err
		}
		email, v.Models = u.Email, k.Models
	}
	if email == "" {
		return nil
	}
	u, err := h.Desk.User(r.Context(), email)
	if hub.CodeOf(err) == hub.CodeNotFound {
		return hub.Invalid("user", "There is no user with this address.")
	}
	if err != nil {
		return err
	}
	v.User, v.Groups = u.Email, append([]string{string(u.Role)}, u.Groups...)
	return nil
}

func (h *handler) standing(e routing.ExplainedTarget, failing map[[2]string]bool) planTarget {
	t := planTarget{ExplainedTarget: e}
	for _, p := range h.Routes().Providers() {
		model, ok := modelOf(e.Target, p.Name)
		if !ok {
			continue
		}
		t.Failing = failing[[2]string{p.Name, model}]
		t.Credentials = len(p.Credentials)
		for _, c := range p.Credentials {
			until := h.Upstream.RestsUntil(p, c)
			if until.IsZero() {
				continue
			}
			t.Resting++
			if t.Until == nil || until.Before(*t.Until) {
				t.Until = &until
			}
		}
	}
	if t.Resting < t.Credentials {
		t.Until = nil
	}
	return t
}

// modelOf is the model of a target, provider/model, of a provider.
func modelOf(target, provider string) (string, bool) {
	n := len(provider)
	if len(target) <= n || target[:n] != provider || target[n] != '/' {
		return "", false
	}
	return target[n+1:], true
}
