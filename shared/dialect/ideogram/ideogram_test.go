package ideogram_test

import (
	"bytes"
	"encoding/json"
	"image"
	"image/color"
	"image/png"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/dialect/dialecttest"
	"github.com/aigne-hub/aigne-hub/shared/dialect/ideogram"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/task"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

func formOf(t *testing.T, req *task.Request) (path string, fields map[string]string) {
	t.Helper()
	enc, err := ideogram.Client{}.Encode(req, dialect.Target{Model: "ideogram-v3"})
	require.NoError(t, err)
	f, err := wire.ParseForm(enc.Type, enc.Body)
	require.NoError(t, err)
	fields = map[string]string{}
	for i := range f.Parts {
		fields[f.Parts[i].Name] = string(f.Parts[i].Data)
	}
	return enc.Path, fields
}

func TestFormsAreWritten(t *testing.T) {
	t.Parallel()
	path, got := formOf(t, &task.Request{Image: &task.Image{Prompt: "p", N: 2, Size: "1024x1024", Quality: "high", Style: "realistic", Seed: new(int64(3)), Negative: "n"},
		Extra: map[string]json.RawMessage{"magic_prompt": []byte(`"OFF"`), "rendering_speed": []byte(`"TURBO"`)}})
	assert.Equal(t, "/v1/ideogram-v3/generate", path)
	assert.Equal(t, map[string]string{"prompt": "p", "num_images": "2", "resolution": "1024x1024", "rendering_speed": "TURBO", "style_type": "REALISTIC",
		"seed": "3", "negative_prompt": "n", "magic_prompt": "OFF"}, got)
	path, got = formOf(t, &task.Request{Image: &task.Image{Prompt: "p", N: 1, Size: "1792x1024", Inputs: []task.File{{Data: []byte("A")}}, Strength: new(0.25)}})
	assert.Equal(t, "/v1/ideogram-v3/remix", path)
	assert.Equal(t, map[string]string{"prompt": "p", "num_images": "1", "aspect_ratio": "16x9", "image": "A", "image_weight": "75"}, got)
}

func TestAnOpenAIMaskTurnsBlackWhereItWasTransparent(t *testing.T) {
	t.Parallel()
	src := image.NewNRGBA(image.Rect(0, 0, 2, 1))
	src.Set(0, 0, color.NRGBA{R: 255, A: 255}) // kept
	var buf bytes.Buffer
	require.NoError(t, png.Encode(&buf, src))
	path, got := formOf(t, &task.Request{Image: &task.Image{Prompt: "p", N: 1, Inputs: []task.File{{Data: []byte("A")}}, Mask: &task.File{Data: buf.Bytes()}}})
	assert.Equal(t, "/v1/ideogram-v3/edit", path)
	mask, err := png.Decode(bytes.NewReader([]byte(got["mask"])))
	require.NoError(t, err)
	assert.Equal(t, color.Gray{Y: 255}, mask.At(0, 0))
	assert.Equal(t, color.Gray{Y: 0}, mask.At(1, 0))
}

func TestWhatIdeogramCannotDoIsRefused(t *testing.T) {
	t.Parallel()
	dialecttest.RunEncodings(t, ideogram.Client{}, []dialecttest.Encoding{
		{Name: "nine pictures", Request: &task.Request{Image: &task.Image{Prompt: "p", N: 9}}, Refuses: "n"},
		{Name: "two pictures to work from", Request: &task.Request{Image: &task.Image{Prompt: "p", N: 1, Inputs: make([]task.File, 2)}}, Refuses: "image"},
		{Name: "an unknown quality", Request: &task.Request{Image: &task.Image{Prompt: "p", N: 1, Quality: "best"}}, Refuses: "quality"},
		{Name: "an odd size", Request: &task.Request{Image: &task.Image{Prompt: "p", N: 1, Size: "10x1000"}}, Refuses: "size"},
	})
	dialecttest.RunNothingIsLost(t, ideogram.Client{}, "ideogram-v3")
}

func FuzzAnswers(f *testing.F) {
	f.Add([]byte(`{"data":[{"url":"https://x","is_image_safe":true},{"is_image_safe":false}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		res, err := ideogram.Client{}.Decode(nil, dialect.TaskAnswer{Body: body}, dialect.Target{})
		if err == nil && res.Usage[hub.Images] != int64(len(res.Pictures)) {
			t.Fatal("pictures are counted")
		}
	})
}
