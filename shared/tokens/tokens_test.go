package tokens_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/aigne-hub/aigne-hub/shared/tokens"
)

func TestCountIsTheVocabularysOwn(t *testing.T) {
	t.Parallel()
	var c tokens.Counter
	for text, want := range map[string]int64{
		"":                               0,
		"hello world":                    2,
		"tiktoken is great!":             6,
		"お誕生日おめでとう":                      9,
		"antidisestablishmentarianism":   6,
		"2 + 2 = 4":                      7,
		"<|endoftext|>":                  7, // a caller's text is never a special token
		strings.Repeat("hello ", 10_000): 10_001,
	} {
		got := c.Count(text)
		if len(text) > 1000 {
			assert.InEpsilon(t, want, got, 0.01)
			continue
		}
		assert.Equal(t, want, got, text)
	}
}

func TestLongTextsAreSampled(t *testing.T) {
	t.Parallel()
	var c tokens.Counter
	c.Count("load")
	start := time.Now()
	n := c.Count(strings.Repeat("The quick brown fox jumps over the lazy dog. ", 200_000)) // 9 MB
	assert.InEpsilon(t, 2_000_000, n, 0.02)
	assert.Less(t, time.Since(start), 5*time.Second)
}

func TestUnbrokenRunsTakeNoLongerThanText(t *testing.T) {
	t.Parallel()
	var c tokens.Counter
	start := time.Now()
	for _, run := range []string{"a", " ", "\n", "你", "\xff", "!"} {
		assert.Positive(t, c.Count(strings.Repeat(run, 500_000)))
	}
	assert.Less(t, time.Since(start), 20*time.Second)
}

func TestScaleFollowsTheSample(t *testing.T) {
	t.Parallel()
	var c tokens.Counter
	assert.EqualValues(t, 0, c.Scale(0, ""))
	assert.EqualValues(t, 3, c.Scale(9, ""), "without a sample four bytes are a token")
	assert.EqualValues(t, 2, c.Scale(11, "hello world"))
	assert.EqualValues(t, 20, c.Scale(110, "hello world"))
}
