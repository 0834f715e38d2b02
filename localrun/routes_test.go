package main

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/openapi"
)

func TestRoutesSaysWhoMayDoWhat(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	out := h.run("", "routes")
	require.Equal(t, exitDone, out.code, out.stderr)
	assert.Regexp(t, `(?m)^METHOD +PATH +FUNCTION +WHO +SCOPE +DATA$`, out.stdout)
	assert.Regexp(t, `(?m)^POST +/v1/chat/completions +proxy +user +inference +own$`, out.stdout)
	assert.Regexp(t, `(?m)^GET +/api/user/model-calls +usage +user +usage +own, all for admins$`, out.stdout)
	assert.Regexp(t, `(?m)^GET +/healthz +common +anonymous +- +common$`, out.stdout)
	out = h.run("", "routes", "--json")
	require.Equal(t, exitDone, out.code, out.stderr)
	var all []routeView
	require.NoError(t, json.Unmarshal([]byte(out.stdout), &all))
	n := 0
	for _, routes := range tables() {
		n += len(routes)
	}
	assert.Len(t, all, n)
	for _, r := range all {
		assert.NotEmpty(t, r.Summary, r.Path)
		assert.NotEmpty(t, r.Data, r.Path)
	}
	assert.Equal(t, exitUsage, h.run("", "routes", "x").code)
}

func TestOpenAPIIsPrintedAndServed(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	out := h.run("", "openapi")
	require.Equal(t, exitDone, out.code, out.stderr)
	assert.Equal(t, string(openapi.Document("")), out.stdout)
	out = h.run("", "openapi", "--public-url", "https://hub.example/ai")
	assert.Contains(t, out.stdout, `"servers": [{"url": "https://hub.example/ai"}]`)
	assert.True(t, json.Valid([]byte(out.stdout)))

	a := openHub(t, map[string]string{"AIGNE_HUB_PUBLIC_URL": "https://hub.example/ai"})
	res := get(compose(a, named(), &health{app: a}), http.MethodGet, "/ai/openapi.json")
	assert.Equal(t, 200, res.Code)
	assert.Equal(t, out.stdout, res.Body.String())
	assert.NotEmpty(t, res.Header().Get("Etag"))
}

// What a process of the whole hub answers itself is what Common says.
func TestHealthIsAsItIsDescribed(t *testing.T) {
	t.Parallel()
	var described, served []string
	for _, rt := range openapi.Common() {
		described = append(described, rt.Name())
	}
	for _, rt := range append((&health{}).routes(), openapi.Route("")) {
		served = append(served, rt.Name())
	}
	assert.ElementsMatch(t, described, served)
}
