package provider

import (
	"slices"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/task"
)

// vendors serve their own models in OpenAI's language, or Anthropic's.
func vendors() []Kind {
	return []Kind{mistral(), cohere(), perplexity(), moonshot(), zhipu(), qwen(), miniMax()}
}

var (
	namesMistralToo = []string{"codestral", "devstral", "magistral", "ministral", "pixtral", "voxtral"}
	namesCohere     = []string{"command-", "c4ai-", "embed-", "rerank-"}
	namesMoonshot   = []string{"moonshot-"}
	namesZhipuToo   = []string{"cogview-", "cogvideox-"}
	namesQwenToo    = []string{"qwq", "qvq"}
)

// versionOne mends a base URL that was given as an origin.
func versionOne() map[string]string { return map[string]string{"": "/v1"} }

// spareOpenAI lists parameters that only OpenAI gives a meaning to: a vendor that
// does not document them must not be sent them.
func spareOpenAI(more ...string) []string {
	return append(more, "audio", "modalities", "prediction", "safety_identifier", "service_tier", "store", "verbosity", "web_search_options")
}

// harmless lists what cannot change an answer: who asks, and hints for caches.
func harmless() []string {
	return []string{"metadata", "prompt_cache_key", "prompt_cache_retention", "user"}
}

// mistral: unknown members are refused with 422; the seed has another name;
// usage is in the last chunk without being asked for; thinking is part of the
// content array (https://docs.mistral.ai/capabilities/reasoning).
func mistral() Kind {
	return Kind{
		ID: Mistral, Title: "Mistral", BaseURL: "https://api.mistral.ai/v1", Auth: Bearer,
		PathFixes: versionOne(),
		Dialects:  []dialect.Name{dialect.OpenAIChat},
		Tasks:     in(dialect.OpenAI, task.Embedding),
		Quirks: dialect.Quirks{
			MaxTokensField: "max_tokens", NoDeveloper: true, NoStreamUsage: true, ReasoningField: dialect.ThinkingParts,
			Renames: map[string]string{"seed": "random_seed"},
			Efforts: []string{"none", "high"},
			Refuses: []string{
				"logit_bias", "logprobs", "top_logprobs",
				"audio", "modalities", "safety_identifier", "service_tier", "store", "verbosity", "web_search_options",
			},
			Ignores: []string{"prompt_cache_key", "prompt_cache_retention", "user"},
		},
		EnvKeys: []string{"MISTRAL_API_KEY"}, EnvBaseURL: "MISTRAL_BASE_URL",
		Rank: RankDirect, BarePatterns: slices.Concat(namesMistral, namesMistralToo), TestModel: "ministral-3b-latest",
		PublicDocs: "https://docs.mistral.ai/api",
	}
}

// cohere is reached through its compatibility API, whose page lists what it takes
// and what not (https://docs.cohere.com/docs/compatibility-api); tool_choice is on
// neither list. A schema stands in the json_object format itself.
func cohere() Kind {
	return Kind{
		ID: Cohere, Title: "Cohere", BaseURL: "https://api.cohere.ai/compatibility/v1", Auth: Bearer,
		PathFixes: map[string]string{"": "/compatibility/v1", "/v1": "/compatibility/v1", "/v2": "/compatibility/v1", "/compatibility": "/compatibility/v1"},
		Dialects:  []dialect.Name{dialect.OpenAIChat},
		Tasks:     in(dialect.Cohere, task.Embedding, task.Rerank),
		Paths:     map[dialect.Name]PathSwap{dialect.Cohere: {"/compatibility/v1", "/v2"}},
		Quirks: dialect.Quirks{
			MaxTokensField: "max_tokens", SchemaInObject: true, ToolModes: []string{"auto"},
			Efforts: []string{"none", "high"},
			Refuses: spareOpenAI("n", "logit_bias", "logprobs", "top_logprobs", "parallel_tool_calls"),
			Ignores: harmless(),
		},
		EnvKeys: []string{"COHERE_API_KEY", "CO_API_KEY"}, EnvBaseURL: "COHERE_BASE_URL",
		Rank: RankDirect, BarePatterns: slices.Clone(namesCohere), TestModel: "command-r7b-12-2024",
		NoCheck:    true,
		PublicDocs: "https://docs.cohere.com/docs/compatibility-api",
	}
}

