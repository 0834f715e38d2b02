package provider

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// fromCaller is a request that still carries everything a caller may have sent.
func fromCaller(t *testing.T) *http.Request {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, "https://h.example/v1?alt=sse&key=callers&x=%20&API_KEY=callers&%zz=callers", nil)
	require.NoError(t, err)
	for _, name := range []string{
		"Authorization", "X-Api-Key", "X-Goog-Api-Key", "Api-Key", "Cookie", "Proxy-Authorization", "Openai-Organization",
		"Openai-Project", "X-Amz-Security-Token",
	} {
		r.Header.Set(name, "callers")
	}
	r.Header["x-api-key"] = []string{"callers"}
	r.Header.Set("Anthropic-Version", "2023-06-01")
	return r
}

func TestAuthorizeSetsTheOperatorsCredentialAndNothingElse(t *testing.T) {
	t.Parallel()
	tests := []struct{ kind, header, want string }{
		{OpenAI, "Authorization", "Bearer operators"},
		{Anthropic, "X-Api-Key", "operators"},
		{Google, "X-Goog-Api-Key", "operators"},
		{Ideogram, "Api-Key", "operators"},
		{Azure, "Api-Key", "operators"},
		{OpenRouter, "Authorization", "Bearer operators"},
		{Ollama, "Authorization", "Bearer operators"},
	}
	for _, tt := range tests {
		t.Run(tt.kind, func(t *testing.T) {
			t.Parallel()
			r := fromCaller(t)
			require.NoError(t, Authorize(find(t, tt.kind), r, hub.Secret(" operators\n")))
			assert.Equal(t, http.Header{tt.header: {tt.want}, "Anthropic-Version": {"2023-06-01"}}, r.Header)
			assert.Equal(t, "alt=sse&x=%20", r.URL.RawQuery)
		})
	}
}

func TestAuthorizeWithoutAnUsableCredential(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, kind string
		secret     hub.Secret
		ok         bool
	}{
		{"none where one is needed", OpenAI, "", false},
		{"none where none is needed", Ollama, "", true},
		{"none for a compatible provider", OpenAICompatible, "", true},
		{"a line break inside", OpenAI, "hunter2\r\nX-Evil: 1", false},
		{"letters beyond ASCII", OpenAI, "hunter2é", false},
		{"a kind that signs", Bedrock, "hunter2", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := fromCaller(t)
			err := Authorize(find(t, tt.kind), r, tt.secret)
			assert.Equal(t, http.Header{"Anthropic-Version": {"2023-06-01"}}, r.Header, "the caller's own never stays")
			if tt.ok {
				require.NoError(t, err)
				return
			}
			require.Equal(t, hub.CodeProviderCredential, hub.CodeOf(err))
			assert.NotContains(t, err.Error(), "hunter2")
		})
	}
	r := fromCaller(t)
	require.NoError(t, Authorize(find(t, Bedrock), r, "ABSKoperators"))
	assert.Equal(t, "Bearer ABSKoperators", r.Header.Get("Authorization"), "an API key of Bedrock's")
	bare := &http.Request{}
	require.NoError(t, Authorize(find(t, OpenAI), bare, "operators"))
	assert.Equal(t, "Bearer operators", bare.Header.Get("Authorization"))
}
