package proxy_test

import (
	"encoding/base64"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/testkit/fakeprovider"
)

// refused asks for pictures that cannot be had: each request names the field at
// fault, or says what the provider said.
func (h *testHub) refused(cases map[string]string) {
	h.t.Helper()
	for body, says := range cases {
		res, text := h.send("/v1/images/generations", body)
		assert.Equal(h.t, 400, res.StatusCode, "%s: %s", body, text)
		assert.Contains(h.t, text, says, body)
	}
}

// pictureIn is the first picture of an answer in OpenAI's shape.
func pictureIn(t *testing.T, text string) string {
	t.Helper()
	data, err := base64.StdEncoding.DecodeString(first(t, decode(t, text)["data"])["b64_json"].(string))
	require.NoError(t, err, text)
	return string(data)
}

func TestPicturesOfOpenRouterAreAskedForInAConversationAndChargedByTheirTokens(t *testing.T) {
	t.Parallel()
	h := start(t, mediaEnv())
	fake := h.media(fakeprovider.OpenRouterMedia, fakeprovider.MediaOptions{})
	const model = "google/gemini-2.5-flash-image"
	h.price("openrouter", model, hub.TypeImage, `{"input":"0.000001","output":"0.000002","output_image":"0.00003"}`)
	h.grant("100")

	res, text := h.send("/v1/images/generations", `{"model":"openrouter/`+model+`","prompt":"a cat","size":"1024x1536","user":"u1"}`)
	require.Equal(t, 200, res.StatusCode, text)
	assert.Equal(t, string(fakeprovider.Picture()), pictureIn(t, text))
	sent := fake.Requests()[0].JSON
	assert.Equal(t, map[string]any{"aspect_ratio": "2:3"}, sent["image_config"])
	assert.Equal(t, "u1", sent["user"])
	c := h.lastCall()
	assert.Equal(t, hub.Usage{hub.Input: 12, hub.Output: 12, hub.OutputImage: 1056, hub.Images: 1}, c.Usage)
	assert.Equal(t, hub.UsageReported, c.Source)
	assert.Equal(t, "0.031716", c.Credits.String()) // 12 × 1e-6 + 12 × 2e-6 + 1056 × 3e-5
	assert.Equal(t, "0.031716", res.Header.Get("x-aigne-hub-credits"))

	body, contentType := form(t, map[string]string{"model": "openrouter/" + model, "prompt": "bluer"}, map[string]int{"image[]": 2})
	res, text = h.send("/v1/images/edits", body, "Content-Type", contentType)
	require.Equal(t, 200, res.StatusCode, text)
	assert.EqualValues(t, 412, h.lastCall().Usage[hub.Input], "both pictures were looked at")

	res, text = h.send("/v1/images/generations", `{"model":"openrouter/`+model+`","prompt":"a cat","response_format":"url"}`)
	require.Equal(t, 200, res.StatusCode, text)
	assert.Contains(t, text, h.url+"/media/")
	assert.Equal(t, "0.095548", h.spent()) // 3 × 0.031716 + 400 × 1e-6

	h.refused(map[string]string{
		`{"model":"openrouter/` + model + `","prompt":"a","n":2}`:             `"param":"n"`,
		`{"model":"openrouter/` + model + `","prompt":"a","quality":"hd"}`:    `"param":"quality"`,
		`{"model":"openrouter/` + model + `","prompt":"a","stream":true}`:     `"param":"stream"`,
		`{"model":"openrouter/` + model + `","prompt":"a","size":"100x7"}`:    `"param":"size"`,
		`{"model":"openrouter/` + model + `","prompt":"something forbidden"}`: `content_policy`,
	})
	fake.Fail(502, 502) // the only candidate is asked twice
	res, _ = h.send("/v1/images/generations", `{"model":"openrouter/`+model+`","prompt":"a cat"}`)
	assert.Equal(t, 502, res.StatusCode)
	assert.Equal(t, "0.095548", h.spent(), "what was refused or failed costs nothing")
}

func TestPicturesOfPoeAreFetchedFromTheLinkOfItsBot(t *testing.T) {
	t.Parallel()
	h := start(t, mediaEnv())
	fake := h.media(fakeprovider.PoeMedia, fakeprovider.MediaOptions{})
	h.price("poe", "GPT-Image-1", hub.TypeImage, `{"images":"0.05"}`)
	h.grant("100")

	res, text := h.send("/v1/images/generations", `{"model":"poe/GPT-Image-1","prompt":"a cat","size":"auto","user":"u1"}`)
	require.Equal(t, 200, res.StatusCode, text)
	assert.Equal(t, string(fakeprovider.Picture()), pictureIn(t, text))
	assert.Len(t, decode(t, text)["data"], 1, "the bot names its picture twice")
	assert.Equal(t, "user", res.Header.Get("x-aigne-hub-dropped-params"))
	assert.NotContains(t, text, fake.URL)
	assert.Empty(t, fake.Requests()[1].Header.Get("Authorization"), "the file's server is not given the key")
	assert.EqualValues(t, 1, h.lastCall().Usage[hub.Images])
	assert.Equal(t, "0.05", h.lastCall().Credits.String())

	body, contentType := form(t, map[string]string{"model": "poe/GPT-Image-1", "prompt": "bluer", "response_format": "url"}, map[string]int{"image": 1})
	res, text = h.send("/v1/images/edits", body, "Content-Type", contentType)
	require.Equal(t, 200, res.StatusCode, text)
	assert.Contains(t, text, h.url+"/media/", "the bot's links end, and name it")
	assert.NotContains(t, text, fake.URL)

	h.refused(map[string]string{
		`{"model":"poe/GPT-Image-1","prompt":"a","size":"1024x1024"}`: `"param":"size"`,
		`{"model":"poe/GPT-Image-1","prompt":"a","seed":1}`:           `"param":"seed"`,
		`{"model":"poe/GPT-Image-1","prompt":"a","n":2}`:              `"param":"n"`,
		`{"model":"poe/GPT-Image-1","prompt":"a","aspect":"3:2"}`:     `"param":"aspect"`,
		`{"model":"poe/GPT-Image-1","prompt":"something forbidden"}`:  `blocked`,
	})
	assert.Equal(t, "0.1", h.spent())
}

