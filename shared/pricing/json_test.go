package pricing

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

func TestPricesHaveOneSpellingInJSON(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, in, want string }{
		{"nothing priced", `{}`, `{}`},
		{"buckets in their order, shortest decimals",
			`{"output":"0.0000100","input":"0.0000025","cache_read":"0"}`,
			`{"input":"0.0000025","cache_read":"0","output":"0.00001"}`},
		{"tiers ascending",
			`{"input":"1","tiers":[{"above":2,"input":"3"},{"input":"2","above":0}]}`,
			`{"input":"1","tiers":[{"above":0,"input":"2"},{"above":2,"input":"3"}]}`},
		{"tiers without a base", `{"tiers":[{"above":5}]}`, `{"tiers":[{"above":5}]}`},
		{"no tiers", `{"tiers":[]}`, `{}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := parsePrices(t, tt.in)
			got, err := json.Marshal(p)
			require.NoError(t, err)
			assert.Equal(t, tt.want, string(got))
		})
	}
}

func TestPricesRefuseJSONThatMayLoseAPrice(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"not an object":           `["input"]`,
		"an unknown bucket":       `{"inputs":"1"}`,
		"a number":                `{"input":1}`,
		"null in place of a rate": `{"input":null}`,
		"a repeated bucket":       `{"input":"1","input":"2"}`,
		"a negative rate":         `{"input":"-1"}`,
		"too many decimals":       `{"input":"0.0000000000001"}`,
		"an exponent":             `{"input":"1e-6"}`,
		"a tier without above":    `{"tiers":[{"input":"1"}]}`,
		"a negative threshold":    `{"tiers":[{"above":-5,"input":"1"}]}`,
		"a broken threshold":      `{"tiers":[{"above":1.5,"input":"1"}]}`,
		"equal thresholds":        `{"tiers":[{"above":1},{"above":1}]}`,
		"a negative tier rate":    `{"tiers":[{"above":1,"input":"-1"}]}`,
		"a tier within a tier":    `{"tiers":[{"above":1,"tiers":[]}]}`,
		"tiers that are no list":  `{"tiers":{}}`,
		"a tier that is no tier":  `{"tiers":[1]}`,
		"too many tiers":          `{"tiers":[{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}]}`,
		"text after the end":      `{} {}`,
		"no end":                  `{"input":"1"`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := Prices{Tiers: []Tier{{AbovePrompt: 1}}}
			require.Error(t, p.UnmarshalJSON([]byte(text)))
			assert.Len(t, p.Tiers, 1, "prices stay as they were")
		})
	}
	var p Prices
	require.NoError(t, json.Unmarshal([]byte(`null`), &p))
	assert.True(t, p.Empty())
}

func TestMarshalRefusesPricesThatCannotBeReadBack(t *testing.T) {
	t.Parallel()
	var negative Prices
	negative.Set(hub.Input, -1)
	for _, p := range []Prices{negative, {Tiers: []Tier{{AbovePrompt: 5}, {AbovePrompt: 5}}}} {
		_, err := json.Marshal(p)
		require.Error(t, err)
	}
}

func FuzzPricesJSON(f *testing.F) {
	for _, seed := range []string{
		`{}`, `null`, `{"input":"0.0000025","cache_read":"0","tiers":[{"above":200000,"input":"0.000005"}]}`,
		`{"tiers":[{"above":2,"output":"1"},{"above":1}]}`, `{"input":"1","input":"2"}`, `{"input":1}`, `[`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var p Prices
		if p.UnmarshalJSON(data) != nil {
			return
		}
		require.NoError(t, p.Check())
		text, err := json.Marshal(p)
		require.NoError(t, err)
		var back Prices
		require.NoError(t, back.UnmarshalJSON(text))
		again, err := json.Marshal(back)
		require.NoError(t, err)
		require.Equal(t, string(text), string(again))
		_, _ = p.Charge(hub.Usage{hub.Input: 7, hub.Reasoning: 1})
		_, _ = p.Hold(Bound{Input: 7, Output: 1})
	})
}
