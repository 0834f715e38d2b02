// Package console serves the web console: files that were built before and are
// embedded. It reads no data and knows no callers; the pages talk to the other
// functions.
package console

import (
	"bytes"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/identity"
)

// Deps is what the function needs.
type Deps struct {
	Log     *slog.Logger
	Now     hub.Now
	Browser httpkit.Browser
	// Blocklet: the hub is a component on a Blocklet Server, whose session, theme and
	// language the console takes over.
	Blocklet bool
}

type handler struct {
	Deps
	site site
}

// New returns the function's handler. Like httpkit.Mux it panics on what only a
// broken build can cause: a file of an unknown kind, or no page.
func New(d Deps) http.Handler {
	built, err := fs.Sub(dist, "dist")
	if err != nil {
		panic(fmt.Sprintf("console: %v", err))
	}
	without, err := fs.Sub(fallback, "fallback")
	if err != nil {
		panic(fmt.Sprintf("console: %v", err))
	}
	return serving(d, built, without)
}

// serving is New with the files named.
func serving(d Deps, built, without fs.FS) http.Handler {
	s, err := open(built, without)
	if err != nil {
		panic(fmt.Sprintf("console: %v", err))
	}
	h := &handler{Deps: d, site: s}
	return httpkit.Mux(h.routes(), httpkit.Deps{Log: d.Log, Now: d.Now, Browser: d.Browser})
}

// Routes is everything the function serves, and who may call it. The handlers in
// it are not fit to be called.
func Routes() []httpkit.Route { return httpkit.Describe((&handler{}).routes(), docs()) }

// routes has one line only: whatever no other function serves comes here.
func (h *handler) routes() []httpkit.Route {
	return []httpkit.Route{{Pattern: "/", Who: httpkit.Anonymous, Handler: h.serve, Data: httpkit.Common}}
}

// rooms are the beginnings of the application's own addresses
// (web/src/app/router.tsx; a test compares them).
var rooms = []string{"admin", "apps", "calls", "credits", "keys", "models", "playground", "profile", "setup", "sign-in", "start", "status", "usage"}

// policy lets a page load what comes from the hub itself and nothing else: no
// frames, no forms, no script or style that stands in the page. Pictures, sound
// and films may also be what the page made itself, of what a model sent or a
// person attached (blob:). base-uri is for the address that home puts in.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self' blob:; font-src 'self'; connect-src 'self'; " +
	"base-uri 'self'; form-action 'none'; frame-ancestors 'none'"

func (h *handler) serve(w http.ResponseWriter, r *http.Request) error {
	if forPrograms(r.URL.Path) {
		return hub.Errorf(hub.CodeNotFound, "There is nothing at this path.")
	}
	header := w.Header()
	header.Set("Content-Security-Policy", policy)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	f, ok := h.find(r)
	switch {
	case !ok && !h.site.built && r.URL.Path == identity.SignInPage:
		return h.plainSignIn(w, r)
	case !ok:
		return h.missing(w, r)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		header.Set("Allow", "GET, HEAD")
		return hub.Errorf(hub.CodeMethodNotAllowed, "Only GET and HEAD are allowed here.")
	}
	return send(w, r, f)
}

func send(w http.ResponseWriter, r *http.Request, f file) error {
	header := w.Header()
	if f.zipped {
		r.Header.Del("Range") // a part of what is zipped would be of no use
		header.Add("Vary", "Accept-Encoding")
		if takesGzip(r) {
			header.Set("Content-Encoding", "gzip")
		} else {
			plain, err := f.unzipped()
			if err != nil {
				return fmt.Errorf("unzip %s: %w", r.URL.Path, err)
			}
			f = plain
		}
	}
	header.Set("Content-Type", f.kind)
	header.Set("ETag", f.etag)
	header.Set("Cache-Control", caching(r.URL.Path))
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(f.body))
	return nil
}

func takesGzip(r *http.Request) bool {
	for _, part := range strings.Split(r.Header.Get("Accept-Encoding"), ",") {
		name, weight, _ := strings.Cut(strings.TrimSpace(part), ";")
		if strings.EqualFold(name, "gzip") || name == "*" {
			return strings.TrimLeft(strings.TrimPrefix(strings.TrimSpace(weight), "q="), "0.") != "" || weight == ""
		}
	}
	return false
}

// forPrograms reports whether a path belongs to an API, whose callers want JSON.
func forPrograms(p string) bool {
	for _, api := range []string{"/api", "/v1", "/v1beta"} {
		if p == api || strings.HasPrefix(p, api+"/") {
			return true
		}
	}
	return false
}

// find returns the first page for "/" and the application's addresses, and the
// assets by their paths. The pages themselves have no other address.
func (h *handler) find(r *http.Request) (file, bool) {
	p := r.URL.Path
	if strings.HasPrefix(p, assets) {
		f, ok := h.site.files[p]
		return f, ok
	}
	if p == "/favicon.ico" && h.site.built { // asked for beside what is no page of ours
		return h.site.files[icon], true
	}
	room, _, _ := strings.Cut(strings.TrimPrefix(p, "/"), "/")
	if p == "/" || h.site.built && slices.Contains(rooms, room) {
		return h.site.home(h.Browser.Prefix(r), h.Blocklet), true
	}
	return file{}, false
}

// plainSignIn leads to the page that the function auth has of its own. Browsers
// keep the fragment, with the token of an invitation in it.
func (h *handler) plainSignIn(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Location", h.Browser.Prefix(r)+identity.PlainSignIn)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusSeeOther)
	return nil
}

// missing answers with a page of its own, which loads nothing: relative links
// would not find the assets from everywhere. The application says it in its own
// frame and in the reader's language.
func (h *handler) missing(w http.ResponseWriter, r *http.Request) error {
	f := h.site.files[missingPage]
	if h.site.built && !strings.HasPrefix(r.URL.Path, assets) {
		f = h.site.home(h.Browser.Prefix(r), h.Blocklet)
	}
	header := w.Header()
	header.Set("Content-Type", f.kind)
	header.Set("Content-Length", fmt.Sprint(len(f.body)))
	header.Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusNotFound)
	if r.Method != http.MethodHead {
		_, _ = w.Write(f.body) // a client that left
	}
	return nil
}
