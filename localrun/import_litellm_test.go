package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/routing"
)

func TestALiteLLMConfigurationBecomesProvidersRatesAndAliases(t *testing.T) {
	t.Parallel()
	h := newHub(t, "AZURE_KEY=azure-key-00001", "OTHER_OPENAI=sk-other-openai-02", "AWS_ID=AKIAIOSFODNN7EXAMPLE", "AWS_SECRET=secretsecretsecret")
	file := h.file(manifestOf(t, "movein/litellm.yaml"))
	dry := decode[movedView](h, "import", "litellm", file, "--dry-run")
	assert.Empty(t, decode[[]providerView](h, "provider", "list"))
	text := h.ok("import", "litellm", file)
	assert.NotContains(t, text, "sk-")
	again := decode[movedView](h, "import", "litellm", file)
	assert.Zero(t, again.Created+again.Kept, "%v", again.Steps)
	assert.Equal(t, []string{
		"create provider azure", "create credential azure/default", "create provider openai", "create credential openai/default",
		"create provider openai-2", "create credential openai-2/default", "create provider anthropic", "create provider openai-3", "create credential openai-3/default",
		"create provider bedrock", "create credential bedrock/default", "create provider groq", "create credential groq/default",
		"create rate openai/gpt-4o chatCompletion", "create rate openai-3/llama-3 chatCompletion", "create rate openai/text-embedding-3-small embedding",
		"create alias gpt-4o", "create alias claude", "create alias local", "create alias bedrock-claude", "create alias embed", "create alias gpt-4", "create alias hidden",
	}, acts(dry))
	assert.Len(t, leftBehind(dry, "credential"), 1, "the variable of claude is not set")
	assert.Equal(t, []string{"odd → replicate/meta/llama"}, leftBehind(dry, "model"))
	assert.Equal(t, []string{"router_settings.routing_strategy", "litellm_settings.drop_params", "general_settings.database_url", "general_settings.master_key", "guardrails"}, leftBehind(dry, "setting"))

	assert.Equal(t, []string{"claude → anthropic/claude-sonnet-4-5"}, leftBehind(dry, "parameters"))

	kinds := map[string]string{}
	for _, p := range decode[[]providerView](h, "provider", "list") {
		kinds[p.Name] = p.Kind + " " + p.BaseURL + " " + p.Region
	}
	assert.Equal(t, "azure https://eu.openai.azure.com/openai/v1 ", kinds["azure"])
	assert.Equal(t, "openai-compatible http://127.0.0.1:8000/v1 ", kinds["openai-3"])
	assert.Contains(t, kinds["bedrock"], "us-east-1")
	for _, r := range decode[[]rateView](h, "rate", "list") {
		switch r.Model {
		case "gpt-4o":
			assert.Equal(t, map[string]string{"input": "2.5", "output": "10", "cache_read": "1.25"}, r.Prices.Base)
			assert.Equal(t, r.Prices.Base, r.Cost.Base, "LiteLLM counts what it costs the operator")
		case "llama-3":
			assert.Equal(t, "0", r.Prices.Base["input"], "0 is a price")
		case "text-embedding-3-small":
			assert.Equal(t, map[string]string{"input": "0.02"}, r.Prices.Base)
		}
	}
	aliases := map[string][]routing.Rule{}
	for _, a := range decode[[]aliasView](h, "alias", "list") {
		aliases[a.Name] = a.Rules
	}
	both := []routing.Weighted{{Model: "azure/gpt-4o-eu", Weight: 600}, {Model: "openai/gpt-4o", Weight: 200}}
	mini := []routing.Weighted{{Model: "openai-2/gpt-4o-mini"}}
	require.Len(t, aliases["gpt-4o"], 1)
	assert.Equal(t, []routing.Step{{Targets: both}, {Targets: mini}}, aliases["gpt-4o"][0].Steps)
	assert.Equal(t, aliases["gpt-4o"], aliases["gpt-4"])
	assert.Equal(t, []routing.Step{{Targets: []routing.Weighted{{Model: "anthropic/claude-sonnet-4-5"}}}, {Targets: both}, {Targets: mini}}, aliases["claude"][0].Steps, "its fallback")
	assert.Equal(t, "bedrock/us.anthropic.claude-sonnet-4-5-v1:0", aliases["bedrock-claude"][0].Steps[0].Targets[0].Model)

	for _, bad := range []string{"", "a: [", "model_list: []", "- x"} {
		o := h.run("", "import", "litellm", h.file(bad))
		assert.Equal(t, 2, o.code, "%q: %s", bad, o.stderr)
	}
}
