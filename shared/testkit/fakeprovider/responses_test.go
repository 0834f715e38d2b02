package fakeprovider

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func askAs(t *testing.T, p *Provider, key, method, path, body string) (int, map[string]any) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, p.URL+path, strings.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+key)
	r.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	var m map[string]any
	require.NoError(t, json.Unmarshal(text, &m), "%s", text)
	return res.StatusCode, m
}

func TestTheResponsesEndpointIsStrict(t *testing.T) {
	t.Parallel()
	p := Start(t, OpenAI, Options{})
	for body, code := range map[string]string{
		`{"model":"gpt-fake","input":"x","messages":[]}`:                                                           "unknown_parameter",
		`{"model":"gpt-fake","input":"x","max_output_tokens":5}`:                                                   "integer_below_min_value",
		`{"model":"gpt-fake","input":"x","previous_response_id":"resp_no"}`:                                        "previous_response_not_found",
		`{"model":"gpt-fake","input":[{"role":"user","content":[{"type":"output_text","text":"x"}]}]}`:             "invalid_value",
		`{"model":"gpt-fake","input":[{"type":"reasoning","summary":[],"encrypted_content":"of another vendor"}]}`: "invalid_encrypted_content",
		`{"model":"gpt-fake","input":"x","tools":[{"type":"function","name":"f"}]}`:                                "missing_required_parameter",
		`{"model":"gpt-fake"}`: "missing_required_parameter",
	} {
		status, got := askAs(t, p, DefaultKey, "POST", "/v1/responses", body)
		assert.Equal(t, http.StatusBadRequest, status, body)
		assert.Equal(t, code, got["error"].(map[string]any)["code"], body)
	}
	status, _ := askAs(t, p, DefaultKey, "POST", "/v1/responses", `{"model":"gpt-fake","input":[{"type":"function_call_output","call_id":"c","output":"x"}]}`)
	assert.Equal(t, http.StatusBadRequest, status, "an output without its call")
}

func TestStoredResponsesAreUnderTheirKey(t *testing.T) {
	t.Parallel()
	const other = "sk-fake-other"
	p := Start(t, OpenAI, Options{Keys: []string{DefaultKey, other}})
	status, got := askAs(t, p, DefaultKey, "POST", "/v1/responses", `{"model":"gpt-fake","input":"x"}`)
	require.Equal(t, http.StatusOK, status)
	at := "/v1/responses/" + got["id"].(string)
	for key, want := range map[string]int{DefaultKey: http.StatusOK, other: http.StatusNotFound} {
		status, _ = askAs(t, p, key, "GET", at, "")
		assert.Equal(t, want, status)
	}
	status, _ = askAs(t, p, DefaultKey, "DELETE", at, "")
	assert.Equal(t, http.StatusOK, status)
	status, _ = askAs(t, p, DefaultKey, "GET", at, "")
	assert.Equal(t, http.StatusNotFound, status)
	_, got = askAs(t, p, DefaultKey, "POST", "/v1/responses", `{"model":"gpt-fake","input":"x","store":false}`)
	status, _ = askAs(t, p, DefaultKey, "GET", "/v1/responses/"+got["id"].(string), "")
	assert.Equal(t, http.StatusNotFound, status)
}
