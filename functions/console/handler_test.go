package console

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
)

func zipped(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := io.WriteString(w, text)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.Bytes()
}

// application is a console as the build leaves it, in small.
func application(t *testing.T, browser httpkit.Browser) http.Handler {
	t.Helper()
	return applicationOf(t, Deps{Log: slog.New(slog.DiscardHandler), Now: time.Now, Browser: browser})
}

func applicationOf(t *testing.T, d Deps) http.Handler {
	t.Helper()
	built := fstest.MapFS{
		".keep":                         {},
		"index.html":                    {Data: []byte(`<!doctype html><html lang="en"><head><script src="./assets/main-AbCd_123.js"></script></head></html>`)},
		"assets/main-AbCd_123.js.gz":    {Data: zipped(t, "start()")},
		"assets/theme.js.gz":            {Data: zipped(t, "theme()")},
		"assets/mark.svg.gz":            {Data: zipped(t, "<svg/>")},
		"assets/picture-00000000.png":   {Data: []byte("\x89PNG")},
		"assets/styles-Zz_9-abc.css.gz": {Data: zipped(t, "b{}")},
	}
	return serving(d, built, pages(t))
}

func pages(t *testing.T) fs.FS {
	t.Helper()
	without, err := fs.Sub(fallback, "fallback")
	require.NoError(t, err)
	return without
}

func get(h http.Handler, target string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, target, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res := httptest.NewRecorder()
	h.ServeHTTP(res, r)
	return res
}

func TestTheApplicationIsServedAtItsAddresses(t *testing.T) {
	t.Parallel()
	h := application(t, httpkit.Browser{})
	for _, c := range []struct {
		name, target string
		status       int
		body         string
	}{
		{"the root", "/", 200, `<base href="/">`},
		{"a room", "/keys", 200, `<base href="/">`},
		{"deep in a room", "/admin/providers/openai", 200, `<base href="/">`},
		{"a stranger's address is missing, in the application's words", "/nowhere/at/all", 404, `<base href="/">`},
		{"a name that only begins like a room", "/keysx", 404, "main-"},
		{"an asset that is gone", "/assets/main-OLDHASH1.js", 404, "<h1>Not found</h1>"},
		{"the page has no other address", "/index.html", 404, "main-"},
		{"nor has a zipped file", "/assets/theme.js.gz", 404, "Not found"},
	} {
		res := get(h, c.target)
		assert.Equal(t, c.status, res.Code, c.name)
		assert.Equal(t, "text/html; charset=utf-8", res.Header().Get("Content-Type"), c.name)
		assert.Contains(t, res.Body.String(), c.body, c.name)
		assert.Equal(t, policy, res.Header().Get("Content-Security-Policy"), c.name)
	}
}

func TestTheApplicationKnowsWhereItIsMounted(t *testing.T) {
	t.Parallel()
	h := application(t, httpkit.Browser{PublicURL: "https://example.com/ai"})
	assert.Contains(t, get(h, "/keys").Body.String(), `<base href="/ai/">`)
	r := httpkit.WithPrefix(httptest.NewRequest(http.MethodGet, "/", nil), `/a"><script>`)
	res := httptest.NewRecorder()
	h.ServeHTTP(res, r)
	assert.Contains(t, res.Body.String(), `<base href="/a&#34;&gt;&lt;script&gt;/">`, "what a request says is no markup")
}

func TestTheApplicationKnowsThatItIsOnABlockletServer(t *testing.T) {
	t.Parallel()
	assert.NotContains(t, get(application(t, httpkit.Browser{}), "/keys").Body.String(), "data-host")
	there := applicationOf(t, Deps{Log: slog.New(slog.DiscardHandler), Now: time.Now, Blocklet: true})
	res := get(there, "/keys")
	assert.Contains(t, res.Body.String(), `<html data-host="blocklet" lang="en">`)
	assert.Equal(t, 304, get(there, "/keys", "If-None-Match", res.Header().Get("ETag")).Code)
}

func TestTheIconHasItsUsualAddress(t *testing.T) {
	t.Parallel()
	res := get(application(t, httpkit.Browser{}), "/favicon.ico")
	assert.Equal(t, 200, res.Code)
	assert.Equal(t, "image/svg+xml", res.Header().Get("Content-Type"))
	assert.Equal(t, "<svg/>", res.Body.String())
}

func TestAssetsTravelZippedAndRest(t *testing.T) {
	t.Parallel()
	h := application(t, httpkit.Browser{})
	const forever, hour = "public, max-age=31536000, immutable", "public, max-age=3600"
	for _, c := range []struct {
		name, target, accept string
		encoding, cache      string
		plain                string
	}{
		{"a browser", "/assets/main-AbCd_123.js", "gzip, deflate, br", "gzip", forever, "start()"},
		{"a program that takes anything", "/assets/styles-Zz_9-abc.css", "*", "gzip", forever, "b{}"},
		{"one that takes no gzip", "/assets/main-AbCd_123.js", "gzip;q=0, br", "", forever, "start()"},
		{"one that says nothing", "/assets/theme.js", "", "", hour, "theme()"},
		{"a picture", "/assets/picture-00000000.png", "gzip", "", forever, "\x89PNG"},
	} {
		res := get(h, c.target, "Accept-Encoding", c.accept, "Range", "bytes=0-1")
		body := res.Body.Bytes()
		if c.name == "a picture" {
			assert.Equal(t, 206, res.Code)
			continue
		}
		require.Equal(t, 200, res.Code, c.name)
		assert.Equal(t, c.encoding, res.Header().Get("Content-Encoding"), c.name)
		assert.Equal(t, c.cache, res.Header().Get("Cache-Control"), c.name)
		assert.Equal(t, "Accept-Encoding", res.Header().Get("Vary"), c.name)
		if c.encoding == "gzip" {
			r, err := gzip.NewReader(bytes.NewReader(body))
			require.NoError(t, err, c.name)
			body, err = io.ReadAll(r)
			require.NoError(t, err, c.name)
		}
		assert.Equal(t, c.plain, string(body), c.name)
		again := get(h, c.target, "Accept-Encoding", c.accept, "If-None-Match", res.Header().Get("ETag"))
		assert.Equal(t, 304, again.Code, c.name)
	}
}

