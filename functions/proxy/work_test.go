package proxy_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/testkit/fakeprovider"
)

// wav makes a recording of silence, 16 kHz and 8 bits: as many bytes a second as
// the fakes take for one.
func wav(seconds int) []byte {
	b := []byte("RIFF\x00\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x80\x3e\x00\x00\x80\x3e\x00\x00\x01\x00\x08\x00data")
	b = binary.LittleEndian.AppendUint32(b, uint32(seconds*16_000))
	return append(b, make([]byte, seconds*16_000-len(b)-4)...)
}

// recording makes a form of a sound and pairs of fields.
func recording(t *testing.T, sound []byte, fields ...string) (body, contentType string) {
	t.Helper()
	var out bytes.Buffer
	w := multipart.NewWriter(&out)
	if sound != nil {
		file, err := w.CreateFormFile("file", "talk.wav")
		require.NoError(t, err)
		_, err = file.Write(sound)
		require.NoError(t, err)
	}
	for i := 0; i+1 < len(fields); i += 2 {
		require.NoError(t, w.WriteField(fields[i], fields[i+1]))
	}
	require.NoError(t, w.Close())
	return out.String(), w.FormDataContentType()
}

// priceWork sets a rate of a type of work in dollars per million units.
func (h *testHub) priceWork(provider, model string, kind hub.CallType, prices map[hub.Bucket]string) {
	h.t.Helper()
	_, err := h.app.Desk.SetRate(h.t.Context(), "test", operator.NewRate{Provider: provider, Model: model, Type: kind, Prices: prices})
	require.NoError(h.t, err)
	require.NoError(h.t, h.app.Reload(h.t.Context()))
}

var billing = map[string]string{"AIGNE_HUB_BILLING": "on"}

// workHub is a hub with both fakes, prices for all work and some money.
func workHub(t *testing.T) *testHub {
	h := start(t, billing)
	h.provider(fakeprovider.OpenAI)
	h.provider(fakeprovider.Gemini)
	h.provider(fakeprovider.Bedrock)
	h.grant("1000")
	token := map[hub.Bucket]string{hub.Input: "100", hub.Output: "400"}
	for model, kind := range map[string]hub.CallType{"text-embedding-fake": hub.TypeEmbedding, "omni-moderation-latest": hub.TypeModeration,
		"gpt-transcribe-fake": hub.TypeAudio, "gpt-tts-fake": hub.TypeAudio} {
		h.priceWork("openai", model, kind, token)
	}
	h.priceWork("openai", "whisper-fake", hub.TypeAudio, map[hub.Bucket]string{hub.Seconds: "100"})
	h.priceWork("openai", "tts-fake", hub.TypeAudio, map[hub.Bucket]string{hub.Characters: "15"})
	h.priceWork("google", "gemini-embedding-fake", hub.TypeEmbedding, token)
	h.priceWork("bedrock", "amazon.titan-embed-text-fake", hub.TypeEmbedding, token)
	h.priceWork("bedrock", "cohere.embed-fake", hub.TypeEmbedding, token)
	h.priceWork("google", "gemini-tts-fake", hub.TypeAudio, token)
	return h
}

