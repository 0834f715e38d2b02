package provider

import (
	"slices"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/task"
)

// Beginnings of model names by vendor.
var (
	namesOpenAI = []string{
		"gpt-", "o1-", "o3-", "o4-", "chatgpt-", "codex-", "dall-e-", "text-embedding-", "sora-", "whisper-", "tts-",
		"omni-moderation-", "text-moderation-",
	}
	namesGPTOSS    = []string{"gpt-oss-"}
	namesAnthropic = []string{"claude"}
	namesGoogle    = []string{"gemini", "imagen", "veo"}
	namesDeepSeek  = []string{"deepseek"}
	namesXAI       = []string{"grok"}
	namesLlama     = []string{"llama"}
	namesMistral   = []string{"mistral", "mixtral"}
	namesQwen      = []string{"qwen"}
	namesGemma     = []string{"gemma"}
	namesYi        = []string{"yi-"}
	namesPhi       = []string{"phi"}
	namesKimi      = []string{"kimi"}
	namesGLM       = []string{"glm-"}
	namesMiniMax   = []string{"minimax-"}
)

// OpenAI's models that speak only one of its languages, by the endpoints that
// their pages below https://platform.openai.com/docs/models list.
var (
	onlyCompletions = []string{"gpt-3.5-turbo-instruct", "davinci-002", "babbage-002"}
	onlyResponses   = []string{
		"o1-pro", "o3-pro", "o3-deep-research", "o4-mini-deep-research", "computer-use-preview", "codex-",
		"gpt-5-pro", "gpt-5.2-pro", "gpt-5.4-pro", "gpt-5.5-pro",
		"gpt-5-codex", "gpt-5.1-codex", "gpt-5.2-codex", "gpt-5.3-codex",
	}
)

// in gives work of some kinds one language.
func in(name dialect.Name, kinds ...task.Kind) map[task.Kind]dialect.Name {
	m := make(map[task.Kind]dialect.Name, len(kinds))
	for _, k := range kinds {
		m[k] = name
	}
	return m
}

func under(prefix string, patterns []string) []ModelPrefix {
	var all []ModelPrefix
	for _, p := range patterns {
		all = append(all, ModelPrefix{Pattern: p, Prefix: prefix})
	}
	return all
}

// direct are the vendors that serve their own models.
func direct() []Kind {
	return []Kind{openAI(), anthropic(), google(), deepSeek(), xAI(), doubao(), ideogram(), openAICompatible()}
}

func openAI() Kind {
	return Kind{
		ID: OpenAI, Title: "OpenAI", BaseURL: "https://api.openai.com/v1", Auth: Bearer,
		Dialects: []dialect.Name{dialect.OpenAIChat, dialect.Responses},
		ModelDialects: []ModelDialects{
			{Prefixes: slices.Clone(onlyCompletions), Dialects: []dialect.Name{dialect.Completions}},
			{Prefixes: slices.Clone(onlyResponses), Dialects: []dialect.Name{dialect.Responses}},
		},
		Tasks:   in(dialect.OpenAI, task.Embedding, task.Transcription, task.Translation, task.Speech, task.Moderation),
		EnvKeys: []string{"OPENAI_API_KEY"}, EnvBaseURL: "OPENAI_BASE_URL",
		Rank: RankDirect, BarePatterns: slices.Clone(namesOpenAI), TestModel: "gpt-4.1-nano",
		PublicDocs: "https://platform.openai.com/docs/api-reference",
	}
}

func anthropic() Kind {
	return Kind{
		ID: Anthropic, Title: "Anthropic", BaseURL: "https://api.anthropic.com/v1", Auth: XAPIKey,
		// Anthropic's SDKs are given the origin and add the version themselves.
		PathFixes: map[string]string{"": "/v1"},
		Dialects:  []dialect.Name{dialect.Anthropic},
		EnvKeys:   []string{"ANTHROPIC_API_KEY"}, EnvBaseURL: "ANTHROPIC_BASE_URL",
		Rank: RankDirect, BarePatterns: slices.Clone(namesAnthropic), TestModel: "claude-haiku-4-5",
		PublicDocs: "https://docs.claude.com/en/api/overview",
	}
}

