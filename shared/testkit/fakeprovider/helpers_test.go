package fakeprovider

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// endpoint is where chat requests of a kind go.
func endpoint(kind Kind, stream bool) string {
	switch {
	case kind == OpenAI:
		return "/v1/chat/completions"
	case kind == Anthropic:
		return "/v1/messages"
	case stream:
		return "/v1beta/models/gemini-fake:streamGenerateContent?alt=sse"
	}
	return "/v1beta/models/gemini-fake:generateContent"
}

func withKey(kind Kind, key string) http.Header {
	h := http.Header{"Content-Type": {"application/json"}}
	switch kind {
	case OpenAI:
		h.Set("Authorization", "Bearer "+key)
	case Anthropic:
		h.Set("X-Api-Key", key)
		h.Set("Anthropic-Version", "2023-06-01")
	case Gemini:
		h.Set("X-Goog-Api-Key", key)
	}
	return h
}

func post(t *testing.T, p *Provider, path string, h http.Header, body string) (*http.Response, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.URL+path, strings.NewReader(body))
	require.NoError(t, err)
	req.Header = h
	return http.DefaultClient.Do(req)
}

// ask sends a chat request with a good key and returns status and body.
func ask(t *testing.T, p *Provider, stream bool, body string) (int, string) {
	t.Helper()
	res, err := post(t, p, endpoint(p.kind, stream), withKey(p.kind, DefaultKey), body)
	require.NoError(t, err)
	defer res.Body.Close()
	all, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return res.StatusCode, string(all)
}

// hello is a small good request of each kind.
func hello(kind Kind, stream bool) string {
	switch kind {
	case OpenAI:
		if stream {
			return `{"model":"gpt-fake","messages":[{"role":"user","content":"Hi there"}],"stream":true,"stream_options":{"include_usage":true}}`
		}
		return `{"model":"gpt-fake","messages":[{"role":"user","content":"Hi there"}]}`
	case Anthropic:
		if stream {
			return `{"model":"claude-fake","max_tokens":1000,"messages":[{"role":"user","content":"Hi there"}],"stream":true}`
		}
		return `{"model":"claude-fake","max_tokens":1000,"messages":[{"role":"user","content":"Hi there"}]}`
	}
	return `{"contents":[{"role":"user","parts":[{"text":"Hi there"}]}]}`
}

func decode(t *testing.T, body string) map[string]any {
	t.Helper()
	var m map[string]any
	require.NoError(t, json.Unmarshal([]byte(body), &m), body)
	return m
}

// dig walks into decoded JSON: names for objects, numbers for arrays.
func dig(v any, path ...any) any {
	for _, step := range path {
		switch s := step.(type) {
		case string:
			v = dict(v)[s]
		case int:
			l := list(v)
			if s >= len(l) {
				return nil
			}
			v = l[s]
		}
	}
	return v
}

// events returns the data of each event of a stream.
func events(body string) []string {
	var out []string
	sc := bufio.NewScanner(bytes.NewReader([]byte(body)))
	sc.Buffer(nil, 1<<20)
	for sc.Scan() {
		if data, ok := strings.CutPrefix(sc.Text(), "data: "); ok {
			out = append(out, data)
		}
	}
	return out
}

// streamed joins the text of a streamed answer.
func streamed(t *testing.T, kind Kind, body string) string {
	t.Helper()
	said := ""
	for _, e := range events(body) {
		if e == "[DONE]" {
			continue
		}
		m := decode(t, e)
		switch kind {
		case OpenAI:
			said += text(dig(m, "choices", 0, "delta", "content"))
		case Anthropic:
			said += text(dig(m, "delta", "text"))
		case Gemini:
			said += text(dig(m, "candidates", 0, "content", "parts", 0, "text"))
		}
	}
	return said
}

// kinds runs a test for each provider.
func kinds(t *testing.T, test func(t *testing.T, p *Provider)) {
	for _, kind := range []Kind{OpenAI, Anthropic, Gemini} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			test(t, Start(t, kind, Options{}))
		})
	}
}
