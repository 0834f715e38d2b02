package httpkit_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
)

func ok(http.ResponseWriter, *http.Request) error { return nil }

func TestEveryRouteAdmitsExactlyWhoItSays(t *testing.T) {
	t.Parallel()
	tests := []struct {
		who  httpkit.Who
		want map[string]int // by Test-Role
	}{
		{httpkit.Anonymous, map[string]int{"": 200, "bad": 200, "guest": 200, "owner": 200}},
		{httpkit.Optional, map[string]int{"": 200, "bad": 401, "guest": 200, "owner": 200}},
		{httpkit.GuestsToo, map[string]int{"": 401, "bad": 401, "guest": 200, "member": 200, "owner": 200}},
		{httpkit.AnyUser, map[string]int{"": 401, "bad": 401, "guest": 403, "member": 200, "owner": 200}},
		{httpkit.Admin, map[string]int{"": 401, "bad": 401, "guest": 403, "member": 403, "admin": 200, "owner": 200}},
		{httpkit.OwnerOnly, map[string]int{"": 401, "bad": 401, "member": 403, "admin": 403, "owner": 200}},
	}
	for _, tt := range tests {
		t.Run(tt.who.String(), func(t *testing.T) {
			t.Parallel()
			called := false
			rt := httpkit.Route{Pattern: "/", Who: tt.who}
			if tt.who == httpkit.Anonymous {
				rt.Handler = func(http.ResponseWriter, *http.Request) error { called = true; return nil }
			} else {
				rt.As = func(_ http.ResponseWriter, r *http.Request, c hub.Caller) error {
					called = true
					assert.Equal(t, r.Header.Get("Test-Role"), string(c.Role))
					return nil
				}
			}
			h := httpkit.Mux([]httpkit.Route{rt}, deps(newLogBook()))
			for role, want := range tt.want {
				called = false
				r := httptest.NewRequest(http.MethodGet, "/", nil)
				r.Header.Set("Test-Role", role)
				w := do(h, r)
				assert.Equal(t, want, w.Code, "role %q", role)
				assert.Equal(t, want == 200, called, "role %q", role)
			}
		})
	}
}

func TestARouteTableThatContradictsItselfIsRefused(t *testing.T) {
	t.Parallel()
	as := func(http.ResponseWriter, *http.Request, hub.Caller) error { return nil }
	noAuth := deps(newLogBook())
	noAuth.Authenticate = nil
	tests := []struct {
		name  string
		route httpkit.Route
		deps  httpkit.Deps
	}{
		{"nobody may call", httpkit.Route{Pattern: "/", Handler: ok}, deps(nil)},
		{"an unknown caller", httpkit.Route{Pattern: "/", Who: 99, Handler: ok}, deps(nil)},
		{"no handler", httpkit.Route{Pattern: "/", Who: httpkit.Anonymous}, deps(nil)},
		{"two handlers", httpkit.Route{Pattern: "/", Who: httpkit.AnyUser, Handler: ok, As: as}, deps(nil)},
		{"anonymous with a caller", httpkit.Route{Pattern: "/", Who: httpkit.Anonymous, As: as}, deps(nil)},
		{"nobody to authenticate", httpkit.Route{Pattern: "/", Who: httpkit.AnyUser, Handler: ok}, noAuth},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			assert.Panics(t, func() { httpkit.Mux([]httpkit.Route{tt.route}, tt.deps) })
		})
	}
	assert.Equal(t, "who(99)", httpkit.Who(99).String())
}

