package provider

import (
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/task"
)

// hosts run open models of others. They have no bare names: each spells the
// models its own way, so a caller names the host.
func hosts() []Kind {
	return []Kind{groq(), together(), fireworks(), cerebras(), siliconFlow(), nvidia(), huggingFace(), aigneHub()}
}

// groq answers some parameters, and names in messages, with 400
// (https://console.groq.com/docs/openai).
func groq() Kind {
	return Kind{
		ID: Groq, Title: "Groq", BaseURL: "https://api.groq.com/openai/v1", Auth: Bearer,
		PathFixes: map[string]string{"": "/openai/v1", "/v1": "/openai/v1", "/openai": "/openai/v1"},
		Dialects:  []dialect.Name{dialect.OpenAIChat},
		Tasks:     in(dialect.OpenAI, task.Transcription, task.Translation, task.Speech),
		Quirks: dialect.Quirks{
			NoDeveloper: true, NoNames: true,
			Refuses: []string{
				"n", "logit_bias", "logprobs", "top_logprobs",
				"audio", "modalities", "prediction", "safety_identifier", "store", "verbosity", "web_search_options",
			},
			Ignores: []string{"metadata", "prompt_cache_key", "prompt_cache_retention"},
		},
		EnvKeys: []string{"GROQ_API_KEY"}, EnvBaseURL: "GROQ_BASE_URL",
		Rank: RankReseller, TestModel: "llama-3.1-8b-instant",
		PublicDocs: "https://console.groq.com/docs/api-reference",
	}
}

// together: logprobs is a number there, not a switch
// (https://docs.together.ai/reference/chat-completions-1).
func together() Kind {
	return Kind{
		ID: Together, Title: "Together AI", BaseURL: "https://api.together.ai/v1", Auth: Bearer,
		PathFixes: versionOne(),
		Dialects:  []dialect.Name{dialect.OpenAIChat},
		Tasks:     in(dialect.OpenAI, task.Embedding),
		Quirks: dialect.Quirks{
			MaxTokensField: "max_tokens", NoDeveloper: true, NoStrictTools: true, ReasoningField: "reasoning",
			Takes:   []string{"top_k"},
			Refuses: spareOpenAI("logprobs", "top_logprobs"),
			Ignores: harmless(),
		},
		EnvKeys: []string{"TOGETHER_API_KEY"}, EnvBaseURL: "TOGETHER_BASE_URL",
		Rank: RankReseller, TestModel: "openai/gpt-oss-20b",
		PublicDocs: "https://docs.together.ai/docs/openai-api-compatibility",
	}
}

// fireworks speaks both languages below one base URL
// (https://docs.fireworks.ai/tools-sdks/anthropic-compatibility).
func fireworks() Kind {
	return Kind{
		ID: Fireworks, Title: "Fireworks AI", BaseURL: "https://api.fireworks.ai/inference/v1", Auth: Bearer,
		PathFixes: map[string]string{"": "/inference/v1", "/v1": "/inference/v1", "/inference": "/inference/v1"},
		Dialects:  []dialect.Name{dialect.OpenAIChat, dialect.Anthropic},
		Tasks:     in(dialect.OpenAI, task.Embedding),
		Quirks: dialect.Quirks{
			MaxTokensField: "max_tokens", NoDeveloper: true, NoStrictTools: true, ReasoningField: "reasoning_content",
			Takes: []string{"top_k"},
			Refuses: []string{
				"audio", "modalities", "safety_identifier", "service_tier", "store", "verbosity", "web_search_options",
			},
			Ignores: []string{"metadata", "prompt_cache_key", "prompt_cache_retention"},
		},
		EnvKeys: []string{"FIREWORKS_API_KEY"}, EnvBaseURL: "FIREWORKS_BASE_URL",
		Rank: RankReseller, TestModel: "accounts/fireworks/models/gpt-oss-20b",
		PublicDocs: "https://docs.fireworks.ai/api-reference/post-chatcompletions",
	}
}

// cerebras answers what it lacks with 400
// (https://inference-docs.cerebras.ai/resources/openai).
func cerebras() Kind {
	return Kind{
		ID: Cerebras, Title: "Cerebras", BaseURL: "https://api.cerebras.ai/v1", Auth: Bearer,
		PathFixes: versionOne(),
		Dialects:  []dialect.Name{dialect.OpenAIChat},
		Quirks: dialect.Quirks{
			NoDeveloper: true, ReasoningField: "reasoning",
			Efforts: []string{"none", "low", "medium", "high"},
			Refuses: spareOpenAI("n", "frequency_penalty", "presence_penalty", "logit_bias", "parallel_tool_calls"),
			Ignores: []string{"metadata", "prompt_cache_key", "prompt_cache_retention"},
		},
		EnvKeys: []string{"CEREBRAS_API_KEY"}, EnvBaseURL: "CEREBRAS_BASE_URL",
		Rank: RankReseller, TestModel: "gpt-oss-120b",
		PublicDocs: "https://inference-docs.cerebras.ai/api-reference/chat-completions",
	}
}

