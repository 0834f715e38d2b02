package dialecttest_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/dialect/openai"
	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// asked reads a request of a caller's language.
func asked(t *testing.T, as, body string) (*dialect.View, *chat.Request) {
	t.Helper()
	l := callers()[as].language
	v, err := l.Server.View(httptest.NewRequest(http.MethodPost, l.Path, nil), []byte(body))
	require.NoError(t, err, body)
	req, err := l.Server.Decode(v)
	require.NoError(t, err, body)
	return v, req
}

func targets() map[string]vendor {
	all := vendors()
	all["deepseek"] = vendor{client: openai.Client{}, model: "deepseek-chat"}
	return all
}

// searching are requests with a tool that the provider runs, with and without a
// function beside it.
func searching() map[string][2]string {
	const fn = `{"name":"f","input_schema":{"type":"object"}}`
	return map[string][2]string{
		"openai": {
			`{"model":"m","messages":[{"role":"user","content":"x"}],"web_search_options":{"user_location":{"type":"approximate","approximate":{"city":"Lyon"}}}}`,
			`{"model":"m","messages":[{"role":"user","content":"x"}],"web_search_options":{},"tools":[{"type":"function","function":{"name":"f"}}]}`,
		},
		"responses": {
			`{"model":"m","input":"x","tools":[{"type":"web_search","user_location":{"type":"approximate","city":"Lyon"}}],"tool_choice":"auto"}`,
			`{"model":"m","input":"x","tools":[{"type":"function","name":"f"},{"type":"web_search"}],"parallel_tool_calls":true}`,
		},
		"anthropic": {
			`{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"x"}],"tools":[{"type":"web_search_20250305","name":"web_search","user_location":{"type":"approximate","city":"Lyon"}}]}`,
			`{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"x"}],"tools":[` + fn + `,{"type":"web_search_20250305","name":"web_search"}],"tool_choice":{"type":"auto"}}`,
		},
		"aigne": {
			`{"input":{"modelOptions":{"model":"a/m","webSearchOptions":{"user_location":{"type":"approximate","approximate":{"city":"Lyon"}}}},"messages":[{"role":"user","content":"x"}]}}`,
			`{"input":{"modelOptions":{"model":"a/m","webSearchOptions":{}},"messages":[{"role":"user","content":"x"}],"tools":[{"type":"function","function":{"name":"f"}}]}}`,
		},
		"gemini": {
			`{"contents":[{"parts":[{"text":"x"}]}],"tools":[{"googleSearch":{}}]}`,
			`{"contents":[{"parts":[{"text":"x"}]}],"tools":[{"functionDeclarations":[{"name":"f"}]},{"googleSearch":{}}]}`,
		},
	}
}

// mapped is what stands in the body of a provider that has a search.
var mapped = map[string]string{"anthropic": `"web_search_20250305"`, "openai": `"web_search"`, "google": `"googleSearch"`}

func TestASearchIsAskedForWhereThereIsOneAndElseLeftOut(t *testing.T) {
	t.Parallel()
	for as, bodies := range searching() {
		for i, body := range bodies {
			for to, target := range targets() {
				t.Run(fmt.Sprintf("%s to %s, %d functions", as, to, i), func(t *testing.T) {
					t.Parallel()
					v, req := asked(t, as, body)
					assert.True(t, v.ServerTools, "credits for searches are held")
					enc, err := target.client.Encode(req, dialect.Target{Model: target.model, MaxOutput: 4096})
					require.NoError(t, err)
					word, has := mapped[to]
					// Google's search stands beside functions only where the caller knows it.
					has = has && (to != "google" || i == 0 || as == "gemini")
					if to == "deepseek" && (as == "openai" || as == "aigne") { // the language has it: passed on
						assert.Contains(t, string(enc.Body), `"web_search_options"`)
						return
					}
					if has {
						assert.Contains(t, string(enc.Body), word)
						if as != "gemini" && to != "google" && i == 0 {
							assert.Contains(t, string(enc.Body), "Lyon")
						}
						return
					}
					assert.NotContains(t, string(enc.Body), "earch")
					assert.Len(t, enc.Dropped, 1, "the caller is told")
				})
			}
		}
	}
}

func TestAToolThatMustRunElsewhereIsRefused(t *testing.T) {
	t.Parallel()
	for as, tt := range map[string][2]string{
		"responses": {`{"model":"m","input":"x","tools":[{"type":"function","name":"f"},{"type":"code_interpreter","container":{"type":"auto"}}],"tool_choice":"required"}`, "tools[1]"},
		"anthropic": {`{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"x"}],"tools":[{"type":"code_execution_20250522","name":"code_execution"}],"tool_choice":{"type":"tool","name":"code_execution"}}`, "tools[0]"},
		"gemini":    {`{"contents":[{"parts":[{"text":"x"}]}],"tools":[{"functionDeclarations":[{"name":"f"}]},{"codeExecution":{}}],"toolConfig":{"functionCallingConfig":{"mode":"ANY"}}}`, "tools[1].codeExecution"},
	} {
		_, req := asked(t, as, tt[0])
		_, err := bedrockClaude().client.Encode(req, dialect.Target{Model: bedrockClaude().model, MaxOutput: 4096})
		require.Error(t, err, as)
		assert.Equal(t, hub.CodeInvalid, hub.CodeOf(err), as)
		assert.Equal(t, tt[1], hub.AsError(err).Param, as)
	}
}

func bedrockClaude() vendor { return vendors()["bedrock"] }

func TestALimitedSearchIsNotMadeAWiderOne(t *testing.T) {
	t.Parallel()
	const body = `{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"x"}],"tools":[{"type":"web_search_20250305","name":"web_search","max_uses":8%s}]}`
	for to, want := range map[string]string{
		"openai": `"max_tool_calls":8`, "google": "",
	} {
		target := targets()[to]
		_, req := asked(t, "anthropic", fmt.Sprintf(body, ""))
		enc, err := target.client.Encode(req, dialect.Target{Model: target.model, MaxOutput: 4096})
		require.NoError(t, err)
		if want == "" {
			assert.Equal(t, []string{"tools[0] (web_search_20250305)"}, enc.Dropped)
			assert.NotContains(t, string(enc.Body), "googleSearch")
			continue
		}
		assert.Contains(t, string(enc.Body), want)
		_, req = asked(t, "anthropic", fmt.Sprintf(body, `,"blocked_domains":["x.example"]`))
		enc, err = target.client.Encode(req, dialect.Target{Model: target.model, MaxOutput: 4096})
		require.NoError(t, err)
		assert.NotContains(t, string(enc.Body), `"web_search"`, "what is blocked stays blocked")
	}
	// Codex's cached search reads no live pages; no other vendor has that.
	_, req := asked(t, "responses", `{"model":"m","input":"x","tools":[{"type":"web_search","external_web_access":false}]}`)
	enc, err := vendors()["anthropic"].client.Encode(req, dialect.Target{Model: "claude-sonnet-4-5", MaxOutput: 4096})
	require.NoError(t, err)
	assert.Equal(t, []string{"tools[0] (web_search)"}, enc.Dropped)
}
