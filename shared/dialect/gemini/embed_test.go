package gemini

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/audiofile"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/task"
)

func embedView(method, body string) (*dialect.TaskView, error) {
	r := httptest.NewRequest(http.MethodPost, "/v1beta/models/openai/text-embedding-x:"+method, nil)
	return EmbedServer{}.View(r, []byte(body))
}

func TestEmbeddingsAreAskedForInABatch(t *testing.T) {
	t.Parallel()
	req := &task.Request{Kind: task.Embedding, User: "u1", Embed: &task.Embed{Inputs: []task.EmbedInput{{Text: "one"}, {Text: "two"}},
		Dimensions: new(int64(768)), Purpose: "search_query", Title: "T"}}
	enc, err := Tasks{}.Encode(req, dialect.Target{Model: "gemini-embedding-001"})
	require.NoError(t, err)
	assert.Equal(t, "/models/gemini-embedding-001:batchEmbedContents", enc.Path)
	assert.Equal(t, []string{"user"}, enc.Dropped)
	assert.JSONEq(t, `{"requests":[
		{"model":"models/gemini-embedding-001","content":{"parts":[{"text":"one"}]},"taskType":"RETRIEVAL_QUERY","title":"T","outputDimensionality":768},
		{"model":"models/gemini-embedding-001","content":{"parts":[{"text":"two"}]},"taskType":"RETRIEVAL_QUERY","title":"T","outputDimensionality":768}]}`, string(enc.Body))
	req.Embed.Inputs[0] = task.EmbedInput{Tokens: []int64{1}}
	_, err = Tasks{}.Encode(req, dialect.Target{Model: "m"})
	assert.Equal(t, "input", hub.AsError(err).Param)
}

func TestEmbeddingsAreReadOneOrMany(t *testing.T) {
	t.Parallel()
	req := &task.Request{Kind: task.Embedding, Embed: &task.Embed{}}
	for body, want := range map[string]struct {
		n     int
		usage hub.Usage
	}{
		`{"embedding":{"values":[1,2]}}`: {1, hub.Usage{}},
		`{"embeddings":[{"values":[1]},{"values":[2]}],"usageMetadata":{"promptTokenCount":9}}`: {2, hub.Usage{hub.Input: 9}},
	} {
		res, err := Tasks{}.Decode(req, dialect.TaskAnswer{Body: []byte(body)}, dialect.Target{})
		require.NoError(t, err)
		assert.Len(t, res.Vectors, want.n)
		assert.Equal(t, want.usage, res.Usage)
		assert.Equal(t, want.usage != hub.Usage{}, res.UsageKnown)
	}
}

func TestCallersOfEmbedContentAreUnderstood(t *testing.T) {
	t.Parallel()
	v, err := embedView(Embed, `{"content":{"parts":[{"text":"a"},{"text":"b"}]},"task_type":"CLUSTERING","outputDimensionality":64,"model":"models/other"}`)
	require.NoError(t, err)
	assert.Equal(t, "openai/text-embedding-x", v.Request.Model)
	assert.Equal(t, &task.Embed{Inputs: []task.EmbedInput{{Text: "ab"}}, Single: true, Purpose: "CLUSTERING", Dimensions: new(int64(64))}, v.Request.Embed)
	enc, err := Tasks{}.Splice(v, dialect.Target{Model: "gemini-embedding-001"})
	require.NoError(t, err)
	assert.Equal(t, "/models/gemini-embedding-001:embedContent", enc.Path)
	assert.JSONEq(t, `{"content":{"parts":[{"text":"a"},{"text":"b"}]},"task_type":"CLUSTERING","outputDimensionality":64}`, string(enc.Body))
	p, err := EmbedServer{}.Whole(v, &task.Result{Vectors: []task.Vector{{Values: []float32{0.5}}}}, dialect.Closing{Usage: hub.Usage{hub.Input: 2}})
	require.NoError(t, err)
	assert.JSONEq(t, `{"embedding":{"values":[0.5]},"usageMetadata":{"promptTokenCount":2}}`, string(p.Body))

	v, err = embedView(EmbedBatch, `{"requests":[{"model":"models/x","content":{"parts":[{"text":"a"}]}},{"model":"models/x","content":{"parts":[{"text":"b"}]},"title":"B"}]}`)
	require.NoError(t, err)
	assert.Len(t, v.Request.Embed.Inputs, 2)
	assert.Contains(t, v.Request.Extra, "requests[1].title", "what differs within a batch has no place in other languages")
	enc, err = Tasks{}.Splice(v, dialect.Target{Model: "m"})
	require.NoError(t, err)
	assert.JSONEq(t, `{"requests":[{"model":"models/m","content":{"parts":[{"text":"a"}]}},{"model":"models/m","content":{"parts":[{"text":"b"}]},"title":"B"}]}`, string(enc.Body))
	p, err = EmbedServer{}.Whole(v, &task.Result{Vectors: []task.Vector{{Index: 1, Values: []float32{1}}, {Index: 0, Values: []float32{2}}}}, dialect.Closing{})
	require.NoError(t, err)
	assert.JSONEq(t, `{"embeddings":[{"values":[2]},{"values":[1]}],"usageMetadata":{"promptTokenCount":0}}`, string(p.Body))
}