func TestUnknownPathsAndMethodsAreAnsweredInJSON(t *testing.T) {
	t.Parallel()
	routes := []httpkit.Route{
		{Method: "GET", Pattern: "/things/{id}", Who: httpkit.Anonymous, Handler: ok},
		{Method: "DELETE", Pattern: "/things/{id}", Who: httpkit.Anonymous, Handler: ok},
		{Method: "POST", Pattern: "/things", Who: httpkit.Anonymous, Handler: ok},
		{Method: "GET", Pattern: "/models/{id...}", Who: httpkit.Anonymous, Handler: func(w http.ResponseWriter, r *http.Request) error {
			return httpkit.WriteJSON(w, http.StatusOK, r.PathValue("id"))
		}},
	}
	h := httpkit.Mux(routes, deps(newLogBook()))
	tests := []struct {
		method, path string
		status       int
		allow        string
	}{
		{"GET", "/nothing", 404, ""},
		{"GET", "/", 404, ""},
		{"GET", "/things/1/more", 404, ""},
		{"PUT", "/things/1", 405, "DELETE, GET, HEAD"},
		{"GET", "/things", 405, "POST"},
		{"BREW", "/things", 405, "POST"},
		{"HEAD", "/things/1", 200, ""},
		{"DELETE", "/things/1", 200, ""},
	}
	for _, tt := range tests {
		t.Run(tt.method+" "+tt.path, func(t *testing.T) {
			t.Parallel()
			w := do(h, httptest.NewRequest(tt.method, tt.path, nil))
			assert.Equal(t, tt.status, w.Code)
			assert.Equal(t, tt.allow, w.Header().Get("Allow"))
			if tt.status >= 400 {
				want := map[int]string{404: "not_found", 405: "method_not_allowed"}[tt.status]
				assert.Equal(t, want, errorOf(t, w)["code"])
			}
		})
	}
	w := do(h, httptest.NewRequest(http.MethodGet, "/models/openai%2Fgpt%20x/y", nil))
	assert.Equal(t, "\"openai/gpt x/y\"\n", w.Body.String(), "percent-encoded ids arrive decoded")
	w = do(h, httptest.NewRequest(http.MethodGet, "/"+strings.Repeat("a", 5000), nil))
	assert.Less(t, w.Body.Len(), 400, "a long path is not repeated whole")
}

func TestABodyOverTheLimitGets413NamingIt(t *testing.T) {
	t.Parallel()
	read := func(w http.ResponseWriter, r *http.Request) error {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			return err
		}
		return httpkit.WriteJSON(w, http.StatusOK, len(b))
	}
	d := deps(newLogBook())
	d.MaxBody = 10
	h := httpkit.Mux([]httpkit.Route{
		{Method: "POST", Pattern: "/a", Who: httpkit.Anonymous, Handler: read},
		{Method: "POST", Pattern: "/b", Who: httpkit.Anonymous, Handler: read, MaxBody: 20},
	}, d)
	srv := httptest.NewServer(h)
	defer srv.Close()
	tests := []struct {
		path    string
		size    int
		chunked bool
		status  int
		text    string
	}{
		{"/a", 10, false, 200, "10"},
		{"/a", 11, false, 413, "10 bytes"},
		{"/a", 10, true, 200, "10"},
		{"/a", 11, true, 413, "10 bytes"},
		{"/b", 20, false, 200, "20"},
		{"/b", 21, true, 413, "20 bytes"},
	}
	for _, tt := range tests {
		var body io.Reader = strings.NewReader(strings.Repeat("x", tt.size))
		if tt.chunked {
			body = io.MultiReader(body) // hides the length
		}
		resp, err := http.Post(srv.URL+tt.path, "text/plain", body)
		require.NoError(t, err)
		got, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		require.NoError(t, err)
		assert.Equal(t, tt.status, resp.StatusCode, "%+v", tt)
		assert.Contains(t, string(got), tt.text)
	}
}

func TestARequestThatNoServerReadHasAnEmptyBody(t *testing.T) {
	t.Parallel()
	h := httpkit.Mux(one(func(_ http.ResponseWriter, r *http.Request) error {
		_, err := io.ReadAll(r.Body)
		return err
	}), deps(newLogBook()))
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "/things/1", nil)
	require.NoError(t, err)
	assert.Equal(t, 200, do(h, r).Code)
}

func TestDefaultsServeWithoutAnyDeps(t *testing.T) {
	t.Parallel()
	w := do(httpkit.Mux(one(func(http.ResponseWriter, *http.Request) error {
		return hub.Errorf(hub.CodeConflict, "x")
	}), httpkit.Deps{}), post(""))
	assert.Equal(t, "conflict", errorOf(t, w)["code"])
}

func BenchmarkMux(b *testing.B) {
	d := deps(nil)
	d.Log = slog.New(slog.NewJSONHandler(io.Discard, nil))
	h := httpkit.Mux(one(ok), d)
	r := post("")
	b.ReportAllocs()
	for b.Loop() {
		do(h, r)
	}
}
