package auth

import (
	_ "embed" // the page
	"net/http"
)

//go:embed pages/sign-in.html
var signInHTML []byte

//go:embed pages/sign-in.js
var signInJS []byte

//go:embed pages/sign-in.css
var signInCSS []byte

// signInPolicy lets the page load its own script and style, and ask this hub.
const signInPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// signInPage signs people in where the hub has no console; the links of
// invitations and for lost passwords lead to it then.
func (h *handler) signInPage(w http.ResponseWriter, _ *http.Request) error {
	return sendPage(w, "text/html; charset=utf-8", signInHTML)
}

func (h *handler) signInScript(w http.ResponseWriter, _ *http.Request) error {
	return sendPage(w, "text/javascript; charset=utf-8", signInJS)
}

func (h *handler) signInStyle(w http.ResponseWriter, _ *http.Request) error {
	return sendPage(w, "text/css; charset=utf-8", signInCSS)
}

func sendPage(w http.ResponseWriter, kind string, body []byte) error {
	h := w.Header()
	h.Set("Content-Security-Policy", signInPolicy)
	h.Set("Content-Type", kind)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-cache")
	_, _ = w.Write(body) // nobody is left to tell
	return nil
}
