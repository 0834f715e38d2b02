package openaitasks_test

import (
	"bytes"
	"encoding/json"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/dialect/openaitasks"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/task"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

func view(s dialect.TaskServer, body, contentType string) (*dialect.TaskView, error) {
	r := httptest.NewRequest(http.MethodPost, "/", nil)
	r.Header.Set("Content-Type", contentType)
	return s.View(r, []byte(body))
}

func form(t *testing.T, fields ...string) (string, string) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	file, err := w.CreateFormFile("file", "a.mp3")
	require.NoError(t, err)
	_, err = file.Write([]byte("\xff\xfb sound"))
	require.NoError(t, err)
	for i := 0; i < len(fields); i += 2 {
		require.NoError(t, w.WriteField(fields[i], fields[i+1]))
	}
	require.NoError(t, w.Close())
	return b.String(), w.FormDataContentType()
}

func TestEmbeddingsAreReadInEveryShapeOfInput(t *testing.T) {
	t.Parallel()
	for input, want := range map[string]task.Embed{
		`"one"`:         {Inputs: []task.EmbedInput{{Text: "one"}}, Single: true},
		`["one","two"]`: {Inputs: []task.EmbedInput{{Text: "one"}, {Text: "two"}}},
		`[1,2,3]`:       {Inputs: []task.EmbedInput{{Tokens: []int64{1, 2, 3}}}, Single: true},
		`[[1,2],[3]]`:   {Inputs: []task.EmbedInput{{Tokens: []int64{1, 2}}, {Tokens: []int64{3}}}},
	} {
		v, err := view(openaitasks.Embeddings{}, `{"model":"m","input":`+input+`}`, "application/json")
		require.NoError(t, err, input)
		assert.Equal(t, want, *v.Request.Embed, input)
	}
}

func TestBadRequestsNameTheirField(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		server      dialect.TaskServer
		body, param string
	}{
		{openaitasks.Embeddings{}, `{"model":"m"}`, "input"},
		{openaitasks.Embeddings{}, `{"model":"m","input":["a",""]}`, "input[1]"},
		{openaitasks.Embeddings{}, `{"model":"m","input":{"a":1}}`, "input"},
		{openaitasks.Embeddings{}, `{"model":"m","input":"a","dimensions":0}`, "dimensions"},
		{openaitasks.Embeddings{}, `{"model":"m","input":"a","encoding_format":"hex"}`, "encoding_format"},
		{openaitasks.Embeddings{}, `{"model":7,"input":"a"}`, "model"},
		{openaitasks.Speech{}, `{"model":"m"}`, "input"},
		{openaitasks.Speech{}, `{"model":"m","input":"a","voice":7}`, "voice"},
		{openaitasks.Speech{}, `{"model":"m","input":"a","speed":"fast"}`, "speed"},
		{openaitasks.Speech{}, `{"model":"m","input":"a","stream_format":"morse"}`, "stream_format"},
		{openaitasks.Moderations{}, `{}`, "input"},
		{openaitasks.Moderations{}, `{"input":[{"type":"sound"}]}`, "input[0].type"},
		{openaitasks.Rerank{}, `{"model":"m","documents":["a"]}`, "query"},
		{openaitasks.Rerank{}, `{"model":"m","query":"q","documents":[]}`, "documents"},
		{openaitasks.Rerank{}, `{"model":"m","query":"q","documents":["a",null]}`, "documents[1]"},
		{openaitasks.Rerank{}, `{"model":"m","query":"q","documents":["a"],"top_n":0}`, "top_n"},
	} {
		_, err := view(tt.server, tt.body, "application/json")
		require.Error(t, err, tt.body)
		assert.Equal(t, hub.CodeInvalid, hub.CodeOf(err))
		assert.Equal(t, tt.param, hub.AsError(err).Param, tt.body)
	}
	for _, tt := range [][3]string{{"response_format", "braille", "response_format"}, {"stream", "perhaps", "stream"}, {"temperature", "hot", "temperature"}} {
		body, contentType := form(t, "model", "m", tt[0], tt[1])
		_, err := view(openaitasks.Transcriptions{}, body, contentType)
		require.Error(t, err)
		assert.Equal(t, tt[2], hub.AsError(err).Param)
	}
	body, contentType := form(t, "model", "m", "model", "n")
	_, err := view(openaitasks.Transcriptions{}, body, contentType)
	assert.Equal(t, "model", hub.AsError(err).Param, "a field that is there twice leaves open which one counts")
}

