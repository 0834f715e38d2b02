package admin

import (
	"net/http"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

const (
	oauthClients = "/api/admin/oauth-clients"
	connections  = "/api/admin/connections"
)

// oauthRoutes: which applications users can sign in to with the hub, and what they
// were allowed.
func (h *handler) oauthRoutes(admin administered) []httpkit.Route {
	return []httpkit.Route{
		admin("GET", oauthClients, h.listClients),
		admin("POST", oauthClients, h.registerClient),
		admin("GET", oauthClients+"/{id}", h.getClient),
		admin("PATCH", oauthClients+"/{id}", h.changeClient),
		admin("POST", oauthClients+"/{id}/rotate-secret", h.rotateClientSecret),
		admin("DELETE", oauthClients+"/{id}", h.removeClient),
		admin("GET", connections, h.listConnections),
		admin("DELETE", connections+"/{id}", h.endConnection),
	}
}

func oauthDocs() map[string]httpkit.Doc {
	return map[string]httpkit.Doc{
		"GET " + oauthClients:             {Summary: "Lists OAuth clients, removed ones included.", Query: httpkit.Cursors(), Response: httpkit.Listing[operator.ClientView]{}},
		"POST " + oauthClients:            {Summary: "Registers an OAuth client; the secret of a confidential one is shown only here.", Request: operator.NewClient{}, Status: 201, Response: madeClient{}},
		"GET " + oauthClients + "/{id}":   {Summary: "Shows an OAuth client.", Response: operator.ClientView{}},
		"PATCH " + oauthClients + "/{id}": {Summary: "Changes an OAuth client; what is left out stays.", Request: operator.ChangedClient{}, Response: operator.ClientView{}},
		"POST " + oauthClients + "/{id}/rotate-secret": {Summary: "Gives a confidential OAuth client another secret, shown only here; the one before stops working.", Takes: httpkit.NoBody,
			Response: madeClient{}},
		"DELETE " + oauthClients + "/{id}": {Summary: "Removes an OAuth client and everything that users allowed it."},
		"GET " + connections: {Summary: "Lists what users allowed applications, revoked connections included.", Query: httpkit.Cursors(httpkit.Query("user", "An e-mail address.")),
			Response: httpkit.Listing[operator.ConnectionView]{}},
		"DELETE " + connections + "/{id}": {Summary: "Takes back what a user allowed an application; its key and tokens stop working at once."},
	}
}

// madeClient is a client with its secret, this once.
type madeClient struct {
	operator.ClientView
	Secret string `json:"client_secret"` // "" of a public client
}

func showClient(w http.ResponseWriter, status int, secret hub.Secret, c store.OAuthClient) error {
	w.Header().Set("Cache-Control", "no-store")
	return httpkit.WriteJSON(w, status, madeClient{operator.ViewClient(c), secret.Reveal()})
}

// listClients lists OAuth clients by id: ?cursor=, ?pageSize=.
func (h *handler) listClients(w http.ResponseWriter, r *http.Request, _ hub.Caller) error {
	after, size, err := httpkit.CursorPage(r)
	if err != nil {
		return err
	}
	rows, err := h.Store.OAuthClients(r.Context(), after, size+1)
	if err != nil {
		return err
	}
	return httpkit.WriteJSON(w, http.StatusOK, httpkit.Listed(rows, size, func(c store.OAuthClient) string { return c.ID }, operator.ViewClient))
}

// registerClient makes an OAuth client.
func (h *handler) registerClient(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	in, err := httpkit.Decode[operator.NewClient](r)
	if err != nil {
		return err
	}
	secret, made, err := h.Desk.RegisterClient(r.Context(), c.Email, store.ClientOperator, in)
	if err != nil {
		return err
	}
	return showClient(w, http.StatusCreated, secret, made)
}

// getClient shows an OAuth client.
func (h *handler) getClient(w http.ResponseWriter, r *http.Request, _ hub.Caller) error {
	c, err := h.Desk.Client(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	return httpkit.WriteJSON(w, http.StatusOK, operator.ViewClient(c))
}

// changeClient alters an OAuth client.
func (h *handler) changeClient(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	in, err := httpkit.Decode[operator.ChangedClient](r)
	if err != nil {
		return err
	}
	changed, err := h.Desk.ChangeClient(r.Context(), c.Email, r.PathValue("id"), in)
	if err != nil {
		return err
	}
	return httpkit.WriteJSON(w, http.StatusOK, operator.ViewClient(changed))
}

// rotateClientSecret gives an OAuth client another secret.
func (h *handler) rotateClientSecret(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	secret, changed, err := h.Desk.RotateClientSecret(r.Context(), c.Email, r.PathValue("id"))
	if err != nil {
		return err
	}
	return showClient(w, http.StatusOK, secret, changed)
}

// removeClient ends an OAuth client.
func (h *handler) removeClient(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	if err := h.Desk.RemoveClient(r.Context(), c.Email, r.PathValue("id")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// listConnections lists connections of everybody, or of ?user=, by id: ?cursor=,
// ?pageSize=.
func (h *handler) listConnections(w http.ResponseWriter, r *http.Request, _ hub.Caller) error {
	after, size, err := httpkit.CursorPage(r)
	if err != nil {
		return err
	}
	var rows []store.Connection
	if email := r.URL.Query().Get("user"); email != "" {
		u, err := h.Desk.User(r.Context(), email)
		if err != nil {
			return err
		}
		if rows, err = h.Store.Connections(r.Context(), u.ID, after, size+1); err != nil {
			return err
		}
	} else if rows, err = h.Store.AllConnections(r.Context(), after, size+1); err != nil {
		return err
	}
	return httpkit.WriteJSON(w, http.StatusOK, httpkit.Listed(rows, size, func(n store.Connection) string { return n.ID }, operator.ViewConnection))
}

// endConnection takes back what a user allowed an application.
func (h *handler) endConnection(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	if err := h.Desk.RevokeConnection(r.Context(), c.Email, r.PathValue("id"), "by an operator"); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
