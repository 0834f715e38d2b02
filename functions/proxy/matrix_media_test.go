package proxy_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/provider"
	"github.com/aigne-hub/aigne-hub/shared/task"
	"github.com/aigne-hub/aigne-hub/shared/testkit/fakeprovider"
)

// mediaProofs say, for each kind that makes pictures or films, which fake plays
// it and the models that are asked.
var mediaProofs = map[string]struct {
	plays             fakeprovider.MediaKind
	image, edit, film string
}{
	provider.OpenAI:           {fakeprovider.OpenAIMedia, "gpt-image-1", "gpt-image-1", "sora-2"},
	provider.OpenAICompatible: {fakeprovider.OpenAIMedia, "gpt-image-1", "gpt-image-1", "sora-2"},
	provider.Azure:            {fakeprovider.OpenAIMedia, "gpt-image-1", "gpt-image-1", "sora-2"},
	provider.AIGNEHub:         {fakeprovider.OpenAIMedia, "gpt-image-1", "gpt-image-1", "sora-2"},
	provider.Google:           {fakeprovider.GoogleMedia, "imagen-4.0-generate-001", "gemini-2.5-flash-image", "veo-3.1-generate-preview"},
	provider.XAI:              {fakeprovider.XAIMedia, "grok-imagine-image", "grok-imagine-image", "grok-imagine-video"},
	provider.Doubao:           {fakeprovider.ArkMedia, "doubao-seedream-4-0", "doubao-seededit-3-0-i2i", "doubao-seedance-1-0-pro"},
	provider.Ideogram:         {fakeprovider.IdeogramMedia, "ideogram-v3", "ideogram-v3", ""},
	provider.OpenRouter:       {fakeprovider.OpenRouterMedia, "google/gemini-2.5-flash-image", "google/gemini-2.5-flash-image", ""},
	provider.Poe:              {fakeprovider.PoeMedia, "GPT-Image-1", "GPT-Image-1", ""},
	provider.Bedrock:          {fakeprovider.BedrockMedia, "amazon.nova-canvas-v1:0", "us.stability.sd3-5-large-v1:0", ""},
}

// proveMedia proves pictures, their editing or films at a vendor, for callers of
// OpenAI's language and of AIGNE's.
func (h *testHub) proveMedia(t *testing.T, v *vendor, work task.Kind) {
	t.Helper()
	proof, ok := mediaProofs[v.kind.ID]
	require.True(t, ok, "nothing proves %s at %s", work, v.kind.ID)
	model := map[task.Kind]string{task.ImageGeneration: proof.image, task.ImageEdit: proof.edit, task.Video: proof.film}[work]
	require.NotEmpty(t, model, "nothing proves %s at %s", work, v.kind.ID)
	fake := v.play(t, proof.plays)
	defer func() { v.work = nil }()
	name := v.kind.ID + "/" + model
	picture := base64.StdEncoding.EncodeToString(fakeprovider.Picture())
	file := fmt.Sprintf(`{"type":"file","data":%q,"mimeType":"image/png"}`, picture)
	post := func(path, body string, header ...string) map[string]any {
		res, text := h.send(path, body, header...)
		require.Equal(t, http.StatusOK, res.StatusCode, text)
		return decode(t, text)
	}
	var shown []any
	asked := 2 // once for each caller
	switch work {
	case task.ImageGeneration:
		out := post("/v1/images/generations", fmt.Sprintf(`{"model":%q,"prompt":"a cat"}`, name))
		shown = append(shown, first(t, out["data"])["b64_json"])
		out = post("/api/v2/image", fmt.Sprintf(`{"input":{"prompt":"a cat","modelOptions":{"model":%q}}}`, name))
		shown = append(shown, first(t, out["images"])["data"])
	case task.ImageEdit:
		body, contentType := form(t, map[string]string{"model": name, "prompt": "bluer"}, map[string]int{"image": 1})
		shown = append(shown, first(t, post("/v1/images/edits", body, "Content-Type", contentType)["data"])["b64_json"])
		out := post("/api/v2/image", fmt.Sprintf(`{"input":{"prompt":"bluer","image":[%s],"modelOptions":{"model":%q}}}`, file, name))
		shown = append(shown, first(t, out["images"])["data"])
	default:
		fake.HoldFilms(true)
		h.proveFilm(t, fake, post("/v1/videos", fmt.Sprintf(`{"model":%q,"prompt":"a cat"}`, name)))
		// AIGNE's callers wait for seconds, and are served as others are: see
		// TestTheVideoProtocolWaitsForTheFilm. Only OpenAI's own language is spliced
		// for its callers and encoded for these.
		if v.kind.ID != provider.OpenAI {
			asked = 1
			break
		}
		out := post("/api/v2/video", fmt.Sprintf(`{"input":{"prompt":"a cat","model":%q,"modelOptions":{"model":%q}}}`, name, name))
		assert.Equal(t, base64.StdEncoding.EncodeToString(fakeprovider.Film()), first(t, out["videos"])["data"])
	}
	for _, got := range shown {
		assert.Equal(t, picture, got)
	}
	assert.Equal(t, asked, v.sawMedia(t, fake, model, work))
}