func TestBadEmbedRequestsNameTheirField(t *testing.T) {
	t.Parallel()
	for _, tt := range [][3]string{
		{Embed, `{}`, "content"},
		{Embed, `{"content":{"parts":[{"inlineData":{}}]}}`, "content.parts[0]"},
		{Embed, `{"content":{"parts":[{"text":"a"}]},"outputDimensionality":0}`, "outputDimensionality"},
		{EmbedBatch, `{"requests":[]}`, "requests"},
		{EmbedBatch, `{"requests":[{"content":{"parts":[{"text":"a"}]}},{"content":{}}]}`, "requests[1].content"},
		{EmbedBatch, `{"requests":[7]}`, "requests[0]"},
	} {
		_, err := embedView(tt[0], tt[1])
		require.Error(t, err, tt[1])
		assert.Equal(t, tt[2], hub.AsError(err).Param)
	}
}

func TestSpeechIsAskedForAndComesAsWAV(t *testing.T) {
	t.Parallel()
	req := &task.Request{Kind: task.Speech, Speak: &task.Speak{Input: "Hello", Voice: "Kore"}}
	enc, err := Tasks{}.Encode(req, dialect.Target{Model: "gemini-tts"})
	require.NoError(t, err)
	assert.Equal(t, "/models/gemini-tts:generateContent", enc.Path)
	assert.JSONEq(t, `{"contents":[{"role":"user","parts":[{"text":"Hello"}]}],"generationConfig":{"responseModalities":["AUDIO"],
		"speechConfig":{"voiceConfig":{"prebuiltVoiceConfig":{"voiceName":"Kore"}}}}}`, string(enc.Body))
	for param, change := range map[string]func(*task.Speak){
		"response_format": func(s *task.Speak) { s.Format = "mp3" },
		"speed":           func(s *task.Speak) { s.Speed = new(1.5) },
		"instructions":    func(s *task.Speak) { s.Instructions = "softly" },
	} {
		s := *req.Speak
		change(&s)
		_, err := Tasks{}.Encode(&task.Request{Kind: task.Speech, Speak: &s}, dialect.Target{Model: "m"})
		assert.Equal(t, param, hub.AsError(err).Param)
	}

	answer, err := json.Marshal(map[string]any{
		"candidates": []any{map[string]any{"content": map[string]any{"parts": []any{map[string]any{"inlineData": map[string]any{
			"mimeType": "audio/L16;codec=pcm;rate=16000", "data": base64.StdEncoding.EncodeToString(make([]byte, 64_000))}}}}}},
		"usageMetadata": map[string]any{"promptTokenCount": 4, "candidatesTokenCount": 50}})
	require.NoError(t, err)
	res, err := Tasks{}.Decode(req, dialect.TaskAnswer{Body: answer}, dialect.Target{})
	require.NoError(t, err)
	assert.Equal(t, "audio/wav", res.Sound.MIME)
	seconds, ok := audiofile.Seconds(res.Sound.Data)
	assert.True(t, ok)
	assert.EqualValues(t, 2, seconds)
	assert.Equal(t, hub.Usage{hub.Input: 4, hub.OutputAudio: 50}, res.Usage)
	assert.True(t, res.UsageKnown)
	for _, bad := range []string{`{"candidates":[]}`, `{"candidates":[{"content":{"parts":[{"inlineData":{"mimeType":"video/mp4","data":"AAAA"}}]}}]}`} {
		_, err := Tasks{}.Decode(req, dialect.TaskAnswer{Body: []byte(bad)}, dialect.Target{})
		require.Error(t, err)
	}
}
