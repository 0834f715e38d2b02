package geminimedia_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/dialect/dialecttest"
	"github.com/aigne-hub/aigne-hub/shared/dialect/geminimedia"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/task"
)

func image(i task.Image) *task.Request {
	if i.N == 0 {
		i.N = 1
	}
	i.Prompt = "p"
	return &task.Request{Kind: task.ImageGeneration, Image: &i}
}

func film(f task.Film) *task.Request {
	f.Prompt = "p"
	return &task.Request{Kind: task.Video, Film: &f}
}

func TestPicturesAreEncoded(t *testing.T) {
	t.Parallel()
	dialecttest.RunEncodings(t, geminimedia.Client{}, []dialecttest.Encoding{
		{Name: "imagen", Model: "imagen-4.0-generate-001", Request: image(task.Image{N: 3, Size: "1024x1792", OutputFormat: "jpeg", Compression: new(int64(80)), PersonsAllowed: "ALLOW_ADULT"}),
			Path: "/models/imagen-4.0-generate-001:predict",
			Body: `{"instances":[{"prompt":"p"}],"parameters":{"sampleCount":3,"includeRaiReason":true,"aspectRatio":"9:16","outputOptions":{"mimeType":"image/jpeg","compressionQuality":80},"personGeneration":"ALLOW_ADULT"}}`},
		{Name: "imagen in 2K", Model: "imagen-4", Request: image(task.Image{Size: "2048x2048"}), Path: "/models/imagen-4:predict",
			Body: `{"instances":[{"prompt":"p"}],"parameters":{"sampleCount":1,"includeRaiReason":true,"aspectRatio":"1:1","sampleImageSize":"2K"}}`},
		{Name: "imagen edits nothing", Model: "imagen-4", Request: image(task.Image{Inputs: []task.File{{Data: []byte("x")}}}), Refuses: "image"},
		{Name: "imagen makes no webp", Model: "imagen-4", Request: image(task.Image{OutputFormat: "webp"}), Refuses: "output_format"},
		{Name: "odd proportions", Model: "imagen-4", Request: image(task.Image{Size: "1000x100"}), Refuses: "size"},
		{Name: "gemini", Model: "models/gemini-2.5-flash-image", Request: image(task.Image{AspectRatio: "4:5", Inputs: []task.File{{MIME: "image/png", Data: []byte("A")}}}),
			Path: "/models/gemini-2.5-flash-image:generateContent",
			Body: `{"contents":[{"role":"user","parts":[{"inlineData":{"mimeType":"image/png","data":"QQ=="}},{"text":"p"}]}],"generationConfig":{"responseModalities":["TEXT","IMAGE"],"imageConfig":{"aspectRatio":"4:5"}}}`},
		{Name: "a file's id", Model: "gemini-x", Request: image(task.Image{Inputs: []task.File{{ID: "f"}}}), Refuses: "image"},
		{Name: "a user is dropped", Model: "imagen-4", Request: &task.Request{User: "u", Image: &task.Image{Prompt: "p", N: 1}}, Path: "/models/imagen-4:predict", Dropped: []string{"user"}},
		{Name: "a name leads nowhere else", Model: "imagen/../x:y", Request: image(task.Image{}), Path: "/models/imagen%2F..%2Fx%3Ay:predict"},
	})
	dialecttest.RunNothingIsLost(t, geminimedia.Client{}, "imagen-4", "gemini-2.5-flash-image")
}

func TestFilmsAreEncoded(t *testing.T) {
	t.Parallel()
	dialecttest.RunEncodings(t, geminimedia.Films{}, []dialecttest.Encoding{
		{Name: "text", Model: "veo-3", Request: film(task.Film{Size: "1920x1080", Negative: "n", Seed: new(int64(3))}), Path: "/models/veo-3:predictLongRunning",
			Body: `{"instances":[{"prompt":"p"}],"parameters":{"durationSeconds":8,"aspectRatio":"16:9","resolution":"1080p","negativePrompt":"n","seed":3}}`},
		{Name: "pictures", Model: "veo-3", Request: film(task.Film{Seconds: 4, Size: "720p", First: &task.File{MIME: "image/png", Data: []byte("A")}, References: []task.File{{MIME: "image/png", Data: []byte("B")}}}),
			Path: "/models/veo-3:predictLongRunning",
			Body: `{"instances":[{"prompt":"p","image":{"bytesBase64Encoded":"QQ==","mimeType":"image/png"},"referenceImages":[{"image":{"bytesBase64Encoded":"Qg==","mimeType":"image/png"},"referenceType":"asset"}]}],"parameters":{"durationSeconds":4,"resolution":"720p"}}`},
		{Name: "square", Model: "veo-3", Request: film(task.Film{Size: "720x720"}), Refuses: "size"},
		{Name: "a still camera", Model: "veo-3", Request: film(task.Film{Camera: new(true)}), Refuses: "camera_fixed"},
	})
}

