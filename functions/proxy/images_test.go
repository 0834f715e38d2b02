package proxy_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/testkit/fakeprovider"
)

// fetching is a hub that may fetch from the fakes.
func fetching() map[string]string { return map[string]string{"AIGNE_HUB_FETCH_ALLOW": "127.0.0.0/8"} }

// mediaEnv is such a hub with billing on.
func mediaEnv() map[string]string {
	env := fetching()
	env["AIGNE_HUB_BILLING"] = "on"
	return env
}

// media adds a fake vendor of pictures and films under its kind's name.
func (h *testHub) media(kind fakeprovider.MediaKind, o fakeprovider.MediaOptions) *fakeprovider.Media {
	h.t.Helper()
	fake := fakeprovider.StartMedia(h.t, kind, o)
	key := fakeprovider.DefaultKey
	if kind == fakeprovider.BedrockMedia {
		key = fakeprovider.KeyPair()
	}
	h.add(string(kind), string(kind), fake.Base(), key)
	return fake
}

// price stores a rate as the database keeps it: credits per unit.
func (h *testHub) price(provider, model string, kind hub.CallType, prices string) {
	h.t.Helper()
	_, err := h.app.Store.SetRate(h.t.Context(), store.Rate{Provider: provider, Model: model, Type: kind, Prices: prices, Metadata: "{}"}, "test")
	require.NoError(h.t, err)
	require.NoError(h.t, h.app.Reload(h.t.Context()))
}

// spent is what the wallet of 100 credits has lost; nothing may still be held.
func (h *testHub) spent() string {
	h.t.Helper()
	a := h.account()
	require.Zero(h.t, a.Held, "nothing is held any more")
	return (100*money.Credit - a.Balance).String()
}

func TestPicturesAreChargedByQualityAndSize(t *testing.T) {
	t.Parallel()
	h := start(t, mediaEnv())
	h.media(fakeprovider.OpenAIMedia, fakeprovider.MediaOptions{})
	_, err := h.app.Desk.SetRate(t.Context(), "test", operator.NewRate{Provider: "openai", Model: "dall-e-3", Type: hub.TypeImage,
		Prices: map[hub.Bucket]string{hub.Images: "40000"}, Variants: []operator.Variant{
			{Bucket: hub.Images, Quality: "hd", Price: "120000"}, {Bucket: hub.Images, Size: "1792x1024", Price: "80000"},
			{Bucket: hub.Images, Quality: "hd", Size: "1792x1024", Price: "200000"}}})
	require.NoError(t, err)
	require.NoError(t, h.app.Reload(t.Context()))
	_, err = h.app.Desk.SetRate(t.Context(), "test", operator.NewRate{Provider: "openai", Model: "x", Type: hub.TypeImage,
		Variants: []operator.Variant{{Bucket: hub.Input, Quality: "hd", Price: "1"}}})
	require.Equal(t, hub.CodeInvalid, hub.CodeOf(err), "only pictures and seconds have variants")
	h.price("openai", "dall-e-2", hub.TypeImage, `{"images":"0.02"}`)
	h.grant("100")
	for _, tt := range []struct{ body, cost, variant string }{
		{`{"model":"openai/dall-e-3","prompt":"a cat"}`, "0.04", ""},
		{`{"model":"openai/dall-e-3","prompt":"a cat","quality":"hd"}`, "0.12", "hd/"},
		{`{"model":"openai/dall-e-3","prompt":"a cat","size":"1792x1024"}`, "0.08", "/1792x1024"},
		{`{"model":"openai/dall-e-3","prompt":"a cat","size":"1792x1024","quality":"hd"}`, "0.2", "hd/1792x1024"},
		{`{"model":"openai/dall-e-2","prompt":"a cat","n":3,"response_format":"b64_json"}`, "0.06", ""},
	} {
		res, text := h.send("/v1/images/generations", tt.body)
		require.Equal(t, 200, res.StatusCode, text)
		c := h.lastCall()
		assert.Equal(t, tt.cost, c.Credits.String(), tt.body)
		assert.Equal(t, tt.variant, c.Variant)
		assert.Equal(t, tt.cost, res.Header.Get("x-aigne-hub-credits"))
		assert.Equal(t, hub.StatusSuccess, c.Status)
	}
	assert.Equal(t, "0.5", h.spent())
}

