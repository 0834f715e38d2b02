package proxy_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/provider"
)

// TestAgentsReachEveryProviderThatCanDoTools sends the first request of Claude
// Code and of Codex to a strict fake of every vendor.
func TestAgentsReachEveryProviderThatCanDoTools(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	for _, k := range provider.All() {
		if !k.Offers(provider.Chat) || !k.Offers(provider.Tools) {
			continue
		}
		v := startVendor(t, k)
		if k.Auth == provider.GoogleAccount {
			v.front(t)
		}
		h.add(k.ID, k.ID, v.base, v.key)
		t.Run(k.ID, func(t *testing.T) {
			send := func(path string, request object, header []string) string {
				body, err := json.Marshal(request)
				require.NoError(t, err)
				res, text := h.send(path, string(body), header...)
				require.Equal(t, 200, res.StatusCode, text)
				return text
			}
			const said = "Hello from "
			assert.Contains(t, readClaude(t, send("/v1/messages?beta=true", claudeCode(k.ID+"/"+v.model), claudeHeaders)).text(), said)
			request := codex(k.ID + "/" + v.model)
			request["parallel_tool_calls"] = false
			assert.Contains(t, readCodex(t, send("/v1/responses", request, codexHeaders)).text, said)
		})
	}
}