func TestTheBooksHoldWhatTheProviderCounted(t *testing.T) {
	t.Parallel()
	h := workHub(t)
	const said = "The quick brown fox jumps over the lazy dog."
	h.fakes[fakeprovider.OpenAI].Always("whisper-fake", fakeprovider.Answer{Text: said})
	h.fakes[fakeprovider.OpenAI].Always("gpt-transcribe-fake", fakeprovider.Answer{Text: said})
	talk := func(model string, more ...string) (string, string) {
		return recording(t, wav(7), append([]string{"model", model}, more...)...)
	}
	type request struct{ path, body, contentType string }
	listen := func(path, model string, more ...string) request {
		body, contentType := talk(model, more...)
		return request{path, body, contentType}
	}
	ask := func(path, body string) request { return request{path, body, "application/json"} }
	const speak = "Say this aloud, please: all is well that ends well." // 51 characters
	tests := []struct {
		name   string
		kind   fakeprovider.Kind
		req    request
		usage  hub.Usage // beside what the fake reports
		source hub.UsageSource
		cost   string
		text   string // in the answer
	}{
		{"embeddings", fakeprovider.OpenAI, ask("/v1/embeddings", `{"model":"openai/text-embedding-fake","input":["hello","world!!"]}`), hub.Usage{}, hub.UsageReported, "0.0004", `"embedding":[0,`},
		{"moderation without a model", fakeprovider.OpenAI, ask("/v1/moderations", `{"input":"hello world"}`), hub.Usage{hub.Input: 2}, hub.UsageEstimated, "0.0002", `"flagged":false`},
		{"whisper, json", fakeprovider.OpenAI, listen("/v1/audio/transcriptions", "openai/whisper-fake"), hub.Usage{}, hub.UsageReported, "0.0007", said},
		{"whisper, verbose", fakeprovider.OpenAI, listen("/v1/audio/transcriptions", "openai/whisper-fake", "response_format", "verbose_json", "timestamp_granularities[]", "word"), hub.Usage{}, hub.UsageReported, "0.0007", `"segments"`},
		{"whisper, subtitles", fakeprovider.OpenAI, listen("/v1/audio/transcriptions", "openai/whisper-fake", "response_format", "srt"), hub.Usage{hub.Seconds: 7, hub.InputAudio: 70, hub.Output: 10}, hub.UsageEstimated, "0.0007", "00:00:00,000 --> "},
		{"whisper, translated", fakeprovider.OpenAI, listen("/v1/audio/translations", "openai/whisper-fake", "response_format", "vtt"), hub.Usage{hub.Seconds: 7, hub.InputAudio: 70, hub.Output: 10}, hub.UsageEstimated, "0.0007", "WEBVTT"},
		{"tokens", fakeprovider.OpenAI, listen("/v1/audio/transcriptions", "openai/gpt-transcribe-fake", "prompt", "animals"), hub.Usage{hub.Seconds: 7}, hub.UsageReported, "0.0116", said},
		{"tokens, streamed", fakeprovider.OpenAI, listen("/v1/audio/transcriptions", "openai/gpt-transcribe-fake", "stream", "true"), hub.Usage{hub.Seconds: 7}, hub.UsageReported, "0.0114", "transcript.text.done"},
		{"tokens, as text", fakeprovider.OpenAI, listen("/v1/audio/transcriptions", "openai/gpt-transcribe-fake", "response_format", "text"), hub.Usage{hub.Seconds: 7, hub.InputAudio: 70, hub.Output: 10}, hub.UsageEstimated, "0.011", said},
		{"a stream of a model without streams", fakeprovider.OpenAI, listen("/v1/audio/transcriptions", "openai/whisper-fake", "stream", "true"), hub.Usage{}, hub.UsageReported, "0.0007", "transcript.text.done"},
		{"speech by characters", fakeprovider.OpenAI, ask("/v1/audio/speech", `{"model":"openai/tts-fake","voice":"alloy","response_format":"pcm","input":"`+speak+`"}`), hub.Usage{hub.Input: 13, hub.OutputAudio: 68, hub.Characters: 51}, hub.UsageEstimated, "0.000765", ""},
		{"speech by tokens, as events", fakeprovider.OpenAI, ask("/v1/audio/speech", `{"model":"openai/gpt-tts-fake","voice":"alloy","stream_format":"sse","input":"`+speak+`"}`), hub.Usage{hub.Characters: 51}, hub.UsageReported, "0.0285", "speech.audio.done"},
		{"AIGNE's speech", fakeprovider.OpenAI, ask("/api/v2/audio/speech", `{"model":"openai/tts-fake","voice":"alloy","response_format":"pcm","input":"`+speak+`"}`), hub.Usage{hub.Input: 13, hub.OutputAudio: 68, hub.Characters: 51}, hub.UsageEstimated, "0.000765", ""},
		{"AIGNE's transcripts", fakeprovider.OpenAI, listen("/api/v1/audio/transcriptions", "openai/whisper-fake"), hub.Usage{}, hub.UsageReported, "0.0007", said},
		{"AIGNE's embeddings", fakeprovider.OpenAI, ask("/api/v2/embeddings", `{"input":{"input":["hello"],"modelOptions":{"model":"openai/text-embedding-fake"}}}`), hub.Usage{}, hub.UsageReported, "0.0002", `"embeddings":[[0,`},
		{"AIGNE's embeddings of old", fakeprovider.OpenAI, ask("/api/v1/embeddings", `{"model":"openai/text-embedding-fake","input":"hello"}`), hub.Usage{}, hub.UsageReported, "0.0002", `"data":[{"object":"embedding"`},
		{"Gemini's embeddings", fakeprovider.Gemini, ask("/v1/embeddings", `{"model":"google/gemini-embedding-fake","input":["hello world","two"],"dimensions":4,"input_type":"search_query"}`), hub.Usage{hub.Input: 3}, hub.UsageEstimated, "0.0003", `"embedding":[1,`},
		{"Titan's embeddings", fakeprovider.Bedrock, ask("/v1/embeddings", `{"model":"bedrock/amazon.titan-embed-text-fake","input":"hello","dimensions":2}`), hub.Usage{}, hub.UsageReported, "0.0002", `"embedding":[0,0.015625]`},
		{"Cohere's embeddings at Bedrock", fakeprovider.Bedrock, ask("/v1/embeddings", `{"model":"bedrock/cohere.embed-fake","input":["hello","two"],"input_type":"search_query"}`), hub.Usage{}, hub.UsageReported, "0.0002", `"embedding":[1,`},
		{"Google's callers of Google", fakeprovider.Gemini, ask("/v1beta/models/google/gemini-embedding-fake:batchEmbedContents", `{"requests":[{"model":"models/x","content":{"parts":[{"text":"hello world"}]},"outputDimensionality":2}]}`), hub.Usage{hub.Input: 2}, hub.UsageEstimated, "0.0002", `"embeddings":[{"values":[0,`},
		{"Google's callers of OpenAI", fakeprovider.OpenAI, ask("/v1beta/models/openai/text-embedding-fake:embedContent", `{"content":{"parts":[{"text":"hello"}]},"outputDimensionality":2}`), hub.Usage{}, hub.UsageReported, "0.0002", `{"embedding":{"values":[0,0.015625]},"usageMetadata":{"promptTokenCount":2}}`},
		{"Gemini's speech", fakeprovider.Gemini, ask("/v1/audio/speech", `{"model":"google/gemini-tts-fake","voice":"Kore","input":"`+speak+`"}`), hub.Usage{hub.Characters: 51}, hub.UsageReported, "0.0353", "RIFF"},
		{"Gemini's speech, as events", fakeprovider.Gemini, ask("/v1/audio/speech", `{"model":"google/gemini-tts-fake","voice":"Kore","stream_format":"sse","response_format":"pcm","input":"`+speak+`"}`), hub.Usage{hub.Characters: 51}, hub.UsageReported, "0.0353", "speech.audio.delta"},
	}
	for _, tt := range tests { // one after the other: each looks at the last call
		t.Run(tt.name, func(t *testing.T) {
			res, text := h.send(tt.req.path, tt.req.body, "Content-Type", tt.req.contentType)
			require.Equal(t, http.StatusOK, res.StatusCode, text)
			assert.Contains(t, text, tt.text)
			call, want := h.settledCall(), tt.usage
			if tt.source == hub.UsageReported {
				for b, n := range h.fakes[tt.kind].Last().Usage {
					want[b] += n
				}
			}
			assert.Equal(t, hub.StatusSuccess, call.Status)
			assert.Equal(t, want, call.Usage, "%v", call.Usage)
			assert.Equal(t, tt.source, call.Source)
			assert.Equal(t, tt.cost, call.Credits.String())
		})
	}
}