func TestGPTImageIsChargedByItsTokens(t *testing.T) {
	t.Parallel()
	h := start(t, mediaEnv())
	fake := h.media(fakeprovider.OpenAIMedia, fakeprovider.MediaOptions{})
	h.price("openai", "gpt-image-1", hub.TypeImage, `{"input":"0.000005","input_image":"0.00001","output_image":"0.00004"}`)
	h.grant("100")
	res, text := h.send("/v1/images/generations", `{"model":"gpt-image-1","prompt":"a cat","size":"1024x1024","quality":"low","unheard":1}`)
	require.Equal(t, 400, res.StatusCode, "unknown fields reach the provider, which refuses them: %s", text)
	assert.Contains(t, text, "unheard")
	assert.Equal(t, "0", h.spent())

	res, text = h.send("/v1/images/generations", `{"model":"gpt-image-1","prompt":"a cat","n":2}`)
	require.Equal(t, 200, res.StatusCode, text)
	assert.Contains(t, text, `"background"`, "the provider's own bytes pass")
	c := h.lastCall()
	assert.Equal(t, hub.Usage{hub.Input: 12, hub.OutputImage: 2 * 1056, hub.Images: 2}, c.Usage)
	assert.Equal(t, "medium/1024x1024", c.Variant, "as the provider said")
	assert.Equal(t, "0.08454", c.Credits.String()) // 12 × 5e-6 + 2112 × 4e-5
	assert.Equal(t, "0.08454", h.spent())
	assert.Len(t, fake.Requests(), 2)
}

// form writes a multipart body.
func form(t *testing.T, fields map[string]string, files map[string]int) (body, contentType string) {
	t.Helper()
	var buf bytes.Buffer
	w := multipart.NewWriter(&buf)
	for name, n := range files {
		for range n {
			hd := textproto.MIMEHeader{"Content-Disposition": {`form-data; name="` + name + `"; filename="in.png"`}, "Content-Type": {"image/png"}}
			part, err := w.CreatePart(hd)
			require.NoError(t, err)
			_, err = part.Write(fakeprovider.Picture())
			require.NoError(t, err)
		}
	}
	for name, value := range fields {
		require.NoError(t, w.WriteField(name, value))
	}
	require.NoError(t, w.Close())
	return buf.String(), w.FormDataContentType()
}

func TestEditsGoToEveryVendor(t *testing.T) {
	t.Parallel()
	h := start(t, mediaEnv())
	models := map[fakeprovider.MediaKind]string{
		fakeprovider.OpenAIMedia: "gpt-image-1", fakeprovider.GoogleMedia: "gemini-2.5-flash-image", fakeprovider.IdeogramMedia: "ideogram-v3",
		fakeprovider.ArkMedia: "doubao-seededit-3-0-i2i", fakeprovider.XAIMedia: "grok-imagine-image",
	}
	h.grant("100")
	for kind, model := range models {
		h.media(kind, fakeprovider.MediaOptions{})
		h.price(string(kind), model, hub.TypeImage, `{"images":"0.01"}`)
		body, contentType := form(t, map[string]string{"model": string(kind) + "/" + model, "prompt": "make it blue"}, map[string]int{"image": 1})
		res, text := h.send("/v1/images/edits", body, "Content-Type", contentType)
		require.Equal(t, 200, res.StatusCode, "%s: %s", kind, text)
		data := decode(t, text)["data"].([]any)
		require.Len(t, data, 1)
		assert.Equal(t, base64.StdEncoding.EncodeToString(fakeprovider.Picture()), data[0].(map[string]any)["b64_json"], kind)
		assert.Equal(t, "0.01", h.lastCall().Credits.String(), kind)
		assert.EqualValues(t, 1, h.lastCall().Usage[hub.Images])
	}
	assert.Equal(t, "0.05", h.spent())
}

