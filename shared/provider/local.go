package provider

import (
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/task"
)

// local are servers that an operator runs beside the hub. What models they serve
// is the operator's choice, so a caller names the server.
func local() []Kind { return []Kind{vLLM(), lmStudio(), llamaCPP()} }

// vLLM ignores user and calls thinking "reasoning"
// (https://docs.vllm.ai/en/stable/features/reasoning_outputs).
func vLLM() Kind {
	return Kind{
		ID: VLLM, Title: "vLLM", BaseURL: "http://localhost:8000/v1", LocalBaseURL: true, Auth: Bearer, KeyOptional: true,
		PathFixes: versionOne(),
		Dialects:  []dialect.Name{dialect.OpenAIChat, dialect.Anthropic, dialect.Completions},
		Tasks:     in(dialect.OpenAI, task.Embedding, task.Transcription, task.Translation, task.Rerank),
		Quirks: dialect.Quirks{
			NoDeveloper: true, ReasoningField: "reasoning",
			Takes:   []string{"top_k"},
			Refuses: spareOpenAI(),
			Ignores: harmless(),
		},
		EnvKeys: []string{"VLLM_API_KEY"}, EnvBaseURL: "VLLM_BASE_URL", DefaultEnvCredential: "vllm",
		Rank: RankLocal, TestModel: "default",
		PublicDocs: "https://docs.vllm.ai/en/stable/serving/openai_compatible_server",
	}
}

// lmStudio: https://lmstudio.ai/docs/developer/openai-compat lists the payload.
func lmStudio() Kind {
	return Kind{
		ID: LMStudio, Title: "LM Studio", BaseURL: "http://localhost:1234/v1", LocalBaseURL: true, Auth: Bearer, KeyOptional: true,
		PathFixes: map[string]string{"": "/v1", "/api/v0": "/v1", "/api/v1": "/v1"},
		Dialects:  []dialect.Name{dialect.OpenAIChat, dialect.Anthropic, dialect.Completions},
		Tasks:     in(dialect.OpenAI, task.Embedding),
		Quirks: dialect.Quirks{
			MaxTokensField: "max_tokens", NoDeveloper: true, NoStrictTools: true,
			Takes:   []string{"top_k"},
			Refuses: spareOpenAI("n", "logprobs", "top_logprobs", "parallel_tool_calls"),
			Ignores: harmless(),
		},
		EnvKeys: []string{"LM_API_TOKEN"}, EnvBaseURL: "LMSTUDIO_BASE_URL", DefaultEnvCredential: "lm-studio",
		Rank: RankLocal, TestModel: "default",
		PublicDocs: "https://lmstudio.ai/docs/developer/openai-compat",
	}
}

// llamaCPP is llama-server, which takes a tool's name in tool_choice for "auto"
// (https://github.com/ggml-org/llama.cpp/tree/master/tools/server).
func llamaCPP() Kind {
	return Kind{
		ID: LlamaCPP, Title: "llama.cpp server", BaseURL: "http://localhost:8080/v1", LocalBaseURL: true, Auth: Bearer, KeyOptional: true,
		PathFixes: versionOne(),
		Dialects:  []dialect.Name{dialect.OpenAIChat, dialect.Anthropic, dialect.Completions},
		Tasks:     in(dialect.OpenAI, task.Embedding, task.Rerank),
		Quirks: dialect.Quirks{
			MaxTokensField: "max_tokens", NoDeveloper: true, NoStrictTools: true, ReasoningField: "reasoning_content",
			ToolModes: []string{"auto", "none", "required"},
			Takes:     []string{"top_k"},
			Refuses:   spareOpenAI("n"),
			Ignores:   harmless(),
		},
		EnvKeys: []string{"LLAMA_API_KEY"}, EnvBaseURL: "LLAMACPP_BASE_URL", DefaultEnvCredential: "llama.cpp",
		Rank: RankLocal, TestModel: "default",
		PublicDocs: "https://github.com/ggml-org/llama.cpp/tree/master/tools/server",
	}
}
