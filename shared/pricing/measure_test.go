package pricing

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

func TestWorkIsChargedByTheMeasureThatHasARate(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, prices, want string
		usage              hub.Usage
	}{
		{"pictures by the piece", `{"images":"0.04"}`, "0.08", hub.Usage{hub.Images: 2, hub.Input: 30}},
		{"pictures by their tokens", `{"input":"0.001","output":"0.01"}`, "10.03", hub.Usage{hub.Images: 1, hub.Input: 30, hub.OutputImage: 1000}},
		{"both have a rate: both count", `{"images":"1","input":"0.001","output":"0"}`, "1.03", hub.Usage{hub.Images: 1, hub.Input: 30, hub.Output: 5}},
		{"speech by characters", `{"characters":"0.001"}`, "0.1", hub.Usage{hub.Characters: 100, hub.Output: 40}},
		{"speech by tokens", `{"input":"0.001","output":"0.01"}`, "0.41", hub.Usage{hub.Characters: 100, hub.Input: 10, hub.OutputAudio: 40}},
		{"a transcript by tokens", `{"input":"0.001","output":"0.01"}`, "1.3", hub.Usage{hub.Seconds: 60, hub.InputAudio: 900, hub.Output: 40}},
		{"ranking by the search", `{"requests":"0.002"}`, "0.004", hub.Usage{hub.Requests: 2, hub.Input: 900}},
		{"ranking by tokens", `{"input":"0.001"}`, "0.9", hub.Usage{hub.Requests: 2, hub.Input: 900}},
		{"a transcript by seconds", `{"seconds":"0.0001"}`, "0.006", hub.Usage{hub.Seconds: 60, hub.InputAudio: 900, hub.Output: 40}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := parsePrices(t, tt.prices)
			got, err := p.Charge(p.Measured(tt.usage))
			require.NoError(t, err)
			assert.Equal(t, tt.want, got.String())
		})
	}
}

func TestNothingIsFreeBecauseItWasCountedOneWayOnly(t *testing.T) {
	t.Parallel()
	p := parsePrices(t, `{"input":"1","output":"1"}`)
	for name, u := range map[string]hub.Usage{
		"pictures whose tokens nobody reported": {hub.Images: 1},
		"pictures of a text prompt":             {hub.Images: 1, hub.Input: 30},
		"seconds":                               {hub.Seconds: 3},
	} {
		_, err := p.Charge(p.Measured(u))
		require.ErrorIs(t, err, ErrUnpriced, name)
	}
	p = parsePrices(t, `{"requests":"1","input":"1"}`)
	_, err := p.Charge(p.Measured(hub.Usage{hub.Requests: 1, hub.Input: 3, hub.Output: 3}))
	require.ErrorIs(t, err, ErrUnpriced, "a fee beside tokens pays for no other tokens")
	p = parsePrices(t, `{"images":"1"}`)
	_, err = p.Charge(p.Measured(hub.Usage{hub.Output: 5}))
	require.ErrorIs(t, err, ErrUnpriced, "tokens without a picture")
}

func TestTheHoldCoversTheCharge(t *testing.T) {
	t.Parallel()
	p := parsePrices(t, `{"images":"0.02","variants":[{"bucket":"images","quality":"hd","rate":"0.08"},{"bucket":"images","quality":"hd","size":"1792x1024","rate":"0.12"},{"bucket":"images","size":"512x512","rate":"0.01"}]}`)
	bound := Bound{Input: 50, Output: 1000, Images: 2}
	for _, tt := range []struct{ quality, size, charge, hold string }{
		{"", "", "0.04", "0.24"},
		{"auto", "auto", "0.04", "0.24"},
		{"hd", "1024x1024", "0.16", "0.16"},
		{"hd", "1792x1024", "0.24", "0.24"},
		{"HD", "", "0.16", "0.24"},
		{"standard", "512x512", "0.02", "0.04"},
		{"standard", "1024x1024", "0.04", "0.04"},
	} {
		charged, held := p.For(tt.quality, tt.size), p.Dearest(tt.quality, tt.size)
		got, err := charged.Charge(charged.Measured(hub.Usage{hub.Images: 2, hub.Input: 50}))
		require.NoError(t, err)
		assert.Equal(t, tt.charge, got.String(), tt)
		most, err := held.Hold(held.MeasuredBound(bound))
		require.NoError(t, err)
		assert.Equal(t, tt.hold, most.String(), tt)
	}
	tokens := parsePrices(t, `{"input":"0.001","output_image":"0.01"}`)
	most, err := tokens.Hold(tokens.MeasuredBound(bound))
	require.NoError(t, err, "pictures may be priced by image tokens alone")
	assert.Equal(t, "10.05", most.String())
	only := parsePrices(t, `{"variants":[{"bucket":"images","quality":"low","rate":"0.01"},{"bucket":"images","quality":"high","rate":"0.2"}]}`)
	other := only.For("medium", "")
	got, err := other.Charge(hub.Usage{hub.Images: 1})
	require.NoError(t, err)
	assert.Equal(t, "0.2", got.String(), "a variant nobody priced is not free")
}

func TestVariantsSurviveTheDatabase(t *testing.T) {
	t.Parallel()
	const text = `{"images":"0.02","variants":[{"bucket":"images","quality":"hd","size":"1024x1024","rate":"0.08"}]}`
	p := parsePrices(t, text)
	out, err := p.MarshalJSON()
	require.NoError(t, err)
	assert.JSONEq(t, text, string(out))
	for _, bad := range []string{
		`{"variants":[{"bucket":"input","quality":"hd","rate":"1"}]}`, `{"variants":[{"bucket":"images","rate":"1"}]}`,
		`{"variants":[{"bucket":"images","quality":"hd","rate":"-1"}]}`, `{"variants":[{"bucket":"images","quality":"hd","rate":1}]}`,
		`{"variants":[{"bucket":"images","colour":"red","quality":"hd","rate":"1"}]}`, `{"variants":[{"bucket":"x","quality":"hd","rate":"1"}]}`,
	} {
		var q Prices
		require.Error(t, q.UnmarshalJSON([]byte(bad)), bad)
	}
	dollars, err := FromCost(p, "50", "1")
	require.NoError(t, err)
	assert.Equal(t, "0.12", dollars.Variants[0].Rate.String())
	assert.Equal(t, "0.08", p.Variants[0].Rate.String(), "the cost is left as it was")
}