func TestPicturesAreTranslated(t *testing.T) {
	t.Parallel()
	h := start(t, mediaEnv())
	google := h.media(fakeprovider.GoogleMedia, fakeprovider.MediaOptions{})
	ideogram := h.media(fakeprovider.IdeogramMedia, fakeprovider.MediaOptions{})
	h.media(fakeprovider.ArkMedia, fakeprovider.MediaOptions{})
	h.grant("100")
	for provider, model := range map[string]string{"google": "imagen-4.0-generate-001", "ideogram": "ideogram-v3", "doubao": "doubao-seedream-4-0"} {
		h.price(provider, model, hub.TypeImage, `{"images":"0.01"}`)
	}
	res, text := h.send("/v1/images/generations", `{"model":"google/imagen-4.0-generate-001","prompt":"a cat","n":2,"size":"1792x1024"}`)
	require.Equal(t, 200, res.StatusCode, text)
	sent := google.Requests()[0].JSON["parameters"].(map[string]any)
	assert.Equal(t, "16:9", sent["aspectRatio"])
	assert.Equal(t, "0.02", h.lastCall().Credits.String())

	res, text = h.send("/v1/images/generations", `{"model":"ideogram/ideogram-v3","prompt":"a cat","quality":"high","user":"u1"}`)
	require.Equal(t, 200, res.StatusCode, text)
	assert.Equal(t, "user", res.Header.Get("x-aigne-hub-dropped-params"))
	assert.Contains(t, string(ideogram.Requests()[0].Body), "QUALITY")
	assert.Contains(t, text, base64.StdEncoding.EncodeToString(fakeprovider.Picture()), "the link was fetched")

	res, text = h.send("/v1/images/generations", `{"model":"doubao/doubao-seedream-4-0","prompt":"cats","n":3}`)
	require.Equal(t, 200, res.StatusCode, text)
	assert.Equal(t, "0.02", h.lastCall().Credits.String(), "two were made of three asked for")

	for body, says := range map[string]string{
		`{"model":"google/imagen-4.0-generate-001","prompt":"a","background":"transparent"}`: `"param":"background"`,
		`{"model":"google/imagen-4.0-generate-001","prompt":"a","size":"2000x100"}`:          `"param":"size"`,
		`{"model":"google/imagen-4.0-generate-001","prompt":"a","stream":true}`:              `"param":"stream"`,
		`{"model":"google/imagen-4.0-generate-001","prompt":"a","unheard":1}`:                `"param":"unheard"`,
		`{"model":"google/imagen-4.0-generate-001","prompt":"forbidden"}`:                    `content_policy`,
		`{"model":"ideogram/ideogram-v3","prompt":"forbidden"}`:                              `content_policy`,
		`{"model":"google/imagen-4.0-generate-001","prompt":"a","n":11}`:                     `"param":"n"`,
		`{"model":"google/imagen-4.0-generate-001"}`:                                         `"param":"prompt"`,
	} {
		res, text := h.send("/v1/images/generations", body)
		assert.Equal(t, 400, res.StatusCode, text)
		assert.True(t, strings.Contains(text, says) || strings.Contains(text, "unsafe") || strings.Contains(text, "refused"), "%s\n%s", body, text)
	}
	assert.Equal(t, "0.05", h.spent(), "what was refused costs nothing")
}

