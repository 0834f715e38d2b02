package provider

import (
	"slices"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/task"
)

// resellers serve the models of other vendors.
func resellers() []Kind {
	return []Kind{azure(), bedrock(), vertex(), openRouter(), poe(), ollama()}
}

func azure() Kind {
	return Kind{
		ID: Azure, Title: "Azure OpenAI", Auth: APIKeyHeader,
		// The portal shows the resource's origin; requests go below the v1 API.
		PathFixes: map[string]string{"": "/openai/v1", "/openai": "/openai/v1"},
		Dialects:  []dialect.Name{dialect.OpenAIChat, dialect.Responses},
		Tasks:     in(dialect.OpenAI, task.Embedding, task.Transcription, task.Translation, task.Speech),
		EnvKeys:   []string{"AZURE_OPENAI_API_KEY"}, EnvBaseURL: "AZURE_OPENAI_ENDPOINT",
		// Models are named by their deployments, so no bare name leads here.
		Rank: RankCloud, TestModel: "gpt-4.1-nano",
		PublicDocs: "https://learn.microsoft.com/azure/ai-foundry/openai/api-version-lifecycle",
	}
}

func vertex() Kind {
	return Kind{
		ID: Vertex, Title: "Google Vertex AI", Auth: GoogleAccount,
		BaseURL:  "https://{region}-aiplatform.googleapis.com/v1/projects/{project}/locations/{region}",
		Dialects: []dialect.Name{dialect.Gemini},
		ModelDialects: []ModelDialects{
			{Prefixes: slices.Clone(namesAnthropic), Dialects: []dialect.Name{dialect.Anthropic}},
		},
		Tasks:   in(dialect.Gemini, task.Speech), // embeddings have another language there
		Quirks:  dialect.Quirks{Vertex: true},
		EnvKeys: []string{"GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_CLOUD_LOCATION"}, EnvBaseURL: "VERTEX_BASE_URL",
		Rank: RankCloud, TestModel: "gemini-2.5-flash",
		BarePatterns: slices.Concat(namesAnthropic, namesGoogle),
		PublicDocs:   "https://cloud.google.com/vertex-ai/generative-ai/docs",
	}
}

func bedrock() Kind {
	k := Kind{
		ID: Bedrock, Title: "Amazon Bedrock", BaseURL: "https://bedrock-runtime.{region}.amazonaws.com", Auth: SigV4,
		Dialects: []dialect.Name{dialect.Bedrock},
		Tasks:    in(dialect.Bedrock, task.Embedding),
		EnvKeys:  []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"}, EnvBaseURL: "BEDROCK_BASE_URL",
		Rank: RankCloud, TestModel: "us.amazon.nova-lite-v1:0",
		BarePatterns: slices.Concat(namesAnthropic, namesGPTOSS, namesLlama, namesMistral, namesQwen, namesGemma),
		PublicDocs:   "https://docs.aws.amazon.com/bedrock/latest/APIReference/",
	}
	k.ModelPrefixes = slices.Concat(
		under("anthropic.", namesAnthropic), under("openai.", namesGPTOSS), under("meta.", namesLlama),
		under("mistral.", namesMistral), under("qwen.", namesQwen), under("google.", namesGemma),
	)
	return k
}

func openRouter() Kind {
	k := Kind{
		ID: OpenRouter, Title: "OpenRouter", BaseURL: "https://openrouter.ai/api/v1", Auth: Bearer, KeyLimits: true,
		Dialects: []dialect.Name{dialect.OpenAIChat, dialect.Anthropic},
		Tasks:    in(dialect.OpenAI, task.Embedding, task.Rerank),
		Quirks:   dialect.Quirks{ReasoningField: "reasoning", ReasoningDetails: true},
		EnvKeys:  []string{"OPEN_ROUTER_API_KEY", "OPENROUTER_API_KEY"}, EnvBaseURL: "OPENROUTER_BASE_URL",
		Rank: RankReseller, TestModel: "openai/gpt-4o-mini",
		CheckPath: "/key", // the list is public
		BarePatterns: slices.Concat(namesOpenAI, namesGPTOSS, namesAnthropic, namesGoogle, namesDeepSeek, namesXAI, namesLlama,
			namesMistral, namesQwen, namesGemma, namesYi, namesPhi, namesKimi, namesGLM, namesMiniMax),
		PublicDocs: "https://openrouter.ai/docs/api-reference/overview",
	}
	k.ModelPrefixes = slices.Concat(
		under("openai/", namesOpenAI), under("openai/", namesGPTOSS), under("google/", namesGoogle),
		under("google/", namesGemma), under("deepseek/", namesDeepSeek), under("x-ai/", namesXAI),
		under("meta-llama/", namesLlama), under("mistralai/", namesMistral), under("qwen/", namesQwen),
		under("01-ai/", namesYi), under("microsoft/", namesPhi), under("moonshotai/", namesKimi),
		under("z-ai/", namesGLM), under("minimax/", namesMiniMax),
	)
	k.Quirks.Takes = []string{"top_k"} // https://openrouter.ai/docs/api-reference/parameters
	for _, pattern := range namesAnthropic {
		k.ModelPrefixes = append(k.ModelPrefixes, ModelPrefix{Pattern: pattern, Prefix: "anthropic/", DotVersion: true})
	}
	return k
}

func poe() Kind {
	return Kind{
		ID: Poe, Title: "Poe", BaseURL: "https://api.poe.com/v1", Auth: Bearer, KeyLimits: true,
		Dialects: []dialect.Name{dialect.OpenAIChat},
		EnvKeys:  []string{"POE_API_KEY"}, EnvBaseURL: "POE_BASE_URL",
		Rank: RankReseller, TestModel: "gpt-5-mini",
		BarePatterns: slices.Concat(namesOpenAI, namesAnthropic, namesGoogle, namesXAI),
		PublicDocs:   "https://creator.poe.com/docs/external-applications/openai-compatible-api",
	}
}

func ollama() Kind {
	return Kind{
		ID: Ollama, Title: "Ollama", BaseURL: "http://localhost:11434/v1", LocalBaseURL: true, Auth: Bearer, KeyOptional: true,
		// /api is Ollama's own language; the OpenAI one lives beside it.
		PathFixes: map[string]string{"": "/v1", "/api": "/v1"},
		Dialects:  []dialect.Name{dialect.OpenAIChat, dialect.Completions},
		Tasks:     in(dialect.OpenAI, task.Embedding),
		Quirks: dialect.Quirks{
			MaxTokensField: "max_tokens", NoDeveloper: true, ReasoningField: "reasoning", Refuses: []string{"n", "logit_bias"},
		},
		EnvKeys: []string{"OLLAMA_API_KEY"}, EnvBaseURL: "OLLAMA_BASE_URL", DefaultEnvCredential: "ollama",
		Rank: RankLocal, TestModel: "llama3.2",
		BarePatterns: slices.Concat(namesGPTOSS, namesDeepSeek, namesLlama, namesMistral, namesQwen, namesGemma, namesYi, namesPhi,
			namesKimi, namesGLM, namesMiniMax),
		PublicDocs: "https://docs.ollama.com/api/openai-compatibility",
	}
}
