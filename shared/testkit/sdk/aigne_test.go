package sdk

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	hubDID   = "z8ia3xzq2tMq8CRHfaXj1BTYJyYnEcHbqP8cJ"
	aigneKey = "sk-hub-good"
)

// aigneHub is the least that the AIGNE SDK takes for a hub: discovery, the model
// list and the chat of the AIGNE model protocol (npm @aigne/transport).
type aigneHub struct {
	mu    sync.Mutex
	paths []string
	apps  []string
}

type aigneMessage struct {
	Role      string            `json:"role"`
	Content   json.RawMessage   `json:"content"`
	ToolCalls []json.RawMessage `json:"toolCalls"`
}

type aigneChat struct {
	Input struct {
		Messages     []aigneMessage    `json:"messages"`
		Tools        []json.RawMessage `json:"tools"`
		ModelOptions struct {
			Model string `json:"model"`
		} `json:"modelOptions"`
		ResponseFormat struct {
			Type string `json:"type"`
		} `json:"responseFormat"`
	} `json:"input"`
	Options struct {
		Streaming bool `json:"streaming"`
	} `json:"options"`
}

func (h *aigneHub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	h.paths = append(h.paths, r.Method+" "+r.URL.RequestURI())
	h.apps = append(h.apps, r.Header.Get("X-Aigne-Hub-Client-Did"))
	h.mu.Unlock()
	answer := func(status int, v any) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(v)
	}
	switch r.URL.Path {
	case "/__blocklet__.js":
		answer(200, map[string]any{"componentMountPoints": []any{map[string]any{"did": hubDID, "mountPoint": "/ai-kit"}}})
	case "/ai-kit/api/ai/models":
		answer(200, []any{map[string]any{"model": "gpt-fake", "provider": "openai", "type": "chatCompletion",
			"providerDisplayName": "OpenAI", "input_credits_per_token": "0.1", "output_credits_per_token": "0.2"}})
	case "/ai-kit/api/v2/chat":
		h.chat(w, r, answer)
	default:
		http.NotFound(w, r)
	}
}

func (h *aigneHub) chat(w http.ResponseWriter, r *http.Request, answer func(int, any)) {
	fail := func(status int, kind, message string) {
		answer(status, map[string]any{"error": map[string]any{"type": kind, "message": message}})
	}
	var chat aigneChat
	switch err := json.NewDecoder(r.Body).Decode(&chat); {
	case r.Header.Get("Authorization") != "Bearer "+aigneKey:
		fail(401, "unauthenticated", "The key is not known.")
		return
	case err != nil:
		fail(400, "invalid_request", err.Error())
		return
	case chat.Input.ModelOptions.Model != "openai/gpt-fake":
		fail(404, "model_not_found", "The model "+chat.Input.ModelOptions.Model+" is not known.")
		return
	}
	out := reply(chat)
	if !chat.Options.Streaming {
		answer(200, out)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	said, _ := out["text"].(string)
	delete(out, "text")
	chunks := []any{map[string]any{"json": out}}
	for _, piece := range strings.SplitAfter(said, " ") {
		chunks = append(chunks, map[string]any{"text": map[string]any{"text": piece}})
	}
	for _, c := range chunks {
		data, _ := json.Marshal(map[string]any{"delta": c})
		_, _ = w.Write([]byte("data: " + string(data) + "\n\n"))
	}
	if err := http.NewResponseController(w).Flush(); err == nil && strings.Contains(said, "stall") {
		<-r.Context().Done()
	}
}

// reply answers like a fakeprovider without a script.
func reply(chat aigneChat) map[string]any {
	out := map[string]any{"model": "gpt-fake", "usage": map[string]any{"inputTokens": 1, "outputTokens": 2}}
	last := chat.Input.Messages[len(chat.Input.Messages)-1]
	var said string
	if json.Unmarshal(last.Content, &said) != nil {
		var parts []struct {
			Text string `json:"text"`
		}
		_ = json.Unmarshal(last.Content, &parts)
		for _, p := range parts {
			said += p.Text
		}
	}
	call := func(id, city string) any {
		return map[string]any{"id": id, "type": "function", "function": map[string]any{
			"name": "get_weather", "arguments": map[string]any{"city": city}}}
	}
	switch {
	case last.Role == "user" && strings.Contains(said, "use tools twice"):
		out["toolCalls"] = []any{call("c1", "Paris"), call("c2", "Rome")}
	case last.Role == "user" && strings.Contains(said, "use tool "):
		out["toolCalls"] = []any{call("c1", "Paris")}
	case chat.Input.ResponseFormat.Type == "json_schema":
		out["json"] = map[string]any{"city": "Paris"}
	default:
		out["text"] = "Hello from gpt-fake: " + said
	}
	return out
}

func TestTheAIGNESDKFindsTheHubAndSpeaksItsProtocol(t *testing.T) {
	t.Parallel()
	hub := &aigneHub{}
	server := httptest.NewServer(hub)
	t.Cleanup(func() { server.CloseClientConnections(); server.Close() })
	results := Run(t, AIGNE, Target{BaseURL: server.URL, Key: aigneKey, Model: "openai/gpt-fake", UnknownModel: "openai/none"},
		"discovery", "whole", "stream", "tool", "parallel_tools", "structured", "image", "models", "unknown_model", "unknown_model_stream", "wrong_key", "abort")
	require.Len(t, results, 12)
	VerifyGreetings(t, results, "gpt-fake")
	assert.Equal(t, server.URL+"/ai-kit/api/v2/chat", results["discovery"].URL)
	assert.Equal(t, []string{"openai/gpt-fake"}, results["models"].IDs)
	assert.Equal(t, "GET /__blocklet__.js?type=json", hub.paths[0])
	assert.Contains(t, hub.apps, "z-sdk-test")

	assert.Equal(t, "The model openai/none is not known.", results["unknown_model"].Error.Message)
	assert.Equal(t, "model_not_found", results["unknown_model"].Error.Type)
	assert.Equal(t, "model_not_found", results["unknown_model_stream"].Error.Type)
	assert.Equal(t, "unauthenticated", results["wrong_key"].Error.Type)
}
