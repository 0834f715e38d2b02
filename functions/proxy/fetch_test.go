package proxy_test

import (
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/testkit/fakeprovider"
)

func TestPicturesByURLAreFetchedOnlyFromOutside(t *testing.T) {
	t.Parallel()
	inside := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "image/png")
		_, _ = w.Write(fakeprovider.Picture())
	}))
	t.Cleanup(inside.Close)
	h := start(t, map[string]string{"AIGNE_HUB_BILLING": "on"})
	google := h.media(fakeprovider.GoogleMedia, fakeprovider.MediaOptions{})
	h.price("google", "gemini-2.5-flash-image", hub.TypeImage, `{"images":"0.01"}`)
	h.grant("100")
	port := inside.URL[strings.LastIndexByte(inside.URL, ':'):]
	for _, url := range []string{inside.URL, "http://localhost" + port, "http://[::ffff:127.0.0.1]" + port, "http://0.0.0.0" + port, "http://2130706433" + port,
		"http://169.254.169.254/latest/meta-data", "http://[::1]" + port, "http://user:pass@example.com/x.png", "ftp://example.com/x.png", "file:///etc/passwd"} {
		res, text := h.send("/api/v2/image", `{"input":{"prompt":"x","image":[{"type":"url","url":"`+url+`"}],"modelOptions":{"model":"google/gemini-2.5-flash-image"}}}`)
		assert.Equal(t, 400, res.StatusCode, text)
		assert.Contains(t, text, `"param":"input.image"`, url)
		assert.NotContains(t, text, "127.0.0.1", "nothing is told of the inside")
	}
	assert.Empty(t, google.Requests())
	assert.Equal(t, "0", h.spent())
}

func TestMediaOfAConversationIsInlinedForGemini(t *testing.T) {
	t.Parallel()
	files := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/page" {
			w.Header().Set("Content-Type", "text/html")
			_, _ = io.WriteString(w, "<html>")
			return
		}
		assert.Empty(t, r.Header.Get("Authorization"))
		assert.Empty(t, r.Header.Get("Cookie"))
		w.Header().Set("Content-Type", "image/png")
		_, _ = w.Write(fakeprovider.Picture())
	}))
	t.Cleanup(files.Close)
	h := start(t, map[string]string{"AIGNE_HUB_FETCH_ALLOW": "127.0.0.1/32"})
	fake := h.provider(fakeprovider.Gemini)
	ask := func(url string) (*http.Response, string) {
		return h.send("/v1/chat/completions", `{"model":"google/gemini-fake","messages":[{"role":"user","content":[{"type":"text","text":"what is it?"},
			{"type":"image_url","image_url":{"url":"`+url+`"}}]}]}`)
	}
	res, text := ask(files.URL + "/cat.png")
	require.Equal(t, 200, res.StatusCode, text)
	assert.Contains(t, string(fake.Last().Body), base64.StdEncoding.EncodeToString(fakeprovider.Picture()))
	assert.NotContains(t, string(fake.Last().Body), files.URL)
	res, text = ask(files.URL + "/page")
	assert.Equal(t, 400, res.StatusCode, text)
	assert.Contains(t, text, "another type")
}

func TestThePublicURLBeginsLinksWhateverHostIsAsked(t *testing.T) {
	t.Parallel()
	env := mediaEnv()
	env["AIGNE_HUB_PUBLIC_URL"] = "https://hub.example.com/ai"
	h := start(t, env)
	h.media(fakeprovider.GoogleMedia, fakeprovider.MediaOptions{})
	h.price("google", "imagen-4", hub.TypeImage, `{"images":"0.01"}`)
	h.grant("100")
	_, text := h.send("/v1/images/generations", `{"model":"google/imagen-4","prompt":"a cat","response_format":"url"}`, "X-Forwarded-Host", "evil.test")
	assert.Contains(t, text, "https://hub.example.com/ai/media/")
}
