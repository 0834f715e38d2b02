package proxy_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/dialect/dialecttest"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/testkit/fakeprovider"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

// googleAnswer is what a test reads of an answer in Google's shape.
type googleAnswer struct {
	Candidates []struct {
		Content struct {
			Parts []struct {
				Text         string `json:"text"`
				Thought      bool   `json:"thought"`
				Signature    string `json:"thoughtSignature"`
				FunctionCall *struct {
					ID   string         `json:"id"`
					Name string         `json:"name"`
					Args map[string]any `json:"args"`
				} `json:"functionCall"`
			} `json:"parts"`
		} `json:"content"`
		FinishReason string `json:"finishReason"`
	} `json:"candidates"`
	PromptFeedback *struct {
		BlockReason string `json:"blockReason"`
	} `json:"promptFeedback"`
	RawUsage map[string]any `json:"usageMetadata"`
	Model    string         `json:"modelVersion"`
	ID       string         `json:"responseId"`
	Error    *struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
		Status  string `json:"status"`
	} `json:"error"`
}

// googleAnswers reads an answer: one object, an array of them, or events.
func googleAnswers(t *testing.T, body string) []googleAnswer {
	t.Helper()
	var all []googleAnswer
	switch body[0] {
	case '[':
		require.NoError(t, json.Unmarshal([]byte(body), &all), body)
	case '{':
		all = make([]googleAnswer, 1)
		require.NoError(t, json.Unmarshal([]byte(body), &all[0]), body)
	default:
		for _, f := range dialecttest.SplitFrames(t, []byte(body)) {
			if _, data := wire.Data(f); len(data) > 0 {
				var a googleAnswer
				require.NoError(t, json.Unmarshal(data, &a), body)
				all = append(all, a)
			}
		}
	}
	return all
}

func googleText(all []googleAnswer) (text, finish string) {
	for _, a := range all {
		for _, c := range a.Candidates {
			for _, p := range c.Content.Parts {
				if !p.Thought {
					text += p.Text
				}
			}
			if c.FinishReason != "" {
				finish = c.FinishReason
			}
		}
	}
	return text, finish
}

// googlePaths are the ways of asking for an answer.
var googlePaths = map[string]string{
	"whole":  "/v1beta/models/%s:generateContent",
	"events": "/v1/models/%s:streamGenerateContent?alt=sse",
	"array":  "/v1beta/models/%s:streamGenerateContent",
}

func hello(text string) string {
	return fmt.Sprintf(`{"systemInstruction":{"parts":[{"text":"Be brief."}]},"contents":[{"role":"user","parts":[{"text":%q}]}]}`, text)
}

func TestGoogleCallersReachEveryProviderAndTheMoneyIsExact(t *testing.T) {
	t.Parallel()
	for kind, model := range models {
		for way, path := range googlePaths {
			t.Run(fmt.Sprintf("%s %s", kind, way), func(t *testing.T) {
				t.Parallel()
				h := start(t, map[string]string{"AIGNE_HUB_BILLING": "on"})
				fake := h.provider(kind)
				h.rate(kinds[kind].kind, model, "3", "15")
				h.grant("10")
				said := "The quick brown fox jumps over the lazy dog and on."
				fake.Always(model, fakeprovider.Answer{Text: said})
				name := kinds[kind].kind + "%2F" + model
				res, body := h.send(fmt.Sprintf(path, name), hello("Say it."))
				require.Equal(t, 200, res.StatusCode, body)
				all := googleAnswers(t, body)
				text, finish := googleText(all)
				assert.Equal(t, said, text)
				assert.Equal(t, "STOP", finish)
				assert.Equal(t, way == "events", strings.HasPrefix(res.Header.Get("Content-Type"), "text/event-stream"))
				want := fake.Reported()
				last := all[len(all)-1]
				assert.InDelta(t, want.Prompt(), last.RawUsage["promptTokenCount"], 0)
				assert.InDelta(t, want.Completion(), last.RawUsage["candidatesTokenCount"], 0)
				assert.NotEmpty(t, last.Model)
				assert.NotEmpty(t, last.ID)
				charge := money.Credits(3000*want[hub.Input] + 15000*want[hub.Output])
				require.NotZero(t, charge)
				c := h.lastCall()
				assert.Equal(t, hub.StatusSuccess, c.Status)
				assert.Equal(t, want, c.Usage)
				assert.Equal(t, hub.UsageReported, c.Source)
				assert.Equal(t, charge, c.Credits)
				assert.Equal(t, 10*money.Credit-charge, h.account().Balance)
				assert.Equal(t, "gemini", c.Dialect)
			})
		}
	}
}