func TestAFailedVendorGivesWayToAnother(t *testing.T) {
	t.Parallel()
	h := start(t, mediaEnv())
	bad := fakeprovider.StartMedia(t, fakeprovider.OpenAIMedia, fakeprovider.MediaOptions{Keys: []string{"another"}})
	busy := fakeprovider.StartMedia(t, fakeprovider.OpenAIMedia, fakeprovider.MediaOptions{})
	good := fakeprovider.StartMedia(t, fakeprovider.OpenAIMedia, fakeprovider.MediaOptions{})
	busy.Fail(500)
	for i, fake := range []*fakeprovider.Media{bad, busy, good} {
		name := string(rune('a' + i))
		h.add("openai", name, fake.Base(), fakeprovider.DefaultKey)
		h.price(name, "gpt-image-1", hub.TypeImage, `{"images":"0.0`+string(rune('1'+i))+`"}`)
	}
	h.grant("100")
	res, text := h.send("/v1/images/generations", `{"model":"gpt-image-1","prompt":"a cat"}`)
	require.Equal(t, 200, res.StatusCode, text)
	assert.Equal(t, "c", h.lastCall().Provider)
	assert.Equal(t, 3, h.lastCall().Attempts)
	assert.Equal(t, "0.03", h.spent(), "only who delivered is paid")
}

func TestAStreamOfPicturesPassesAndIsCharged(t *testing.T) {
	t.Parallel()
	h := start(t, mediaEnv())
	h.media(fakeprovider.OpenAIMedia, fakeprovider.MediaOptions{})
	h.price("openai", "gpt-image-1", hub.TypeImage, `{"input":"0.000005","output":"0.00004"}`)
	h.grant("100")
	res, text := h.send("/v1/images/generations", `{"model":"gpt-image-1","prompt":"a cat","stream":true,"partial_images":2}`)
	require.Equal(t, 200, res.StatusCode, text)
	assert.Contains(t, res.Header.Get("Content-Type"), "text/event-stream")
	assert.Equal(t, 2, strings.Count(text, "event: image_generation.partial_image"))
	assert.Equal(t, 1, strings.Count(text, "event: image_generation.completed"))
	c := h.lastCall()
	assert.Equal(t, hub.Usage{hub.Input: 12, hub.OutputImage: 1056, hub.Images: 1}, c.Usage)
	assert.Equal(t, "0.0423", h.spent())

	res, text = h.send("/v1/images/generations", `{"model":"gpt-image-1","prompt":"a cat","stream":true,"style":"?"}`)
	require.Equal(t, 200, res.StatusCode, text)
	res, text = h.send("/v1/images/generations", `{"model":"gpt-image-1","prompt":"a cat","stream":true,"size":"1x1"}`)
	assert.Equal(t, 400, res.StatusCode, text)
}

