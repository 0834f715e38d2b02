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

//go:embed pages/consent.html
var consentHTML []byte

//go:embed pages/consent.js
var consentJS []byte

//go:embed pages/consent.words.js
var consentWordsJS []byte

//go:embed pages/consent.css
var consentCSS []byte

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

// consentPage asks whether an application, a device or a command line may use the
// hub in the user's name. What it asks it learns from the hub, with the session.
func (h *handler) consentPage(w http.ResponseWriter, _ *http.Request) error {
	return sendPage(w, "text/html; charset=utf-8", consentHTML)
}

func (h *handler) consentScript(w http.ResponseWriter, _ *http.Request) error {
	return sendPage(w, "text/javascript; charset=utf-8", consentJS)
}

func (h *handler) consentWords(w http.ResponseWriter, _ *http.Request) error {
	return sendPage(w, "text/javascript; charset=utf-8", consentWordsJS)
}

func (h *handler) consentStyle(w http.ResponseWriter, _ *http.Request) error {
	return sendPage(w, "text/css; charset=utf-8", consentCSS)
}

func sendPage(w http.ResponseWriter, kind string, body []byte) error {
	pageHeader(w, kind)
	_, _ = w.Write(body) // nobody is left to tell
	return nil
}

func pageHeader(w http.ResponseWriter, kind string) {
	h := w.Header()
	h.Set("Content-Security-Policy", signInPolicy)
	h.Set("Content-Type", kind)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Frame-Options", "DENY") // for browsers that do not know frame-ancestors
	h.Set("Cache-Control", "no-cache")
}
