package proxy_test

import (
	"bytes"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/provider"
	"github.com/aigne-hub/aigne-hub/shared/task"
)

// workProof proves that one kind of work beside chat is carried to a provider:
// what a caller asks, how a vendor answers in each language, and what of that
// must be in the caller's answer.
type workProof struct {
	path    string
	body    string // JSON with the model's place; "" is a form with a recording
	answers map[dialect.Name]string
	shows   string
}

const (
	ranked = `{"id":"x","results":[{"index":1,"relevance_score":0.875},{"index":0,"relevance_score":0.25}],"meta":{"billed_units":{"search_units":1}}}`
	heard  = `{"text":"hello there","usage":{"type":"duration","seconds":2}}`
	spoken = `{"candidates":[{"content":{"role":"model","parts":[{"inlineData":{"mimeType":"audio/L16;codec=pcm;rate=24000","data":"c291bmQ="}}]},` +
		`"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":2,"candidatesTokenCount":5,"totalTokenCount":7}}`
)

var workProofs = map[task.Kind]workProof{
	task.Embedding: {"/v1/embeddings", `{"model":%q,"input":"hello"}`, map[dialect.Name]string{
		dialect.OpenAI:  `{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.5,-0.25]}],"model":"m","usage":{"prompt_tokens":2,"total_tokens":2}}`,
		dialect.Cohere:  `{"id":"x","embeddings":{"float":[[0.5,-0.25]]},"texts":["hello"],"meta":{"billed_units":{"input_tokens":2}}}`,
		dialect.Gemini:  `{"embedding":{"values":[0.5,-0.25]},"embeddings":[{"values":[0.5,-0.25]}]}`,
		dialect.Bedrock: `{"embedding":[0.5,-0.25],"inputTextTokenCount":2}`,
	}, "0.5"},
	task.Transcription: {"/v1/audio/transcriptions", "", map[dialect.Name]string{dialect.OpenAI: heard}, "hello there"},
	task.Translation:   {"/v1/audio/translations", "", map[dialect.Name]string{dialect.OpenAI: heard}, "hello there"},
	task.Speech: {"/v1/audio/speech", `{"model":%q,"input":"hello","voice":"alloy","response_format":"wav"}`, map[dialect.Name]string{
		dialect.OpenAI: "sound", dialect.Gemini: spoken,
	}, "sound"},
	task.Moderation: {"/v1/moderations", `{"model":%q,"input":"hello"}`, map[dialect.Name]string{
		dialect.OpenAI: `{"id":"modr-1","model":"m","results":[{"flagged":true,"categories":{"violence":true},"category_scores":{"violence":0.875}}]}`,
	}, "0.875"},
	task.Rerank: {"/v1/rerank", `{"model":%q,"query":"q","documents":["a","b"]}`, map[dialect.Name]string{
		dialect.OpenAI: ranked, dialect.Cohere: ranked,
	}, "0.875"},
}

// ask is the caller's request: its content type and body.
func (p workProof) ask(t *testing.T, model string) (kind, body string) {
	t.Helper()
	if p.body != "" {
		return "application/json", fmt.Sprintf(p.body, model)
	}
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	require.NoError(t, w.WriteField("model", model))
	file, err := w.CreateFormFile("file", "a.wav")
	require.NoError(t, err)
	_, err = file.Write(silence())
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return w.FormDataContentType(), form.String()
}

// silence is a WAV file of two seconds: 8,000 samples a second, one byte each.
func silence() []byte {
	head := []byte("RIFF\xa4\x3e\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00\x40\x1f\x00\x00\x01\x00\x08\x00data\x80\x3e\x00\x00")
	return append(head, bytes.Repeat([]byte{0x80}, 16_000)...)
}

// proveNoWork proves that what a vendor does not do is refused before it is asked.
func (h *testHub) proveNoWork(t *testing.T, v *vendor, work task.Kind) {
	t.Helper()
	asked, before := 0, v.asked()
	v.work = func(w http.ResponseWriter, _ *http.Request) {
		asked++
		w.WriteHeader(http.StatusTeapot)
	}
	defer func() { v.work = nil }()
	model := v.kind.ID + "/" + v.model
	path, kind, body := "", "application/json", ""
	switch work {
	case task.ImageGeneration:
		path, body = "/v1/images/generations", fmt.Sprintf(`{"model":%q,"prompt":"a cat"}`, model)
	case task.ImageEdit:
		path = "/v1/images/edits"
		body, kind = form(t, map[string]string{"model": model, "prompt": "bluer"}, map[string]int{"image": 1})
	case task.Video:
		path, body = "/v1/videos", fmt.Sprintf(`{"model":%q,"prompt":"a cat"}`, model)
	default:
		proof, ok := workProofs[work]
		require.True(t, ok, "nothing asks for %s", work)
		path = proof.path
		kind, body = proof.ask(t, model)
	}
	res, text := h.send(path, body, "Content-Type", kind)
	assert.Equal(t, http.StatusBadRequest, res.StatusCode, text)
	assert.Zero(t, asked+v.asked()-before, "before the vendor is asked")
}

func (h *testHub) proveWork(t *testing.T, v *vendor, work task.Kind, language dialect.Name) {
	t.Helper()
	switch work {
	case task.ImageGeneration, task.ImageEdit, task.Video:
		h.proveMedia(t, v, work)
		return
	}
	proof, ok := workProofs[work]
	require.True(t, ok, "nothing proves %s at %s", work, v.kind.ID)
	answer, ok := proof.answers[language]
	require.True(t, ok, "nothing proves %s in %s at %s", work, language, v.kind.ID)
	if v.kind.Auth == provider.GoogleAccount { // the front keeps its fakes: they answer
		require.Equal(t, task.Speech, work, "nothing proves %s at %s", work, v.kind.ID)
		fake := v.fakes[dialect.Gemini]
		kind, body := proof.ask(t, v.kind.ID+"/gemini-tts-fake")
		res, text := h.send(proof.path, body, "Content-Type", kind)
		require.Equal(t, http.StatusOK, res.StatusCode, text)
		assert.True(t, strings.HasPrefix(text, "RIFF"))
		assert.Equal(t, "gemini-tts-fake", fake.Last().Model)
		return
	}
	model := v.model
	if language == dialect.Bedrock {
		model = "amazon.titan-embed-text-v2:0"
	}
	base, ok := v.kind.BaseFor(language, v.base)
	require.True(t, ok)
	want, err := url.Parse(base)
	require.NoError(t, err)
	var got, asked string
	v.work = func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got, asked = r.URL.Path, r.URL.Path+string(body)
		kind := "application/json"
		if answer[0] != '{' {
			kind = "audio/wav"
		}
		w.Header().Set("Content-Type", kind)
		_, _ = w.Write([]byte(answer))
	}
	defer func() { v.work = nil }()
	kind, body := proof.ask(t, v.kind.ID+"/"+model)
	res, text := h.send(proof.path, body, "Content-Type", kind)
	require.Equal(t, http.StatusOK, res.StatusCode, text)
	assert.Contains(t, text, proof.shows)
	assert.True(t, strings.HasPrefix(got, want.Path), "asked at %s, not below %s", got, want.Path)
	assert.Contains(t, asked, model)
	assert.NotContains(t, asked, v.kind.ID+"/"+model, "the vendor's own name is sent")
}