func TestSoundArrivesAsTheProviderMadeIt(t *testing.T) {
	t.Parallel()
	h := workHub(t)
	input := strings.Repeat("All is well. ", 40)
	body := `{"model":"openai/tts-fake","voice":"alloy","input":"` + input + `"}`
	res, text := h.send("/v1/audio/speech", body)
	require.Equal(t, http.StatusOK, res.StatusCode)
	assert.Equal(t, "audio/mp3", res.Header.Get("Content-Type"))
	assert.Equal(t, fakeprovider.Sound(input), []byte(text))

	gate := fakeprovider.NewGate()
	h.fakes[fakeprovider.OpenAI].Script("tts-fake", fakeprovider.Answer{Middle: gate})
	res, err := h.post(t.Context(), "/v1/audio/speech", body)
	require.NoError(t, err)
	defer res.Body.Close()
	first := make([]byte, 64<<10)
	_, err = io.ReadFull(res.Body, first)
	require.NoError(t, err, "the beginning is there before the provider has finished")
	assert.Equal(t, hub.StatusProcessing, h.lastCall().Status)
	gate.Release()
	rest, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	assert.Equal(t, fakeprovider.Sound(input), append(first, rest...))
	assert.Equal(t, hub.StatusSuccess, h.lastCall().Status, "settled before the last piece")
}

