package proxy_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/testkit/fakeprovider"
	"github.com/aigne-hub/aigne-hub/shared/testkit/sdk"
)

// scripts are the SDKs and what of them this hub serves so far.
var scripts = map[string][]string{
	sdk.OpenAI: {"whole", "stream", "stream_without_usage", "tool", "parallel_tools", "run_tools", "stream_helper", "structured", "image",
		"length", "unknown_model", "unknown_model_stream", "wrong_key", "abort", "models"},
	sdk.Anthropic: {"whole", "stream", "tool", "parallel_tools", "stream_helper", "structured", "image", "thinking",
		"length", "unknown_model", "unknown_model_stream", "wrong_key", "abort", "models", "count_tokens"},
	sdk.Gemini: {"whole", "stream", "chat", "tool", "parallel_tools", "forced_tool", "stream_helper", "structured", "structured_json_schema", "image",
		"thinking", "length", "unknown_model", "unknown_model_stream", "wrong_key", "abort", "models", "model", "count_tokens"},
	sdk.Vercel: each([]string{"chat", "responses", "compatible", "anthropic", "google"}, "whole", "stream", "tool", "parallel_tools", "stream_tools", "structured",
		"image", "conversation", "thinking", "thinking_tool", "stream_thinking", "length", "unknown_model", "unknown_model_stream", "wrong_key", "abort"),
	sdk.LangChain: {"whole", "stream", "stream_tools", "tool", "parallel_tools", "structured", "structured_by_tool", "image", "length",
		"unknown_model", "unknown_model_stream", "wrong_key", "abort"},
	sdk.AIGNE: {"discovery", "whole", "stream", "tool", "parallel_tools", "structured", "image", "models",
		"unknown_model", "unknown_model_stream", "wrong_key", "abort"},
}

// each names scenarios of several providers of the AI SDK.
func each(providers []string, scenarios ...string) []string {
	var all []string
	for _, p := range providers {
		for _, s := range scenarios {
			all = append(all, p+"/"+s)
		}
	}
	return all
}

// TestTheRealSDKsAgainstEveryProvider runs the public SDKs, tools, pictures and
// structured answers included, and compares the books with what the providers
// reported.
func TestTheRealSDKsAgainstEveryProvider(t *testing.T) {
	t.Parallel()
	for script, scenarios := range scripts {
		for kind, model := range models {
			t.Run(script+" to "+string(kind), func(t *testing.T) {
				t.Parallel()
				h := start(t, map[string]string{"AIGNE_HUB_BILLING": "on", "AIGNE_HUB_BILLING_ON_ABORT": "delivered"})
				fake := h.provider(kind)
				name := kinds[kind].kind + "/" + model
				h.rate(kinds[kind].kind, model, "3", "15")
				h.grant("1000")
				results := sdk.Run(t, script, sdk.Target{BaseURL: h.url, Key: h.key.Reveal(), Model: name, UnknownModel: kinds[kind].kind + "x/none"}, scenarios...)
				assert.Len(t, results, len(scenarios))
				sdk.VerifyGreetings(t, results, model)
				switch script {
				case sdk.Gemini:
					sdk.VerifyGoogleErrors(t, results, 401)
				case sdk.AIGNE:
				default:
					sdk.VerifyErrors(t, script, results)
				}
				if kind == fakeprovider.Gemini && script == sdk.Vercel {
					requireSignatures(t, fake)
				}
				h.settledCall()
				requireBooksMatch(t, h, fake)
			})
		}
	}
}

// requireBooksMatch compares every recorded call with the provider's own report,
// to the last nano-credit.
func requireBooksMatch(t *testing.T, h *testHub, fake *fakeprovider.Provider) {
	t.Helper()
	require.Eventually(t, func() bool { return fake.InFlight() == 0 }, 5*time.Second, time.Millisecond)
	calls, err := h.app.Store.Calls(t.Context(), store.CallFilter{Limit: 1000})
	require.NoError(t, err)
	var used hub.Usage
	var charged money.Credits
	for _, c := range calls {
		if c.Source != hub.UsageReported {
			continue
		}
		for b := range used {
			used[b] += c.Usage[b]
		}
		assert.Equal(t, money.Credits(3000*c.Usage.Prompt()+15000*c.Usage.Completion()), c.Credits, c.ID)
	}
	for _, c := range calls {
		charged += c.Credits
	}
	var reported hub.Usage
	for _, r := range fake.Requests() {
		if r.Known && r.Done && r.Status == 200 && !r.Left {
			for b := range reported {
				reported[b] += r.Usage[b]
			}
		}
	}
	assert.Equal(t, reported, used)
	assert.Equal(t, 1000*money.Credit-charged, h.account().Balance)
}

// requireSignatures checks that the AI SDK's next turns, streamed and not, bring
// back what Gemini signed its calls with. Of the five ways to ask only chat
// completions of @ai-sdk/openai have no place for the signature of a call.
func requireSignatures(t *testing.T, fake *fakeprovider.Provider) {
	t.Helper()
	answered, signed := 0, 0
	for _, r := range fake.Requests() {
		if strings.Contains(string(r.Body), `"functionResponse"`) {
			answered++
			if strings.Contains(string(r.Body), `"thoughtSignature"`) {
				signed++
			}
		}
	}
	assert.Positive(t, answered)
	assert.Equal(t, answered*4/5, signed)
}
