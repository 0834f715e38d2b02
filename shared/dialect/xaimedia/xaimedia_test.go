package xaimedia_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/dialect/dialecttest"
	"github.com/aigne-hub/aigne-hub/shared/dialect/xaimedia"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/task"
)

func TestPicturesAndFilmsAreEncoded(t *testing.T) {
	t.Parallel()
	dialecttest.RunEncodings(t, xaimedia.Client{}, []dialecttest.Encoding{
		{Name: "plain", Model: "grok-imagine-image", Path: "/images/generations",
			Request: &task.Request{User: "u", Image: &task.Image{Prompt: "p", N: 2, Size: "1536x1024"}},
			Body:    `{"model":"grok-imagine-image","prompt":"p","n":2,"response_format":"b64_json","aspect_ratio":"3:2","user":"u"}`},
		{Name: "an edit", Model: "grok-imagine-image", Path: "/images/edits",
			Request: &task.Request{Image: &task.Image{Prompt: "p", N: 1, Inputs: []task.File{{MIME: "image/png", Data: []byte("A")}}}},
			Body:    `{"model":"grok-imagine-image","prompt":"p","n":1,"response_format":"b64_json","image":{"url":"data:image/png;base64,QQ==","type":"image_url"}}`},
		{Name: "masks", Model: "grok-imagine-image", Request: &task.Request{Image: &task.Image{Prompt: "p", N: 1, Mask: &task.File{Data: []byte("A")}}}, Refuses: "mask"},
	})
	dialecttest.RunNothingIsLost(t, xaimedia.Client{}, "grok-imagine-image")
	dialecttest.RunEncodings(t, xaimedia.Films{}, []dialecttest.Encoding{
		{Name: "the length is always said", Model: "grok-imagine-video", Path: "/videos/generations",
			Request: &task.Request{Film: &task.Film{Prompt: "p", Size: "1280x720", First: &task.File{URL: "https://x.test/a.png"}}},
			Body:    `{"model":"grok-imagine-video","prompt":"p","duration":8,"aspect_ratio":"16:9","resolution":"720p","image":{"url":"https://x.test/a.png"}}`},
		{Name: "seeds", Model: "grok-imagine-video", Request: &task.Request{Film: &task.Film{Prompt: "p", Seed: new(int64(1))}}, Refuses: "seed"},
	})
}

func TestAnswersAreDecoded(t *testing.T) {
	t.Parallel()
	res, err := xaimedia.Client{}.Decode(nil, dialect.TaskAnswer{Body: []byte(`{"data":[{"b64_json":"data:image/jpeg;base64,QQ=="},{"b64_json":"Qg=="},{"url":"https://x.test/a"}]}`)}, dialect.Target{})
	require.NoError(t, err)
	assert.Equal(t, hub.Usage{hub.Images: 3}, res.Usage)
	assert.Equal(t, task.File{MIME: "image/jpeg", Data: []byte("A")}, res.Pictures[0].File)
	assert.Equal(t, "https://x.test/a", res.Pictures[2].URL)
	for body, want := range map[string]task.JobStatus{
		`{"request_id":"r"}`: task.JobQueued, `{"status":"pending"}`: task.JobRunning, `{"status":"done","video":{"url":"https://x","duration":6}}`: task.JobSucceeded,
		`{"status":"done","video":{"url":"","respect_moderation":false}}`: task.JobFailed, `{"status":"failed","error":{"message":"m"}}`: task.JobFailed, `{"status":"expired"}`: task.JobFailed,
	} {
		j, err := xaimedia.Films{}.Job(dialect.TaskAnswer{Body: []byte(body)}, dialect.Target{})
		require.NoError(t, err, body)
		assert.Equal(t, want, j.Status)
		assert.Equal(t, want == task.JobFailed, j.Fault != nil)
	}
}

func FuzzAnswers(f *testing.F) {
	f.Add([]byte(`{"request_id":"r","status":"failed","error":"x","data":[{"b64_json":"QQ=="}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		res, err := xaimedia.Client{}.Decode(nil, dialect.TaskAnswer{Body: body}, dialect.Target{})
		if err == nil && res.Usage[hub.Images] != int64(len(res.Pictures)) {
			t.Fatal("pictures are counted")
		}
		j, err := xaimedia.Films{}.Job(dialect.TaskAnswer{Body: body}, dialect.Target{})
		if err == nil && j.Status == task.JobFailed && j.Fault == nil {
			t.Fatal("a failure without a fault")
		}
	})
}