func TestLinksArePrivateAndExpire(t *testing.T) {
	t.Parallel()
	h := start(t, mediaEnv())
	h.media(fakeprovider.GoogleMedia, fakeprovider.MediaOptions{})
	h.price("google", "imagen-4", hub.TypeImage, `{"images":"0.01"}`)
	h.grant("100")
	res, text := h.send("/v1/images/generations", `{"model":"google/imagen-4","prompt":"a cat","response_format":"url"}`)
	require.Equal(t, 200, res.StatusCode, text)
	link := decode(t, text)["data"].([]any)[0].(map[string]any)["url"].(string)
	require.True(t, strings.HasPrefix(link, h.url+"/media/"), link)

	get := func(method, url string, header ...string) (*http.Response, string) {
		r, err := http.NewRequestWithContext(t.Context(), method, url, http.NoBody)
		require.NoError(t, err)
		for i := 0; i+1 < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		res, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		return res, string(body)
	}
	res, body := get("GET", link)
	require.Equal(t, 200, res.StatusCode)
	assert.Equal(t, string(fakeprovider.Picture()), body, "without any key")
	assert.Equal(t, "image/png", res.Header.Get("Content-Type"))
	assert.Equal(t, "nosniff", res.Header.Get("X-Content-Type-Options"))
	assert.Contains(t, res.Header.Get("Content-Security-Policy"), "sandbox")
	res, body = get("GET", link, "Range", "bytes=17-29")
	assert.Equal(t, 206, res.StatusCode)
	assert.Equal(t, string(fakeprovider.Picture()[17:30]), body)
	res, body = get("HEAD", link)
	assert.Equal(t, 200, res.StatusCode)
	assert.Empty(t, body)

	for _, path := range []string{"/media/AAAAAAAAAAAAAAAAAAAAAAAAAA", "/media/..%2f..%2fhub.db", "/media/%2e%2e", "/media/x", link[len(h.url) : len(link)-6]} {
		res, _ := get("GET", h.url+path)
		assert.Equal(t, 404, res.StatusCode, path)
	}
	res, _ = get("DELETE", link)
	assert.Equal(t, 401, res.StatusCode)
	_, err := h.app.Desk.CreateUser(t.Context(), "test", "other@example.com", hub.RoleMember, "")
	require.NoError(t, err)
	key, _, err := h.app.Desk.CreateKey(t.Context(), "test", "other@example.com", "k", nil)
	require.NoError(t, err)
	res, _ = get("DELETE", link, "Authorization", "Bearer "+key.Reveal())
	assert.Equal(t, 404, res.StatusCode, "somebody else's")
	res, _ = get("DELETE", link, "Authorization", "Bearer "+h.key.Reveal())
	assert.Equal(t, 204, res.StatusCode)
	res, _ = get("GET", link)
	assert.Equal(t, 404, res.StatusCode)

	_, text = h.send("/v1/images/generations", `{"model":"google/imagen-4","prompt":"a cat","response_format":"url"}`)
	link = decode(t, text)["data"].([]any)[0].(map[string]any)["url"].(string)
	require.NoError(t, h.app.Store.Exec(t.Context(), "UPDATE blobs SET expires_at = 1 WHERE expires_at > ?1", 0))
	res, _ = get("GET", link)
	assert.Equal(t, 404, res.StatusCode, "its time is over")
	require.NoError(t, h.app.Blobs.Expire(t.Context()))
	left, err := h.app.Store.ExpiredBlobs(t.Context(), 10)
	require.NoError(t, err)
	assert.Empty(t, left)
}

func TestAIGNEClientsGetTheirOwnShapes(t *testing.T) {
	t.Parallel()
	h := start(t, mediaEnv())
	h.media(fakeprovider.GoogleMedia, fakeprovider.MediaOptions{})
	h.price("google", "gemini-2.5-flash-image", hub.TypeImage, `{"images":"0.01"}`)
	h.grant("100")
	picture := base64.StdEncoding.EncodeToString(fakeprovider.Picture())
	res, text := h.send("/api/v2/image", `{"input":{"prompt":"bluer","image":[{"type":"file","data":"`+picture+`","mimeType":"image/png"}],
		"modelOptions":{"model":"google/gemini-2.5-flash-image","aspectRatio":"16:9"}},"agent":"$IMAGE_MODEL","options":{"streaming":false}}`)
	require.Equal(t, 200, res.StatusCode, text)
	out := decode(t, text)
	assert.Equal(t, map[string]any{"type": "file", "data": picture, "mimeType": "image/png"}, out["images"].([]any)[0])
	assert.Equal(t, "google/gemini-2.5-flash-image", out["modelWithProvider"])
	assert.Equal(t, map[string]any{"inputTokens": 212.0, "outputTokens": 1056.0, "aigneHubCredits": 0.01, "modelCallId": h.lastCall().ID}, out["usage"])

	res, text = h.send("/api/v2/image", `{"input":{"prompt":"a cat","modelOptions":{"model":"google/gemini-2.5-flash-image"},"outputFileType":"url"}}`)
	require.Equal(t, 200, res.StatusCode, text)
	assert.Contains(t, text, `{"type":"url","url":"`+h.url+`/media/`)

	for _, path := range []string{"/api/v2/image/generations", "/api/v1/image/generations"} {
		res, text = h.send(path, `{"model":"google/gemini-2.5-flash-image","prompt":"a cat","responseFormat":"b64_json"}`)
		require.Equal(t, 200, res.StatusCode, text)
		out = decode(t, text)
		assert.Equal(t, map[string]any{"base64": picture, "b64_json": picture, "b64Json": picture, "revised_prompt": "Here it is."}, out["images"].([]any)[0])
		assert.Equal(t, out["images"], out["data"])
	}
	for body, param := range map[string]string{
		`{"input":{"modelOptions":{"model":"google/gemini-2.5-flash-image"}}}`:                                                              "prompt",
		`{"input":{"prompt":"x","image":[{"type":"local","path":"/etc/passwd"}],"modelOptions":{"model":"google/gemini-2.5-flash-image"}}}`: "input.image[0].type",
		`{"input":{"prompt":"x","outputFileType":"local","modelOptions":{"model":"google/gemini-2.5-flash-image"}}}`:                        "input.outputFileType",
		`{"input":{"prompt":"x","modelOptions":{"model":"google/gemini-2.5-flash-image","unheardOf":1}}}`:                                   "input.modelOptions.unheardOf",
	} {
		res, text := h.send("/api/v2/image", body)
		assert.Equal(t, 400, res.StatusCode, text)
		assert.Contains(t, text, `"param":"`+param+`"`)
	}
	assert.Equal(t, "0.04", h.spent())
}

