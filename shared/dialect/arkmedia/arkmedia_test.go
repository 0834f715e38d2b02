package arkmedia_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/dialect/arkmedia"
	"github.com/aigne-hub/aigne-hub/shared/dialect/dialecttest"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/task"
)

func TestPicturesAndFilmsAreEncoded(t *testing.T) {
	t.Parallel()
	dialecttest.RunEncodings(t, arkmedia.Client{}, []dialecttest.Encoding{
		{Name: "several", Model: "doubao-seedream-4-0", Path: "/images/generations",
			Request: &task.Request{Image: &task.Image{Prompt: "p", N: 3, Size: "2K", Inputs: []task.File{{URL: "https://x.test/a.png"}, {MIME: "image/png", Data: []byte("A")}}}},
			Body: `{"model":"doubao-seedream-4-0","prompt":"p","size":"2K","response_format":"b64_json","watermark":false,"sequential_image_generation":"auto",
				"sequential_image_generation_options":{"max_images":3},"image":["https://x.test/a.png","data:image/png;base64,QQ=="]}`},
		{Name: "its own parameters", Model: "doubao-seedream-3-0-t2i", Path: "/images/generations",
			Request: &task.Request{Image: &task.Image{Prompt: "p", N: 1}, Extra: map[string]json.RawMessage{"guidance_scale": []byte("2.5"), "watermark": []byte("true")}},
			Body:    `{"model":"doubao-seedream-3-0-t2i","prompt":"p","response_format":"b64_json","watermark":true,"guidance_scale":2.5}`},
		{Name: "several of a model that makes one", Model: "doubao-seedream-3-0-t2i", Request: &task.Request{Image: &task.Image{Prompt: "p", N: 2}}, Refuses: "n"},
		{Name: "a file's id", Model: "doubao-seededit-3-0-i2i", Request: &task.Request{Image: &task.Image{Prompt: "p", N: 1, Inputs: []task.File{{ID: "f"}}}}, Refuses: "image"},
	})
	dialecttest.RunNothingIsLost(t, arkmedia.Client{}, "doubao-seedream-4-0")
	dialecttest.RunEncodings(t, arkmedia.Films{}, []dialecttest.Encoding{
		{Name: "frames", Model: "doubao-seedance-1-0-lite", Path: "/contents/generations/tasks",
			Request: &task.Request{Film: &task.Film{Prompt: "p", Seconds: 5, Size: "1280x720", First: &task.File{URL: "https://x.test/a.png"}, Last: &task.File{URL: "https://x.test/b.png"}, Camera: new(true)}},
			Body: `{"model":"doubao-seedance-1-0-lite","content":[{"type":"text","text":"p"},{"type":"image_url","image_url":{"url":"https://x.test/a.png"},"role":"first_frame"},
				{"type":"image_url","image_url":{"url":"https://x.test/b.png"},"role":"last_frame"}],"duration":5,"ratio":"16:9","resolution":"720p","camera_fixed":true}`},
		{Name: "an odd size", Model: "doubao-seedance-1-0-lite", Request: &task.Request{Film: &task.Film{Prompt: "p", Size: "123x456"}}, Refuses: "size"},
		{Name: "no negative prompts", Model: "doubao-seedance-1-0-lite", Request: &task.Request{Film: &task.Film{Prompt: "p", Negative: "n"}}, Refuses: "negative_prompt"},
	})
}

func TestAnswersAreDecoded(t *testing.T) {
	t.Parallel()
	res, err := arkmedia.Client{}.Decode(nil, dialect.TaskAnswer{Body: []byte(`{"data":[{"b64_json":"QQ==","size":"2048x2048"},{"error":{"code":"x","message":"m"}}],"usage":{"output_tokens":4096}}`)}, dialect.Target{})
	require.NoError(t, err)
	assert.Equal(t, hub.Usage{hub.Images: 1, hub.OutputImage: 4096}, res.Usage, "one of two failed")
	assert.Equal(t, "2048x2048", res.Variant.Size)
	_, err = arkmedia.Client{}.Decode(nil, dialect.TaskAnswer{Body: []byte(`{"data":[{"error":{"code":"OutputImageSensitiveContentDetected","message":"sensitive"}}]}`)}, dialect.Target{})
	assert.Contains(t, hub.AsError(err).Message, "sensitive")
	for body, want := range map[string]task.JobStatus{
		`{"id":"c"}`: task.JobQueued, `{"id":"c","status":"queued"}`: task.JobQueued, `{"id":"c","status":"running"}`: task.JobRunning,
		`{"id":"c","status":"succeeded","content":{"video_url":"https://x"},"usage":{"completion_tokens":9},"duration":5}`: task.JobSucceeded,
		`{"id":"c","status":"failed","error":{"code":"x","message":"m"}}`:                                                  task.JobFailed, `{"id":"c","status":"cancelled"}`: task.JobFailed,
	} {
		j, err := arkmedia.Films{}.Job(dialect.TaskAnswer{Body: []byte(body)}, dialect.Target{})
		require.NoError(t, err, body)
		assert.Equal(t, want, j.Status)
		assert.Equal(t, want == task.JobFailed, j.Fault != nil)
	}
	for _, bad := range []string{`{}`, `x`, `{"id":"c","status":"dancing"}`, `{"id":"c","status":"succeeded"}`} {
		_, err := arkmedia.Films{}.Job(dialect.TaskAnswer{Body: []byte(bad)}, dialect.Target{})
		require.Error(t, err, bad)
	}
}

func FuzzAnswers(f *testing.F) {
	f.Add([]byte(`{"id":"c","status":"failed","error":null,"data":[{"b64_json":"QQ=="}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		res, err := arkmedia.Client{}.Decode(nil, dialect.TaskAnswer{Body: body}, dialect.Target{})
		if err == nil && res.Usage[hub.Images] != int64(len(res.Pictures)) {
			t.Fatal("pictures are counted")
		}
		j, err := arkmedia.Films{}.Job(dialect.TaskAnswer{Body: body}, dialect.Target{})
		if err == nil && j.Status == task.JobFailed && j.Fault == nil {
			t.Fatal("a failure without a fault")
		}
	})
}