func TestAnswersAreDecoded(t *testing.T) {
	t.Parallel()
	c := geminimedia.Client{}
	res, err := c.Decode(nil, dialect.TaskAnswer{Body: []byte(`{"predictions":[{"bytesBase64Encoded":"QQ==","mimeType":"image/png"},{"raiFilteredReason":"r"}]}`)}, dialect.Target{Model: "imagen-4"})
	require.NoError(t, err)
	assert.Equal(t, hub.Usage{hub.Images: 1}, res.Usage, "what was filtered is not counted")
	for _, body := range []string{`{}`, `{"predictions":[{"raiFilteredReason":"r"}]}`} {
		_, err = c.Decode(nil, dialect.TaskAnswer{Body: []byte(body)}, dialect.Target{Model: "imagen-4"})
		assert.Equal(t, hub.CodeContentFiltered, hub.CodeOf(err), body)
	}
	for _, body := range []string{`{"promptFeedback":{"blockReason":"SAFETY"}}`, `{"candidates":[{"finishReason":"IMAGE_SAFETY"}]}`} {
		_, err = c.Decode(nil, dialect.TaskAnswer{Body: []byte(body)}, dialect.Target{Model: "gemini-x"})
		assert.Equal(t, hub.CodeContentFiltered, hub.CodeOf(err), body)
		assert.Equal(t, hub.ClassRefused, hub.AsError(err).Class)
	}
	j, err := geminimedia.Films{}.Job(dialect.TaskAnswer{Body: []byte(`{"name":"o","done":true,"response":{"generateVideoResponse":{"raiMediaFilteredCount":1,"raiMediaFilteredReasons":["r"]}}}`)}, dialect.Target{})
	require.NoError(t, err)
	assert.Equal(t, task.JobFailed, j.Status)
}

func TestAFilmIsFetchedWithTheKeyOnlyFromItsOwnPlace(t *testing.T) {
	t.Parallel()
	c := geminimedia.Films{}
	for url, want := range map[string]string{
		"https://generativelanguage.googleapis.com/v1beta/files/a:download?alt=media": "/files/a:download?alt=media",
		"https://evil.test/v1beta/files/a:download":                                   "/files/a:download?alt=media", // asked of the provider, not of evil.test
		"https://evil.test/film.mp4":                                                  "",
		"https://evil.test/v1beta/files/../../x":                                      "",
		"https://evil.test/v1beta/models":                                             "",
	} {
		enc, ok := c.Content("", task.File{URL: url}, dialect.Target{})
		assert.Equal(t, want != "", ok, url)
		assert.Equal(t, want, enc.Path, url)
	}
	assert.Equal(t, "/models/veo/operations//x", c.Poll("models/veo/operations/../x", dialect.Target{}).Path)
}

func FuzzAnswers(f *testing.F) {
	f.Add([]byte(`{"predictions":[{"bytesBase64Encoded":"QQ=="}],"candidates":[{"content":{"parts":[{"inlineData":{"data":"QQ=="}}]}}],"name":"x","done":true}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, model := range []string{"imagen-4", "gemini-x"} {
			res, err := geminimedia.Client{}.Decode(nil, dialect.TaskAnswer{Body: body}, dialect.Target{Model: model})
			if err == nil && res.Usage[hub.Images] != int64(len(res.Pictures)) {
				t.Fatal("pictures are counted")
			}
		}
		j, err := geminimedia.Films{}.Job(dialect.TaskAnswer{Body: body}, dialect.Target{})
		if err == nil && j.Status == task.JobFailed && j.Fault == nil {
			t.Fatal("a failure without a fault")
		}
		_ = json.Valid(body)
	})
}
