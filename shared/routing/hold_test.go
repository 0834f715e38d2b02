package routing

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/pricing"
)

func TestAHoldIsWrittenAsItIsRead(t *testing.T) {
	t.Parallel()
	for _, h := range []HoldRecord{
		{},
		{Amount: 123_456_789, Target: "openai/gpt-4o-mini", Bound: pricing.Bound{Input: 2000, Output: 4096, N: 1}, Slice: true, Counted: true},
		{Amount: 1, Target: "x/a\"b\\c\n日本", Bound: pricing.Bound{Images: 1, Seconds: 2, Characters: 3, WebSearches: 4, Requests: 5}, Quality: "hd", Size: "1x1", Opaque: true, Lowered: true},
		{Percent: new(int64)},
	} {
		text := WithHold(`{"targets":[]}`, &h)
		var r Record
		require.NoError(t, json.Unmarshal([]byte(text), &r), text)
		assert.Equal(t, &h, r.Hold, text)
		want, err := json.Marshal(h)
		require.NoError(t, err)
		assert.JSONEq(t, `{"targets":[],"hold":`+string(want)+`}`, text, "as encoding/json writes it")
	}
}

func BenchmarkWithHold(b *testing.B) {
	plan := `{"targets":[{"target":"openai/gpt-4o-mini","rate_id":"01KQZZZZZZZZZZZZZZZZZZZZZZ","rate_version":1}]}`
	h := HoldRecord{Amount: 123_456_789, Target: "openai/gpt-4o-mini", Bound: pricing.Bound{Input: 2000, Output: 4096, N: 1}, Slice: true}
	b.ReportAllocs()
	for b.Loop() {
		WithHold(plan, &h)
	}
}
