package bedrockimages_test

import (
	"encoding/base64"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/dialect/bedrockimages"
	"github.com/aigne-hub/aigne-hub/shared/dialect/dialecttest"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/task"
)

const dot = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg=="

func TestInvokeModelBodies(t *testing.T) {
	t.Parallel()
	opaque, err := base64.StdEncoding.DecodeString(dot)
	require.NoError(t, err)
	dialecttest.RunEncodings(t, bedrockimages.Client{}, []dialecttest.Encoding{
		{Name: "nova", Model: "amazon.nova-canvas-v1:0", Path: "/model/amazon.nova-canvas-v1%3A0/invoke",
			Request: &task.Request{Image: &task.Image{Prompt: "p", N: 2, Size: "1024x512", Quality: "high", Seed: new(int64(4)), Negative: "n"}},
			Body:    `{"taskType":"TEXT_IMAGE","textToImageParams":{"text":"p","negativeText":"n"},"imageGenerationConfig":{"numberOfImages":2,"width":1024,"height":512,"quality":"premium","seed":4}}`},
		{Name: "a variation", Model: "amazon.titan-image-generator-v2:0", Path: "/model/amazon.titan-image-generator-v2%3A0/invoke",
			Request: &task.Request{Image: &task.Image{Prompt: "p", N: 1, Inputs: []task.File{{Data: []byte("A")}}, Strength: new(0.25)}},
			Body:    `{"taskType":"IMAGE_VARIATION","imageVariationParams":{"text":"p","images":["QQ=="],"similarityStrength":0.75},"imageGenerationConfig":{"numberOfImages":1}}`},
		{Name: "inpainting", Model: "amazon.nova-canvas-v1:0", Path: "/model/amazon.nova-canvas-v1%3A0/invoke",
			Request: &task.Request{Image: &task.Image{Prompt: "p", N: 1, Inputs: []task.File{{Data: []byte("A")}}, Mask: &task.File{Data: opaque}}},
			Body:    `{"taskType":"INPAINTING","inPaintingParams":{"text":"p","image":"QQ==","maskImage":"` + dot + `"},"imageGenerationConfig":{"numberOfImages":1}}`},
		{Name: "stability", Model: "stability.sd3-5-large-v1:0", Path: "/model/stability.sd3-5-large-v1%3A0/invoke",
			Request: &task.Request{Image: &task.Image{Prompt: "p", N: 1, Size: "1024x1536", OutputFormat: "jpeg"}},
			Body:    `{"prompt":"p","aspect_ratio":"2:3","output_format":"jpeg"}`},
		{Name: "stability from a picture", Model: "stability.sd3-5-large-v1:0", Path: "/model/stability.sd3-5-large-v1%3A0/invoke",
			Request: &task.Request{Image: &task.Image{Prompt: "p", N: 1, Inputs: []task.File{{Data: []byte("A")}}}},
			Body:    `{"prompt":"p","mode":"image-to-image","image":"QQ==","strength":0.7}`},
		{Name: "stability makes one", Model: "stability.sd3-5-large-v1:0", Request: &task.Request{Image: &task.Image{Prompt: "p", N: 2}}, Refuses: "n"},
		{Name: "a broken mask", Model: "amazon.nova-canvas-v1:0", Request: &task.Request{Image: &task.Image{Prompt: "p", N: 1, Inputs: []task.File{{Data: []byte("A")}}, Mask: &task.File{Data: []byte("A")}}}, Refuses: "mask"},
	})
	dialecttest.RunNothingIsLost(t, bedrockimages.Client{}, "amazon.nova-canvas-v1:0", "stability.sd3-5-large-v1:0")
}

func TestAnswersAreDecoded(t *testing.T) {
	t.Parallel()
	decode := func(body string) (*task.Result, error) {
		return bedrockimages.Client{}.Decode(nil, dialect.TaskAnswer{Body: []byte(body)}, dialect.Target{})
	}
	res, err := decode(`{"images":["QQ==","Qg=="],"error":null}`)
	require.NoError(t, err)
	assert.Equal(t, hub.Usage{hub.Images: 2}, res.Usage)
	_, err = decode(`{"images":[""],"seeds":[1],"finish_reasons":["Filter reason: output image"]}`)
	assert.Equal(t, hub.CodeContentFiltered, hub.CodeOf(err))
	_, err = decode(`{"images":[],"error":"All generated images have been blocked by our content filters."}`)
	assert.Equal(t, hub.CodeContentFiltered, hub.CodeOf(err))
	_, err = decode(`{}`)
	require.Error(t, err)
}

func FuzzAnswers(f *testing.F) {
	f.Add([]byte(`{"images":["QQ=="],"finish_reasons":[null]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		res, err := bedrockimages.Client{}.Decode(nil, dialect.TaskAnswer{Body: body}, dialect.Target{})
		if err == nil && res.Usage[hub.Images] != int64(len(res.Pictures)) {
			t.Fatal("pictures are counted")
		}
	})
}
