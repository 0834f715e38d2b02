package proxy_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/testkit/fakeprovider"
	"github.com/aigne-hub/aigne-hub/shared/testkit/sdk"
)

// TestTheRealSDKsTakeAnAnswerThatMoneyEnded runs the public SDKs on a wallet that
// does not pay for the answer: each hands out what came and says that a limit was
// reached, and none complains.
func TestTheRealSDKsTakeAnAnswerThatMoneyEnded(t *testing.T) {
	t.Parallel()
	vercel := each([]string{"chat", "responses", "compatible", "anthropic", "google"}, "stream")
	for script, scenarios := range map[string][]string{
		sdk.OpenAI: {"stream", "cut_short"}, sdk.Anthropic: {"stream", "cut_short"}, sdk.Responses: {"cut_short"}, sdk.Gemini: {"stream"},
		sdk.Vercel: vercel, sdk.LangChain: {"stream"}, sdk.AIGNE: {"stream"},
	} {
		own := map[string]fakeprovider.Kind{sdk.Anthropic: fakeprovider.Anthropic, sdk.Gemini: fakeprovider.Gemini}[script]
		if own == "" {
			own = fakeprovider.OpenAI
		}
		for _, kind := range []fakeprovider.Kind{own, fakeprovider.Bedrock} { // in its own language, and translated
			model := openModels[kind]
			t.Run(script+" to "+string(kind), func(t *testing.T) {
				t.Parallel()
				for _, scenario := range scenarios {
					h := start(t, map[string]string{"AIGNE_HUB_BILLING": "on", "AIGNE_HUB_BILLING_SLICE": "256"})
					fake := h.provider(kind)
					h.rate(kinds[kind].kind, model, "0", "1")
					h.grant("0.0006")
					fake.Always(model, fakeprovider.Answer{Text: fakeprovider.Words(6000), Frames: 150})
					r := sdk.Run(t, script, sdk.Target{BaseURL: h.url, Key: h.key.Reveal(), Model: kinds[kind].kind + "/" + model}, scenario)[scenario]
					require.Nil(t, r.Error, scenario)
					assert.True(t, r.OK, scenario)
					assert.Greater(t, len(r.Text), 500, scenario)
					assert.True(t, strings.HasPrefix(fakeprovider.Words(600), r.Text), scenario)
					if script != sdk.AIGNE { // whose protocol has no word for it
						assert.Contains(t, []string{"length", "max_tokens", "max_output_tokens"}, r.Finish, scenario)
					}
					calls, err := h.app.Store.Calls(t.Context(), store.CallFilter{})
					require.NoError(t, err)
					ended := 0
					for _, c := range calls {
						if c.ChargePolicy == hub.MoneyEnded {
							ended++
						}
					}
					assert.Equal(t, 1, ended, scenario)
				}
			})
		}
	}
}
