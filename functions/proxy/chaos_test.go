package proxy_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/health"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/testkit/fakeprovider"
)

// TestManyClientsNoticeNothingWhileOneTargetIsWell: a provider that goes through
// all sorts of trouble in front of a healthy one.
func TestManyClientsNoticeNothingWhileOneTargetIsWell(t *testing.T) {
	t.Parallel()
	h := start(t, map[string]string{"AIGNE_HUB_TIMEOUT_FIRST_BYTE": "1s", "AIGNE_HUB_COOLDOWN": "50ms"})
	sick := h.provider(fakeprovider.OpenAI)
	well := fakeprovider.Start(t, fakeprovider.OpenAI, fakeprovider.Options{})
	h.add("openai", "spare", well.URL+"/v1", fakeprovider.DefaultKey)
	h.rate("openai", "gpt-fake", "3", "15")
	h.rate("spare", "gpt-fake", "3", "15")
	var script []fakeprovider.Answer
	for range 12 {
		script = append(script, fakeprovider.Answer{Status: 500}, fakeprovider.Answer{Break: fakeprovider.Refuse}, fakeprovider.Answer{Status: 503},
			fakeprovider.Answer{Status: 429}, fakeprovider.Answer{Status: 500}, fakeprovider.Answer{})
	}
	sick.Script("gpt-fake", script...)
	const clients, each = 64, 6
	var wait sync.WaitGroup
	var mu sync.Mutex
	bad := map[string]int{}
	for i := range clients {
		wait.Go(func() {
			for range each {
				status, text := h.insist("/v1/chat/completions", fmt.Sprintf(ask, "gpt-fake", i%2 == 0))
				if status != 200 {
					mu.Lock()
					bad[fmt.Sprint(status, " ", text)]++
					mu.Unlock()
				}
			}
		})
	}
	wait.Wait()
	assert.Empty(t, bad)
	calls, err := h.app.Store.Calls(t.Context(), store.CallFilter{Limit: 500})
	require.NoError(t, err)
	assert.GreaterOrEqual(t, len(calls), clients*each)
	sick.Script("gpt-fake")
	assert.NotZero(t, len(sick.Requests()))
	state := h.app.Health.State(health.Target{Provider: "spare", Model: "gpt-fake", Type: hub.TypeChat})
	assert.True(t, state.Available)
	assert.InDelta(t, 1, state.Success, 0.001)
	assert.Less(t, h.app.Health.State(health.Target{Provider: "openai", Model: "gpt-fake", Type: hub.TypeChat}).Success, 1.0)
}
