package chatimages_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/dialect/chatimages"
	"github.com/aigne-hub/aigne-hub/shared/dialect/dialecttest"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/task"
)

func TestPicturesAreAskedForInATurn(t *testing.T) {
	t.Parallel()
	dialecttest.RunEncodings(t, chatimages.Client{}, []dialecttest.Encoding{
		{Name: "an edit", Model: "google/gemini-2.5-flash-image", Path: "/chat/completions",
			Request: &task.Request{Image: &task.Image{Prompt: "p", N: 1, AspectRatio: "16:9", Inputs: []task.File{{URL: "https://x.test/a.png"}}}},
			Body: `{"model":"google/gemini-2.5-flash-image","modalities":["image","text"],"image_config":{"aspect_ratio":"16:9"},
				"messages":[{"role":"user","content":[{"type":"text","text":"p"},{"type":"image_url","image_url":{"url":"https://x.test/a.png"}}]}]}`},
		{Name: "several", Request: &task.Request{Image: &task.Image{Prompt: "p", N: 2}}, Refuses: "n"},
	})
	dialecttest.RunNothingIsLost(t, chatimages.Client{}, "m")
}

// plain is the client at a vendor that takes no parameters of pictures.
type plain struct{ chatimages.Client }

func (p plain) Encode(req *task.Request, t dialect.Target) (dialect.TaskEncoded, error) {
	t.Quirks.PlainPictures = true
	return p.Client.Encode(req, t)
}

func TestAPlainTurnHoldsNothingElse(t *testing.T) {
	t.Parallel()
	dialecttest.RunEncodings(t, plain{}, []dialecttest.Encoding{
		{Name: "an edit", Model: "GPT-Image-1", Path: "/chat/completions",
			Request: &task.Request{User: "u", Image: &task.Image{Prompt: "p", N: 1, Size: "auto", Inputs: []task.File{{URL: "https://x.test/a.png"}}}}, Dropped: []string{"user"},
			Body: `{"model":"GPT-Image-1","messages":[{"role":"user","content":[{"type":"text","text":"p"},{"type":"image_url","image_url":{"url":"https://x.test/a.png"}}]}]}`},
		{Name: "a size", Request: &task.Request{Image: &task.Image{Prompt: "p", N: 1, Size: "1024x1024"}}, Refuses: "size"},
		{Name: "a seed", Request: &task.Request{Image: &task.Image{Prompt: "p", N: 1, Seed: new(int64(1))}}, Refuses: "seed"},
	})
	dialecttest.RunNothingIsLost(t, plain{}, "m")
}

func TestAnswersAreDecoded(t *testing.T) {
	t.Parallel()
	decode := func(body string) (*task.Result, error) {
		return chatimages.Client{}.Decode(nil, dialect.TaskAnswer{Body: []byte(body)}, dialect.Target{})
	}
	res, err := decode(`{"id":"g","choices":[{"message":{"content":"Here.","images":[{"type":"image_url","image_url":{"url":"data:image/png;base64,QQ=="}}]},"finish_reason":"stop"}],
		"usage":{"prompt_tokens":10,"completion_tokens":1300,"completion_tokens_details":{"image_tokens":1290,"reasoning_tokens":4},"prompt_tokens_details":{"cached_tokens":2}}}`)
	require.NoError(t, err)
	assert.Equal(t, []task.Picture{{File: task.File{MIME: "image/png", Data: []byte("A")}, RevisedPrompt: "Here."}}, res.Pictures)
	assert.Equal(t, hub.Usage{hub.Input: 8, hub.CacheRead: 2, hub.OutputImage: 1290, hub.Reasoning: 4, hub.Output: 6, hub.Images: 1}, res.Usage)
	res, err = decode(`{"choices":[{"message":{"content":"![cat](https://cdn.test/cat.png?x=1)\n\nhttps://cdn.test/cat.png?x=1"}}]}`)
	require.NoError(t, err)
	assert.Equal(t, []task.Picture{{File: task.File{URL: "https://cdn.test/cat.png?x=1"}}}, res.Pictures, "Poe names a picture twice")
	for _, bad := range []string{`{}`, `x`, `{"choices":[{"message":{"content":"no"}}]}`, `{"choices":[{"message":{"content":null,"refusal":"no"}}]}`, `{"error":{"message":"m","code":400}}`} {
		_, err := decode(bad)
		require.Error(t, err, bad)
	}
}

func FuzzAnswers(f *testing.F) {
	f.Add([]byte(`{"choices":[{"message":{"content":"https://x","images":[{"image_url":{"url":"data:image/png;base64,QQ=="}}]}}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		res, err := chatimages.Client{}.Decode(nil, dialect.TaskAnswer{Body: body}, dialect.Target{})
		if err == nil && res.Usage[hub.Images] != int64(len(res.Pictures)) {
			t.Fatal("pictures are counted")
		}
	})
}
