package auth

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/identity"
	"github.com/aigne-hub/aigne-hub/shared/oidc"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// flowAAD binds a sealed flow to its purpose.
const flowAAD = "cookie/oidc"

// CallbackPath is where a provider sends browsers back to.
func CallbackPath(provider string) string { return "/api/auth/oidc/" + provider + "/callback" }

type providerView struct {
	Name  string `json:"name"`
	Label string `json:"label"`
}

// waysView is by what one can sign in beside a password.
type waysView struct {
	Providers []providerView `json:"providers"`
	Mail      bool           `json:"mail"`               // links for lost passwords can be sent
	SetUp     bool           `json:"set_up"`             // the hub has an owner
	Blocklet  *elsewhereView `json:"blocklet,omitempty"` // of a component of a Blocklet Server
}

// waysIn tells the page that signs people in what to offer.
func (h *handler) waysIn(w http.ResponseWriter, r *http.Request) error {
	owned, err := h.Store.HasOwner(r.Context())
	if err != nil {
		return err
	}
	data := make([]providerView, len(h.Providers))
	for i, p := range h.Providers {
		data[i] = providerView{p.Name, p.Label}
	}
	return httpkit.WriteJSON(w, http.StatusOK, waysView{Providers: data, Mail: h.Desk.Mails(), SetUp: owned, Blocklet: h.elsewhere()})
}

func (h *handler) provider(name string) (*oidc.Client, error) {
	for _, p := range h.Providers {
		if p.Name == name {
			return p, nil
		}
	}
	return nil, hub.Errorf(hub.CodeNotFound, "There is no identity provider with this name here.")
}

// local is a path of the hub itself to go to; anything that could lead elsewhere
// becomes "/".
func local(path string) string {
	const longest = 2000
	u, err := url.Parse(path)
	if err != nil || len(path) > longest || !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || u.Host != "" || u.Scheme != "" ||
		strings.ContainsFunc(path, func(r rune) bool { return r <= ' ' || r == '\\' || r == 0x7f }) {
		return "/"
	}
	return path
}

// startAt sends a browser to a provider, for a plain sign-in.
func (h *handler) startAt(w http.ResponseWriter, r *http.Request) error {
	target, err := h.start(w, r, oidc.Flow{Return: local(r.URL.Query().Get("return_to"))})
	if err != nil {
		return err
	}
	return redirect(w, target)
}

func redirect(w http.ResponseWriter, target string) error {
	h := w.Header()
	h.Set("Location", target)
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	w.WriteHeader(http.StatusSeeOther)
	return nil
}

type startRequest struct {
	ReturnTo   string     `json:"return_to" validate:"max=2000"`
	Invitation hub.Secret `json:"invitation" validate:"max=200"` // accept it with what the provider says
	Link       bool       `json:"link"`                          // add the sign-in to whoever is signed in
}

// startFor begins a sign-in that does more, and answers with the address to go
// to. A page of another site cannot do so: it could have its own sign-in added to
// the user's.
func (h *handler) startFor(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	if err := h.Browser.SameSite(r); err != nil {
		return err
	}
	in, err := httpkit.Decode[startRequest](r)
	if err != nil {
		return err
	}
	f := oidc.Flow{Return: local(in.ReturnTo), Invitation: in.Invitation.Reveal()}
	if in.Link {
		if !c.Session {
			return hub.Errorf(hub.CodeUnauthenticated, "Sign in first, to add another way to do so.")
		}
		f.Link = c.UserID
	}
	target, err := h.start(w, r, f)
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	return httpkit.WriteJSON(w, http.StatusOK, map[string]string{"url": target})
}

// start keeps the flow in the browser, sealed: no process has to remember it, and
// strangers fill no table.
func (h *handler) start(w http.ResponseWriter, r *http.Request, f oidc.Flow) (string, error) {
	p, err := h.provider(r.PathValue("name"))
	if err != nil {
		return "", err
	}
	target, f, err := p.Start(r.Context(), f)
	if err != nil {
		return "", err
	}
	text, err := json.Marshal(f)
	if err != nil {
		return "", err
	}
	keyring, err := h.Desk.Vault(r.Context())
	if err != nil {
		return "", err
	}
	sealed, _, err := keyring.Seal(flowAAD, hub.Secret(text))
	if err != nil {
		return "", err
	}
	h.Sessions.Cookies.SetFlow(w, h.Browser.Prefix(r), sealed, time.Until(f.Expires))
	return target, nil
}