// perplexity searches the web for every answer and calls no functions; sources
// stand beside the choices (https://docs.perplexity.ai/api-reference).
func perplexity() Kind {
	return Kind{
		ID: Perplexity, Title: "Perplexity", BaseURL: "https://api.perplexity.ai", Auth: Bearer,
		Dialects: []dialect.Name{dialect.OpenAIChat},
		Quirks: dialect.Quirks{
			MaxTokensField: "max_tokens", NoDeveloper: true, NoStreamUsage: true,
			Efforts: []string{"minimal", "low", "medium", "high"},
			Takes:   []string{"top_k", "web_search_options"},
			Refuses: []string{
				"tools", "tool_choice", "parallel_tool_calls", "n", "seed", "stop", "logit_bias", "logprobs", "top_logprobs",
				"audio", "modalities", "prediction", "safety_identifier", "service_tier", "store", "verbosity",
			},
			Ignores: harmless(),
		},
		EnvKeys: []string{"PERPLEXITY_API_KEY"}, EnvBaseURL: "PERPLEXITY_BASE_URL",
		Rank: RankDirect, BarePatterns: []string{"sonar"}, TestModel: "sonar",
		NoCheck:    true,
		PublicDocs: "https://docs.perplexity.ai/api-reference/chat-completions-post",
	}
}

// moonshot takes tool_choice auto and none, knows no schema and no strict tools,
// and wants its thinking back (https://platform.kimi.ai/docs/api/chat). In China
// it is https://api.moonshot.cn/v1.
func moonshot() Kind {
	return Kind{
		ID: Moonshot, Title: "Moonshot (Kimi)", BaseURL: "https://api.moonshot.ai/v1", Auth: Bearer, KeyLimits: true,
		PathFixes: map[string]string{"": "/v1", "/anthropic": "/v1"},
		Dialects:  []dialect.Name{dialect.OpenAIChat, dialect.Anthropic},
		Paths:     map[dialect.Name]PathSwap{dialect.Anthropic: {"/v1", "/anthropic/v1"}},
		Quirks: dialect.Quirks{
			NoDeveloper: true, NoJSONSchema: true, NoStrictTools: true, ReasoningField: "reasoning_content",
			ToolModes: []string{"auto", "none"},
			Efforts:   []string{"low", "high", "max"},
			Refuses:   spareOpenAI("seed", "logit_bias", "logprobs", "top_logprobs", "parallel_tool_calls"),
			Ignores:   harmless(),
		},
		EnvKeys: []string{"MOONSHOT_API_KEY", "KIMI_API_KEY"}, EnvBaseURL: "MOONSHOT_BASE_URL",
		Rank: RankDirect, BarePatterns: slices.Concat(namesKimi, namesMoonshot), TestModel: "moonshot-v1-8k",
		PublicDocs: "https://platform.kimi.ai/docs/api/chat",
	}
}

