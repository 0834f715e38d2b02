package movein

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/provider"
)

func TestModelsOfLiteLLMLeadToProvidersAndTheirNames(t *testing.T) {
	t.Parallel()
	env := map[string]string{"OPENAI_API_KEY": "sk-from-the-environment", "OPENAI_BASE": "https://api.openai.com/v1/", "AWS_REGION": "eu-central-1"}
	for params, want := range map[string][3]string{ // kind, base URL or region, model
		`{model: gpt-4o}`: {provider.OpenAI, "", "gpt-4o"},
		`{model: openai/gpt-4o, api_base: os.environ/OPENAI_BASE}`:         {provider.OpenAI, "", "gpt-4o"},
		`{model: openai/x, api_base: "http://10.0.0.1:4000"}`:              {provider.OpenAICompatible, "http://10.0.0.1:4000", "x"},
		`{model: x, custom_llm_provider: deepseek}`:                        {provider.DeepSeek, "", "x"},
		`{model: a/b, custom_llm_provider: openrouter}`:                    {provider.OpenRouter, "", "a/b"},
		`{model: openrouter/a/b}`:                                          {provider.OpenRouter, "", "a/b"},
		`{model: ollama_chat/llama3, api_base: "http://127.0.0.1:11434"}`:  {provider.Ollama, "http://127.0.0.1:11434/v1", "llama3"},
		`{model: bedrock/us-west-2/anthropic.claude-v2, api_key: ABSKx}`:   {provider.Bedrock, "us-west-2", "anthropic.claude-v2"},
		`{model: bedrock/anthropic.claude-v2}`:                             {provider.Bedrock, "eu-central-1", "anthropic.claude-v2"},
		`{model: vertex_ai/gemini-2.5-pro, vertex_location: europe-west4}`: {provider.Vertex, "europe-west4", "gemini-2.5-pro"},
		`{model: groq/llama-3.3-70b}`:                                      {provider.OpenAICompatible, "https://api.groq.com/openai/v1", "llama-3.3-70b"},
		`{model: replicate/x}`:                                             {},
		`{model: unheard-of}`:                                              {},
		`{model: azure/x}`:                                                 {},
		`{api_key: x}`:                                                     {},
	} {
		s, err := ReadLiteLLM([]byte("model_list:\n  - {model_name: n, litellm_params: "+params+"}"), LiteLLMOptions{Env: func(name string) (string, bool) {
			v, ok := env[name]
			return v, ok
		}})
		require.NoError(t, err, params)
		if want[0] == "" {
			assert.Empty(t, s.Providers, params)
			assert.NotEmpty(t, s.Left, params)
			continue
		}
		require.Len(t, s.Providers, 1, "%s: %v", params, s.Left)
		p := s.Providers[0]
		assert.Equal(t, want[0], p.Kind, params)
		assert.Equal(t, want[1], p.BaseURL+p.Region, params)
		if want[1] == "us-west-2" {
			assert.Equal(t, hub.Secret("ABSKx"), p.Credentials[0].Value, "an API key of Bedrock")
		}
		require.Len(t, s.Aliases, 1, params)
		assert.Equal(t, p.Name+"/"+want[2], s.Aliases[0].Rules[0].Steps[0].Targets[0].Model, params)
	}
}

func TestADeploymentWithoutAKeyTakesTheVendorsVariable(t *testing.T) {
	t.Parallel()
	read := func(params string) *Source {
		s, err := ReadLiteLLM([]byte("environment_variables: {OTHER: sk-in-the-file}\nmodel_list:\n  - {model_name: n, litellm_params: "+params+"}"),
			LiteLLMOptions{Env: func(name string) (string, bool) { return map[string]string{"OPENAI_API_KEY": "sk-env"}[name], true }})
		require.NoError(t, err)
		return s
	}
	assert.Equal(t, hub.Secret("sk-env"), read(`{model: gpt-4o}`).Providers[0].Credentials[0].Value)
	assert.Equal(t, hub.Secret("sk-in-the-file"), read(`{model: gpt-4o, api_key: os.environ/OTHER}`).Providers[0].Credentials[0].Value)
	missing := read(`{model: anthropic/x}`)
	assert.Empty(t, missing.Providers[0].Credentials)
	assert.Contains(t, missing.Left[0].Reason, "ANTHROPIC_API_KEY")
}

func TestAModelWhoseNameIsItsProvidersNeedsNoAlias(t *testing.T) {
	t.Parallel()
	s, err := ReadLiteLLM([]byte("model_list:\n  - {model_name: openai/gpt-4o, litellm_params: {model: openai/gpt-4o, api_key: sk-1}}"), LiteLLMOptions{Env: func(string) (string, bool) { return "", false }})
	require.NoError(t, err)
	assert.Empty(t, s.Aliases)
	assert.Empty(t, s.Left)
}
