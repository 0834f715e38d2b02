package upstream

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/provider"
	"github.com/aigne-hub/aigne-hub/shared/routing"
)

func TestEveryKindsCredentialCanBeTried(t *testing.T) {
	t.Parallel()
	for _, k := range provider.All() {
		if k.Auth == provider.SigV4 || k.Auth == provider.GoogleAccount || !k.Offers(provider.Chat) {
			continue
		}
		t.Run(k.ID, func(t *testing.T) {
			t.Parallel()
			c := New(Settings{}, time.Now)
			t.Cleanup(c.Close)
			// A vendor that answers only what it has, and only a good credential.
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				good := r.Header.Get("Authorization") == "Bearer good" || r.Header.Get("X-Api-Key") == "good" || r.Header.Get("X-Goog-Api-Key") == "good" || r.Header.Get("Api-Key") == "good"
				body, _ := io.ReadAll(r.Body)
				want := "GET /v1/models"
				switch {
				case k.NoCheck:
					want = "POST /v1/chat/completions"
				case k.CheckPath != "":
					want = "GET /v1" + k.CheckPath
				}
				switch {
				case r.Method+" "+r.URL.Path != want:
					w.WriteHeader(http.StatusNotFound)
				case !good:
					w.WriteHeader(http.StatusUnauthorized)
				case k.NoCheck && string(body) == "{}":
					w.WriteHeader(http.StatusBadRequest)
				}
			}))
			t.Cleanup(srv.Close)
			p := &routing.Provider{Name: k.ID, Kind: k, BaseURL: srv.URL + "/v1"}
			v := c.Probe(t.Context(), p, "good")
			assert.True(t, v.OK, v.Error)
			v = c.Probe(t.Context(), p, "bad")
			assert.False(t, v.OK)
			assert.Equal(t, "HTTP 401: the provider refuses the credential", v.Error)
		})
	}
}

func TestQuestionsGoWhereNothingIsCharged(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]string{
		provider.Bedrock:   "GET https://bedrock.eu-west-1.amazonaws.com/foundation-models",
		provider.Vertex:    "POST https://aiplatform.googleapis.com/v1/projects/p/locations/global/publishers/google/models/gemini-2.5-flash:countTokens",
		provider.Anthropic: "GET https://api.anthropic.com/v1/models",
	} {
		kind, ok := provider.Find(id)
		require.True(t, ok)
		base, err := provider.RegionURL(kind.BaseURL, map[string]string{provider.Bedrock: "eu-west-1", provider.Vertex: "global"}[id])
		require.NoError(t, err)
		base, err = provider.ProjectURL(base, "p")
		require.NoError(t, err)
		method, address, _ := question(kind, base)
		assert.Equal(t, want, method+" "+address)
	}
}