func TestPicturesAreNotFreeBecauseTheirRateCountsTokens(t *testing.T) {
	t.Parallel()
	h := start(t, mediaEnv())
	h.media(fakeprovider.OpenAIMedia, fakeprovider.MediaOptions{})
	h.price("openai", "dall-e-2", hub.TypeImage, `{"input":"0.000005","output":"0.00004"}`)
	h.price("openai", "sora-2", hub.TypeVideo, `{"input":"0.000005","output":"0.000001"}`)
	h.grant("100")
	res, text := h.send("/v1/images/generations", `{"model":"openai/dall-e-2","prompt":"a cat","n":2}`)
	require.Equal(t, 200, res.StatusCode, text)
	assert.Equal(t, hub.UsageEstimated, h.lastCall().Source)
	assert.Equal(t, "0.08448", h.spent())
	h.createVideo(`{"model":"openai/sora-2","prompt":"a cat"}`)
	h.follow()
	assert.Equal(t, hub.UsageEstimated, h.lastCall().Source)
	assert.Equal(t, "0.17088", h.spent())
}

func TestAClientWhoLeavesPaysForThePictureThatWasMade(t *testing.T) {
	t.Parallel()
	for policy, cost := range map[string]string{"reported": "0.01", "delivered": "0", "free": "0"} {
		t.Run(policy, func(t *testing.T) {
			t.Parallel()
			env := mediaEnv()
			env["AIGNE_HUB_BILLING_ON_ABORT"] = policy
			h := start(t, env)
			fake := h.media(fakeprovider.OpenAIMedia, fakeprovider.MediaOptions{})
			h.price("openai", "gpt-image-1", hub.TypeImage, `{"images":"0.01"}`)
			h.grant("100")
			arrived, release := fake.HoldAnswers()
			defer release()
			ctx, leave := context.WithCancel(t.Context())
			gone := make(chan struct{})
			go func() {
				defer close(gone)
				res, err := h.post(ctx, "/v1/images/generations", `{"model":"gpt-image-1","prompt":"a cat"}`)
				if err == nil {
					res.Body.Close()
				}
			}()
			<-arrived
			leave()
			<-gone
			<-h.ended // the hub has noticed
			release()
			c := h.settledCall()
			assert.Equal(t, hub.StatusAborted, c.Status)
			assert.Equal(t, cost, c.Credits.String())
			assert.Equal(t, cost, h.spent())
		})
	}
}
