package aignemedia_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/dialect/aignemedia"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/task"
)

func view(t testing.TB, s dialect.TaskServer, body string) (*task.Request, error) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(body))
	v, err := s.View(r, []byte(body))
	if err != nil {
		return nil, err
	}
	return v.Request, nil
}

func TestTheProtocolsImageInputIsRead(t *testing.T) {
	t.Parallel()
	r, err := view(t, aignemedia.Images{}, `{"input":{"prompt":"p","n":2,"size":"1024x1024","image":[{"type":"url","url":"https://x.test/a.png"},{"type":"file","data":"QQ==","mimeType":"image/png","filename":"a.png"}],
		"outputFileType":"url","modelOptions":{"model":"google/m","outputFormat":"png","negativePrompt":"n","safetyFilterLevel":"BLOCK_NONE","guidanceScale":3},"preferInputFileType":"url"},"agent":"x","options":{}}`)
	require.NoError(t, err)
	assert.Equal(t, "google/m", r.Model)
	assert.Equal(t, task.ImageEdit, r.Kind)
	assert.Equal(t, &task.Image{Prompt: "p", N: 2, Size: "1024x1024", URL: true, OutputFormat: "png", Negative: "n", SafetyLevel: "BLOCK_NONE",
		Inputs: []task.File{{URL: "https://x.test/a.png"}, {Name: "a.png", MIME: "image/png", Data: []byte("A")}}}, r.Image)
	assert.Equal(t, map[string]json.RawMessage{"guidance_scale": json.RawMessage("3")}, r.Extra)
	assert.Equal(t, "input.modelOptions.negativePrompt", r.ParamName("negative_prompt"))
	r, err = view(t, aignemedia.Images{}, `{"input":{"prompt":"p"}}`)
	require.NoError(t, err)
	assert.Equal(t, "openai/dall-e-2", r.Model)
	assert.Equal(t, task.ImageGeneration, r.Kind)
}

func TestRESTTakesBothSpellings(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		`{"model":"m","prompt":"p","responseFormat":"url","outputFormat":"webp","image":"https://x.test/a"}`,
		`{"model":"m","prompt":"p","response_format":"url","output_format":"webp","image":["https://x.test/a"]}`,
		`{"model":"m","prompt":"p","outputFileType":"url","output_format":"webp","outputFormat":"webp","image":["https://x.test/a"]}`,
	} {
		r, err := view(t, aignemedia.RestImages{}, body)
		require.NoError(t, err, body)
		assert.Equal(t, &task.Image{Prompt: "p", N: 1, URL: true, OutputFormat: "webp", Inputs: []task.File{{URL: "https://x.test/a"}}}, r.Image, body)
	}
	_, err := view(t, aignemedia.RestImages{}, `{"prompt":"p","outputFormat":"webp","output_format":"png"}`)
	assert.Equal(t, hub.CodeInvalid, hub.CodeOf(err), "one could be priced and the other served")
}

func TestTheProtocolsVideoInputIsRead(t *testing.T) {
	t.Parallel()
	r, err := view(t, aignemedia.Videos{}, `{"input":{"prompt":"p","seconds":"8","size":"720p","model":"google/veo","image":{"type":"file","data":"QQ=="},"modelOptions":{"model":"google/veo","aspectRatio":"16:9","cameraFixed":true}}}`)
	require.NoError(t, err)
	assert.Equal(t, "google/veo", r.Model)
	assert.Equal(t, &task.Film{Prompt: "p", Seconds: 8, Size: "720p", AspectRatio: "16:9", First: &task.File{Data: []byte("A")}, Camera: new(true)}, r.Film)
	r, err = view(t, aignemedia.Videos{}, `{"input":{"prompt":"p"}}`)
	require.NoError(t, err)
	assert.Equal(t, "openai/sora-2", r.Model)
}

func TestFaultsNameTheCallersField(t *testing.T) {
	t.Parallel()
	for body, param := range map[string]string{
		`[]`: "", `{}`: "input", `{"input":7}`: "input", `{"input":{}}`: "prompt", `{"input":{"prompt":7}}`: "input.prompt", `{"input":{"prompt":"p","n":0}}`: "input.n",
		`{"input":{"prompt":"p","image":[{"type":"local","path":"/etc/passwd"}]}}`: "input.image[0].type",
		`{"input":{"prompt":"p","image":[{"type":"file","data":"!"}]}}`:            "input.image[0].data",
		`{"input":{"prompt":"p","image":[{"type":"url","url":""}]}}`:               "input.image[0].url",
		`{"input":{"prompt":"p","image":[7]}}`:                                     "input.image[0]",
		`{"input":{"prompt":"p","modelOptions":[]}}`:                               "input.modelOptions",
		`{"input":{"prompt":"p","outputFileType":"local"}}`:                        "input.outputFileType",
		`{"input":{"prompt":"p","modelOptions":{"seed":-1}}}`:                      "input.modelOptions.seed",
	} {
		_, err := view(t, aignemedia.Images{}, body)
		require.Error(t, err, body)
		assert.Equal(t, hub.CodeInvalid, hub.CodeOf(err), body)
		assert.Equal(t, param, hub.AsError(err).Param, body)
	}
}

func FuzzRequests(f *testing.F) {
	f.Add(`{"input":{"prompt":"p","image":[{"type":"file","data":"QQ=="}],"modelOptions":{"a":1}}}`)
	f.Add(`{"prompt":"p","image":"x:y"}`)
	f.Fuzz(func(t *testing.T, body string) {
		for _, s := range []dialect.TaskServer{aignemedia.Images{}, aignemedia.RestImages{}, aignemedia.Videos{}} {
			if r, err := view(t, s, body); err == nil && r.Model == "" {
				t.Fatal("a request without a model")
			}
		}
	})
}
