package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/paymentkit"
	"github.com/aigne-hub/aigne-hub/shared/testkit/fakepaymentkit"
)

// The whole way on a Blocklet Server: an empty wallet is refused with a link, what is
// bought counts at the next call, and the call is billed there though the hub is
// killed right after it.
func TestACallIsBoughtMadeAndBilledAtPaymentKit(t *testing.T) {
	t.Parallel()
	kit := fakepaymentkit.New(t)
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, ".config"), 0o700))
	_, port, _ := strings.Cut(strings.TrimPrefix(kit.URL, "http://"), ":")
	require.NoError(t, os.WriteFile(filepath.Join(dir, ".config", "config.json"),
		[]byte(`{"components":[{"did":"`+paymentkit.ComponentDID+`","mountPoint":"/payment","status":6,"port":`+port+`}]}`), 0o600))
	h := newHub(t, "AIGNE_HUB_BILLING=on", "BLOCKLET_APP_ASK="+fakepaymentkit.AppKey, "BLOCKLET_COMPONENT_DID=zHub", "BLOCKLET_APP_PID=zApp",
		"BLOCKLET_APP_URL=https://app.example", "BLOCKLET_APP_DATA_DIR="+dir)
	_, key := h.withProvider()
	h.ok("rate", "set", "--provider", "openai", "--model", "gpt-fake", "--input", "10", "--output", "20")
	const did = "z1UX2Y2cdTR85knvpkemSTPizXfimNyM88S"
	h.ok("user", "set-did", "member@example.com", "--did", did)
	kit.Give(did, "promotional", 1, 0) // far too little
	s := h.serve()
	bought := false
	require.Eventually(t, func() bool {
		status, _, answer, err := s.call(t.Context(), key, hello)
		require.NoError(t, err)
		if status == http.StatusOK {
			return true
		}
		require.Equal(t, http.StatusPaymentRequired, status, answer)
		if !bought && strings.Contains(answer, "https://app.example/payment/checkout/pay/") { // the link is made by the first job
			assert.Contains(t, answer, "__did-connect__=")
			kit.Give(did, "paid", 10*money.Credit, 0)
			bought = true
		}
		return false
	}, 4*time.Minute, 500*time.Millisecond)
	require.True(t, bought)
	s.kill()
	calls := decode[[]callView](h, "calls", "list")
	var charged money.Credits
	for _, c := range calls {
		charged += c.Credits
	}
	require.Positive(t, int64(charged))
	again := h.serve()
	require.Eventually(t, func() bool { return kit.Reported(did) == charged }, 4*time.Minute, 200*time.Millisecond)
	again.kill()
	assert.Equal(t, charged, kit.Reported(did))
	v := decode[outboxView](h, "outbox", "status")
	assert.Zero(t, v.Calls+v.Pending+v.Dead)
	kit.Lock()
	defer kit.Unlock()
	assert.Empty(t, kit.Bad)
}
