package proxy_test

import (
	"bytes"
	"encoding/base64"
	"io"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/testkit/fakeprovider"
)

// OpenAI gives its own video models up and marks the methods deprecated; by the
// hub they reach those of other vendors.
//
//nolint:staticcheck // see above
func TestOpenAIsGoSDKMakesPicturesAndVideosAtOthers(t *testing.T) {
	t.Parallel()
	h := start(t, mediaEnv())
	h.media(fakeprovider.GoogleMedia, fakeprovider.MediaOptions{Polls: 1})
	h.media(fakeprovider.OpenAIMedia, fakeprovider.MediaOptions{})
	h.price("google", "gemini-2.5-flash-image", hub.TypeImage, `{"images":"0.01"}`)
	h.price("openai", "gpt-image-1", hub.TypeImage, `{"images":"0.01"}`)
	h.price("google", "veo-3.1", hub.TypeVideo, bySecond)
	h.grant("100")
	c := openai.NewClient(option.WithBaseURL(h.url+"/v1"), option.WithAPIKey(h.key.Reveal()), option.WithMaxRetries(0))
	ctx := t.Context()

	made, err := c.Images.Generate(ctx, openai.ImageGenerateParams{Model: "google/gemini-2.5-flash-image", Prompt: "a cat"})
	require.NoError(t, err)
	assert.Equal(t, base64.StdEncoding.EncodeToString(fakeprovider.Picture()), made.Data[0].B64JSON)
	assert.EqualValues(t, 1056, made.Usage.OutputTokens)

	edited, err := c.Images.Edit(ctx, openai.ImageEditParams{Model: "google/gemini-2.5-flash-image", Prompt: "bluer",
		Image: openai.ImageEditParamsImageUnion{OfFileArray: []io.Reader{bytes.NewReader(fakeprovider.Picture()), bytes.NewReader(fakeprovider.Picture())}}})
	require.NoError(t, err)
	assert.Len(t, edited.Data, 1)
	assert.EqualValues(t, 2*fakeprovider.FakePictureTokens, edited.Usage.InputTokensDetails.ImageTokens)

	stream := c.Images.GenerateStreaming(ctx, openai.ImageGenerateParams{Model: "openai/gpt-image-1", Prompt: "a cat", PartialImages: openai.Int(1)})
	var events []string
	for stream.Next() {
		events = append(events, stream.Current().Type)
	}
	require.NoError(t, stream.Err())
	assert.Equal(t, []string{"image_generation.partial_image", "image_generation.completed"}, events)

	video, err := c.Videos.New(ctx, openai.VideoNewParams{Model: "google/veo-3.1", Prompt: "a cat", Seconds: "4", Size: "1280x720",
		InputReference: openai.VideoNewParamsInputReferenceUnion{OfFile: bytes.NewReader(fakeprovider.Picture())}})
	require.NoError(t, err)
	for range 3 {
		video, err = c.Videos.Get(ctx, video.ID)
		require.NoError(t, err)
	}
	assert.Equal(t, openai.VideoStatusCompleted, video.Status)
	content, err := c.Videos.DownloadContent(ctx, video.ID, openai.VideoDownloadContentParams{})
	require.NoError(t, err)
	film, err := io.ReadAll(content.Body)
	require.NoError(t, err)
	require.NoError(t, content.Body.Close())
	assert.Equal(t, fakeprovider.Film(), film)
	list, err := c.Videos.List(ctx, openai.VideoListParams{})
	require.NoError(t, err)
	assert.Len(t, list.Data, 1)
	gone, err := c.Videos.Delete(ctx, video.ID)
	require.NoError(t, err)
	assert.True(t, gone.Deleted)
	assert.Equal(t, "0.43", h.spent())
}
