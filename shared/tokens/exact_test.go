package tokens_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tiktoken-go/tokenizer/codec"

	"github.com/aigne-hub/aigne-hub/shared/tokens"
)

func TestModelsAreCountedByTheirOwnVocabulary(t *testing.T) {
	t.Parallel()
	for model, want := range map[string]tokens.Encoding{
		"gpt-4o-mini": tokens.O200K, "gpt-4.1": tokens.O200K, "gpt-5-mini": tokens.O200K, "o3": tokens.O200K, "o4-mini": tokens.O200K,
		"gpt-4": tokens.CL100K, "gpt-4-turbo": tokens.CL100K, "gpt-3.5-turbo": tokens.CL100K, "gpt-3.5-turbo-0125": tokens.CL100K,
		"text-embedding-3-small": tokens.CL100K, "gpt-fake": tokens.Unknown, "claude-3-haiku": tokens.Unknown, "gpt-4x": tokens.Unknown, "": tokens.Unknown,
	} {
		assert.Equal(t, want, tokens.EncodingOf(model), model)
	}
}

func TestATextCutAtSeamsHasTheTokensOfTheWhole(t *testing.T) {
	t.Parallel()
	var x tokens.Exact
	whole := map[tokens.Encoding]*codec.Codec{tokens.CL100K: codec.NewCl100kBase(), tokens.O200K: codec.NewO200kBase()}
	pieces := []string{"the ", "Fox", " isn't ", "JUMPS over", "  ", "\n\n", "\t", "42 1999", "!?", " - ", "Grüße ", "東京", "👩‍👩‍👧", "{\"a\":", "http://x.test/y ", "I'LL go", "a b c "}
	r := rand.New(rand.NewPCG(1, 2))
	for range 60 {
		var b strings.Builder
		for b.Len() < 6000+r.IntN(6000) {
			b.WriteString(pieces[r.IntN(len(pieces))])
		}
		text := b.String()
		for e, c := range whole {
			want, err := c.Count(text)
			require.NoError(t, err)
			assert.EqualValues(t, want, x.Bound(e, text))
		}
	}
}

func TestWhatCannotBeCutCountsAsBytes(t *testing.T) {
	t.Parallel()
	var x tokens.Exact
	run := strings.Repeat("x", 10_000)
	assert.EqualValues(t, 10_000, x.Bound(tokens.O200K, run))
	assert.Less(t, x.Bound(tokens.O200K, "a few words before and "+run+" and after it"), int64(10_000+20))
	assert.EqualValues(t, 5, x.Bound(tokens.Unknown, "hello"))
	assert.Zero(t, x.Bound(tokens.CL100K, ""))
	long := strings.Repeat("word and ", 1_000_000) // 9 MB
	n := x.Bound(tokens.O200K, long)
	assert.Greater(t, n, int64(2_000_000))
	assert.Less(t, n, int64(len(long)))
}
