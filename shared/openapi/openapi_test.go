package openapi_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/openapi"
	"github.com/aigne-hub/aigne-hub/shared/testkit/oas"
)

func TestTheDocumentIsGoodOpenAPI(t *testing.T) {
	t.Parallel()
	assert.Empty(t, oas.Lint(t, openapi.Document("https://hub.example/ai")))

	for name, spoil := range map[string][2]string{
		"a reference to nothing":         {`"#/components/schemas/Error"`, `"#/components/schemas/Nothing"`},
		"a schema of no kind":            {`"type": "boolean"`, `"type": "bool"`},
		"a parameter that nobody names":  {`"/api/auth/keys/{id}": {`, `"/api/auth/keys/{it}": {`},
		"an answer without a word about": {`"description": "Created"`, `"word": "Created"`},
	} {
		t.Run("the check finds "+name, func(t *testing.T) {
			t.Parallel()
			spoilt := bytes.Replace(openapi.Document(""), []byte(spoil[0]), []byte(spoil[1]), 1)
			require.NotEqual(t, openapi.Document(""), spoilt)
			assert.NotEmpty(t, oas.Lint(t, spoilt))
		})
	}
}

func TestTheDocumentIsServedWithAnETag(t *testing.T) {
	t.Parallel()
	serve := func(publicURL, tag string) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, openapi.Path, nil)
		r.Header.Set("If-None-Match", tag)
		w := httptest.NewRecorder()
		require.NoError(t, openapi.Handler(publicURL)(w, r))
		return w
	}
	first := serve("", "")
	require.Equal(t, 200, first.Code)
	assert.Equal(t, "application/json", first.Header().Get("Content-Type"))
	assert.Equal(t, openapi.Document(""), first.Body.Bytes())
	again := serve("", first.Header().Get("Etag"))
	assert.Equal(t, 304, again.Code)
	assert.Empty(t, again.Body.Bytes())

	elsewhere := serve("https://hub.example/\"ai", first.Header().Get("Etag"))
	require.Equal(t, 200, elsewhere.Code, "another address, another document")
	var doc struct{ Servers []struct{ URL string } }
	require.NoError(t, json.Unmarshal(elsewhere.Body.Bytes(), &doc))
	require.Len(t, doc.Servers, 1)
	assert.Equal(t, "https://hub.example/\"ai", doc.Servers[0].URL)
}
