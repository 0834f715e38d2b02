package auth

import (
	"bytes"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/identity"
	"github.com/aigne-hub/aigne-hub/shared/oauth"
)

const maxForm = 64 << 10 // bytes

const metadataPath = "/.well-known/oauth-authorization-server"

// oauthRoutes: signing in to applications with the hub.
func (h *handler) oauthRoutes(own func(method, pattern string, as httpkit.CallerHandler) httpkit.Route) []httpkit.Route {
	open := func(method, pattern string, handler httpkit.Handler) httpkit.Route {
		return httpkit.Route{Method: method, Pattern: pattern, Who: httpkit.Anonymous, Handler: handler, Data: httpkit.Common}
	}
	// Programs of all origins use these; they show what they are allowed, not cookies.
	program := func(method, pattern string, handler httpkit.Handler) httpkit.Route {
		rt := open(method, pattern, handler)
		rt.AnyOrigin, rt.ErrorBody, rt.MaxBody = true, oauth.ErrorBody, maxForm
		return rt
	}
	return []httpkit.Route{
		program("GET", metadataPath, h.metadata),
		open("GET", metadataPath+"/{path...}", h.metadata),
		open("GET", "/oauth/authorize", h.authorizePage),
		own("POST", "/oauth/authorize/read", h.readAuthorize),
		own("POST", "/oauth/authorize", h.authorize),
		program("POST", "/oauth/token", h.token),
		program("POST", "/oauth/revoke", h.revokeToken),
		program("POST", "/oauth/introspect", h.introspect),
		program("POST", "/oauth/register", h.register),
		program("POST", "/oauth/device_authorization", h.beginDevice),
		open("GET", "/oauth/device", h.consentPage),
		own("POST", "/oauth/device/read", h.readDevice),
		own("POST", "/oauth/device", h.decideDevice),
		open("GET", "/oauth/connect", h.consentPage),
		own("POST", "/oauth/connect/read", h.readConnect),
		own("POST", "/oauth/connect", h.decideConnect),
		open("POST", connectSession, h.beginConnect),
		open("GET", connectSession, h.pollConnect),
		open("DELETE", connectSession, h.endConnect),
		open("GET", connectPage, h.toConnectPage),
		open("GET", "/oauth/consent.js", h.consentScript),
		open("GET", "/oauth/consent.words.js", h.consentWords),
		open("GET", "/oauth/consent.css", h.consentStyle),
		own("GET", "/api/auth/connections", h.listConnections),
		own("DELETE", "/api/auth/connections/{id}", h.endConnection),
	}
}

// issuer is the hub's address as clients know it: the public one or, on the hub's
// own machine, the one that the request was sent to.
func (h *handler) issuer(r *http.Request) string {
	if h.Browser.PublicURL != "" {
		return strings.TrimRight(h.Browser.PublicURL, "/")
	}
	if local := localHost(r.Host); local {
		return "http://" + r.Host + h.Browser.Prefix(r)
	}
	return strings.TrimRight(h.Desk.Links.Base, "/")
}

// localHost reports whether a host can only be this machine: nobody else can have
// a name taken for the hub's that way.
func localHost(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	a, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return host == "localhost" || (err == nil && a.IsLoopback())
}

// metadata is where clients learn what there is (RFC 8414). A hub below a path has
// it at the origin's well-known path followed by its own (section 3.1), and below
// its own, where clients look that do not know of the rule.
func (h *handler) metadata(w http.ResponseWriter, r *http.Request) error {
	issuer := h.issuer(r)
	if rest := r.PathValue("path"); rest != "" {
		u, err := url.Parse(issuer)
		if err != nil || strings.Trim(u.Path, "/") != strings.Trim(rest, "/") {
			return hub.Errorf(hub.CodeNotFound, "There is no authorization server of this name here.")
		}
	}
	w.Header().Set("Cache-Control", "max-age=300")
	return httpkit.WriteJSON(w, http.StatusOK, h.OAuth.Metadata(issuer))
}

// authorizePage is where applications send browsers (RFC 6749, section 3.1). Who
// is not signed in goes there first, who agreed before goes back at once.
func (h *handler) authorizePage(w http.ResponseWriter, r *http.Request) error {
	req, err := h.OAuth.Parse(r.Context(), r.URL.RawQuery)
	switch {
	case err != nil && req.Redirect == "":
		return h.showFault(w, r, err)
	case err != nil:
		httpkit.NoteError(r.Context(), err)
		return redirect(w, req.Refusal(h.issuer(r), err))
	}
	c, err := h.Sessions.Authenticate(r)
	if err != nil {
		return err
	}
	if c.UserID == "" {
		return redirect(w, h.Browser.Prefix(r)+identity.SignInPage+"#return="+url.QueryEscape("/oauth/authorize?"+r.URL.RawQuery))
	}
	known, err := h.OAuth.Remembered(r.Context(), req, c.UserID)
	if err != nil {
		return err
	}
	if !known {
		return h.consentPage(w, r)
	}
	target, err := h.OAuth.Decide(r.Context(), req, c, oauth.Decision{Allow: true}, h.issuer(r))
	if err != nil {
		return err
	}
	return redirect(w, target)
}