func TestWithoutTheApplicationTheHubSaysHowToDoWithout(t *testing.T) {
	t.Parallel()
	h := serving(Deps{Log: slog.New(slog.DiscardHandler), Now: time.Now, Browser: httpkit.Browser{PublicURL: "https://example.com/ai"}},
		fstest.MapFS{".keep": {}}, pages(t))
	home := get(h, "/")
	assert.Equal(t, 200, home.Code)
	assert.Contains(t, home.Body.String(), "make console")
	assert.NotRegexp(t, `(?i)<script|style=|<style|\son[a-z]+=`, home.Body.String())
	for _, m := range regexp.MustCompile(`(?:src|href)="(assets/[^"]*)"`).FindAllStringSubmatch(home.Body.String(), -1) {
		assert.Equal(t, 200, get(h, "/"+m[1]).Code, m[1])
	}
	assert.Equal(t, 404, get(h, "/keys").Code)
	signIn := get(h, "/sign-in")
	assert.Equal(t, 303, signIn.Code, "links of invitations work all the same")
	assert.Equal(t, "/ai/api/auth/sign-in", signIn.Header().Get("Location"))
}

// TestThePolicyLetsPagesShowOnlyWhatTheHubOrThePageMade: what a model says may
// name pictures anywhere, and to load one would tell its server who reads.
func TestThePolicyLetsPagesShowOnlyWhatTheHubOrThePageMade(t *testing.T) {
	t.Parallel()
	rules := map[string]string{}
	for rule := range strings.SplitSeq(policy, "; ") {
		name, sources, _ := strings.Cut(rule, " ")
		rules[name] = sources
	}
	for _, media := range []string{"img-src", "media-src"} {
		assert.Equal(t, "'self' blob:", rules[media], media)
	}
	for _, code := range []string{"script-src", "style-src", "connect-src", "font-src"} {
		assert.Equal(t, "'self'", rules[code], code)
	}
	assert.Equal(t, "'none'", rules["default-src"])
}

// TestRoomsAreTheApplications compares the addresses that are answered with 200
// with those that the application has pages for.
func TestRoomsAreTheApplications(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("web/src/app/router.tsx")
	require.NoError(t, err)
	var found []string
	for _, m := range regexp.MustCompile(`path: "/([a-z-]+)`).FindAllStringSubmatch(string(source), -1) {
		found = append(found, m[1])
	}
	slices.Sort(found)
	assert.Equal(t, rooms, slices.Compact(found))
}

// entry is one module in the list that Vite makes of what it built.
type entry struct {
	File    string   `json:"file"`
	Imports []string `json:"imports"`
	CSS     []string `json:"css"`
	IsEntry bool     `json:"isEntry"`
}

// TestTheFirstLoadIsSmall adds up what a browser fetches before the first page
// of somebody who is signed in shows.
func TestTheFirstLoadIsSmall(t *testing.T) {
	t.Parallel()
	if !Built() {
		t.Skip("the console is not built (make console): there is nothing to weigh")
	}
	text, err := dist.ReadFile("dist/manifest.json")
	require.NoError(t, err)
	var modules map[string]entry
	require.NoError(t, json.Unmarshal(text, &modules))
	files := map[string]bool{"assets/theme.js": true, "assets/mark.svg": true}
	var take func(name string)
	take = func(name string) {
		m, ok := modules[name]
		require.True(t, ok, name)
		if files[m.File] {
			return
		}
		files[m.File] = true
		for _, css := range m.CSS {
			files[css] = true
		}
		for _, other := range m.Imports {
			take(other)
		}
	}
	for _, first := range []string{"index.html", "src/pages/home.tsx", "src/locales/ja.json"} {
		take(first)
	}
	total := 0
	for name := range files {
		body, err := dist.ReadFile("dist/" + name + ".gz")
		require.NoError(t, err)
		total += len(body)
	}
	const budget = 250_000
	assert.Less(t, total, budget, "%d files, gzipped", len(files))
	fmt.Printf("first load of the console: %d bytes gzipped in %d files\n", total, len(files))
}

// TestTheBuiltConsoleAsksNobodyElse looks for addresses of other hosts in what
// was built.
func TestTheBuiltConsoleAsksNobodyElse(t *testing.T) {
	t.Parallel()
	if !Built() {
		t.Skip("the console is not built (make console): there is nothing to look at")
	}
	page, err := dist.ReadFile("dist" + homePage)
	require.NoError(t, err)
	assert.NotContains(t, string(page), "//", "nothing comes from elsewhere")
	assert.NotRegexp(t, `(?i)<script>|style=|<style|\son[a-z]+=`, string(page), "its policy allows none of these")
	for _, m := range regexp.MustCompile(`(?:src|href)="([^"]*)"`).FindAllStringSubmatch(string(page), -1) {
		assert.True(t, strings.HasPrefix(m[1], "./assets/"), "%s works below a prefix", m[1])
		h := New(Deps{Log: slog.New(slog.DiscardHandler), Now: time.Now})
		assert.Equal(t, 200, get(h, strings.TrimPrefix(m[1], ".")).Code, m[1])
	}
}
