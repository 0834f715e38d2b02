// Package openapi serves the OpenAPI document of the whole hub, which is the same
// in every process: a Lambda links only its own function and could not make it. The
// document is written by the test of the route tables (package functions) and kept
// here, as it was at the time of the build.
package openapi

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // the document
	"encoding/hex"
	"encoding/json"
	"net/http"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
)

//go:embed openapi.json
var document []byte

// Path is where the document is served.
const Path = "/openapi.json"

// Document is the document for a hub that is reached at publicURL, "" when unknown.
func Document(publicURL string) []byte {
	if publicURL == "" {
		return document
	}
	url, err := json.Marshal(publicURL)
	if err != nil { // a string always encodes
		return document
	}
	first := append([]byte("{\n \"servers\": [{\"url\": "), url...)
	return append(append(first, "}],"...), bytes.TrimPrefix(document, []byte("{"))...)
}

// Handler serves the document of a hub that is reached at publicURL.
func Handler(publicURL string) httpkit.Handler {
	body := Document(publicURL)
	sum := sha256.Sum256(body)
	tag := `"` + hex.EncodeToString(sum[:12]) + `"`
	return func(w http.ResponseWriter, r *http.Request) error {
		h := w.Header()
		h.Set("Etag", tag)
		h.Set("Cache-Control", "public, max-age=300")
		h.Set("X-Content-Type-Options", "nosniff")
		if r.Header.Get("If-None-Match") == tag {
			w.WriteHeader(http.StatusNotModified)
			return nil
		}
		h.Set("Content-Type", "application/json")
		_, _ = w.Write(body) // nobody is left to tell
		return nil
	}
}

// Route is where the document of a hub that is reached at publicURL is served.
func Route(publicURL string) httpkit.Route {
	return httpkit.Route{
		Method: http.MethodGet, Pattern: Path, Who: httpkit.Anonymous, Data: httpkit.Common, Handler: Handler(publicURL),
		Doc: httpkit.Doc{Summary: "This document.", Gives: "application/json"},
	}
}

// Common are the routes that every process serves, whatever its functions. Their
// handlers are not fit to be called.
func Common() []httpkit.Route {
	none := func(http.ResponseWriter, *http.Request) error { return nil }
	route := func(pattern string, d httpkit.Doc) httpkit.Route {
		return httpkit.Route{Method: http.MethodGet, Pattern: pattern, Who: httpkit.Anonymous, Data: httpkit.Common, Handler: none, Doc: d}
	}
	return []httpkit.Route{
		route("/healthz", httpkit.Doc{Summary: "Says that the process is alive.", Response: httpkit.Object{"status": ""}}),
		route("/readyz", httpkit.Doc{Summary: "Says whether the process can serve: database, migrations, keyring; 503 with reasons when not.", Response: httpkit.Object{"status": ""}}),
		Route(""),
	}
}
