package provider_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/dialect/anthropic"
	"github.com/aigne-hub/aigne-hub/shared/dialect/dialecttest"
	"github.com/aigne-hub/aigne-hub/shared/dialect/openai"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/provider"
)

func quirksOf(id string) dialect.Quirks {
	k, _ := provider.Find(id)
	return k.Quirks
}

// The answers below testdata were written after the vendors' documents: each has
// thinking (where it is offered), text, a call and usage, where that vendor puts
// them.
func TestVendorsAnswersAreUnderstood(t *testing.T) {
	t.Parallel()
	dialecttest.RunDir(t, openai.Client{}, "openai-chat", "testdata", quirksOf)
	dialecttest.RunDir(t, anthropic.Client{}, "anthropic", "testdata", quirksOf)
}

func TestEveryVendorHasAnAnswer(t *testing.T) {
	t.Parallel()
	have := map[string]bool{}
	for _, g := range dialecttest.Load(t, "testdata").Groups {
		have[g.Provider] = true
	}
	// Those have recordings, or no departure from the language.
	for _, id := range []string{
		provider.OpenAI, provider.Anthropic, provider.Google, provider.DeepSeek, provider.XAI, provider.Doubao, provider.Ideogram,
		provider.OpenAICompatible, provider.Azure, provider.Bedrock, provider.Vertex, provider.OpenRouter, provider.Poe, provider.Ollama,
	} {
		have[id] = true
	}
	for _, k := range provider.All() {
		assert.True(t, have[k.ID], "no answer of %s stands below testdata", k.ID)
	}
}

func TestVendorsErrorsAreUnderstood(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		kind    string
		status  int
		body    string
		class   hub.Class
		message string
	}{
		{provider.Mistral, 422, `{"object":"error","message":{"detail":[{"type":"extra_forbidden","loc":["body","seed"],"msg":"Extra inputs are not permitted","input":7}]},"type":"invalid_request_error","param":null,"code":null}`,
			hub.ClassRequest, "Extra inputs are not permitted"},
		{provider.Mistral, 401, `{"detail":"Unauthorized"}`, hub.ClassCredential, ""},
		{provider.Groq, 400, `{"error":{"message":"property 'logprobs' is unsupported","type":"invalid_request_error"}}`, hub.ClassRequest, "'logprobs' is unsupported"},
		{provider.Groq, 429, `{"error":{"message":"Rate limit reached for model","type":"tokens","code":"rate_limit_exceeded"}}`, hub.ClassRateLimit, "Rate limit reached"},
		{provider.Together, 404, `{"id":"x","error":{"message":"Unable to access model m","type":"invalid_request_error","param":null,"code":"model_not_available"}}`, hub.ClassRequest, "Unable to access model"},
		{provider.Fireworks, 400, `{"error":{"object":"error","type":"invalid_request_error","code":"invalid_request_error","message":"max_tokens must be positive"}}`, hub.ClassRequest, "must be positive"},
		{provider.Cohere, 400, `{"id":"x","message":"invalid request: all elements in stop_sequences must be strings"}`, hub.ClassRequest, "invalid request"},
		{provider.Perplexity, 400, `{"error":{"message":"Invalid model 'x'","type":"invalid_model","code":400}}`, hub.ClassRequest, "Invalid model"},
		{provider.Cerebras, 400, `{"message":"Frequency penalty is not supported","type":"invalid_request_error","param":"frequency_penalty","code":"wrong_api_format"}`, hub.ClassRequest, "not supported"},
		{provider.Moonshot, 400, `{"error":{"message":"tool_choice required is not supported","type":"invalid_request_error"}}`, hub.ClassRequest, "not supported"},
		{provider.Zhipu, 400, `{"error":{"code":"1214","message":"The tool_choice parameter is invalid"}}`, hub.ClassRequest, "tool_choice parameter"},
		{provider.Qwen, 400, `{"error":{"message":"parameter.enable_thinking must be set to false for non-streaming calls","type":"invalid_request_error","param":null,"code":"invalid_parameter_error"},"request_id":"x"}`,
			hub.ClassRequest, "enable_thinking"},
		{provider.SiliconFlow, 400, `{"code":20012,"message":"Model does not exist. Please check it carefully.","data":null}`, hub.ClassRequest, "Model does not exist"},
		{provider.NVIDIA, 404, `{"status":404,"title":"Not Found","detail":"Function not found for account"}`, hub.ClassRequest, ""},
		{provider.HuggingFace, 400, `{"error":"The requested model 'x' is not supported by any provider you have enabled."}`, hub.ClassRequest, "not supported by any provider"},
		{provider.VLLM, 400, `{"error":{"message":"max_tokens is too large","type":"BadRequestError","param":"max_tokens","code":400}}`, hub.ClassRequest, "too large"},
		{provider.LMStudio, 400, `{"error":"No models loaded. Please load a model in the developer page."}`, hub.ClassRequest, "No models loaded"},
		{provider.LlamaCPP, 503, `{"error":{"code":503,"message":"Loading model","type":"unavailable_error"}}`, hub.ClassRetry, "Loading model"},
		{provider.LlamaCPP, 401, `{"error":{"code":401,"message":"Invalid API Key","type":"authentication_error"}}`, hub.ClassCredential, ""},
	} {
		t.Run(tt.kind, func(t *testing.T) {
			t.Parallel()
			err := openai.Client{}.Fault(tt.status, http.Header{}, []byte(tt.body))
			require.NotNil(t, err)
			assert.Equal(t, tt.class, err.Class)
			assert.NotEmpty(t, err.Message)
			assert.Contains(t, err.Error(), tt.message)
		})
	}
	err := anthropic.Client{}.Fault(400, http.Header{}, []byte(`{"type":"error","error":{"type":"invalid_request_error","message":"invalid params, unknown model"},"request_id":"x"}`))
	require.NotNil(t, err)
	assert.Equal(t, hub.ClassRequest, err.Class)
}
