package provider

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/task"
)

func ids(kinds []Kind) []string {
	var out []string
	for _, k := range kinds {
		out = append(out, k.ID)
	}
	return out
}

func find(t *testing.T, id string) Kind {
	t.Helper()
	k, ok := Find(id)
	require.True(t, ok, id)
	return k
}

func TestRegistryHoldsEveryKindByRank(t *testing.T) {
	t.Parallel()
	assert.Equal(t, []string{
		"anthropic", "cohere", "deepseek", "doubao", "google", "ideogram", "minimax", "mistral", "moonshot", "openai",
		"openai-compatible", "perplexity", "qwen", "xai", "zhipu",
		"azure", "bedrock", "vertex",
		"aigne-hub", "cerebras", "fireworks", "groq", "huggingface", "nvidia", "openrouter", "poe", "siliconflow", "together",
		"llamacpp", "lmstudio", "ollama", "vllm",
	}, ids(All()))
}

func TestEveryKindIsCompleteAndConsistent(t *testing.T) {
	t.Parallel()
	env := map[string]string{}
	for _, k := range All() {
		t.Run(k.ID, func(t *testing.T) {
			assert.NotEmpty(t, k.Title)
			assert.NotEmpty(t, k.EnvKeys)
			assert.NotEmpty(t, k.EnvBaseURL)
			assert.Contains(t, []Auth{Bearer, XAPIKey, XGoogAPIKey, APIKeyHeader, SigV4, GoogleAccount}, k.Auth)
			for _, name := range append([]string{k.EnvBaseURL}, k.EnvKeys...) {
				assert.Empty(t, env[name], "%s belongs to two kinds", name)
				env[name] = k.ID
			}
			for work, language := range k.Tasks {
				assert.Contains(t, task.Kinds(), work)
				assert.NotEmpty(t, language)
			}
			for _, p := range k.ModelPrefixes {
				assert.Contains(t, k.BarePatterns, p.Pattern)
			}
			docs, err := url.Parse(k.PublicDocs)
			require.NoError(t, err)
			assert.Equal(t, "https", docs.Scheme)
			for _, language := range k.Dialects {
				_, ok := k.BaseFor(language, k.BaseURL)
				assert.True(t, ok || k.BaseURL == "", "%s cannot be reached from the default", language)
			}
			if k.BaseURL != "" {
				assert.NotEmpty(t, k.TestModel)
				base, err := NormaliseBaseURL(k, k.BaseURL)
				require.NoError(t, err)
				assert.Equal(t, k.BaseURL, base, "the default is in its normal form")
			}
		})
	}
}

func TestFindIgnoresCaseAndAnswersUnknownIDs(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "OpenAI", find(t, "OpenAI").Title)
	_, ok := Find("opensesame")
	assert.False(t, ok)
	_, ok = Find("")
	assert.False(t, ok)
}

func TestKindsSayWhatIsReady(t *testing.T) {
	t.Parallel()
	for _, k := range All() {
		want := k.ID != Ideogram
		assert.Equal(t, want, k.Can(hub.TypeChat), k.ID)
	}
	assert.True(t, find(t, OpenRouter).Speaks(dialect.Anthropic, "m"))
	assert.True(t, find(t, Google).Speaks(dialect.Gemini, "m"))
	assert.False(t, find(t, OpenAI).Speaks(dialect.Anthropic, "m"))
	assert.Equal(t, []dialect.Name{dialect.Gemini}, find(t, Vertex).Languages("gemini-2.5-pro"))
	assert.Equal(t, []dialect.Name{dialect.Anthropic}, find(t, Vertex).Languages("claude-sonnet-4-5@20250929"))
}

func TestCallersCannotChangeTheRegistry(t *testing.T) {
	t.Parallel()
	for _, k := range All() {
		for i := range k.BarePatterns {
			k.BarePatterns[i] = "changed"
		}
		if k.PathFixes != nil {
			k.PathFixes[""] = "/changed"
		}
		k.EnvKeys[0] = "changed"
	}
	assert.Equal(t, []string{"OPENAI_API_KEY"}, find(t, OpenAI).EnvKeys)
	assert.Equal(t, "/v1", find(t, Anthropic).PathFixes[""])
	assert.Equal(t, []string{"anthropic", "bedrock", "vertex", "openrouter", "poe"}, ids(ForBare("claude-opus-5")))
}

