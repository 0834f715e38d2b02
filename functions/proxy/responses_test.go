package proxy_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/testkit/fakeprovider"
)

// events reads a stream of typed events as openai-node does: each is named after
// its type, the numbers rise, the id stays, items are added before they are done.
func events(t *testing.T, body string) []map[string]any {
	t.Helper()
	var all []map[string]any
	id, open := "", map[float64]string{}
	for _, frame := range strings.Split(strings.TrimSpace(body), "\n\n") {
		if strings.HasPrefix(frame, ":") {
			continue
		}
		name, data, ok := strings.Cut(frame, "\ndata: ")
		require.True(t, ok, frame)
		ev := decode(t, data)
		require.Equal(t, strings.TrimPrefix(name, "event: "), ev["type"])
		require.EqualValues(t, len(all), ev["sequence_number"])
		if res, ok := ev["response"].(map[string]any); ok {
			if id == "" {
				require.Equal(t, "response.created", ev["type"])
				id = res["id"].(string)
			}
			require.Equal(t, id, res["id"], "Lifecycle response identity changed")
		}
		if item, ok := ev["item"].(map[string]any); ok {
			at := ev["output_index"].(float64)
			if ev["type"] == "response.output_item.added" {
				open[at] = item["id"].(string)
			}
			require.Equal(t, open[at], item["id"], "added before done, under one id")
		}
		all = append(all, ev)
	}
	return all
}

func outputText(t *testing.T, response map[string]any) string {
	t.Helper()
	var text strings.Builder
	for _, item := range response["output"].([]any) {
		parts, _ := item.(map[string]any)["content"].([]any)
		for _, p := range parts {
			s, _ := p.(map[string]any)["text"].(string)
			text.WriteString(s)
		}
	}
	return text.String()
}

// do sends a request without a body as a user with key.
func (h *testHub) do(method, path, key string) (int, string) {
	h.t.Helper()
	r, err := http.NewRequestWithContext(h.t.Context(), method, h.url+path, nil)
	require.NoError(h.t, err)
	r.Header.Set("Authorization", "Bearer "+key)
	res, err := http.DefaultClient.Do(r)
	require.NoError(h.t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(h.t, err)
	return res.StatusCode, string(body)
}

func TestResponsesReachEveryProvider(t *testing.T) {
	t.Parallel()
	for kind, model := range models {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			h := start(t, nil)
			fake := h.provider(kind)
			res, body := h.send("/v1/responses", fmt.Sprintf(`{"model":%q,"input":"good morning"}`, kinds[kind].kind+"/"+model))
			require.Equal(t, http.StatusOK, res.StatusCode, body)
			whole := decode(t, body)
			assert.Equal(t, "completed", whole["status"])
			assert.Equal(t, "Hello from "+model+": good morning", outputText(t, whole))
			use := whole["usage"].(map[string]any)
			want := fake.Last().Usage
			assert.EqualValues(t, want.Prompt(), use["input_tokens"])
			assert.EqualValues(t, want.Completion(), use["output_tokens"])
			assert.Equal(t, want, h.settledCall().Usage)

			res, body = h.send("/v1/responses", fmt.Sprintf(`{"model":%q,"input":[{"role":"user","content":"good night"}],"stream":true}`, kinds[kind].kind+"/"+model))
			require.Equal(t, http.StatusOK, res.StatusCode, body)
			all := events(t, body)
			last := all[len(all)-1]
			require.Equal(t, "response.completed", last["type"])
			final := last["response"].(map[string]any)
			assert.Equal(t, "Hello from "+model+": good night", outputText(t, final))
			assert.NotNil(t, final["usage"])
			assert.Equal(t, hub.StatusSuccess, h.settledCall().Status)
		})
	}
}

