// Package console serves the web console: files that were built before and are
// embedded. It reads no data and knows no callers; the pages talk to the other
// functions.
package console

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// Deps is what the function needs.
type Deps struct {
	Log     *slog.Logger
	Now     hub.Now
	Browser httpkit.Browser
}

// file is one embedded file, ready to be sent.
type file struct {
	body []byte
	kind string // media type
	etag string
}

type handler struct {
	Deps
	files map[string]file // by path, with a slash at the front
}

const (
	homePage    = "/index.html"
	missingPage = "/404.html"
	assets      = "/assets/"
)

// New returns the function's handler. Like httpkit.Mux it panics on what only a
// broken build can cause: a file of an unknown kind, or no page.
func New(d Deps) http.Handler {
	files, err := load(dist)
	if err != nil {
		panic(fmt.Sprintf("console: %v", err))
	}
	h := &handler{Deps: d, files: files}
	return httpkit.Mux(h.routes(), httpkit.Deps{Log: d.Log, Now: d.Now, Browser: d.Browser})
}

// Routes is everything the function serves, and who may call it. The handlers in
// it are not fit to be called.
func Routes() []httpkit.Route { return httpkit.Describe((&handler{}).routes(), docs()) }

// routes has one line only: whatever no other function serves comes here.
func (h *handler) routes() []httpkit.Route {
	return []httpkit.Route{{Pattern: "/", Who: httpkit.Anonymous, Handler: h.serve, Data: httpkit.Common}}
}

// kinds are the media types of files, so that they do not depend on the machine.
var kinds = map[string]string{
	".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8",
	".json": "application/json", ".svg": "image/svg+xml", ".png": "image/png", ".ico": "image/x-icon", ".woff2": "font/woff2",
	".txt": "text/plain; charset=utf-8",
}

func load(built fs.FS) (map[string]file, error) {
	files := map[string]file{}
	err := fs.WalkDir(built, "dist", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		kind, ok := kinds[path.Ext(name)]
		if !ok {
			return fmt.Errorf("%s is of an unknown kind", name)
		}
		body, err := fs.ReadFile(built, name)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(body)
		files[strings.TrimPrefix(name, "dist")] = file{body: body, kind: kind, etag: `"` + hex.EncodeToString(sum[:12]) + `"`}
		return nil
	})
	for _, page := range []string{homePage, missingPage} {
		if _, ok := files[page]; err == nil && !ok {
			err = fmt.Errorf("there is no %s", page)
		}
	}
	return files, err
}

// policy lets a page load what comes from the hub itself and nothing else: no
// scripts, no frames, no forms.
const policy = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

func (h *handler) serve(w http.ResponseWriter, r *http.Request) error {
	if forPrograms(r.URL.Path) {
		return hub.Errorf(hub.CodeNotFound, "There is nothing at this path.")
	}
	header := w.Header()
	header.Set("Content-Security-Policy", policy)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	f, ok := h.find(r.URL.Path)
	switch {
	case !ok:
		return h.missing(w, r)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		header.Set("Allow", "GET, HEAD")
		return hub.Errorf(hub.CodeMethodNotAllowed, "Only GET and HEAD are allowed here.")
	}
	header.Set("Content-Type", f.kind)
	header.Set("ETag", f.etag)
	header.Set("Cache-Control", caching(r.URL.Path))
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(f.body))
	return nil
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

// find returns the home page for "/" and the assets by their paths. The pages
// themselves have no other address.
func (h *handler) find(p string) (file, bool) {
	switch {
	case p == "/":
		return h.files[homePage], true
	case strings.HasPrefix(p, assets):
		f, ok := h.files[p]
		return f, ok
	}
	return file{}, false
}

// caching lets assets rest for an hour; the page is asked for each time, and
// answered with 304 while it is the same.
func caching(p string) string {
	if strings.HasPrefix(p, assets) {
		return "public, max-age=3600"
	}
	return "no-cache"
}

// missing answers with a page of its own, which loads nothing: relative links
// would not find the assets from everywhere.
func (h *handler) missing(w http.ResponseWriter, r *http.Request) error {
	f := h.files[missingPage]
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
