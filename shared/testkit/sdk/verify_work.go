package sdk

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// vectorSize is the size of the fakes' vectors.
const vectorSize = 8

// VerifyWork checks the scenarios of work beside chat whose answers come,
// directly or through a gateway, from a fakeprovider that hears spoken in every
// recording. Errors are checked by VerifyErrors.
func VerifyWork(t testing.TB, results map[string]Result, spoken string) {
	t.Helper()
	for name, r := range results {
		if !assert.True(t, r.OK, "%s: %+v", name, r.Error) {
			continue
		}
		switch what := name[strings.LastIndex(name, "/")+1:]; what {
		case "embed", "embed_float":
			assert.Equal(t, []int{vectorSize}, r.Sizes, name)
		case "embed_batch", "embed_many":
			assert.Equal(t, []int{vectorSize, vectorSize, vectorSize}, r.Sizes, name)
		case "embed_dimensions":
			assert.Equal(t, []int{4}, r.Sizes, name)
		case "embed_tokens":
			assert.Equal(t, []int{vectorSize, vectorSize}, r.Sizes, name)
			assert.Equal(t, 4, r.Tokens, name)
		case "moderate":
			assert.Equal(t, []any{true}, r.Value, name)
		case "moderate_by_default":
			assert.Equal(t, []any{false}, r.Value, name)
		case "speech":
			assert.Equal(t, []int{len("Hi there") * 3200}, r.Sizes, "%s: the fakes' sound has 3,200 bytes a character", name)
		case "speech_stream":
			assert.Equal(t, []int{len("Hi there. ") * 40 * 3200}, r.Sizes, name)
			assert.Greater(t, r.Chunks, 5, "sound comes in pieces")
		case "transcribe", "transcription", "translate", "transcribe_verbose":
			assert.Equal(t, spoken, r.Text, name)
		case "transcribe_stream":
			assert.Equal(t, spoken, r.Text, name)
			assert.Equal(t, spoken, r.Value, name)
			assert.Greater(t, r.Chunks, 2, "a transcript comes in pieces")
			assert.NotEmpty(t, r.Usage, name)
		case "subtitles":
			assert.Contains(t, r.Text, " --> ", name)
			assert.Contains(t, r.Text, spoken, name)
		}
	}
}

// VerifyMedia checks the scenarios of pictures and films, whose sizes are given in
// bytes. Errors are checked by VerifyErrors.
func VerifyMedia(t testing.TB, results map[string]Result, picture, film int) {
	t.Helper()
	for name, r := range results {
		if !assert.True(t, r.OK, "%s: %+v", name, r.Error) {
			continue
		}
		switch what := name[strings.LastIndex(name, "/")+1:]; what {
		case "picture", "generate_image":
			assert.Equal(t, []int{picture, picture}, r.Sizes, name)
		case "picture_url", "picture_base64", "picture_edit", "picture_edit_of_several":
			assert.Equal(t, []int{picture}, r.Sizes, name)
		case "picture_stream":
			assert.Equal(t, []int{picture}, r.Sizes, name)
			assert.Equal(t, 3, r.Chunks, "two drafts and the picture")
			assert.NotEmpty(t, r.Usage, name)
		case "film":
			assert.Equal(t, []int{film}, r.Sizes, name)
		case "film_deleted":
			if assert.NotNil(t, r.Error, name) {
				assert.Equal(t, 404, r.Error.Status, name)
			}
		}
	}
}