func TestAFormIsSentOnWithAnotherModel(t *testing.T) {
	t.Parallel()
	body, contentType := form(t, "model", "openai/whisper-1", "language", "de", "timestamp_granularities[]", "word", "timestamp_granularities[]", "segment", "keywords[]", "x", "stream", "true")
	v, err := view(openaitasks.Transcriptions{English: true}, body, contentType)
	require.NoError(t, err)
	assert.Equal(t, task.Translation, v.Request.Kind)
	assert.True(t, v.Request.Stream)
	assert.Equal(t, []string{"word", "segment"}, v.Request.Listen.Timestamps)
	assert.Contains(t, v.Request.Extra, "keywords[]")
	enc, err := openaitasks.Client{}.Splice(v, dialect.Target{Model: "whisper-1"})
	require.NoError(t, err)
	assert.Equal(t, "/audio/translations", enc.Path)
	assert.Equal(t, strings.Replace(body, "openai/whisper-1", "whisper-1", 1), string(enc.Body), "all else is as it came")
	sent, err := wire.ParseForm(enc.Type, enc.Body)
	require.NoError(t, err)
	assert.Len(t, sent.Values("timestamp_granularities"), 2)
}

func TestJSONIsSentOnWithAnotherModel(t *testing.T) {
	t.Parallel()
	for path, tt := range map[string]struct {
		server dialect.TaskServer
		body   string
	}{
		"/embeddings":   {openaitasks.Embeddings{}, `{ "input":"a" , "model":"x/m","vendor":{"a":1.0}}`},
		"/audio/speech": {openaitasks.Speech{}, `{"input":"a","model":"x/m","voice":{"id":"voice_1"}}`},
		"/rerank":       {openaitasks.Rerank{}, `{"query":"a","documents":[{"text":"d"}],"model":"x/m"}`},
	} {
		v, err := view(tt.server, tt.body, "application/json")
		require.NoError(t, err)
		enc, err := openaitasks.Client{}.Splice(v, dialect.Target{Model: "m"})
		require.NoError(t, err)
		assert.Equal(t, path, enc.Path)
		assert.Equal(t, strings.Replace(tt.body, "x/m", "m", 1), string(enc.Body))
	}
	v, err := view(openaitasks.Moderations{}, `{"input":["a","b"]}`, "application/json")
	require.NoError(t, err)
	assert.Equal(t, "omni-moderation-latest", v.Request.Model)
	enc, err := openaitasks.Client{}.Splice(v, dialect.Target{Model: v.Request.Model})
	require.NoError(t, err)
	assert.JSONEq(t, `{"input":["a","b"],"model":"omni-moderation-latest"}`, string(enc.Body))
}

func TestUsageIsReadWhereverVendorsPutIt(t *testing.T) {
	t.Parallel()
	listen := &task.Request{Kind: task.Transcription, Listen: &task.Listen{}}
	rank := &task.Request{Kind: task.Rerank, Rank: &task.Rank{}}
	for name, tt := range map[string]struct {
		req  *task.Request
		body string
		want hub.Usage
		ok   bool
	}{
		"seconds are rounded up":   {listen, `{"text":"a","usage":{"type":"duration","seconds":36.1}}`, hub.Usage{hub.Seconds: 37}, true},
		"whole seconds stay":       {listen, `{"text":"a","usage":{"type":"duration","seconds":36}}`, hub.Usage{hub.Seconds: 36}, true},
		"the length when no usage": {listen, `{"text":"a","duration":8.47}`, hub.Usage{hub.Seconds: 9}, true},
		"tokens with details":      {listen, `{"text":"a","usage":{"type":"tokens","input_tokens":14,"output_tokens":45,"input_token_details":{"text_tokens":4,"audio_tokens":10}}}`, hub.Usage{hub.Input: 4, hub.InputAudio: 10, hub.Output: 45}, true},
		"tokens without details":   {listen, `{"text":"a","usage":{"type":"tokens","input_tokens":14,"output_tokens":45}}`, hub.Usage{hub.InputAudio: 14, hub.Output: 45}, true},
		"nothing":                  {listen, `{"text":"a"}`, hub.Usage{}, false},
		"a liar":                   {listen, `{"text":"a","usage":{"type":"duration","seconds":-1}}`, hub.Usage{}, true},
		"Jina's and vLLM's tokens": {rank, `{"results":[{"index":0,"relevance_score":1}],"usage":{"total_tokens":15}}`, hub.Usage{hub.Input: 15}, true},
		"OpenRouter's searches":    {rank, `{"results":[{"index":0,"relevance_score":1}],"usage":{"search_units":2}}`, hub.Usage{hub.Requests: 2}, true},
		"Cohere's first version":   {rank, `{"results":[{"index":0,"relevance_score":1}],"meta":{"billed_units":{"search_units":1}}}`, hub.Usage{hub.Requests: 1}, true},
	} {
		res, err := openaitasks.Client{}.Decode(tt.req, dialect.TaskAnswer{Body: []byte(tt.body)}, dialect.Target{})
		require.NoError(t, err, name)
		assert.Equal(t, tt.want, res.Usage, name)
		assert.Equal(t, tt.ok, res.UsageKnown, name)
	}
}

