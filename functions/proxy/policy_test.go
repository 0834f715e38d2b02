package proxy_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/testkit/fakeprovider"
)

func TestAnInsuredAnswerWithNothingInItIsFree(t *testing.T) {
	t.Parallel()
	tool := fakeprovider.Answer{ToolCalls: []fakeprovider.ToolCall{{Name: "look"}}}
	for name, tt := range map[string]struct {
		answer fakeprovider.Answer
		free   bool
	}{
		"nothing":          {fakeprovider.Answer{}, true},
		"thoughts only":    {fakeprovider.Answer{Reasoning: "Let me think about this for a while."}, true},
		"text":             {fakeprovider.Answer{Text: "Hi."}, false},
		"a call of a tool": {tool, false},
	} {
		for kind, model := range models {
			for _, s := range surfaces {
				for _, stream := range []bool{false, true} {
					if kind == fakeprovider.Bedrock && name == "thoughts only" {
						continue // thinks only when it is asked to
					}
					t.Run(fmt.Sprintf("%s of %s to %s stream=%t", name, kind, s.name, stream), func(t *testing.T) {
						t.Parallel()
						h := start(t, map[string]string{"AIGNE_HUB_BILLING": "on", "AIGNE_HUB_BILLING_EMPTY_ANSWER": "free"})
						fake := h.provider(kind)
						h.rate(kinds[kind].kind, model, "3", "15")
						h.grant("10")
						fake.Always(model, tt.answer)
						res, body := h.send(s.path, fmt.Sprintf(s.body, kinds[kind].kind+"/"+model, stream, "Say it."))
						require.Equal(t, http.StatusOK, res.StatusCode, body)
						c := h.lastCall()
						assert.Equal(t, hub.StatusSuccess, c.Status, c.Error)
						assert.NotZero(t, c.Usage.Prompt(), "what was used is on record")
						if tt.free {
							assert.Equal(t, hub.InsuredEmpty, c.ChargePolicy)
							assert.Zero(t, c.Credits)
						} else {
							assert.Empty(t, c.ChargePolicy)
							assert.NotZero(t, c.Credits)
						}
						assert.Equal(t, 10*money.Credit-c.Credits, h.account().Balance)
					})
				}
			}
		}
	}
}

func TestAStreamThatFailsIsChargedAsPolicySays(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		env   map[string]string
		label hub.ChargePolicy
		free  bool
	}{
		"delivered": {nil, hub.DeliveredOnFailure, false},
		"free":      {map[string]string{"AIGNE_HUB_BILLING_ON_UPSTREAM_FAILURE": "free"}, hub.FreeOnFailure, true},
		"insured":   {map[string]string{"AIGNE_HUB_BILLING_EMPTY_ANSWER": "free"}, hub.InsuredFailed, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := map[string]string{"AIGNE_HUB_BILLING": "on"}
			for k, v := range tt.env {
				env[k] = v
			}
			h := start(t, env)
			fake := h.provider(fakeprovider.OpenAI)
			h.rate("openai", "gpt-fake", "3", "15")
			h.grant("10")
			fake.Always("gpt-fake", fakeprovider.Answer{Text: fakeprovider.Words(500), Frames: 10, Break: fakeprovider.Cut})
			res, body := h.send("/v1/chat/completions", fmt.Sprintf(ask, "openai/gpt-fake", true))
			require.Equal(t, http.StatusOK, res.StatusCode, body)
			c := h.lastCall()
			assert.Equal(t, hub.StatusFailed, c.Status)
			assert.Equal(t, tt.label, c.ChargePolicy)
			assert.Equal(t, tt.free, c.Credits == 0)
			assert.NotZero(t, c.Usage[hub.Output])
		})
	}
}

// leaveInTheMiddle asks for a stream and leaves at the gate.
func (h *testHub) leaveInTheMiddle(gate *fakeprovider.Gate, body string) {
	h.t.Helper()
	ctx, leave := context.WithCancel(h.t.Context())
	res, err := h.post(ctx, "/v1/chat/completions", body)
	require.NoError(h.t, err)
	_, err = bufio.NewReader(res.Body).ReadString('\n')
	require.NoError(h.t, err)
	<-gate.Reached()
	leave()
	_, _ = io.Copy(io.Discard, res.Body) // it was torn
	_ = res.Body.Close()
	<-h.ended // the server has noticed
}

