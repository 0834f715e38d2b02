package functions_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTheConsoleServesItsPageAndAssets(t *testing.T) {
	t.Parallel()
	w := empty(t)
	for _, c := range []struct {
		name, send string
		status     int
		kind       string
		cache      string
		body       string
	}{
		{"the page", "GET /", 200, "text/html; charset=utf-8", "no-cache", "<title>AIGNE Hub</title>"},
		{"the page's head", "HEAD /", 200, "text/html; charset=utf-8", "no-cache", ""},
		{"an unknown page", "GET /nowhere/at/all", 404, "text/html; charset=utf-8", "no-store", "AIGNE Hub"},
		{"an unknown page's head", "HEAD /nowhere", 404, "text/html; charset=utf-8", "no-store", ""},
		{"an unknown asset", "GET /assets/nothing.css", 404, "text/html; charset=utf-8", "no-store", "Not found"},
		{"the page has one address", "GET /index.html", 404, "text/html; charset=utf-8", "no-store", "AIGNE Hub"},
		{"a path out of the folder", "GET /assets/..%2findex.html", 404, "text/html; charset=utf-8", "no-store", "Not found"},
		{"an unknown API path", "GET /api/nothing", 404, "application/json", "", `"code":"not_found"`},
		{"an unknown model path", "POST /v1/nothing", 404, "application/json", "", `"code":"not_found"`},
		{"another method", "POST /", 405, "application/json", "", `"code":"method_not_allowed"`},
	} {
		method, target, _ := strings.Cut(c.send, " ")
		res := w.do("console", "", method, target, "")
		h := res.Header()
		assert.Equal(t, c.status, res.Code, c.name)
		assert.Equal(t, c.kind, h.Get("Content-Type"), c.name)
		assert.Equal(t, c.cache, h.Get("Cache-Control"), c.name)
		assert.Equal(t, "nosniff", h.Get("X-Content-Type-Options"), c.name)
		assert.Contains(t, res.Body.String(), c.body, c.name)
		if method == http.MethodHead {
			assert.Empty(t, res.Body.String(), c.name)
		}
		if strings.HasPrefix(c.kind, "text/") {
			assert.Equal(t, "no-referrer", h.Get("Referrer-Policy"), c.name)
			assert.Regexp(t, `^default-src 'none'; script-src 'self'; style-src 'self';`, h.Get("Content-Security-Policy"), c.name)
			assert.NotContains(t, h.Get("Content-Security-Policy"), "unsafe", c.name)
		}
		if c.status == 405 {
			assert.Equal(t, "GET, HEAD", h.Get("Allow"))
		}
	}
}

func TestAnUnchangedPageIsNotSentAgain(t *testing.T) {
	t.Parallel()
	w := empty(t)
	etag := w.do("console", "", "GET", "/", "").Header().Get("ETag")
	require.Regexp(t, `^"[0-9a-f]{24}"$`, etag)
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("If-None-Match", etag)
	res := httptest.NewRecorder()
	w.fn["console"].ServeHTTP(res, r)
	assert.Equal(t, 304, res.Code)
	assert.Empty(t, res.Body.String())
}
