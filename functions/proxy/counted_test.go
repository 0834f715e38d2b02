package proxy_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/testkit/fakeprovider"
)

func TestAPromptIsCountedBeforeItIsRefused(t *testing.T) {
	t.Parallel()
	prompt := fakeprovider.Words(8000) // some 2,000 tokens
	const body = `{"model":"openai/%s","max_tokens":500,"messages":[{"role":"user","content":%q}]}`
	for name, tt := range map[string]struct {
		model, balance string
		status         int
		lowered        bool
	}{
		"bytes of the prompt fit":        {"gpt-4o-mini", "0.009", http.StatusOK, false},
		"its tokens fit":                 {"gpt-4o-mini", "0.0025", http.StatusOK, false},
		"its tokens and less output":     {"gpt-4o-mini", "0.0021", http.StatusOK, true},
		"its tokens do not fit":          {"gpt-4o-mini", "0.0015", http.StatusPaymentRequired, false},
		"nobody knows how it is counted": {"gpt-fake", "0.0025", http.StatusPaymentRequired, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := start(t, map[string]string{"AIGNE_HUB_BILLING": "on"})
			fake := h.provider(fakeprovider.OpenAI)
			h.rate("openai", tt.model, "1", "1")
			h.grant(tt.balance)
			fake.Always(tt.model, fakeprovider.Answer{Text: "Hello."})
			res, text := h.send("/v1/chat/completions", fmt.Sprintf(body, tt.model, prompt))
			require.Equal(t, tt.status, res.StatusCode, text)
			assert.Equal(t, tt.lowered, res.Header.Get("x-aigne-hub-output-limit") != "")
			assert.Zero(t, h.account().Held)
		})
	}
}

func TestWhatIsEmbeddedIsCountedBeforeItIsRefused(t *testing.T) {
	t.Parallel()
	text := fakeprovider.Words(8000) // some 2,000 tokens
	for name, tt := range map[string]struct {
		balance string
		status  int
	}{"tokens fit": {"0.0021", http.StatusOK}, "tokens do not fit": {"0.0015", http.StatusPaymentRequired}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := start(t, map[string]string{"AIGNE_HUB_BILLING": "on"})
			fake := h.provider(fakeprovider.OpenAI)
			fake.Always("text-embedding-3-small", fakeprovider.Answer{})
			h.rate("openai", "text-embedding-3-small", "1", "0", func(n *operator.NewRate) { n.Type = hub.TypeEmbedding })
			h.grant(tt.balance)
			res, body := h.send("/v1/embeddings", fmt.Sprintf(`{"model":"openai/text-embedding-3-small","input":%q}`, text))
			assert.Equal(t, tt.status, res.StatusCode, body)
			assert.Zero(t, h.account().Held)
		})
	}
}