func TestAnswersThatSayNothingAreNoAnswers(t *testing.T) {
	t.Parallel()
	for body, req := range map[string]*task.Request{
		`{"data":[]}`:                    {Kind: task.Embedding, Embed: &task.Embed{}},
		`{"data":[{"embedding":"AAA"}]}`: {Kind: task.Embedding, Embed: &task.Embed{}},
		`{"usage":{}}`:                   {Kind: task.Transcription, Listen: &task.Listen{}},
		`{"results":null}`:               {Kind: task.Rerank, Rank: &task.Rank{}},
		`{"results":[{"index":1}]}`:      {Kind: task.Rerank, Rank: &task.Rank{}},
		`{"results":[]}`:                 {Kind: task.Moderation, Moderate: &task.Moderate{}},
		``:                               {Kind: task.Speech, Speak: &task.Speak{}},
	} {
		_, err := openaitasks.Client{}.Decode(req, dialect.TaskAnswer{Body: []byte(body)}, dialect.Target{})
		assert.Error(t, err, body)
	}
}

func TestFlowsKnowTheirEnd(t *testing.T) {
	t.Parallel()
	events := http.Header{"Content-Type": {"text/event-stream"}}
	listen := &dialect.TaskView{Request: &task.Request{Kind: task.Transcription, Stream: true, Listen: &task.Listen{}}}
	flow, ok := openaitasks.Client{}.Flow(listen, events)
	require.True(t, ok)
	seen := flow.Piece([]byte("data: {\"type\":\"transcript.text.delta\",\"delta\":\"Hel\"}\n\n"))
	assert.True(t, seen.Content)
	assert.False(t, seen.Finish)
	seen = flow.Piece([]byte("data: {\"type\":\"transcript.text.done\",\"text\":\"Hello\",\"usage\":{\"type\":\"tokens\",\"input_tokens\":5,\"output_tokens\":2}}\n\n"))
	assert.True(t, seen.Finish && seen.End)
	assert.Equal(t, "Hello", flow.Result().Transcript.Text)
	assert.Equal(t, hub.Usage{hub.InputAudio: 5, hub.Output: 2}, flow.Result().Usage)

	flow, _ = openaitasks.Client{}.Flow(listen, events) // as vLLM streams
	flow.Piece([]byte("data: {\"object\":\"transcription.chunk\",\"choices\":[{\"delta\":{\"content\":\"Hi\"}}]}\n\n"))
	assert.True(t, flow.Piece([]byte("data: {\"choices\":[{\"delta\":{\"content\":\"!\"},\"finish_reason\":\"stop\"}]}\n\n")).Finish)
	assert.True(t, flow.Piece([]byte("data: [DONE]\n\n")).End)
	assert.Equal(t, "Hi!", flow.Result().Transcript.Text)
	assert.NotNil(t, flow.Piece([]byte("data: {\"error\":{\"message\":\"no\"}}\n\n")).Err)
	assert.NotNil(t, flow.Piece([]byte("data: {\n\n")).Err)
	assert.Equal(t, dialect.Seen{}, flow.Piece([]byte(": ping\n\n")))

	_, ok = openaitasks.Client{}.Flow(listen, http.Header{"Content-Type": {"application/json"}})
	assert.False(t, ok, "whisper-1 does not stream")
	speak := &dialect.TaskView{Request: &task.Request{Kind: task.Speech, Speak: &task.Speak{Format: "pcm"}}}
	flow, ok = openaitasks.Client{}.Flow(speak, http.Header{"Content-Type": {"audio/pcm"}})
	require.NotNil(t, flow)
	assert.False(t, ok)
	flow.Piece(make([]byte, 96_000))
	assert.InDelta(t, 2, flow.Result().Seconds, 1e-9)
}