// proveFilm follows a film that was asked for, and is held, until its content is
// there.
func (h *testHub) proveFilm(t *testing.T, fake *fakeprovider.Media, created map[string]any) {
	t.Helper()
	assert.Equal(t, "queued", created["status"])
	at := h.url + "/v1/videos/" + created["id"].(string)
	_, text := do(t, http.MethodGet, at, h.key)
	assert.Contains(t, []any{"queued", "in_progress"}, decode(t, text)["status"], text)
	fake.HoldFilms(false)
	_, text = do(t, http.MethodGet, at, h.key)
	assert.Equal(t, "completed", decode(t, text)["status"], text)
	res, film := do(t, http.MethodGet, at+"/content", h.key)
	require.Equal(t, http.StatusOK, res.StatusCode, film)
	assert.Equal(t, string(fakeprovider.Film()), film)
}

// play lets a fake of pictures and films answer for a vendor. Another hub is a
// hub indeed, with the fake behind it.
func (v *vendor) play(t *testing.T, kind fakeprovider.MediaKind) *fakeprovider.Media {
	t.Helper()
	at, err := url.Parse(v.base)
	require.NoError(t, err)
	if v.kind.ID != provider.AIGNEHub {
		fake := fakeprovider.NewMedia(kind, fakeprovider.MediaOptions{})
		fake.URL = at.Scheme + "://" + at.Host
		v.work = func(w http.ResponseWriter, r *http.Request) {
			if v.kind.ID == provider.Azure {
				r.URL.Path = strings.TrimPrefix(r.URL.Path, "/openai")
			}
			fake.ServeHTTP(w, r)
		}
		return fake
	}
	other := start(t, fetching())
	fake := other.media(kind, fakeprovider.MediaOptions{})
	to, err := url.Parse(other.url)
	require.NoError(t, err)
	way := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		r.Out.Header.Set("Authorization", "Bearer "+other.key.Reveal())
	}}
	v.work = way.ServeHTTP
	return fake
}

// sawMedia checks what the vendor was asked and counts how often.
func (v *vendor) sawMedia(t *testing.T, fake *fakeprovider.Media, model string, work task.Kind) (asked int) {
	t.Helper()
	for _, r := range fake.Requests() {
		if r.Method != http.MethodPost {
			continue
		}
		asked++
		sent := r.Path + string(r.Body)
		assert.Contains(t, sent, model)
		assert.NotContains(t, sent, v.kind.ID+"/"+model, "the vendor's own name is sent")
		if work == task.ImageEdit {
			raw := bytes.Contains(r.Body, fakeprovider.Picture())
			inline := bytes.Contains(r.Body, []byte(base64.StdEncoding.EncodeToString(fakeprovider.Picture())))
			assert.True(t, raw || inline, "the picture has reached the vendor")
		}
	}
	return asked
}

// first is the first object of a list.
func first(t *testing.T, list any) map[string]any {
	t.Helper()
	all, ok := list.([]any)
	require.True(t, ok && len(all) > 0, "%v is no list", list)
	one, ok := all[0].(map[string]any)
	require.True(t, ok)
	return one
}
