package auth

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/oauth"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// Paths of the service that AIGNE's command line expects at the hub's origin.
const (
	connectSession = "/.well-known/service/api/access-key/session"
	connectPage    = "/.well-known/service/gen-simple-access-key"
)

// register lets an application register itself. What it says beside what is looked
// at is no error (RFC 7591, section 2).
func (h *handler) register(w http.ResponseWriter, r *http.Request) error {
	body, err := httpkit.ReadBody(r, maxForm)
	if err != nil {
		return err
	}
	var in oauth.Registration
	if json.Unmarshal(body, &in) != nil {
		return hub.Errorf(hub.CodeInvalid, "Send what the application is as a JSON object.")
	}
	out, err := h.OAuth.Register(r.Context(), in, h.visitor(r))
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	return httpkit.WriteJSON(w, http.StatusCreated, out)
}

// beginDevice lets a device wait for its user.
func (h *handler) beginDevice(w http.ResponseWriter, r *http.Request) error {
	f, err := form(r)
	if err != nil {
		return refused(w, r, err)
	}
	out, err := h.OAuth.BeginDevice(r.Context(), f, h.visitor(r), h.issuer(r))
	if err != nil {
		return refused(w, r, err)
	}
	return private(w, out)
}

type userCode struct {
	Code hub.Secret `json:"user_code" validate:"required,max=40"`
}

type deviceDecision struct {
	userCode
	oauth.Decision
}

// readDevice tells the page which device waits behind a code.
func (h *handler) readDevice(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	in, err := httpkit.Decode[userCode](r)
	if err != nil {
		return err
	}
	_, _, out, err := h.OAuth.Device(r.Context(), c, h.visitor(r), in.Code.Reveal())
	if err != nil {
		return err
	}
	return private(w, out)
}

// decideDevice carries out what the user says to a device.
func (h *handler) decideDevice(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	in, err := httpkit.Decode[deviceDecision](r)
	if err != nil {
		return err
	}
	if err := h.OAuth.DecideDevice(r.Context(), c, h.visitor(r), in.Code.Reveal(), in.Decision); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// beginConnect lets AIGNE's command line wait for its user.
func (h *handler) beginConnect(w http.ResponseWriter, r *http.Request) error {
	out, err := h.OAuth.BeginConnect(r.Context(), h.visitor(r))
	if err != nil {
		return err
	}
	return private(w, out)
}

// pollConnect tells it whether the user said yes. The session's id stands in the
// query because the command line puts it there; it opens nothing without the key
// that is put down, and is not logged.
func (h *handler) pollConnect(w http.ResponseWriter, r *http.Request) error {
	out, err := h.OAuth.PollConnect(r.Context(), hub.Secret(r.URL.Query().Get("sid")))
	if err != nil {
		return err
	}
	return private(w, out)
}

// endConnect forgets it.
func (h *handler) endConnect(w http.ResponseWriter, r *http.Request) error {
	if err := h.OAuth.EndConnect(r.Context(), hub.Secret(r.URL.Query().Get("sid"))); err != nil {
		return err
	}
	return private(w, map[string]string{"status": "ended"}) // it reads JSON
}

// toConnectPage takes the browser that the command line opened to the page that
// asks, below the hub's own path, with the session's id in the fragment.
func (h *handler) toConnectPage(w http.ResponseWriter, r *http.Request) error {
	id, err := base64.RawURLEncoding.DecodeString(r.URL.Query().Get("__token__"))
	if err != nil || len(id) == 0 || len(id) > 100 {
		return hub.Invalid("__token__", "This address is not one that aigne hub connect opens.")
	}
	return redirect(w, h.issuer(r)+"/oauth/connect#session="+url.QueryEscape(string(id)))
}

type connectRead struct {
	Session hub.Secret `json:"session" validate:"required,max=100"`
}

type connectDecision struct {
	connectRead
	oauth.Decision
}

// readConnect tells the page which command line waits.
func (h *handler) readConnect(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	in, err := httpkit.Decode[connectRead](r)
	if err != nil {
		return err
	}
	out, err := h.OAuth.AskConnect(r.Context(), c, h.visitor(r), in.Session)
	if err != nil {
		return err
	}
	return private(w, out)
}

// decideConnect carries out what the user says to a command line.
func (h *handler) decideConnect(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	in, err := httpkit.Decode[connectDecision](r)
	if err != nil {
		return err
	}
	if err := h.OAuth.DecideConnect(r.Context(), c, in.Session, in.Decision); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// listConnections lists the applications that the caller signed in to, revoked
// ones included, oldest first.
func (h *handler) listConnections(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	after, size, err := httpkit.CursorPage(r)
	if err != nil {
		return err
	}
	rows, err := h.Store.Connections(r.Context(), c.UserID, after, size+1)
	if err != nil {
		return err
	}
	return httpkit.WriteJSON(w, http.StatusOK, httpkit.Listed(rows, size, func(n store.Connection) string { return n.ID }, operator.ViewConnection))
}

// endConnection takes back what an application was allowed. Somebody else's and one
// that never was look the same.
func (h *handler) endConnection(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	id := r.PathValue("id")
	n, err := h.Store.ConnectionByID(r.Context(), id)
	switch {
	case err != nil && !errors.Is(err, store.ErrNotFound):
		return err
	case err != nil, n.UserID != c.UserID:
		return hub.Errorf(hub.CodeNotFound, "There is no connected application with this id among yours.")
	}
	if err := h.Desk.RevokeConnection(r.Context(), c.Email, id, "by its user"); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
