package routing

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/pricing"
	"github.com/aigne-hub/aigne-hub/shared/provider"
)

func TestTheOperatorsPriceHoldsHoweverTheModelIsSpelt(t *testing.T) {
	t.Parallel()
	kind, ok := provider.Find("openai")
	require.True(t, ok)
	p := &Provider{Name: "openai", Kind: kind, Credentials: []Credential{{ID: "c"}}}
	rate := &Rate{ID: "own", Version: 3, Provider: "openai", Model: "gpt-4o", Type: hub.TypeChat}
	rate.Prices.Set(hub.Input, 9_000_000)
	rate.Prices.Set(hub.Output, 9_000_000)
	n := NewSnapshot(1, Settings{Billing: true, CreditPrice: "1", DefaultMargin: "20", DefaultMaxOutput: 4096},
		pricing.OpenCatalogue(time.Now), []*Provider{p}, []*Rate{rate})
	for _, model := range []string{"openai/gpt-4o", "openai/GPT-4o", "OpenAI/Gpt-4O", "openai/gpt-4o ", "openai/ gpt-4o"} {
		plan, err := n.Plan(Request{Model: model, Type: hub.TypeChat})
		require.NoError(t, err, model)
		assert.Equal(t, "own", plan.Targets[0].RateID, model)
	}
}