func TestPicturesOfBedrockAreSignedAndCharged(t *testing.T) {
	t.Parallel()
	h := start(t, mediaEnv())
	fake := h.media(fakeprovider.BedrockMedia, fakeprovider.MediaOptions{})
	const (
		nova      = "amazon.nova-canvas-v1:0"
		profile   = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.amazon.nova-canvas-v1:0"
		stability = "us.stability.sd3-5-large-v1:0"
	)
	for _, model := range []string{nova, profile, stability} {
		h.price("bedrock", model, hub.TypeImage, `{"images":"0.04","variants":[{"bucket":"images","quality":"premium","rate":"0.06"}]}`)
	}
	h.grant("100")
	for _, tt := range []struct{ model, more, cost, holds string }{
		{nova, `,"size":"1024x512","n":2`, "0.08", `"width":1024`},
		{nova, `,"quality":"premium","seed":7`, "0.06", `"quality":"premium"`},
		{profile, ``, "0.04", `"TEXT_IMAGE"`},
		{stability, `,"size":"1024x1536","output_format":"png"`, "0.04", `"aspect_ratio":"2:3"`},
	} {
		res, text := h.send("/v1/images/generations", `{"model":"bedrock/`+tt.model+`","prompt":"a cat"`+tt.more+`}`)
		require.Equal(t, 200, res.StatusCode, "%s: %s", tt.model, text)
		assert.Equal(t, string(fakeprovider.Picture()), pictureIn(t, text))
		assert.Equal(t, tt.cost, h.lastCall().Credits.String(), tt.more)
		made := fake.Requests()
		last := made[len(made)-1]
		assert.Equal(t, "/model/"+tt.model+"/invoke", last.Path, "as the path reads unescaped")
		assert.True(t, strings.HasPrefix(last.Header.Get("Authorization"), "AWS4-HMAC-SHA256 "))
		assert.Contains(t, string(last.Body), tt.holds)
	}
	for _, tt := range []struct {
		model, holds string
		files        map[string]int
	}{
		{nova, `"IMAGE_VARIATION"`, map[string]int{"image[]": 2}},
		{nova, `"INPAINTING"`, map[string]int{"image": 1, "mask": 1}},
		{stability, `"image-to-image"`, map[string]int{"image": 1}},
	} {
		body, contentType := form(t, map[string]string{"model": "bedrock/" + tt.model, "prompt": "bluer"}, tt.files)
		res, text := h.send("/v1/images/edits", body, "Content-Type", contentType)
		require.Equal(t, 200, res.StatusCode, "%s: %s", tt.holds, text)
		assert.Equal(t, string(fakeprovider.Picture()), pictureIn(t, text))
		made := fake.Requests()
		assert.Contains(t, string(made[len(made)-1].Body), tt.holds)
		assert.Equal(t, "0.04", h.lastCall().Credits.String())
	}
	assert.Equal(t, "0.34", h.spent())
	h.refused(map[string]string{
		`{"model":"bedrock/` + stability + `","prompt":"a","n":2}`:             `"param":"n"`,
		`{"model":"bedrock/` + nova + `","prompt":"a","output_format":"webp"}`: `"param":"output_format"`,
		`{"model":"bedrock/` + nova + `","prompt":"something forbidden"}`:      `content filters`,
		`{"model":"bedrock/` + stability + `","prompt":"something forbidden"}`: `content_policy`,
	})
	assert.Equal(t, "0.34", h.spent(), "what was refused costs nothing")
}

func TestAForeignSignatureMakesNoPicture(t *testing.T) {
	t.Parallel()
	h := start(t, mediaEnv())
	fake := fakeprovider.StartMedia(t, fakeprovider.BedrockMedia, fakeprovider.MediaOptions{})
	const secret = "a-secret-that-is-wrong"
	h.add("bedrock", "bedrock", fake.Base(), strings.Replace(fakeprovider.KeyPair(), fakeprovider.DefaultKey, secret, 1))
	h.price("bedrock", "amazon.nova-canvas-v1:0", hub.TypeImage, `{"images":"0.04"}`)
	h.grant("100")
	res, text := h.send("/v1/images/generations", `{"model":"bedrock/amazon.nova-canvas-v1:0","prompt":"a cat"}`)
	assert.Equal(t, 502, res.StatusCode, text)
	assert.NotContains(t, h.logs.String()+text, secret)
	assert.Equal(t, "0", h.spent())
	assert.NotEmpty(t, fake.Requests())
	at, err := url.Parse(fake.URL)
	require.NoError(t, err)
	assert.NotContains(t, text, at.Host)
}
