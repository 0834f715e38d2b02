package admission_test

import (
	"encoding/binary"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/aigne-hub/aigne-hub/shared/admission"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/pricing"
	"github.com/aigne-hub/aigne-hub/shared/task"
)

// silence is a recording whose head claims to be empty: 8 kHz, 8 bits.
func silence(seconds int) []byte {
	b := []byte("RIFF\x00\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00\x40\x1f\x00\x00\x01\x00\x08\x00data")
	return append(binary.LittleEndian.AppendUint32(b, 0), make([]byte, seconds*8000)...)
}

// TestEveryKindOfWorkHasABound is the table of kinds and bounds: what is held of
// each, and usage that must fit.
func TestEveryKindOfWorkHasABound(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		req  task.Request
		want pricing.Bound
		fits hub.Usage
	}{
		"embeddings: a token is a byte at least": {
			task.Request{Kind: task.Embedding, Embed: &task.Embed{Inputs: []task.EmbedInput{{Text: "four"}, {Tokens: []int64{1, 2}}}}},
			pricing.Bound{Input: 4 + 8 + 2 + 8, N: 1}, hub.Usage{hub.Input: 6}},
		"transcripts: by the sound, not by its head": {
			task.Request{Kind: task.Transcription, Listen: &task.Listen{Audio: task.File{Data: silence(60)}, Prompt: "names"}},
			pricing.Bound{Input: 60*64 + 5, Output: 60*30 + 512, N: 1, Seconds: 60}, hub.Usage{hub.Seconds: 60, hub.InputAudio: 1920, hub.Output: 900}},
		"transcripts of an unknown sound: by its bytes": {
			task.Request{Kind: task.Translation, Listen: &task.Listen{Audio: task.File{Data: []byte(strings.Repeat("?", 9_500))}}},
			pricing.Bound{Input: 10 * 64, Output: 10*30 + 512, N: 1, Seconds: 10}, hub.Usage{hub.Seconds: 10}},
		"speech: characters, and the tokens of slow speech": {
			task.Request{Kind: task.Speech, Speak: &task.Speak{Input: "größer", Instructions: "softly"}},
			pricing.Bound{Input: 8 + 6, Output: 6 * 16, N: 1, Characters: 6}, hub.Usage{hub.Characters: 6, hub.Input: 5, hub.OutputAudio: 40}},
		"moderation: the body": {
			task.Request{Kind: task.Moderation, Moderate: &task.Moderate{Texts: []string{"abc"}, Images: 1}},
			pricing.Bound{Input: 100 + 16384, N: 1}, hub.Usage{hub.Input: 100}},
		"ranking: pairs of query and document, and their searches": {
			task.Request{Kind: task.Rerank, Rank: &task.Rank{Query: "four", Documents: make([]string, 101)}},
			pricing.Bound{Input: 101 * (4 + 8), N: 1, Requests: 2}, hub.Usage{hub.Requests: 2, hub.Input: 500}},
		"ranking of one long document": {
			task.Request{Kind: task.Rerank, Rank: &task.Rank{Query: "four", Documents: []string{strings.Repeat("x", 100_000)}}},
			pricing.Bound{Input: 100_012, N: 1, Requests: 3}, hub.Usage{hub.Requests: 3}},
	} {
		got, opaque := admission.WorkBound(&tt.req, 100)
		assert.False(t, opaque, name)
		assert.Equal(t, tt.want, got, name)
		assert.True(t, got.Covers(&tt.fits), name)
	}
}