func TestASoundThatBreaksOffIsNoWholeSound(t *testing.T) {
	t.Parallel()
	h := workHub(t)
	body := `{"model":"openai/tts-fake","voice":"alloy","input":"` + strings.Repeat("All is well. ", 40) + `"}`
	h.fakes[fakeprovider.OpenAI].Script("tts-fake", fakeprovider.Answer{Break: fakeprovider.Cut})
	res, err := h.post(t.Context(), "/v1/audio/speech", body)
	require.NoError(t, err)
	defer res.Body.Close()
	_, err = io.ReadAll(res.Body)
	require.Error(t, err, "the connection is torn")
	call := h.settledCall()
	assert.Equal(t, hub.StatusFailed, call.Status)
	assert.Positive(t, call.Credits)

	// Events can say it.
	h.fakes[fakeprovider.OpenAI].Script("gpt-transcribe-fake", fakeprovider.Answer{Text: "one two three four", Break: fakeprovider.ErrorFrame})
	talk, contentType := recording(t, wav(3), "model", "openai/gpt-transcribe-fake", "stream", "true")
	_, text := h.send("/v1/audio/transcriptions", talk, "Content-Type", contentType)
	assert.Contains(t, text, `"error":{`)
	assert.NotContains(t, text, "transcript.text.done")
	assert.Equal(t, hub.StatusFailed, h.settledCall().Status)
}

func TestBase64IsGivenWhereItWasAsked(t *testing.T) {
	t.Parallel()
	h := workHub(t)
	for name, answer := range map[string]fakeprovider.Answer{"a vendor that knows it": {}, "a vendor that does not": {Text: "floats only"}} {
		h.fakes[fakeprovider.OpenAI].Script("text-embedding-fake", answer)
		res, text := h.send("/v1/embeddings", `{"model":"openai/text-embedding-fake","input":["a","b"],"dimensions":4,"encoding_format":"base64"}`)
		require.Equal(t, http.StatusOK, res.StatusCode, text)
		var out struct {
			Data []struct{ Embedding string }
		}
		require.NoError(t, json.Unmarshal([]byte(text), &out), name)
		require.Len(t, out.Data, 2)
		raw, err := base64.StdEncoding.DecodeString(out.Data[1].Embedding)
		require.NoError(t, err)
		for i, want := range fakeprovider.Vector(1, 4) {
			assert.InDelta(t, want, math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:])), 1e-9, name)
		}
	}
}

func TestWhoLeavesPaysWhatTheProviderReports(t *testing.T) {
	t.Parallel()
	h := workHub(t)
	gate := fakeprovider.NewGate()
	h.fakes[fakeprovider.OpenAI].Script("gpt-transcribe-fake", fakeprovider.Answer{Text: "one two three four", Middle: gate})
	talk, contentType := recording(t, wav(3), "model", "openai/gpt-transcribe-fake", "stream", "true")
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	res, err := h.post(ctx, "/v1/audio/transcriptions", talk, "Content-Type", contentType)
	require.NoError(t, err)
	<-gate.Reached()
	leave()
	_ = res.Body.Close()
	<-h.ended
	gate.Release()
	call := h.settledCall()
	assert.Equal(t, hub.StatusAborted, call.Status)
	assert.Equal(t, hub.UsageReported, call.Source)
	assert.EqualValues(t, 30, call.Usage[hub.InputAudio])
}

