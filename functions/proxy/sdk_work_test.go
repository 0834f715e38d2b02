package proxy_test

import (
	"bytes"
	"io"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/testkit/fakeprovider"
	"github.com/aigne-hub/aigne-hub/shared/testkit/sdk"
)

const overheard = "The quick brown fox jumps over the lazy dog."

// openAIWork are the fake OpenAI's models for work beside chat.
var openAIWork = map[string]string{
	"embedding": "openai/text-embedding-fake", "moderation": "openai/omni-moderation-latest", "speech": "openai/gpt-tts-fake",
	"transcription": "openai/gpt-transcribe-fake", "whisper": "openai/whisper-fake",
}

// workSDK is a hub whose transcribers hear one sentence, and who calls it.
func workSDK(t *testing.T) (*testHub, sdk.Target) {
	t.Helper()
	h := workHub(t)
	for _, model := range []string{"whisper-fake", "gpt-transcribe-fake"} {
		h.fakes[fakeprovider.OpenAI].Always(model, fakeprovider.Answer{Text: overheard})
	}
	return h, sdk.Target{BaseURL: h.url, Key: h.key.Reveal(), Model: "openai/gpt-fake", UnknownModel: "openaix/none", Models: openAIWork}
}

// requireEverythingPaid checks that the balance lacks exactly what the calls cost
// and that each call that was answered cost something.
func requireEverythingPaid(t *testing.T, h *testHub, answered int) {
	t.Helper()
	h.settledCall()
	calls, err := h.app.Store.Calls(t.Context(), store.CallFilter{Limit: 1000})
	assert.NoError(t, err)
	var charged money.Credits
	paid := 0
	for _, c := range calls {
		charged += c.Credits
		if c.Credits > 0 {
			paid++
		}
	}
	assert.Equal(t, answered, paid)
	assert.Equal(t, 1000*money.Credit-charged, h.account().Balance)
}

func TestTheOpenAISDKsWorkBesideChat(t *testing.T) {
	t.Parallel()
	h, target := workSDK(t)
	results := sdk.Run(t, sdk.Work, target, "embed", "embed_float", "embed_batch", "embed_dimensions", "embed_tokens", "moderate", "moderate_by_default",
		"speech", "speech_stream", "transcribe", "transcribe_stream", "transcribe_verbose", "subtitles", "translate",
		"unknown_embedding", "unknown_speech", "unknown_transcription", "unknown_moderation", "wrong_key")
	assert.Len(t, results, 19)
	sdk.VerifyWork(t, results, overheard)
	sdk.VerifyErrors(t, sdk.Work, results)
	requireEverythingPaid(t, h, 14)
}

func TestGeminisVectorsForTheOpenAISDKs(t *testing.T) {
	t.Parallel()
	h, target := workSDK(t)
	target.Models = map[string]string{"embedding": "google/gemini-embedding-fake"}
	results := sdk.Run(t, sdk.Work, target, "embed", "embed_float", "embed_batch", "embed_dimensions")
	sdk.VerifyWork(t, results, "")
	results = sdk.Run(t, sdk.LangChain, target, "embed", "embed_many")
	sdk.VerifyWork(t, results, "")
	results = sdk.Run(t, sdk.Vercel, target, "google/embed", "google/embed_many", "google/unknown_embedding")
	sdk.VerifyWork(t, results, "")
	results = sdk.Run(t, sdk.Gemini, target, "embed", "embed_many")
	sdk.VerifyWork(t, results, "")
	requireEverythingPaid(t, h, 10)
}

func TestOtherSDKsWorkBesideChat(t *testing.T) {
	t.Parallel()
	h, target := workSDK(t)
	results := sdk.Run(t, sdk.Vercel, target, "openai/embed", "openai/embed_many", "openai/unknown_embedding",
		"compatible/embed", "compatible/embed_many", "compatible/unknown_embedding", "openai/speech", "openai/transcription")
	assert.Len(t, results, 8)
	sdk.VerifyWork(t, results, overheard)
	results = sdk.Run(t, sdk.LangChain, target, "embed", "embed_many", "unknown_embedding")
	sdk.VerifyWork(t, results, "")
	requireEverythingPaid(t, h, 8)
}

func TestTheGoSDKsWorkBesideChat(t *testing.T) {
	t.Parallel()
	h, target := workSDK(t)
	client := openai.NewClient(option.WithBaseURL(h.url+"/v1"), option.WithAPIKey(target.Key), option.WithMaxRetries(0))
	vectors, err := client.Embeddings.New(t.Context(), openai.EmbeddingNewParams{Model: openAIWork["embedding"],
		Input: openai.EmbeddingNewParamsInputUnion{OfArrayOfStrings: []string{"one", "two"}}})
	require.NoError(t, err)
	require.Len(t, vectors.Data, 2)
	assert.Len(t, vectors.Data[0].Embedding, 8)
	assert.NotZero(t, vectors.Usage.TotalTokens)

	sound, err := client.Audio.Speech.New(t.Context(), openai.AudioSpeechNewParams{Model: openAIWork["speech"], Input: "Hi there",
		Voice: openai.AudioSpeechNewParamsVoiceUnion{OfString: openai.String("alloy")}, ResponseFormat: openai.AudioSpeechNewParamsResponseFormatPCM})
	require.NoError(t, err)
	defer sound.Body.Close()
	heard, err := io.ReadAll(sound.Body)
	require.NoError(t, err)
	assert.Equal(t, fakeprovider.Sound("Hi there"), heard)

	said, err := client.Audio.Transcriptions.New(t.Context(), openai.AudioTranscriptionNewParams{Model: openAIWork["transcription"],
		File: openai.File(bytes.NewReader(wav(2)), "talk.wav", "audio/wav")})
	require.NoError(t, err)
	assert.Equal(t, overheard, said.Text)

	judged, err := client.Moderations.New(t.Context(), openai.ModerationNewParams{Input: openai.ModerationNewParamsInputUnion{OfString: openai.String("I mean harm")}})
	require.NoError(t, err)
	assert.True(t, judged.Results[0].Flagged)

	_, err = client.Embeddings.New(t.Context(), openai.EmbeddingNewParams{Model: "nobody/none", Input: openai.EmbeddingNewParamsInputUnion{OfString: openai.String("x")}})
	var fault *openai.Error
	require.ErrorAs(t, err, &fault)
	assert.Equal(t, 404, fault.StatusCode)
	requireEverythingPaid(t, h, 4)
}