func TestGoogleToGoogleBytesPass(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	fake := h.provider(fakeprovider.Gemini)
	body := `{ "safety_settings":[ {"category":"HARM_CATEGORY_HARASSMENT","threshold":"BLOCK_NONE"} ],"contents":[{"role":"user","parts":[{"text":"Hi"}]}], "generation_config":{"temperature":0.50} }`
	res, text := h.send("/v1beta/models/google/gemini-fake:generateContent", body, "x-goog-api-key", h.key.Reveal())
	require.Equal(t, 200, res.StatusCode, text)
	assert.Equal(t, body, string(fake.Last().Body))
	assert.Equal(t, "/v1beta/models/gemini-fake:generateContent", fake.Last().Path)
	assert.Empty(t, res.Header.Get("x-aigne-hub-dropped-params"))

	res, text = h.send("/v1beta/models/gemini-fake:generateContent?key="+h.key.Reveal(), `{"contents":[{"parts":[{"text":"Hi"}]}],"wrong":1}`, "Authorization", "")
	assert.Equal(t, http.StatusBadRequest, res.StatusCode)
	assert.Equal(t, "INVALID_ARGUMENT", googleAnswers(t, text)[0].Error.Status)
}

const googleTools = `"tools":[{"functionDeclarations":[{"name":"get_weather","description":"d","parameters":{"type":"OBJECT","properties":{"city":{"type":"STRING"}},"required":["city"]}}]}]`

func TestGoogleCallersUseToolsOfEveryProvider(t *testing.T) {
	t.Parallel()
	for kind, model := range models {
		for way, path := range googlePaths {
			t.Run(fmt.Sprintf("%s %s", kind, way), func(t *testing.T) {
				t.Parallel()
				h := start(t, nil)
				fake := h.provider(kind)
				path := fmt.Sprintf(path, kinds[kind].kind+"/"+model)
				_, body := h.send(path, `{"contents":[{"role":"user","parts":[{"text":"please use tools twice"}]}],`+googleTools+`}`)
				var parts []string
				calls := 0
				for _, a := range googleAnswers(t, body) {
					for _, p := range a.Candidates[0].Content.Parts {
						if p.FunctionCall == nil {
							continue
						}
						calls++
						args, err := json.Marshal(p.FunctionCall)
						require.NoError(t, err)
						parts = append(parts, fmt.Sprintf(`{"functionCall":%s,"thoughtSignature":%q}`, args, p.Signature))
						assert.Equal(t, "get_weather", p.FunctionCall.Name)
						assert.NotEmpty(t, p.FunctionCall.Args["city"])
					}
				}
				require.Equal(t, 2, calls, body)
				second := `{"contents":[{"role":"user","parts":[{"text":"please use tools twice"}]},{"role":"model","parts":[` + strings.Join(parts, ",") + `]},
					{"role":"user","parts":[{"functionResponse":{"name":"get_weather","response":{"output":"20 degrees in Paris"}}},{"functionResponse":{"name":"get_weather","response":{"output":"25 degrees in Rome"}}}]}],` + googleTools + `}`
				res, body := h.send(path, second)
				require.Equal(t, 200, res.StatusCode, body)
				text, _ := googleText(googleAnswers(t, body))
				assert.Contains(t, text, "25 degrees in Rome", "the results arrive")
				assert.Contains(t, string(fake.Last().Body), "20 degrees in Paris")
				assert.Len(t, fake.Requests(), 2)
			})
		}
	}
}