func TestAProviderIsReadOnOnlyForAsLongAsThereIsMoney(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		balance string
		label   hub.ChargePolicy
	}{"enough": {"0.01", hub.ReportedOnAbort}, "too little": {"0.0006", hub.DeliveredOnAbort}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := start(t, map[string]string{"AIGNE_HUB_BILLING": "on", "AIGNE_HUB_BILLING_SLICE": "256"})
			fake := h.provider(fakeprovider.OpenAI)
			h.rate("openai", "gpt-4o-mini", "0", "1")
			h.grant(tt.balance)
			gate := fakeprovider.NewGate()
			fake.Always("gpt-4o-mini", fakeprovider.Answer{Text: fakeprovider.Words(1000), Frames: 50, Middle: gate})
			h.leaveInTheMiddle(gate, fmt.Sprintf(ask, "openai/gpt-4o-mini", true))
			gate.Release()
			c := h.settledCall()
			assert.Equal(t, hub.StatusAborted, c.Status)
			assert.Equal(t, tt.label, c.ChargePolicy)
			assert.Equal(t, money.Credits(1000*c.Usage.Completion()), c.Credits)
			assert.Positive(t, c.Credits)
			assert.Zero(t, h.account().Held)
		})
	}
}

// lock keeps every other writer from the hub's database until release is called.
func (h *testHub) lock() (release func()) {
	h.t.Helper()
	other, err := store.Open(h.t.Context(), store.Options{URL: h.app.Config.Database})
	require.NoError(h.t, err)
	locked, free, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		done <- other.Tx(context.Background(), func(context.Context, *store.Tx) error {
			close(locked)
			<-free
			return nil
		})
	}()
	<-locked
	return func() {
		close(free)
		require.NoError(h.t, <-done)
		require.NoError(h.t, other.Close())
	}
}

func TestAStreamWaitsForADatabaseThatIsAwayAndNotForEver(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		away  time.Duration
		whole bool
	}{"for a moment": {3 * time.Second, true}, "for long": {11 * time.Second, false}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := start(t, map[string]string{"AIGNE_HUB_BILLING": "on", "AIGNE_HUB_BILLING_SLICE": "256"})
			fake := h.provider(fakeprovider.OpenAI)
			h.rate("openai", "gpt-4o-mini", "0", "1")
			h.grant("1")
			gate := fakeprovider.NewGate()
			fake.Always("gpt-4o-mini", fakeprovider.Answer{Text: fakeprovider.Words(1000), Frames: 50, Middle: gate})
			res, err := h.post(t.Context(), "/v1/chat/completions", fmt.Sprintf(ask, "openai/gpt-4o-mini", true))
			require.NoError(t, err)
			defer res.Body.Close()
			<-gate.Reached()
			release := h.lock()
			gate.Release()
			time.AfterFunc(tt.away, release)
			body, err := io.ReadAll(res.Body)
			require.NoError(t, err)
			c := h.lastCall()
			said := deltas(`"content":"`)(string(body))
			if tt.whole {
				assert.Equal(t, fakeprovider.Words(1000), said)
				assert.Equal(t, hub.StatusSuccess, c.Status)
				return
			}
			assert.Contains(t, string(body), ": ping\n\n")
			assert.NotContains(t, string(body), "[DONE]")
			assert.Contains(t, string(body), `"error":`)
			assert.True(t, strings.HasPrefix(fakeprovider.Words(1000), said))
			assert.Equal(t, hub.StatusFailed, c.Status)
			assert.Equal(t, hub.DeliveredOnFailure, c.ChargePolicy)
			assert.Equal(t, money.Credits(1000*c.Usage.Completion()), c.Credits)
			assert.Positive(t, c.Credits)
			status, _ := h.send("/v1/chat/completions", fmt.Sprintf(ask, "openai/gpt-4o-mini", false))
			assert.Equal(t, http.StatusOK, status.StatusCode, "the provider is not to blame")
		})
	}
}
