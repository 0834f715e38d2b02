package pricing

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

const served = `{"input":"0.00000125","cache_read":"0.000000125","output":"0.00001","tiers":[{"above":200000,"input":"0.0000025","output":"0.000015"}],
	"variants":[{"bucket":"input","quality":"priority","rate":"0.0000025"},{"bucket":"output","quality":"priority","rate":"0.00002"},
	{"bucket":"input","quality":"flex","rate":"0.000000625"},{"bucket":"output","quality":"flex","rate":"0.000005"}]}`

func TestAServicesPricesTakeThePlaceOfTheUsualOnes(t *testing.T) {
	t.Parallel()
	p := read(t, served)
	u := hub.Usage{hub.Input: 1000, hub.CacheRead: 1000, hub.Output: 100, hub.Reasoning: 100}
	for service, want := range map[string]string{"": "0.003375", "default": "0.003375", "auto": "0.003375", "priority": "0.006625", "PRIORITY": "0.006625", "flex": "0.00175", "batch": "0.003375"} {
		of := p.For(service, "")
		got, err := of.Charge(u)
		require.NoError(t, err)
		assert.Equal(t, want, got.String(), service)
	}
	long := hub.Usage{hub.Input: 300_000}
	of := p.For("priority", "")
	got, err := of.Charge(long)
	require.NoError(t, err)
	assert.Equal(t, "0.75", got.String(), "a service's price holds for prompts of every length")
	of = p.For("", "")
	got, err = of.Charge(long)
	require.NoError(t, err)
	assert.Equal(t, "0.75", got.String())
	assert.Len(t, p.Tiers, 1, "the prices themselves are not changed")
	assert.True(t, p.Tiers[0].Buckets[hub.Input].Set)
}

func TestTheHoldCoversAServiceAndTheUsualOne(t *testing.T) {
	t.Parallel()
	p := read(t, served)
	bound := Bound{Input: 300_000, Output: 1000, N: 1}
	for _, service := range []string{"default", "priority", "flex"} {
		dearest := p.Dearest(service, "")
		hold, err := dearest.Hold(bound)
		require.NoError(t, err)
		for _, given := range []string{"", service} {
			for _, u := range []hub.Usage{{hub.Input: 300_000, hub.Output: 1000}, {hub.Input: 100_000, hub.Output: 1000}, {hub.CacheRead: 300_000, hub.Reasoning: 1000}} {
				of := p.For(given, "")
				charge, err := of.Charge(u)
				require.NoError(t, err)
				assert.LessOrEqual(t, charge, hold, "%s asked, %s given", service, given)
			}
		}
	}
}

func TestADearerServiceWithoutAPriceIsNotServed(t *testing.T) {
	t.Parallel()
	cost := read(t, served)
	plain := read(t, `{"input":"0.000002","output":"0.00002"}`)
	assert.False(t, plain.Serves("priority", cost))
	assert.True(t, plain.Serves("flex", cost), "it costs less")
	assert.True(t, plain.Serves("priority", nil))
	assert.True(t, plain.Serves("priority", plain), "nothing says that it costs more")
	assert.True(t, cost.Serves("priority", cost))
	assert.True(t, plain.Serves("hd", cost), "the quality of a picture is no service")
	found, err := Shortages(plain, cost, "1")
	require.NoError(t, err)
	for _, s := range found {
		assert.Empty(t, s.Place.Quality, "what is refused is not sold below cost: %s", s.Place)
	}
	cheap := read(t, `{"input":"0.000002","output":"0.00002","variants":[{"bucket":"input","quality":"priority","rate":"0.000002"}]}`)
	found, err = Shortages(cheap, cost, "1")
	require.NoError(t, err)
	places := []string{}
	for _, s := range found {
		places = append(places, s.Place.String())
	}
	assert.Contains(t, places, "input:priority")
}