func TestGoogleCallersGetPicturesSchemasAndThinkingThrough(t *testing.T) {
	t.Parallel()
	for kind, model := range models {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			h := start(t, nil)
			fake := h.provider(kind)
			path := "/v1beta/models/" + kinds[kind].kind + "/" + model + ":generateContent"
			res, body := h.send(path, `{"contents":[{"parts":[{"text":"What is this?"},{"inline_data":{"mime_type":"image/png","data":"iVBORw0KGgo="}}]}]}`)
			require.Equal(t, 200, res.StatusCode, body)
			assert.Contains(t, string(fake.Last().Body), "iVBORw0KGgo=")

			schema := `"responseSchema":{"type":"OBJECT","properties":{"city":{"type":"STRING"}},"required":["city"]}`
			res, body = h.send(path, `{"contents":[{"parts":[{"text":"Name a city."}]}],"generationConfig":{"responseMimeType":"application/json",`+schema+`}}`)
			require.Equal(t, 200, res.StatusCode, body)
			text, _ := googleText(googleAnswers(t, body))
			assert.JSONEq(t, `{"city":"Paris"}`, text)

			if kind == fakeprovider.OpenAI {
				return
			}
			res, body = h.send(path, `{"contents":[{"parts":[{"text":"Hi there"}]}],"generationConfig":{"thinkingConfig":{"includeThoughts":true,"thinkingBudget":2000}}}`)
			require.Equal(t, 200, res.StatusCode, body)
			part := googleAnswers(t, body)[0].Candidates[0].Content.Parts[0]
			assert.True(t, part.Thought)
			assert.NotEmpty(t, part.Text)
		})
	}
}

func TestAnotherVendorsThinkingComesBackToIt(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	claude := h.provider(fakeprovider.Anthropic)
	google := h.provider(fakeprovider.Gemini)
	ask := `{"contents":[%s{"role":"user","parts":[{"text":"Hi there"}]}],"generationConfig":{"thinkingConfig":{"includeThoughts":true,"thinkingBudget":2000}}}`
	_, body := h.send("/v1beta/models/anthropic/claude-fake:generateContent", fmt.Sprintf(ask, ""))
	part := googleAnswers(t, body)[0].Candidates[0].Content.Parts[0]
	require.NotEmpty(t, part.Signature)
	turn := fmt.Sprintf(`{"role":"user","parts":[{"text":"Hi"}]},{"role":"model","parts":[{"text":%q,"thought":true,"thoughtSignature":%q},{"text":"Hello"}]},`, part.Text, part.Signature)
	res, body := h.send("/v1beta/models/anthropic/claude-fake:generateContent", fmt.Sprintf(ask, turn))
	require.Equal(t, 200, res.StatusCode, body)
	assert.Contains(t, string(claude.Last().Body), `"signature":"ZmFrZS1zaWduYXR1cmU="`)

	res, body = h.send("/v1beta/models/google/gemini-fake:generateContent", fmt.Sprintf(ask, turn))
	require.Equal(t, 200, res.StatusCode, body)
	assert.NotContains(t, string(google.Last().Body), part.Signature, "Google would refuse it")
}

func TestGoogleCallersLearnOfErrorsInGooglesWords(t *testing.T) {
	t.Parallel()
	h := start(t, map[string]string{"AIGNE_HUB_BILLING": "on"})
	fake := h.provider(fakeprovider.OpenAI)
	h.rate("openai", "gpt-fake", "3", "15")
	tests := []struct {
		name, path, body string
		header           []string
		status           int
		word             string
	}{
		{"an unknown model", "/v1beta/models/none/none:generateContent", hello("Hi"), nil, 404, "NOT_FOUND"},
		{"an unknown method", "/v1beta/models/openai/gpt-fake:doIt", hello("Hi"), nil, 404, "NOT_FOUND"},
		{"no method", "/v1/models/openai/gpt-fake", hello("Hi"), nil, 404, "NOT_FOUND"},
		{"a wrong key", "/v1/models/openai/gpt-fake:generateContent", hello("Hi"), []string{"Authorization", "Bearer sk-hub-wrong"}, 401, "UNAUTHENTICATED"},
		{"an empty wallet", "/v1/models/openai/gpt-fake:generateContent", hello("Hi"), nil, 402, "FAILED_PRECONDITION"},
		{"no object", "/v1/models/openai/gpt-fake:generateContent", `[]`, nil, 400, "INVALID_ARGUMENT"},
		{"no contents", "/v1/models/openai/gpt-fake:streamGenerateContent", `{}`, nil, 400, "INVALID_ARGUMENT"},
	}
	for _, tt := range tests {
		res, body := h.send(tt.path, tt.body, tt.header...)
		assert.Equal(t, tt.status, res.StatusCode, tt.name)
		e := googleAnswers(t, body)[0].Error
		require.NotNil(t, e, tt.name)
		assert.Equal(t, tt.word, e.Status, tt.name)
		assert.Equal(t, tt.status, e.Code, tt.name)
		assert.NotEmpty(t, e.Message, tt.name)
	}
	h.grant("10")
	for name, what := range map[string]string{
		"a tool of Google's own": `{"contents":[{"parts":[{"text":"Hi"}]}],"tools":[{"computerUse":{"environment":"ENVIRONMENT_BROWSER"}}]}`,
		"cached content":         `{"contents":[{"parts":[{"text":"Hi"}]}],"cachedContent":"cachedContents/1"}`,
		"a speech setting":       `{"contents":[{"parts":[{"text":"Hi"}]}],"generationConfig":{"speechConfig":{}}}`,
		"strict safety":          `{"contents":[{"parts":[{"text":"Hi"}]}],"safetySettings":[{"category":"HARM_CATEGORY_HARASSMENT","threshold":"BLOCK_LOW_AND_ABOVE"}]}`,
		"a piece of a video":     `{"contents":[{"parts":[{"text":"Hi","videoMetadata":{"fps":1}}]}]}`,
	} {
		res, body := h.send("/v1/models/openai/gpt-fake:generateContent", what)
		assert.Equal(t, http.StatusBadRequest, res.StatusCode, "%s is refused: %s", name, body)
	}
	assert.Empty(t, fake.Requests(), "nothing of it reached the provider")
}