// showFault tells the user what must not be told to whoever asked: nobody is sent
// to an address that no application registered.
func (h *handler) showFault(w http.ResponseWriter, r *http.Request, err error) error {
	word := ""
	switch hub.CodeOf(err) {
	case hub.CodeUnauthenticated:
		word = "client"
	case hub.CodeInvalid:
		word = "request"
	default:
		return err
	}
	httpkit.NoteError(r.Context(), err)
	pageHeader(w, "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusBadRequest)
	_, _ = w.Write(bytes.Replace(consentHTML, []byte(`data-fault=""`), []byte(`data-fault="`+word+`"`), 1)) // nobody is left to tell
	return nil
}

type authorizeRequest struct {
	Query string `json:"query" validate:"required,max=2000"` // of the page's address
}

type authorizeDecision struct {
	authorizeRequest
	oauth.Decision
}

// readAuthorize tells the page what to ask.
func (h *handler) readAuthorize(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	in, err := httpkit.Decode[authorizeRequest](r)
	if err != nil {
		return err
	}
	req, err := h.OAuth.Parse(r.Context(), in.Query)
	if err != nil {
		return asked(err)
	}
	return private(w, h.OAuth.Ask(req, c.Email))
}

// asked is an error of OAuth's for the page, which is signed in and no client.
func asked(err error) error {
	if hub.CodeOf(err) == hub.CodeUnauthenticated {
		return hub.Errorf(hub.CodeNotFound, "%s", hub.AsError(err).Message)
	}
	return err
}

// authorize carries out what the user says, and answers with where to go.
func (h *handler) authorize(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	in, err := httpkit.Decode[authorizeDecision](r)
	if err != nil {
		return err
	}
	req, err := h.OAuth.Parse(r.Context(), in.Query)
	if err != nil {
		return asked(err)
	}
	target, err := h.OAuth.Decide(r.Context(), req, c, in.Decision, h.issuer(r))
	if err != nil {
		return err
	}
	return private(w, map[string]string{"url": target})
}

// private answers with what no cache may keep.
func private(w http.ResponseWriter, v any) error {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Pragma", "no-cache") // RFC 6749, section 5.1
	return httpkit.WriteJSON(w, http.StatusOK, v)
}

// form reads what a program sends.
func form(r *http.Request) (oauth.Form, error) {
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/x-www-form-urlencoded" {
		return oauth.Form{}, hub.Errorf(hub.CodeInvalid, "Send the parameters in the body, as application/x-www-form-urlencoded.")
	}
	body, err := httpkit.ReadBody(r, maxForm)
	if err != nil {
		return oauth.Form{}, err
	}
	values, err := url.ParseQuery(string(body))
	if err != nil {
		return oauth.Form{}, hub.Errorf(hub.CodeInvalid, "The body cannot be read.")
	}
	return oauth.ReadForm(r, values)
}

// refused answers to clients that could not show who they are as RFC 6749, section
// 5.2, wants it, and leaves other errors to the mux.
func refused(w http.ResponseWriter, r *http.Request, err error) error {
	e := hub.AsError(err)
	if e.Code != hub.CodeUnauthenticated {
		return err
	}
	httpkit.NoteError(r.Context(), err)
	w.Header().Set("WWW-Authenticate", `Basic realm="oauth"`)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(http.StatusUnauthorized)
	_, _ = w.Write(oauth.ErrorBody(e, "")) // nobody is left to tell
	return nil
}

// token gives tokens to programs.
func (h *handler) token(w http.ResponseWriter, r *http.Request) error {
	f, err := form(r)
	if err != nil {
		return refused(w, r, err)
	}
	out, err := h.OAuth.Token(r.Context(), f)
	if err != nil {
		return refused(w, r, err)
	}
	return private(w, out)
}

// revokeToken ends what a token belongs to.
func (h *handler) revokeToken(w http.ResponseWriter, r *http.Request) error {
	f, err := form(r)
	if err == nil {
		err = h.OAuth.Revoke(r.Context(), f)
	}
	if err != nil {
		return refused(w, r, err)
	}
	return private(w, struct{}{})
}

// introspect tells a client about its own token.
func (h *handler) introspect(w http.ResponseWriter, r *http.Request) error {
	f, err := form(r)
	if err != nil {
		return refused(w, r, err)
	}
	out, err := h.OAuth.Introspect(r.Context(), f)
	if err != nil {
		return refused(w, r, err)
	}
	return private(w, out)
}