func TestStoredResponsesAreComeBackToInBothLanes(t *testing.T) {
	t.Parallel()
	for kind, model := range models {
		for _, stream := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s stream=%t", kind, stream), func(t *testing.T) {
				t.Parallel()
				h := start(t, nil)
				fake := h.provider(kind)
				ask := func(body string) map[string]any {
					res, text := h.send("/v1/responses", fmt.Sprintf(body, kinds[kind].kind+"/"+model, stream))
					require.Equal(t, http.StatusOK, res.StatusCode, text)
					if !stream {
						return decode(t, text)
					}
					all := events(t, text)
					return all[len(all)-1]["response"].(map[string]any)
				}
				first := ask(`{"model":%q,"stream":%t,"input":"my name is Ada"}`)
				id := first["id"].(string)
				assert.Equal(t, true, first["store"])

				status, body := h.do("GET", "/v1/responses/"+id, h.key.Reveal())
				require.Equal(t, http.StatusOK, status, body)
				assert.Equal(t, first["output"], decode(t, body)["output"])
				status, body = h.do("GET", "/v1/responses/"+id+"/input_items", h.key.Reveal())
				require.Equal(t, http.StatusOK, status, body)
				assert.Contains(t, body, "my name is Ada")

				second := ask(`{"model":%q,"stream":%t,"previous_response_id":"` + id + `","input":"what is my name?"}`)
				assert.Equal(t, id, second["previous_response_id"])
				if kind != fakeprovider.OpenAI {
					assert.Contains(t, string(fake.Last().Body), "my name is Ada", "the provider sees the whole conversation")
					assert.Contains(t, string(fake.Last().Body), "Hello from "+model)
				}
				third := ask(`{"model":%q,"stream":%t,"previous_response_id":"` + second["id"].(string) + `","input":"and again?"}`)
				assert.Equal(t, "Hello from "+model+": and again?", outputText(t, third))

				other := h.another()
				for _, c := range [][2]string{
					{"GET", "/v1/responses/" + id}, {"DELETE", "/v1/responses/" + id}, {"GET", "/v1/responses/" + id + "/input_items"},
					{"POST", "/v1/responses/" + id + "/cancel"},
				} {
					status, body = h.do(c[0], c[1], other)
					assert.Equal(t, http.StatusNotFound, status, "%s %s: %s", c[0], c[1], body)
				}
				res, text := h.send("/v1/responses", fmt.Sprintf(`{"model":%q,"previous_response_id":%q,"input":"x"}`, kinds[kind].kind+"/"+model, id), "Authorization", "Bearer "+other)
				assert.Equal(t, http.StatusBadRequest, res.StatusCode, text)
				assert.Contains(t, text, "previous_response_not_found")

				status, body = h.do("POST", "/v1/responses/"+id+"/cancel", h.key.Reveal())
				assert.Equal(t, http.StatusBadRequest, status, body)
				status, body = h.do("DELETE", "/v1/responses/"+id, h.key.Reveal())
				require.Equal(t, http.StatusOK, status, body)
				assert.JSONEq(t, `{"id":"`+id+`","object":"response","deleted":true}`, body)
				status, _ = h.do("GET", "/v1/responses/"+id, h.key.Reveal())
				assert.Equal(t, http.StatusNotFound, status)
				status, body = h.do("GET", "/v1/responses/"+second["id"].(string), h.key.Reveal())
				assert.Equal(t, http.StatusOK, status, "later answers stand on their own: %s", body)
			})
		}
	}
}

func (h *testHub) addKey(provider, name, key string) {
	h.t.Helper()
	_, err := h.app.Desk.AddCredential(h.t.Context(), "test", provider, name, 100, hub.Secret(key))
	require.NoError(h.t, err)
	require.NoError(h.t, h.app.Reload(h.t.Context()))
}

// another makes a second user and returns their key.
func (h *testHub) another() string {
	h.t.Helper()
	const email = "other@example.com"
	_, err := h.app.Desk.CreateUser(h.t.Context(), "test", email, hub.RoleMember, "")
	require.NoError(h.t, err)
	key, _, err := h.app.Desk.CreateKey(h.t.Context(), "test", email, "other", nil)
	require.NoError(h.t, err)
	return key.Reveal()
}

func TestWhatIsNotToBeStoredIsNot(t *testing.T) {
	t.Parallel()
	for kind, model := range models {
		for name, c := range map[string]struct {
			env  map[string]string
			body string
		}{
			"the caller says so": {nil, `{"model":%q,"input":"x","store":false}`},
			"the operator does":  {map[string]string{"AIGNE_HUB_RESPONSES_TTL": "off"}, `{"model":%q,"input":"x"}`},
		} {
			t.Run(string(kind)+" "+name, func(t *testing.T) {
				t.Parallel()
				h := start(t, c.env)
				h.provider(kind)
				res, body := h.send("/v1/responses", fmt.Sprintf(c.body, kinds[kind].kind+"/"+model))
				require.Equal(t, http.StatusOK, res.StatusCode, body)
				whole := decode(t, body)
				assert.Equal(t, false, whole["store"], "the answer says that it cannot be found")
				status, _ := h.do("GET", "/v1/responses/"+whole["id"].(string), h.key.Reveal())
				assert.Equal(t, http.StatusNotFound, status)
			})
		}
	}
}

func TestAStoredAnswerIsSoughtUnderTheKeyThatStoredIt(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	const second = "sk-fake-second-0123456789"
	fake := fakeprovider.Start(t, fakeprovider.OpenAI, fakeprovider.Options{Keys: []string{fakeprovider.DefaultKey, second}})
	h.add("openai", "openai", fake.URL+"/v1", fakeprovider.DefaultKey)
	h.addKey("openai", "second", second)
	for range 4 { // the round robin would send some of them to the other key
		res, body := h.send("/v1/responses", `{"model":"gpt-fake","input":"one"}`)
		require.Equal(t, http.StatusOK, res.StatusCode, body)
		id := decode(t, body)["id"].(string)
		res, body = h.send("/v1/responses", `{"model":"gpt-fake","input":"two","previous_response_id":"`+id+`"}`)
		require.Equal(t, http.StatusOK, res.StatusCode, body)
		status, body := h.do("GET", "/v1/responses/"+id, h.key.Reveal())
		require.Equal(t, http.StatusOK, status, body)
	}
}

