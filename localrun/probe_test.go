package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/provider"
	"github.com/aigne-hub/aigne-hub/shared/routing"
	"github.com/aigne-hub/aigne-hub/shared/upstream"
)

func TestEveryKindsCredentialCanBeTried(t *testing.T) {
	t.Parallel()
	for _, k := range provider.All() {
		if k.Auth == provider.SigV4 || k.Auth == provider.GoogleAccount || !k.Offers(provider.Chat) {
			continue
		}
		t.Run(k.ID, func(t *testing.T) {
			t.Parallel()
			app := &boot.App{Upstream: upstream.New(upstream.Settings{}, time.Now)}
			t.Cleanup(app.Upstream.Close)
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
			v := probe(t.Context(), app, p, routing.Credential{Name: "a", Secret: hub.Secret("good")})
			assert.True(t, v.OK, v.Error)
			v = probe(t.Context(), app, p, routing.Credential{Name: "b", Secret: hub.Secret("bad")})
			assert.False(t, v.OK)
			assert.Equal(t, "HTTP 401: the provider refuses the credential", v.Error)
		})
	}
}