// zhipu takes tool_choice auto only, has JSON mode but no schemas, and switches
// thinking by a member of its own (https://docs.z.ai/api-reference/llm/chat-completion).
// In China it is https://open.bigmodel.cn/api/paas/v4.
func zhipu() Kind {
	return Kind{
		ID: Zhipu, Title: "Zhipu (Z.ai)", BaseURL: "https://api.z.ai/api/paas/v4", Auth: Bearer,
		PathFixes: map[string]string{"": "/api/paas/v4", "/api/anthropic": "/api/paas/v4"},
		Dialects:  []dialect.Name{dialect.OpenAIChat, dialect.Anthropic},
		Tasks:     in(dialect.OpenAI, task.Embedding),
		Paths:     map[dialect.Name]PathSwap{dialect.Anthropic: {"/api/paas/v4", "/api/anthropic/v1"}},
		Quirks: dialect.Quirks{
			MaxTokensField: "max_tokens", NoDeveloper: true, NoJSONSchema: true, NoStrictTools: true, NoStreamUsage: true, NoNames: true,
			ReasoningField: "reasoning_content", ThinkingSwitch: dialect.SwitchThinking,
			ToolModes: []string{"auto"},
			Renames:   map[string]string{"user": "user_id"},
			Refuses: spareOpenAI("n", "seed", "frequency_penalty", "presence_penalty", "logit_bias", "logprobs", "top_logprobs",
				"parallel_tool_calls"),
			Ignores: []string{"metadata", "prompt_cache_key", "prompt_cache_retention"},
		},
		EnvKeys: []string{"ZAI_API_KEY", "ZHIPUAI_API_KEY"}, EnvBaseURL: "ZAI_BASE_URL",
		Rank: RankDirect, BarePatterns: slices.Concat(namesGLM, namesZhipuToo), TestModel: "glm-4.5-flash",
		NoCheck:    true,
		PublicDocs: "https://docs.z.ai/api-reference/llm/chat-completion",
	}
}

// qwen is DashScope's compatible mode
// (https://www.alibabacloud.com/help/en/model-studio/compatibility-of-openai-with-dashscope):
// few models know schemas, and tool_choice has no "required". In China it is
// https://dashscope.aliyuncs.com/compatible-mode/v1.
func qwen() Kind {
	return Kind{
		ID: Qwen, Title: "Qwen (Alibaba Model Studio)", BaseURL: "https://dashscope-intl.aliyuncs.com/compatible-mode/v1", Auth: Bearer,
		PathFixes: map[string]string{"": "/compatible-mode/v1", "/apps/anthropic": "/compatible-mode/v1", "/api/v1": "/compatible-mode/v1"},
		Dialects:  []dialect.Name{dialect.OpenAIChat, dialect.Anthropic},
		Tasks:     in(dialect.OpenAI, task.Embedding),
		Paths:     map[dialect.Name]PathSwap{dialect.Anthropic: {"/compatible-mode/v1", "/apps/anthropic/v1"}},
		Quirks: dialect.Quirks{
			MaxTokensField: "max_tokens", NoDeveloper: true, NoJSONSchema: true, NoStrictTools: true,
			ThinkingSwitch: dialect.SwitchEnable,
			ToolModes:      []string{"auto", "none", "tool"},
			Takes:          []string{"top_k"},
			Refuses:        spareOpenAI("frequency_penalty", "logit_bias"),
			Ignores:        harmless(),
		},
		EnvKeys: []string{"DASHSCOPE_API_KEY"}, EnvBaseURL: "DASHSCOPE_BASE_URL",
		Rank: RankDirect, BarePatterns: slices.Concat(namesQwen, namesQwenToo), TestModel: "qwen-flash",
		PublicDocs: "https://www.alibabacloud.com/help/en/model-studio/compatibility-of-openai-with-dashscope",
	}
}

// miniMax is asked in Anthropic's language, where thinking has blocks of its own:
// in OpenAI's it stands between tags in the text
// (https://platform.minimax.io/docs/api-reference/text-anthropic-api). In China it
// is https://api.minimaxi.com/v1.
func miniMax() Kind {
	return Kind{
		ID: MiniMax, Title: "MiniMax", BaseURL: "https://api.minimax.io/v1", Auth: Bearer,
		PathFixes: map[string]string{"": "/v1", "/anthropic": "/v1"},
		Dialects:  []dialect.Name{dialect.Anthropic, dialect.OpenAIChat},
		Paths:     map[dialect.Name]PathSwap{dialect.Anthropic: {"/v1", "/anthropic/v1"}},
		Quirks:    dialect.Quirks{Refuses: []string{"stop"}, Ignores: []string{"top_k", "service_tier"}},
		EnvKeys:   []string{"MINIMAX_API_KEY"}, EnvBaseURL: "MINIMAX_BASE_URL",
		Rank: RankDirect, BarePatterns: slices.Clone(namesMiniMax), TestModel: "MiniMax-M2.5",
		PublicDocs: "https://platform.minimax.io/docs/api-reference/text-anthropic-api",
	}
}