func TestGoogleStreamsThatFail(t *testing.T) {
	t.Parallel()
	for kind, model := range models {
		for _, way := range []string{"events", "array"} {
			t.Run(fmt.Sprintf("%s %s", kind, way), func(t *testing.T) {
				t.Parallel()
				h := start(t, nil)
				fake := h.provider(kind)
				fake.Always(model, fakeprovider.Answer{Text: "The quick brown fox jumps over the lazy dog.", Break: fakeprovider.ErrorFrame})
				res, body := h.send(fmt.Sprintf(googlePaths[way], kinds[kind].kind+"/"+model), hello("Hi"))
				require.Equal(t, 200, res.StatusCode, body)
				all := googleAnswers(t, body)
				require.Greater(t, len(all), 1)
				e := all[len(all)-1].Error
				require.NotNil(t, e, body)
				assert.GreaterOrEqual(t, e.Code, 400)
				assert.NotEmpty(t, e.Status)
				assert.Equal(t, hub.StatusFailed, h.lastCall().Status)
			})
		}
	}
}

func TestAGoogleCallerWhoLeavesIsSettled(t *testing.T) {
	t.Parallel()
	h := start(t, map[string]string{"AIGNE_HUB_BILLING": "on", "AIGNE_HUB_BILLING_ON_ABORT": "delivered"})
	h.provider(fakeprovider.Anthropic)
	h.rate("anthropic", "claude-fake", "3", "15")
	h.grant("10")
	ctx, leave := context.WithCancel(t.Context())
	res, err := h.post(ctx, "/v1beta/models/anthropic/claude-fake:streamGenerateContent?alt=sse", hello("please stall"))
	require.NoError(t, err)
	one := make([]byte, 1)
	_, err = res.Body.Read(one)
	require.NoError(t, err)
	leave()
	_ = res.Body.Close()
	assert.Eventually(t, func() bool { return h.lastCall().Status == hub.StatusAborted }, 10*time.Second, 10*time.Millisecond)
}

func TestGoogleModelsArePaged(t *testing.T) {
	t.Parallel()
	h := start(t, map[string]string{"AIGNE_HUB_BILLING": "on"})
	h.provider(fakeprovider.Gemini)
	for i := range 5 {
		h.rate("google", fmt.Sprintf("m%d", i), "3", "15")
	}
	get := func(path string, header ...string) (int, map[string]any) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, h.url+path, nil)
		require.NoError(t, err)
		r.Header.Set("x-goog-api-key", h.key.Reveal())
		res, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		defer res.Body.Close()
		var m map[string]any
		require.NoError(t, json.NewDecoder(res.Body).Decode(&m))
		return res.StatusCode, m
	}
	for _, base := range []string{"/v1beta/models", "/v1/models"} {
		var names []string
		for token, pages := "", 0; ; pages++ {
			require.Less(t, pages, 4)
			_, page := get(base + "?pageSize=2&pageToken=" + token)
			for _, m := range page["models"].([]any) {
				names = append(names, m.(map[string]any)["name"].(string))
			}
			next, more := page["nextPageToken"].(string)
			if !more {
				break
			}
			token = next
		}
		assert.Equal(t, []string{"models/google/m0", "models/google/m1", "models/google/m2", "models/google/m3", "models/google/m4"}, names)
	}
	status, one := get("/v1beta/models/google%2Fm3")
	assert.Equal(t, 200, status)
	assert.Equal(t, "models/google/m3", one["name"])
	assert.Contains(t, one["supportedGenerationMethods"], "generateContent")
	status, _ = get("/v1/models/google/none-such")
	assert.Equal(t, http.StatusBadRequest, status, "no rate")
	status, _ = get("/v1beta/models/none-such")
	assert.Equal(t, http.StatusNotFound, status)
	status, _ = get("/v1beta/models?pageSize=x")
	assert.Equal(t, http.StatusBadRequest, status)
}

