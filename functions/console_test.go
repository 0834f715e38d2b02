package functions_test

import (
	"net/http"
	"net/http/httptest"
	"regexp"
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
		{"the page", "GET /", 200, "text/html; charset=utf-8", "no-cache", "<h1>AIGNE Hub</h1>"},
		{"the page's head", "HEAD /", 200, "text/html; charset=utf-8", "no-cache", ""},
		{"an asset", "GET /assets/console.css", 200, "text/css; charset=utf-8", "public, max-age=3600", "prefers-color-scheme: dark"},
		{"an unknown page", "GET /nowhere/at/all", 404, "text/html; charset=utf-8", "no-store", "<h1>Not found</h1>"},
		{"an unknown page's head", "HEAD /nowhere", 404, "text/html; charset=utf-8", "no-store", ""},
		{"an unknown asset", "GET /assets/nothing.css", 404, "text/html; charset=utf-8", "no-store", "Not found"},
		{"the page has one address", "GET /index.html", 404, "text/html; charset=utf-8", "no-store", "Not found"},
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
			assert.Regexp(t, `^default-src 'none'; style-src 'self';`, h.Get("Content-Security-Policy"), c.name)
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
	for _, target := range []string{"/", "/assets/console.css"} {
		etag := w.do("console", "", "GET", target, "").Header().Get("ETag")
		require.Regexp(t, `^"[0-9a-f]{24}"$`, etag)
		r := httptest.NewRequest(http.MethodGet, target, nil)
		r.Header.Set("If-None-Match", etag)
		res := httptest.NewRecorder()
		w.fn["console"].ServeHTTP(res, r)
		assert.Equal(t, 304, res.Code)
		assert.Empty(t, res.Body.String())
	}
}

func TestThePageKeepsItsOwnRules(t *testing.T) {
	t.Parallel()
	w := empty(t)
	page := w.do("console", "", "GET", "/", "").Body.String()
	assert.NotRegexp(t, `(?i)<script|style=|<style|\son[a-z]+=`, page, "its policy allows none of these")
	for _, m := range regexp.MustCompile(`(?:src|href)="([^"]*)"`).FindAllStringSubmatch(page, -1) {
		assert.NotContains(t, m[1], "//", "nothing comes from elsewhere")
		assert.NotRegexp(t, `^/`, m[1], "links work below a prefix too")
		if strings.HasPrefix(m[1], "assets/") {
			assert.Equal(t, 200, w.do("console", "", "GET", "/"+m[1], "").Code, m[1])
		}
	}
}