func TestAWebSocketIsRefusedSoThatCodexFallsBackAtOnce(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, h.url+"/v1/responses", nil)
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+h.key.Reveal())
	r.Header.Set("Connection", "Upgrade")
	r.Header.Set("Upgrade", "websocket")
	res, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer res.Body.Close()
	assert.Equal(t, http.StatusUpgradeRequired, res.StatusCode)
	status, _ := h.do("GET", "/v1/responses", h.key.Reveal())
	assert.Equal(t, http.StatusNotFound, status)
}

func TestAResponseThatBreaksOffFailsUnderItsOwnID(t *testing.T) {
	t.Parallel()
	for kind, model := range models {
		for _, fault := range []fakeprovider.Break{fakeprovider.Cut, fakeprovider.ErrorFrame} {
			t.Run(fmt.Sprintf("%s %d", kind, fault), func(t *testing.T) {
				t.Parallel()
				h := start(t, nil)
				h.provider(kind).Script(model, fakeprovider.Answer{Text: fakeprovider.Words(400), Frames: 20, Break: fault})
				res, body := h.send("/v1/responses", fmt.Sprintf(`{"model":%q,"input":"x","stream":true}`, kinds[kind].kind+"/"+model))
				require.Equal(t, http.StatusOK, res.StatusCode)
				frames := strings.Split(strings.TrimSpace(body), "\n\n")
				first := decode(t, strings.SplitN(frames[0], "\ndata: ", 2)[1])
				last := decode(t, strings.SplitN(frames[len(frames)-1], "\ndata: ", 2)[1])
				assert.Equal(t, "response.failed", last["type"])
				assert.Equal(t, first["response"].(map[string]any)["id"], last["response"].(map[string]any)["id"])
				assert.Equal(t, hub.StatusFailed, h.settledCall().Status)
				status, _ := h.do("GET", "/v1/responses/"+first["response"].(map[string]any)["id"].(string), h.key.Reveal())
				assert.Equal(t, http.StatusNotFound, status)
			})
		}
	}
}

func TestTokensAreCountedAndConversationsCompactedWhereThatIsPossible(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	h.provider(fakeprovider.OpenAI)
	h.provider(fakeprovider.Anthropic)
	res, body := h.send("/v1/responses/input_tokens", `{"model":"gpt-fake","input":"count me"}`)
	require.Equal(t, http.StatusOK, res.StatusCode, body)
	assert.Empty(t, res.Header.Get("x-aigne-hub-usage-source"))
	res, body = h.send("/v1/responses/input_tokens", `{"model":"claude-fake","input":"count me"}`)
	require.Equal(t, http.StatusOK, res.StatusCode, body)
	assert.Equal(t, "estimated", res.Header.Get("x-aigne-hub-usage-source"))
	assert.Positive(t, decode(t, body)["input_tokens"])

	res, body = h.send("/v1/responses/compact", `{"model":"gpt-fake","input":"a long story"}`)
	require.Equal(t, http.StatusOK, res.StatusCode, body)
	assert.Equal(t, "response.compaction", decode(t, body)["object"])
	c := h.settledCall()
	assert.Equal(t, hub.StatusSuccess, c.Status)
	assert.EqualValues(t, 3, c.Usage[hub.Output], "compaction is charged")
	res, body = h.send("/v1/responses/compact", `{"model":"claude-fake","input":"a long story"}`)
	assert.Equal(t, http.StatusNotFound, res.StatusCode, body)
}

func TestANativeResponsePassesByteForByte(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	fake := h.provider(fakeprovider.OpenAI)
	res, body := h.send("/v1/responses", `{"model":"openai/gpt-fake","input":[{"role":"user","content":[{"type":"input_text","text":"x"}]}],"stream":true,"truncation":"auto","text":{"verbosity":"low"}}`)
	require.Equal(t, http.StatusOK, res.StatusCode, body)
	want := `{"model":"gpt-fake","input":[{"role":"user","content":[{"type":"input_text","text":"x"}]}],"stream":true,"truncation":"auto","text":{"verbosity":"low"}}`
	assert.True(t, bytes.Equal([]byte(want), fake.Last().Body), "%s", fake.Last().Body)
	events(t, body)
	for field, bad := range map[string]string{
		"background":   `{"model":"gpt-fake","input":"x","background":true}`,
		"conversation": `{"model":"gpt-fake","input":"x","conversation":"conv_1"}`,
	} {
		res, body = h.send("/v1/responses", bad)
		assert.Equal(t, http.StatusBadRequest, res.StatusCode)
		assert.Equal(t, field, decode(t, body)["error"].(map[string]any)["param"])
	}
}
