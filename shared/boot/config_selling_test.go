package boot_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

func TestCardPaymentsAreSetUpWhollyOrNotAtAll(t *testing.T) {
	t.Parallel()
	const key, hook, at = "AIGNE_HUB_STRIPE_SECRET_KEY", "AIGNE_HUB_STRIPE_WEBHOOK_SECRET", "AIGNE_HUB_PUBLIC_URL"
	whole := map[string]string{key: "sk_test_1", hook: "whsec_1", at: "https://x.test"}
	_, err := load(whole, nil)
	require.NoError(t, err)
	for name, c := range map[string]struct{ change, blamed, value string }{
		"no webhook secret":        {hook, hook, ""},
		"two sellers":              {"AIGNE_HUB_PAYMENT", "AIGNE_HUB_PAYMENT", "paymentkit"},
		"no key":                   {key, hook, ""},
		"nowhere to come back to":  {at, at, ""},
		"the publishable key":      {key, key, "pk_test_1"},
		"two words":                {hook, hook, "whsec 1"},
		"a file that is not":       {key, key, "file:/nowhere/at/all"},
		"a price in dollars only":  {"AIGNE_HUB_SALE_CURRENCY", "AIGNE_HUB_SALE_PRICE", "eur"},
		"no currency":              {"AIGNE_HUB_SALE_CURRENCY", "AIGNE_HUB_SALE_CURRENCY", "dollars"},
		"no price":                 {"AIGNE_HUB_SALE_PRICE", "AIGNE_HUB_SALE_PRICE", "0"},
		"the most below the least": {"AIGNE_HUB_SALE_MAX", "AIGNE_HUB_SALE_MAX", "1"},
		"more than can be paid":    {"AIGNE_HUB_SALE_MAX", "AIGNE_HUB_SALE_MAX", "1000000"},
		"packages that are none":   {"AIGNE_HUB_SALE_PACKAGES", "AIGNE_HUB_SALE_PACKAGES", "10"},
		"a stand-in with a path":   {"AIGNE_HUB_STRIPE_URL", "AIGNE_HUB_STRIPE_URL", "https://x.test/v1"},
		"a link that is none":      {"AIGNE_HUB_PAYMENT_LINK", "AIGNE_HUB_PAYMENT_LINK", "javascript:alert(1)"},
	} {
		vars := map[string]string{}
		for k, v := range whole {
			vars[k] = v
		}
		vars[c.change] = c.value
		_, err := load(vars, nil)
		require.Error(t, err, name)
		assert.Equal(t, c.blamed, hub.AsError(err).Param, name)
		assert.NotContains(t, err.Error(), "sk_test_1", name)
	}
}

func TestASecretCanComeFromAFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "key")
	require.NoError(t, os.WriteFile(path, []byte("sk_test_2\n"), 0o600))
	got, err := load(map[string]string{"AIGNE_HUB_STRIPE_SECRET_KEY": "file:" + path, "AIGNE_HUB_STRIPE_WEBHOOK_SECRET": "whsec_1", "AIGNE_HUB_PUBLIC_URL": "https://x.test"}, nil)
	require.NoError(t, err)
	assert.Equal(t, hub.Secret("sk_test_2"), got.Selling.StripeKey)
}