func google() Kind {
	return Kind{
		ID: Google, Title: "Google Gemini", BaseURL: "https://generativelanguage.googleapis.com/v1beta", Auth: XGoogAPIKey,
		// Google's SDKs are given the origin and add the version themselves; the
		// OpenAI-compatible path below the version is another language.
		PathFixes: map[string]string{"": "/v1beta", "/v1beta/openai": "/v1beta"},
		Dialects:  []dialect.Name{dialect.Gemini},
		Tasks:     in(dialect.Gemini, task.Embedding, task.Speech),
		EnvKeys:   []string{"GEMINI_API_KEY", "GOOGLE_API_KEY"}, EnvBaseURL: "GOOGLE_BASE_URL",
		Rank: RankDirect, BarePatterns: slices.Clone(namesGoogle), TestModel: "gemini-2.5-flash",
		PublicDocs: "https://ai.google.dev/api",
	}
}

func deepSeek() Kind {
	return Kind{
		ID: DeepSeek, Title: "DeepSeek", BaseURL: "https://api.deepseek.com/v1", Auth: Bearer, KeyLimits: true,
		PathFixes: versionOne(),
		Dialects:  []dialect.Name{dialect.OpenAIChat, dialect.Anthropic},
		Paths:     map[dialect.Name]PathSwap{dialect.Anthropic: {"/v1", "/anthropic/v1"}},
		Quirks: dialect.Quirks{
			MaxTokensField: "max_tokens", NoDeveloper: true, NoJSONSchema: true, ReasoningField: "reasoning_content",
			ThinkingSwitch: dialect.SwitchThinking,
		},
		EnvKeys: []string{"DEEPSEEK_API_KEY"}, EnvBaseURL: "DEEPSEEK_BASE_URL",
		Rank: RankDirect, BarePatterns: slices.Clone(namesDeepSeek), TestModel: "deepseek-flash",
		PublicDocs: "https://api-docs.deepseek.com",
	}
}

func xAI() Kind {
	return Kind{
		ID: XAI, Title: "xAI", BaseURL: "https://api.x.ai/v1", Auth: Bearer,
		Dialects: []dialect.Name{dialect.OpenAIChat},
		Quirks:   dialect.Quirks{ReasoningExtra: true},
		EnvKeys:  []string{"XAI_API_KEY"}, EnvBaseURL: "XAI_BASE_URL",
		Rank: RankDirect, BarePatterns: slices.Clone(namesXAI), TestModel: "grok-4.3",
		PublicDocs: "https://docs.x.ai/docs/api-reference",
	}
}

func doubao() Kind {
	return Kind{
		ID: Doubao, Title: "Doubao (Volcano Engine Ark)", BaseURL: "https://ark.cn-beijing.volces.com/api/v3", Auth: Bearer,
		Dialects: []dialect.Name{dialect.OpenAIChat},
		Tasks:    in(dialect.OpenAI, task.Embedding),
		Quirks: dialect.Quirks{
			// Ark's max_tokens leaves thinking out, so only the other field bounds the bill.
			MaxTokensField: "max_completion_tokens", NoDeveloper: true, ReasoningField: "reasoning_content",
		},
		EnvKeys: []string{"DOUBAO_API_KEY"}, EnvBaseURL: "DOUBAO_BASE_URL",
		Rank: RankDirect, BarePatterns: []string{"doubao"}, TestModel: "doubao-seed-1-8-251228",
		PublicDocs: "https://www.volcengine.com/docs/82379/1494384",
	}
}

func ideogram() Kind {
	return Kind{
		ID: Ideogram, Title: "Ideogram", BaseURL: "https://api.ideogram.ai", Auth: APIKeyHeader,
		PathFixes: map[string]string{"/v1/ideogram-v3/generate": ""},
		EnvKeys:   []string{"IDEOGRAM_API_KEY"}, EnvBaseURL: "IDEOGRAM_BASE_URL",
		Rank: RankDirect, BarePatterns: []string{"ideogram"}, TestModel: "ideogram-v3",
		PublicDocs: "https://developer.ideogram.ai/api-reference",
	}
}

func openAICompatible() Kind {
	return Kind{
		ID: OpenAICompatible, Title: "OpenAI-compatible", Auth: Bearer, KeyOptional: true,
		// vLLM, llama.cpp, LM Studio and their like continue plain texts too.
		Dialects: []dialect.Name{dialect.OpenAIChat, dialect.Completions},
		Tasks:    in(dialect.OpenAI, task.Embedding, task.Transcription, task.Translation, task.Speech, task.Moderation, task.Rerank),
		EnvKeys:  []string{"OPENAI_COMPATIBLE_API_KEY"}, EnvBaseURL: "OPENAI_COMPATIBLE_BASE_URL",
		Rank:       RankDirect,
		PublicDocs: "https://platform.openai.com/docs/api-reference/chat",
	}
}
