package proxy_test

import (
	"bytes"
	"encoding/base64"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/testkit/fakeprovider"
	"github.com/aigne-hub/aigne-hub/shared/testkit/sdk"
)

// mediaSDK is a hub with a fake vendor of pictures and films, prices and money,
// and who calls it.
func mediaSDK(t *testing.T) (*testHub, sdk.Target) {
	t.Helper()
	h := start(t, mediaEnv())
	h.media(fakeprovider.OpenAIMedia, fakeprovider.MediaOptions{Polls: 2})
	h.price("openai", "gpt-image-1", hub.TypeImage, `{"input":"0.000005","input_image":"0.00001","output_image":"0.00004"}`)
	h.price("openai", "dall-e-2", hub.TypeImage, `{"images":"0.02"}`)
	h.price("openai", "sora-2", hub.TypeVideo, `{"seconds":"0.1"}`)
	h.grant("100")
	return h, sdk.Target{BaseURL: h.url, Key: h.key.Reveal(), Model: "openai/gpt-fake", UnknownModel: "openaix/none",
		Models: map[string]string{"image": "openai/gpt-image-1", "image_url": "openai/dall-e-2", "video": "openai/sora-2"}}
}

// requireCosts compares what the calls cost with what they made, at the prices
// above, and the wallet with the sum.
func requireCosts(t *testing.T, h *testHub) {
	t.Helper()
	calls, err := h.app.Store.Calls(t.Context(), store.CallFilter{Limit: 1000})
	require.NoError(t, err)
	var charged money.Credits
	for _, c := range calls {
		want := 5_000*c.Usage[hub.Input] + 10_000*c.Usage[hub.InputImage] + 40_000*c.Usage[hub.OutputImage]
		switch c.Model {
		case "dall-e-2":
			want = 20_000_000 * c.Usage[hub.Images]
		case "sora-2":
			want = 100_000_000 * c.Usage[hub.Seconds]
		}
		assert.Equal(t, money.Credits(want), c.Credits, "%s %v", c.Model, c.Usage)
		assert.Positive(t, c.Credits, c.Model)
		charged += c.Credits
	}
	assert.Equal(t, (100*money.Credit - charged).String(), (h.account().Balance).String())
}

func TestTheSDKsPicturesAndFilms(t *testing.T) {
	t.Parallel()
	picture, film := len(fakeprovider.Picture()), len(fakeprovider.Film())
	for script, scenarios := range map[string][]string{
		sdk.Media: {"picture", "picture_url", "picture_base64", "picture_stream", "picture_edit", "picture_edit_of_several", "film", "film_deleted",
			"unknown_picture", "unknown_edit", "unknown_film", "wrong_key"},
		sdk.AIGNE:  {"picture", "picture_edit", "film", "picture_models", "unknown_picture", "unknown_film"},
		sdk.Vercel: {"openai/generate_image", "compatible/generate_image", "openai/unknown_image", "compatible/unknown_image"},
	} {
		t.Run(script, func(t *testing.T) {
			t.Parallel()
			h, target := mediaSDK(t)
			results := sdk.Run(t, script, target, scenarios...)
			assert.Len(t, results, len(scenarios))
			sdk.VerifyMedia(t, results, picture, film)
			switch script {
			case sdk.Media:
				sdk.VerifyErrors(t, script, results)
			case sdk.AIGNE:
				assert.Equal(t, []string{"openai/dall-e-2", "openai/gpt-image-1"}, results["picture_models"].IDs)
				assert.Equal(t, "invalid_request_error", results["unknown_film"].Error.Type)
			}
			requireCosts(t, h)
		})
	}
}

// Its films are deprecated: they end with OpenAI's.
func TestTheGoSDKsPictures(t *testing.T) {
	t.Parallel()
	h, target := mediaSDK(t)
	client := openai.NewClient(option.WithBaseURL(h.url+"/v1"), option.WithAPIKey(target.Key), option.WithMaxRetries(0))
	drawn, err := client.Images.Generate(t.Context(), openai.ImageGenerateParams{Model: target.Models["image"], Prompt: "A red point"})
	require.NoError(t, err)
	data, err := base64.StdEncoding.DecodeString(drawn.Data[0].B64JSON)
	require.NoError(t, err)
	assert.Equal(t, fakeprovider.Picture(), data)

	edited, err := client.Images.Edit(t.Context(), openai.ImageEditParams{Model: target.Models["image"], Prompt: "Make it blue",
		Image: openai.ImageEditParamsImageUnion{OfFile: openai.File(bytes.NewReader(data), "point.png", "image/png")}})
	require.NoError(t, err)
	assert.NotEmpty(t, edited.Data[0].B64JSON)

	requireCosts(t, h)
}