// callback takes a browser back from a provider. Whatever becomes of it, the
// browser ends up on a page of the hub.
func (h *handler) callback(w http.ResponseWriter, r *http.Request) error {
	prefix := h.Browser.Prefix(r)
	v := h.visitor(r)
	f, u, err := h.finish(r)
	h.Sessions.Cookies.SetFlow(w, prefix, "", 0)
	if err == nil && f.Link == "" {
		_, err = h.begin(w, r, v, u, "oidc/"+f.Provider)
	}
	if err != nil {
		if hub.CodeOf(err) == hub.CodeForbidden || hub.CodeOf(err) == hub.CodeConflict {
			err = errors.Join(err, h.SignIn.Failed(r.Context(), v, u.Email, "oidc"))
		}
		httpkit.NoteError(r.Context(), err)
		return redirect(w, prefix+identity.SignInPage+"#error="+url.PathEscape(hub.AsError(err).Message))
	}
	return redirect(w, prefix+f.Return)
}

func (h *handler) finish(r *http.Request) (oidc.Flow, store.User, error) {
	p, err := h.provider(r.PathValue("name"))
	if err != nil {
		return oidc.Flow{}, store.User{}, err
	}
	f, err := h.flow(r)
	if err != nil {
		return f, store.User{}, err
	}
	q := r.URL.Query()
	claims, err := p.Finish(r.Context(), f, oidc.Answer{State: q.Get("state"), Code: q.Get("code"), Issuer: q.Get("iss"), Error: q.Get("error")})
	if err != nil {
		return f, store.User{}, err
	}
	if f.Link == "" {
		u, err := h.Desk.Recognize(r.Context(), p.Provider, claims, hub.Secret(f.Invitation))
		return f, u, err
	}
	c, err := h.Sessions.Authenticate(r)
	if err == nil && c.UserID != f.Link {
		err = hub.Errorf(hub.CodeForbidden, "You are not signed in any more as whoever wanted to add this sign-in.")
	}
	if err != nil {
		return f, store.User{}, err
	}
	u, err := h.Desk.LinkIdentity(r.Context(), p.Provider, claims, f.Link)
	return f, u, err
}

// flow opens what start sealed. Without it, the browser is not the one that
// began.
func (h *handler) flow(r *http.Request) (f oidc.Flow, err error) {
	notBegun := hub.Errorf(hub.CodeForbidden, "This sign-in was not begun in this browser, or too long ago. Please begin again.")
	sealed := h.Sessions.Cookies.Flow(r)
	if sealed == "" {
		return f, notBegun
	}
	keyring, err := h.Desk.Vault(r.Context())
	if err != nil {
		return f, err
	}
	text, err := keyring.Open(flowAAD, sealed)
	if err != nil {
		return f, notBegun
	}
	return f, json.Unmarshal([]byte(text.Reveal()), &f)
}

type identityView struct {
	ID        string    `json:"id"`
	Issuer    string    `json:"issuer"`
	Provider  string    `json:"provider"` // its name here; "" when it is not configured any more
	Email     string    `json:"email"`
	CreatedAt time.Time `json:"created_at"`
	UsedAt    time.Time `json:"used_at"`
}

// listIdentities lists what providers call the caller.
func (h *handler) listIdentities(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	rows, err := h.Store.Identities(r.Context(), c.UserID)
	if err != nil {
		return err
	}
	data := make([]identityView, len(rows))
	for i, n := range rows {
		data[i] = identityView{ID: n.ID, Issuer: n.Issuer, Email: n.Email, CreatedAt: n.CreatedAt, UsedAt: n.UsedAt}
		for _, p := range h.Providers {
			if p.Issuer == n.Issuer {
				data[i].Provider = p.Name
			}
		}
	}
	return httpkit.WriteJSON(w, http.StatusOK, map[string]any{"data": data})
}

// removeIdentity takes one of them away.
func (h *handler) removeIdentity(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	u, err := h.Store.UserByID(r.Context(), c.UserID)
	if err != nil {
		return err
	}
	if err := h.Desk.RemoveIdentity(r.Context(), c.Email, u, r.PathValue("id")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