func TestEventsOfAWholeAnswerAreThoseOfAStream(t *testing.T) {
	t.Parallel()
	closing := dialect.Closing{Usage: hub.Usage{hub.Seconds: 4}}
	out, err := openaitasks.Transcriptions{}.Events(nil, &task.Result{Transcript: &task.Transcript{Text: "Hello"}}, closing)
	require.NoError(t, err)
	assert.Equal(t, "data: {\"delta\":\"Hello\",\"type\":\"transcript.text.delta\"}\n\n"+
		"data: {\"text\":\"Hello\",\"type\":\"transcript.text.done\",\"usage\":{\"type\":\"duration\",\"seconds\":4}}\n\n", string(out))
	sound := bytes.Repeat([]byte("sound"), 10_000)
	out, err = openaitasks.Speech{}.Events(nil, &task.Result{Sound: &task.File{Data: sound}}, dialect.Closing{Usage: hub.Usage{hub.Input: 3, hub.OutputAudio: 9}})
	require.NoError(t, err)
	flow, _ := openaitasks.Client{}.Flow(&dialect.TaskView{Request: &task.Request{Stream: true, Speak: &task.Speak{}}}, http.Header{"Content-Type": {"text/event-stream"}})
	frames := wire.NewFrames(bytes.NewReader(out))
	var last dialect.Seen
	for {
		f, err := frames.Next()
		if err != nil {
			break
		}
		last = flow.Piece(f)
		require.Nil(t, last.Err)
	}
	assert.True(t, last.Finish)
	assert.Equal(t, hub.Usage{hub.Input: 3, hub.OutputAudio: 9}, flow.Result().Usage)
}

func TestARankingOfDocumentsThatAreNotThereIsAnError(t *testing.T) {
	t.Parallel()
	v, err := view(openaitasks.Rerank{}, `{"model":"m","query":"q","documents":["a"],"return_documents":true}`, "application/json")
	require.NoError(t, err)
	_, err = openaitasks.Rerank{}.Whole(v, &task.Result{Ranking: []task.Ranked{{Index: 3}}}, dialect.Closing{})
	require.Error(t, err)
	p, err := openaitasks.Rerank{}.Whole(v, &task.Result{Ranking: []task.Ranked{{Index: 0, Score: 0.5}}}, dialect.Closing{CallID: "c1", Model: "m", Usage: hub.Usage{hub.Requests: 1}})
	require.NoError(t, err)
	assert.JSONEq(t, `{"id":"c1","object":"list","model":"m","results":[{"index":0,"relevance_score":0.5,"document":{"text":"a"}}],"usage":{"search_units":1}}`, string(p.Body))
}

func FuzzFlows(f *testing.F) {
	f.Add([]byte("data: {\"type\":\"transcript.text.done\",\"usage\":{\"seconds\":1e300}}\n\n"))
	f.Add([]byte("data: {\"type\":\"speech.audio.delta\",\"audio\":\"AAAA\"}\n\n"))
	f.Fuzz(func(t *testing.T, frame []byte) {
		for _, r := range []*task.Request{{Stream: true, Listen: &task.Listen{}}, {Stream: true, Speak: &task.Speak{}}} {
			flow, _ := openaitasks.Client{}.Flow(&dialect.TaskView{Request: r}, http.Header{"Content-Type": {"text/event-stream"}})
			flow.Piece(frame)
			for _, n := range flow.Result().Usage {
				_ = n
			}
		}
	})
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"data":[{"index":0,"embedding":"AACAPw=="}],"usage":{"prompt_tokens":1}}`))
	f.Add([]byte(`{"text":"a","usage":{"type":"tokens","input_tokens":14}}`))
	f.Add([]byte(`{"results":[{"index":0,"relevance_score":1}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, r := range []*task.Request{
			{Kind: task.Embedding, Embed: &task.Embed{}}, {Kind: task.Transcription, Listen: &task.Listen{}},
			{Kind: task.Moderation, Moderate: &task.Moderate{}}, {Kind: task.Rerank, Rank: &task.Rank{}},
		} {
			res, err := openaitasks.Client{}.Decode(r, dialect.TaskAnswer{Body: body}, dialect.Target{})
			if err == nil && res == nil {
				t.Fatal("neither an answer nor an error")
			}
		}
		_ = json.Valid(body)
	})
}