func TestCountsCostNothing(t *testing.T) {
	t.Parallel()
	count := map[string]struct{ path, body, field string }{
		"gemini":       {"/v1/models/%s:countTokens", `{"contents":[{"role":"user","parts":[{"text":"Hi there"}]}]}`, "totalTokens"},
		"gemini whole": {"/v1beta/models/%s:countTokens", `{"generateContentRequest":{"model":"models/x","contents":[{"role":"user","parts":[{"text":"Hi there"}]}]}}`, "totalTokens"},
		"anthropic":    {"/v1/messages/count_tokens", `{"model":"%s","messages":[{"role":"user","content":"Hi there"}]}`, "input_tokens"},
	}
	for kind, model := range models {
		for dialect, c := range count {
			t.Run(dialect+" to "+string(kind), func(t *testing.T) {
				t.Parallel()
				h := start(t, map[string]string{"AIGNE_HUB_BILLING": "on"})
				fake := h.provider(kind)
				h.rate(kinds[kind].kind, model, "3", "15")
				name := kinds[kind].kind + "/" + model
				path, body := c.path, c.body
				if strings.Contains(path, "%s") {
					path = fmt.Sprintf(path, name)
				} else {
					body = fmt.Sprintf(body, name)
				}
				res, text := h.send(path, body)
				require.Equal(t, 200, res.StatusCode, text)
				tokens := decode(t, text)[c.field].(float64)
				if native := strings.HasPrefix(dialect, string(kind)); native {
					assert.InDelta(t, 2, tokens, 0, "as the provider counts")
					assert.Equal(t, "reported", res.Header.Get("x-aigne-hub-usage-source"))
					require.Len(t, fake.Requests(), 1)
				} else {
					assert.Greater(t, tokens, 1.0)
					assert.Equal(t, "estimated", res.Header.Get("x-aigne-hub-usage-source"))
					assert.Empty(t, fake.Requests())
				}
				calls, err := h.app.Store.Calls(t.Context(), store.CallFilter{Limit: 10})
				require.NoError(t, err)
				assert.Empty(t, calls, "a count is no call")
				assert.Zero(t, h.account().Held)
			})
		}
	}
}

func TestCountsAreOnlyForThoseWhoMayCall(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	fake := h.provider(fakeprovider.Gemini)
	path, body := "/v1/models/gemini-fake:countTokens", `{"contents":[{"parts":[{"text":"Hi"}]}]}`
	res, text := h.send(path, body, "Authorization", "Bearer sk-hub-wrong")
	assert.Equal(t, http.StatusUnauthorized, res.StatusCode, text)
	res, text = h.send("/v1/models/none/none:countTokens", body)
	assert.Equal(t, http.StatusNotFound, res.StatusCode, text)
	res, text = h.send(path, `{"contents":[{"parts":[{}]}]}`)
	assert.Equal(t, http.StatusBadRequest, res.StatusCode, text)
	fake.Forget()

	res, text = h.send(path, body)
	require.Equal(t, 200, res.StatusCode, text)
	keys, err := h.app.Store.AllKeys(t.Context(), "", 10)
	require.NoError(t, err)
	require.NoError(t, h.app.Store.RevokeKey(t.Context(), keys[0].ID))
	fake.Forget()
	res, text = h.send(path, body)
	assert.Equal(t, http.StatusUnauthorized, res.StatusCode, "whatever is cached: %s", text)
	assert.Empty(t, fake.Requests())
}