func TestWorkIsRefusedBeforeItCosts(t *testing.T) {
	t.Parallel()
	h := start(t, billing)
	fake := h.provider(fakeprovider.OpenAI)
	h.priceWork("openai", "text-embedding-fake", hub.TypeEmbedding, map[hub.Bucket]string{hub.Input: "1000000"})
	h.priceWork("openai", "whisper-fake", hub.TypeAudio, map[hub.Bucket]string{hub.Seconds: "1000000"})
	talk, contentType := recording(t, wav(5), "model", "openai/whisper-fake")
	none, noneType := recording(t, nil, "model", "openai/whisper-fake")
	odd, oddType := recording(t, wav(5), "model", "openai/whisper-fake", "response_format", "braille")
	tests := []struct {
		name, path, body, contentType string
		status                        int
		text                          string
	}{
		{"no credit", "/v1/embeddings", `{"model":"openai/text-embedding-fake","input":"hello"}`, "application/json", 402, "NOT_ENOUGH"},
		{"no credit for a form", "/v1/audio/transcriptions", talk, contentType, 402, "NOT_ENOUGH"},
		{"no rate", "/v1/audio/speech", `{"model":"openai/tts-fake","input":"x","voice":"alloy"}`, "application/json", 400, "--type audioGeneration --price characters=P"},
		{"no rate for ranking", "/v1/moderations", `{"input":"x"}`, "application/json", 400, "--type moderation --input P"},
		{"a kind that is not served", "/v1/rerank", `{"model":"openai/rerank-fake","query":"x","documents":["y"]}`, "application/json", 400, "does not serve"},
		{"no recording", "/v1/audio/transcriptions", none, noneType, 400, `"param":"file"`},
		{"no form", "/v1/audio/transcriptions", `{}`, "application/json", 400, "multipart/form-data"},
		{"an unknown format", "/v1/audio/transcriptions", odd, oddType, 400, `"param":"response_format"`},
		{"nothing to say", "/v1/audio/speech", `{"model":"openai/tts-fake"}`, "application/json", 400, `"param":"input"`},
		{"nothing to embed", "/v1/embeddings", `{"model":"openai/text-embedding-fake","input":[]}`, "application/json", 400, `"param":"input"`},
		{"no model", "/v1/embeddings", `{"input":"x"}`, "application/json", 400, "names no model"},
	}
	for _, tt := range tests {
		res, text := h.send(tt.path, tt.body, "Content-Type", tt.contentType)
		assert.Equal(t, tt.status, res.StatusCode, "%s: %s", tt.name, text)
		assert.Contains(t, text, tt.text, tt.name)
	}
	assert.Empty(t, fake.Requests())

	res, text := h.send("/v1/embeddings", `{"model":"openai/text-embedding-fake","input":"x"}`, "Authorization", "Bearer sk-hub-wrong")
	assert.Equal(t, http.StatusUnauthorized, res.StatusCode, text)
	res, text = h.send("/api/v1/embeddings", `{"model":"openai/text-embedding-fake","input":"x"}`, "Authorization", "")
	assert.Equal(t, http.StatusUnauthorized, res.StatusCode, text)
	big, bigType := recording(t, make([]byte, 31_000_000), "model", "openai/whisper-fake")
	res, text = h.send("/v1/audio/transcriptions", big, "Content-Type", bigType)
	assert.Equal(t, http.StatusRequestEntityTooLarge, res.StatusCode, text)
}

func TestAFormWithoutALengthArrives(t *testing.T) {
	t.Parallel()
	h := workHub(t)
	talk, contentType := recording(t, wav(2), "model", "openai/whisper-fake", "temperature", "0.2")
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.url+"/v1/audio/transcriptions", struct{ io.Reader }{strings.NewReader(talk)})
	require.NoError(t, err)
	r.Header.Set("Content-Type", contentType)
	r.Header.Set("Authorization", "Bearer "+h.key.Reveal())
	res, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	assert.Equal(t, http.StatusOK, res.StatusCode, string(text))
	assert.Contains(t, string(h.fakes[fakeprovider.OpenAI].Last().Body), "0.2")
}

