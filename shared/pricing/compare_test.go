package pricing

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func read(t *testing.T, text string) *Prices {
	t.Helper()
	var p Prices
	require.NoError(t, json.Unmarshal([]byte(text), &p))
	return &p
}

func TestAPriceBelowCostIsFoundWhereverACallCanMeetIt(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, prices, cost, creditPrice string
		want                            []string
	}{
		{"a healthy margin", `{"input":"0.0000012","output":"0.000012"}`, `{"input":"0.000001","output":"0.00001"}`, "1", nil},
		{"at cost exactly", `{"input":"0.000001"}`, `{"input":"0.000001"}`, "1", nil},
		{"at cost with a credit price that does not divide", `{"input":"0.000000333333"}`, `{"input":"0.000001"}`, "3", nil},
		{"credits are worth less than dollars", `{"input":"0.000001"}`, `{"input":"0.000001"}`, "0.5", []string{"input"}},
		{"a cache write costs more than the input that stands in for its price", `{"input":"0.0000012","output":"0.00001"}`,
			`{"input":"0.000001","cache_write_5m":"0.00000125","output":"0.00001"}`, "1", []string{"cache_write_5m"}},
		{"a cheap cache read is no matter while its cost falls too", `{"input":"0.000002","cache_read":"0.0000002"}`,
			`{"input":"0.000001","cache_read":"0.0000001"}`, "1", nil},
		{"a cache read sold cheaply that costs like input", `{"input":"0.000002","cache_read":"0.0000002"}`, `{"input":"0.000001"}`, "1", []string{"cache_read"}},
		{"a tier that only the cost has", `{"input":"0.0000012","output":"0.000012"}`,
			`{"input":"0.000001","output":"0.00001","tiers":[{"above":200000,"input":"0.000002"}]}`, "1", []string{"input>200000"}},
		{"a tier of the cost hits a price that it does not name", `{"input":"0.000003","cache_read":"0.0000015"}`,
			`{"input":"0.000001","tiers":[{"above":200000,"input":"0.000002"}]}`, "1", []string{"cache_read>200000"}},
		{"thinking without a price of its own", `{"input":"1","output":"0.00001"}`, `{"input":"1","output":"0.00001","reasoning":"0.00002"}`, "1", []string{"reasoning"}},
		{"a search that is given away", `{"input":"1","output":"1"}`, `{"input":"1","output":"1","web_searches":"0.01"}`, "1", []string{"web_searches"}},
		{"an explicit zero is a gift too", `{"input":"0","output":"1"}`, `{"input":"0.000001","output":"1"}`, "1", []string{"input"}},
		{"one picture quality of several", `{"variants":[{"bucket":"images","quality":"low","rate":"0.02"},{"bucket":"images","quality":"high","rate":"0.15"}]}`,
			`{"variants":[{"bucket":"images","quality":"low","rate":"0.011"},{"bucket":"images","quality":"high","rate":"0.167"}]}`, "1", []string{"images:high"}},
		{"one price for all pictures", `{"images":"0.1"}`,
			`{"variants":[{"bucket":"images","quality":"low","rate":"0.011"},{"bucket":"images","quality":"high","rate":"0.167"}]}`, "1", []string{"images:high"}},
		{"pictures sold by the piece that cost by tokens", `{"images":"0.05"}`, `{"input":"0.000005","output_image":"0.00004"}`, "1", nil},
		{"a cost of nothing", `{"input":"0"}`, `{"input":"0"}`, "1", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			found, err := Shortages(read(t, tt.prices), read(t, tt.cost), tt.creditPrice)
			require.NoError(t, err)
			var places []string
			for _, s := range found {
				places = append(places, s.Place.String())
			}
			assert.Equal(t, tt.want, places)
		})
	}
}

func TestADifferenceIsWhatSomebodyWouldPayOtherwise(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, old, new string
		tolerance      int64
		want           []string
	}{
		{"nothing", `{"input":"0.000001"}`, `{"input":"0.000001"}`, 0, nil},
		{"a rate", `{"input":"0.000001","output":"0.00001"}`, `{"input":"0.000002","output":"0.00001"}`, 0, []string{"input"}},
		{"within the tolerance", `{"input":"0.000001"}`, `{"input":"0.00000101"}`, 100, nil},
		{"beyond it by a hair", `{"input":"0.00000099"}`, `{"input":"0.0000010001"}`, 100, []string{"input"}},
		{"a new bucket at another price", `{"input":"0.000001"}`, `{"input":"0.000001","cache_read":"0.0000001"}`, 0, []string{"cache_read"}},
		{"a new bucket at the price that stood in for it", `{"input":"0.000001"}`, `{"input":"0.000001","cache_read":"0.000001"}`, 0, nil},
		{"a new tier", `{"input":"0.000001"}`, `{"input":"0.000001","tiers":[{"above":200000,"input":"0.000002"}]}`, 0, []string{"input>200000"}},
		{"a tier that went", `{"input":"0.000001","tiers":[{"above":200000,"input":"0.000002"}]}`, `{"input":"0.000001"}`, 0, []string{"input>200000"}},
		{"a variant", `{"variants":[{"bucket":"images","quality":"hd","rate":"0.08"}]}`, `{"variants":[{"bucket":"images","quality":"hd","rate":"0.12"}]}`, 0, []string{"images:hd"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var places []string
			for _, d := range Diff(read(t, tt.old), read(t, tt.new), tt.tolerance) {
				places = append(places, d.Place.String())
			}
			assert.Equal(t, tt.want, places)
		})
	}
}

func TestAServiceThatNobodyNotedHasNotDrifted(t *testing.T) {
	t.Parallel()
	old, now := read(t, `{"input":"0.000001"}`), read(t, `{"input":"0.000001","variants":[{"bucket":"input","quality":"flex","rate":"0.0000005"}]}`)
	assert.Len(t, Diff(old, now, 0), 1)
	assert.Empty(t, Drift(old, now, 0))
	assert.Len(t, Drift(now, read(t, `{"input":"0.000001","variants":[{"bucket":"input","quality":"flex","rate":"0.0000004"}]}`), 0), 1)
	assert.Len(t, now.Variants, 1)
}