// siliconFlow documents a short list of parameters
// (https://docs.siliconflow.cn/en/api-reference/chat-completions). In China it is
// https://api.siliconflow.cn/v1.
func siliconFlow() Kind {
	return Kind{
		ID: SiliconFlow, Title: "SiliconFlow", BaseURL: "https://api.siliconflow.com/v1", Auth: Bearer,
		PathFixes: versionOne(),
		Dialects:  []dialect.Name{dialect.OpenAIChat},
		Tasks:     in(dialect.OpenAI, task.Embedding),
		Quirks: dialect.Quirks{
			MaxTokensField: "max_tokens", NoDeveloper: true, NoJSONSchema: true, NoStrictTools: true, NoStreamUsage: true,
			ReasoningField: "reasoning_content", ThinkingSwitch: dialect.SwitchEnable,
			ToolModes: []string{"auto"},
			Takes:     []string{"top_k"},
			Refuses:   spareOpenAI("seed", "presence_penalty", "logit_bias", "logprobs", "top_logprobs", "parallel_tool_calls"),
			Ignores:   harmless(),
		},
		EnvKeys: []string{"SILICONFLOW_API_KEY"}, EnvBaseURL: "SILICONFLOW_BASE_URL",
		Rank: RankReseller, TestModel: "Qwen/Qwen3-8B",
		PublicDocs: "https://docs.siliconflow.cn/en/api-reference/chat-completions",
	}
}

// nvidia is the hosted NIM API; its embedding models want a member input_type
// that OpenAI's language lacks (https://docs.api.nvidia.com/nim/reference/llm-apis).
func nvidia() Kind {
	return Kind{
		ID: NVIDIA, Title: "NVIDIA NIM", BaseURL: "https://integrate.api.nvidia.com/v1", Auth: Bearer,
		PathFixes: versionOne(),
		Dialects:  []dialect.Name{dialect.OpenAIChat},
		Quirks: dialect.Quirks{
			MaxTokensField: "max_tokens", NoDeveloper: true, NoStrictTools: true, ReasoningField: "reasoning_content",
			Refuses: spareOpenAI(),
			Ignores: harmless(),
		},
		EnvKeys: []string{"NVIDIA_API_KEY"}, EnvBaseURL: "NVIDIA_BASE_URL",
		Rank: RankReseller, TestModel: "meta/llama-3.1-8b-instruct",
		NoCheck:    true, // the list is public
		PublicDocs: "https://docs.api.nvidia.com/nim/reference/llm-apis",
	}
}

// huggingFace routes to other hosts; what it specifies is what all of them share
// (https://huggingface.co/docs/inference-providers/tasks/chat-completion).
func huggingFace() Kind {
	return Kind{
		ID: HuggingFace, Title: "Hugging Face Inference Providers", BaseURL: "https://router.huggingface.co/v1", Auth: Bearer,
		PathFixes: versionOne(),
		Dialects:  []dialect.Name{dialect.OpenAIChat},
		Quirks: dialect.Quirks{
			MaxTokensField: "max_tokens", NoDeveloper: true, NoStrictTools: true,
			Refuses: spareOpenAI("n", "logit_bias", "parallel_tool_calls"),
			Ignores: harmless(),
		},
		EnvKeys: []string{"HF_TOKEN"}, EnvBaseURL: "HF_BASE_URL",
		Rank: RankReseller, TestModel: "openai/gpt-oss-20b",
		NoCheck:    true, // the list is public
		PublicDocs: "https://huggingface.co/docs/inference-providers/tasks/chat-completion",
	}
}

// aigneHub is another hub like this one. Its variables do not begin with
// AIGNE_HUB_, which are this hub's own settings.
func aigneHub() Kind {
	return Kind{
		ID: AIGNEHub, Title: "AIGNE Hub (another one)", Auth: Bearer,
		PathFixes: versionOne(),
		Dialects:  []dialect.Name{dialect.OpenAIChat, dialect.Anthropic, dialect.Responses, dialect.Gemini, dialect.Completions},
		Tasks:     in(dialect.OpenAI, task.Embedding, task.Transcription, task.Translation, task.Speech, task.Moderation, task.Rerank),
		Quirks:    dialect.Quirks{ReasoningField: "reasoning_content", ReasoningDetails: true},
		EnvKeys:   []string{"UPSTREAM_AIGNE_HUB_API_KEY"}, EnvBaseURL: "UPSTREAM_AIGNE_HUB_BASE_URL",
		Rank:       RankReseller,
		PublicDocs: "https://github.com/AIGNE-io/aigne-hub",
	}
}