func TestWorkGoesToTheNextProviderBeforeAnythingIsSent(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]fakeprovider.Answer{"a refusal": {Status: 503}, "a torn connection": {Break: fakeprovider.Refuse}, "a limit": {Status: 429}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := start(t, nil)
			first := h.provider(fakeprovider.OpenAI)
			second := fakeprovider.Start(t, fakeprovider.OpenAI, fakeprovider.Options{})
			h.add("openai", "other", second.URL+"/v1", fakeprovider.DefaultKey)
			for _, p := range []string{"openai", "other"} {
				h.priceWork(p, "tts-fake", hub.TypeAudio, map[hub.Bucket]string{hub.Characters: "15"})
			}
			for _, fake := range []*fakeprovider.Provider{first, second} {
				fake.Script("tts-fake", answer)
			}
			third := fakeprovider.Start(t, fakeprovider.OpenAI, fakeprovider.Options{})
			h.add("openai", "third", third.URL+"/v1", fakeprovider.DefaultKey)
			h.priceWork("third", "tts-fake", hub.TypeAudio, map[hub.Bucket]string{hub.Characters: "15"})
			res, text := h.send("/v1/audio/speech", `{"model":"tts-fake","voice":"alloy","input":"hello"}`)
			require.Equal(t, http.StatusOK, res.StatusCode, text)
			assert.Equal(t, fakeprovider.Sound("hello"), []byte(text))
			call := h.settledCall()
			assert.Equal(t, hub.StatusSuccess, call.Status)
		})
	}
}

func TestAKeyThatTheProviderRefusesIsTheOperatorsTrouble(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	fake := fakeprovider.Start(t, fakeprovider.OpenAI, fakeprovider.Options{Keys: []string{"another-key-of-tests"}})
	h.add("openai", "openai", fake.URL+"/v1", fakeprovider.DefaultKey)
	talk, contentType := recording(t, wav(2), "model", "openai/whisper-fake")
	res, text := h.send("/v1/audio/transcriptions", talk, "Content-Type", contentType)
	assert.Equal(t, http.StatusBadGateway, res.StatusCode, text)
	assert.Contains(t, text, "the hub's own credential")
}

func TestRankingIsChargedByTokensOrByTheRequest(t *testing.T) {
	t.Parallel()
	h := start(t, billing)
	fake := fakeprovider.Start(t, fakeprovider.OpenAI, fakeprovider.Options{})
	h.add("openai-compatible", "local", fake.URL+"/v1", fakeprovider.DefaultKey)
	h.grant("10")
	body := `{"model":"local/rerank-fake","query":"fox","documents":["a cat","a fox","a dog"],"top_n":2,"return_documents":true}`
	for name, tt := range map[string]struct {
		prices map[hub.Bucket]string
		cost   string
	}{
		"by tokens":  {map[hub.Bucket]string{hub.Input: "1000"}, "0.006"},
		"by request": {map[hub.Bucket]string{hub.Requests: "2000"}, "0.002"},
	} {
		h.priceWork("local", "rerank-fake", hub.TypeRerank, tt.prices)
		res, text := h.send("/v1/rerank", body)
		require.Equal(t, http.StatusOK, res.StatusCode, text)
		assert.Contains(t, text, `"document":{"text":"a dog"}`)
		assert.Equal(t, tt.cost, h.settledCall().Credits.String(), name)
	}
}

func TestSilenceOnAStreamOfEventsIsFilledOnSoundItIsNot(t *testing.T) {
	t.Parallel()
	h := workHub(t)
	gate := fakeprovider.NewGate()
	time.AfterFunc(200*time.Millisecond, gate.Release)
	h.fakes[fakeprovider.OpenAI].Script("tts-fake", fakeprovider.Answer{Before: gate})
	_, text := h.send("/v1/audio/speech", `{"model":"openai/tts-fake","voice":"alloy","input":"hello"}`)
	assert.NotContains(t, text, "ping")
	assert.Equal(t, fmt.Sprint(len(fakeprovider.Sound("hello"))), fmt.Sprint(len(text)))
}
