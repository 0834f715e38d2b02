package fakepaymentkit_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/testkit/fakepaymentkit"
)

func TestThePublicClientIsContentWithTheStandIn(t *testing.T) {
	t.Parallel()
	s := fakepaymentkit.New(t)
	results := fakepaymentkit.RunClient(t, s)
	require.Len(t, results, 17)
	for name, r := range results {
		if name == "missing" || name == "settings" {
			assert.JSONEq(t, `{"failed":404}`, string(r), name)
			continue
		}
		assert.False(t, strings.HasPrefix(string(r), `{"failed"`), "%s: %s", name, r)
	}
	assert.Equal(t, map[string]fakepaymentkit.Event{"batch-1": {Customer: "zUser", Identifier: "batch-1", EventName: "hub", Value: 5 * money.Credit / 2}}, s.Events)
	var pending map[string]string
	require.NoError(t, json.Unmarshal(results["pending"], &pending))
	assert.Equal(t, map[string]string{s.Meters["hub"].CurrencyID: "5000000000"}, pending, "half a credit of ten decimals")
	assert.Empty(t, s.Bad, "every call was signed, with livemode")
	assert.Equal(t, 1, s.Calls["GET customers"])
	require.Contains(t, s.Customers, "zUser")
}