func TestBareNamesLeadToTheKindsThatServeThem(t *testing.T) {
	t.Parallel()
	tests := []struct {
		model string
		want  []string
	}{
		{"gpt-4o", []string{"openai", "openrouter", "poe"}},
		{"GPT-4o", []string{"openai", "openrouter", "poe"}},
		{"o3", []string{"openai", "openrouter", "poe"}},
		{"o4-mini", []string{"openai", "openrouter", "poe"}},
		{"chatgpt-4o-latest", []string{"openai", "openrouter", "poe"}},
		{"codex-mini-latest", []string{"openai", "openrouter", "poe"}},
		{"gpt-oss-20b", []string{"bedrock", "openrouter", "ollama"}},
		{"gpt-oss:20b", []string{"bedrock", "openrouter", "ollama"}},
		{"claude-sonnet-4-5", []string{"anthropic", "bedrock", "vertex", "openrouter", "poe"}},
		{"gemini-2.5-pro", []string{"google", "vertex", "openrouter", "poe"}},
		{"veo-3.1", []string{"google", "vertex", "openrouter", "poe"}},
		{"deepseek-chat", []string{"deepseek", "openrouter", "ollama"}},
		{"grok-4", []string{"xai", "openrouter", "poe"}},
		{"doubao-seed-1-8-251228", []string{"doubao"}},
		{"ideogram-v3", []string{"ideogram"}},
		{"llama3.2", []string{"bedrock", "openrouter", "ollama"}},
		{"qwen3", []string{"qwen", "bedrock", "openrouter", "ollama"}},
		{"mistral-large-latest", []string{"mistral", "bedrock", "openrouter", "ollama"}},
		{"codestral-latest", []string{"mistral"}},
		{"command-a-03-2025", []string{"cohere"}},
		{"sonar-pro", []string{"perplexity"}},
		{"kimi-k2.6", []string{"moonshot", "openrouter", "ollama"}},
		{"glm-4.7", []string{"zhipu", "openrouter", "ollama"}},
		{"MiniMax-M2.7", []string{"minimax", "openrouter", "ollama"}},
		{"meta-llama/llama-3", []string{"openrouter"}},
		{"mistralai/mistral-small", []string{"openrouter"}},
		{"o1x", nil},
		{"something-else", nil},
		{"", nil},
	}
	for _, tt := range tests {
		t.Run(tt.model, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tt.want, ids(ForBare(tt.model)))
		})
	}
}

func TestResellersNameModelsTheirWay(t *testing.T) {
	t.Parallel()
	tests := []struct{ kind, model, want string }{
		{OpenAI, "gpt-4o", "gpt-4o"},
		{OpenRouter, "gpt-4o", "openai/gpt-4o"},
		{OpenRouter, "claude-sonnet-4-5", "anthropic/claude-sonnet-4.5"},
		{OpenRouter, "claude-3-5-haiku-20241022", "anthropic/claude-3.5-haiku-20241022"},
		{OpenRouter, "claude-opus-5", "anthropic/claude-opus-5"},
		{OpenRouter, "claude-sonnet-4-20250514", "anthropic/claude-sonnet-4-20250514"},
		{OpenRouter, "anthropic/claude-x", "anthropic/claude-x"},
		{OpenRouter, "grok-4", "x-ai/grok-4"},
		{OpenRouter, "gpt-oss-20b", "openai/gpt-oss-20b"},
		{Bedrock, "claude-opus-4-7", "anthropic.claude-opus-4-7"},
		{Bedrock, "anthropic.claude-opus-4-7", "anthropic.claude-opus-4-7"},
		{Bedrock, "llama3-1-8b-instruct-v1:0", "meta.llama3-1-8b-instruct-v1:0"},
		{Poe, "gpt-5-mini", "gpt-5-mini"},
		{Ollama, "llama3.2", "llama3.2"},
	}
	for _, tt := range tests {
		t.Run(tt.kind+" "+tt.model, func(t *testing.T) {
			t.Parallel()
			got, ok := find(t, tt.kind).NameFor(tt.model)
			require.True(t, ok)
			assert.Equal(t, tt.want, got)
		})
	}
	for _, tt := range [][2]string{{OpenAI, "claude-opus-5"}, {Ollama, "meta-llama/llama-3"}, {Poe, "llama3"}, {OpenAICompatible, "gpt-4o"}} {
		_, ok := find(t, tt[0]).NameFor(tt[1])
		assert.False(t, ok, tt)
	}
}
