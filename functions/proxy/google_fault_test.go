package proxy_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/testkit/fakeprovider"
)

func TestGoogleStreamsThatBreakEndAsErrorsAndAreChargedAsDelivered(t *testing.T) {
	t.Parallel()
	for kind, model := range models {
		for _, way := range []string{"events", "array"} {
			for name, how := range map[string]fakeprovider.Break{"cut": fakeprovider.Cut, "no finish": fakeprovider.NoFinish, "error frame": fakeprovider.ErrorFrame} {
				t.Run(fmt.Sprintf("%s from %s as %s", name, kind, way), func(t *testing.T) {
					t.Parallel()
					h := start(t, map[string]string{"AIGNE_HUB_BILLING": "on"})
					fake := h.provider(kind)
					h.rate(kinds[kind].kind, model, "3", "15")
					h.grant("10")
					fake.Always(model, fakeprovider.Answer{Text: strings.Repeat("word ", 100), Frames: 10, Break: how})
					res, body := h.send(fmt.Sprintf(googlePaths[way], kinds[kind].kind+"/"+model), hello("Say it."))
					require.Equal(t, 200, res.StatusCode, body)
					all := googleAnswers(t, body)
					require.NotNil(t, all[len(all)-1].Error, body)
					_, finish := googleText(all)
					assert.Empty(t, finish, "no client may take it for whole")
					c := h.lastCall()
					assert.Equal(t, hub.StatusFailed, c.Status)
					assert.NotZero(t, c.Usage[hub.Output], "what was delivered is counted")
					assert.Equal(t, money.Credits(3000*c.Usage[hub.Input]+15000*c.Usage[hub.Output]), c.Credits)
				})
			}
		}
	}
}

func TestAGoogleCallersWalletLowersTheLimit(t *testing.T) {
	t.Parallel()
	for kind, field := range map[fakeprovider.Kind]string{fakeprovider.Gemini: "max_output_tokens", fakeprovider.OpenAI: "max_completion_tokens", fakeprovider.Anthropic: "max_tokens"} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			h := start(t, map[string]string{"AIGNE_HUB_BILLING": "on"})
			fake, model := h.provider(kind), models[kind]
			h.rate(kinds[kind].kind, model, "0", "10", func(n *operator.NewRate) { n.MaxOutput = 100_000 })
			h.grant("0.009") // 900 tokens
			fake.Always(model, fakeprovider.Answer{Text: fakeprovider.Words(40_000)})
			body := `{"contents":[{"parts":[{"text":"hi"}]}],"generation_config":{"max_output_tokens":5000}}`
			res, text := h.send("/v1beta/models/"+kinds[kind].kind+"/"+model+":generateContent", body)
			require.Equal(t, 200, res.StatusCode, text)
			assert.Equal(t, "900", res.Header.Get("x-aigne-hub-output-limit"))
			sent := fake.Last().JSON
			if inner, ok := sent["generation_config"].(map[string]any); ok {
				sent = inner
			}
			assert.EqualValues(t, 900, sent[field])
			_, finish := googleText(googleAnswers(t, text))
			assert.Equal(t, "MAX_TOKENS", finish)
			assert.Zero(t, h.account().Balance)
		})
	}
}

func TestWhatGoogleRefusesOfAPromptIsToldAsGoogleDoes(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	for kind, model := range models {
		fake := h.provider(kind)
		fake.Always(model, fakeprovider.Answer{Refusal: "I cannot help with that."})
		for way, path := range googlePaths {
			res, body := h.send(fmt.Sprintf(path, kinds[kind].kind+"/"+model), hello("Bad things"))
			require.Equal(t, http.StatusOK, res.StatusCode, body)
			all := googleAnswers(t, body)
			last := all[len(all)-1]
			_, finish := googleText(all)
			assert.True(t, finish == "SAFETY" || last.PromptFeedback != nil && last.PromptFeedback.BlockReason == "SAFETY", "%s %s: %s", kind, way, body)
		}
	}
}
