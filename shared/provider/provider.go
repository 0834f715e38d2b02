// Package provider is the registry of provider kinds as data: where each is
// reached, how it authenticates, which languages it speaks, what it serves and
// how it departs from the language. It sends nothing and keeps no state; stored
// providers, their credentials and rates are not its business.
package provider

import (
	"slices"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/task"
)

// Auth names a way to present a credential.
type Auth string

// The ways.
const (
	Bearer       Auth = "bearer"         // Authorization: Bearer KEY
	XAPIKey      Auth = "x-api-key"      // x-api-key: KEY (Anthropic)
	XGoogAPIKey  Auth = "x-goog-api-key" // x-goog-api-key: KEY (Gemini)
	APIKeyHeader Auth = "api-key"        // Api-Key: KEY (Ideogram, Azure OpenAI)
	// SigV4 is AWS Signature Version 4 over the whole request, or Bearer with an
	// API key of Amazon Bedrock.
	SigV4 Auth = "sigv4"
	// GoogleAccount is a bearer token that a Google service account is given for
	// its key (RFC 7523).
	GoogleAccount Auth = "google-service-account"
)

// The ids of the kinds.
const (
	OpenAI           = "openai"
	Anthropic        = "anthropic"
	Azure            = "azure"
	Bedrock          = "bedrock"
	Vertex           = "vertex"
	DeepSeek         = "deepseek"
	Google           = "google"
	Ollama           = "ollama"
	OpenRouter       = "openrouter"
	XAI              = "xai"
	Doubao           = "doubao"
	Poe              = "poe"
	Ideogram         = "ideogram"
	OpenAICompatible = "openai-compatible"

	Mistral     = "mistral"
	Groq        = "groq"
	Together    = "together"
	Fireworks   = "fireworks"
	Cohere      = "cohere"
	Perplexity  = "perplexity"
	Cerebras    = "cerebras"
	Moonshot    = "moonshot"
	Zhipu       = "zhipu"
	Qwen        = "qwen"
	MiniMax     = "minimax"
	SiliconFlow = "siliconflow"
	NVIDIA      = "nvidia"
	HuggingFace = "huggingface"
	VLLM        = "vllm"
	LMStudio    = "lmstudio"
	LlamaCPP    = "llamacpp"
	AIGNEHub    = "aigne-hub"
)

// Ranks order the kinds that serve the same bare model name, best first.
const (
	RankDirect   = 1
	RankCloud    = 2
	RankReseller = 3
	RankLocal    = 4
)

// Kind describes one sort of provider. Slices and maps are the caller's own.
type Kind struct {
	ID    string
	Title string

	// BaseURL is used when the operator gives none; "" means one must be given. In
	// it, "{region}" stands for the provider's region (see RegionURL) and "{project}"
	// for that of the credential (see ProjectURL).
	BaseURL string
	// LocalBaseURL: the default lives on this machine, so an outbound guard must
	// allow it, and a missing credential is no fault.
	LocalBaseURL bool
	// PathFixes maps paths that operators copy from other documents to the one that
	// requests go below; "" is a URL without a path.
	PathFixes map[string]string

	Auth Auth
	// KeyOptional: requests without a credential may succeed.
	KeyOptional bool

	Dialects []dialect.Name // spoken natively, best first
	// ModelDialects replace Dialects for some models; the first that fits counts.
	ModelDialects []ModelDialects
	// Paths says where the dialects are that are not below the base URL.
	Paths map[dialect.Name]PathSwap
	// Tasks are the kinds of work beside chat that the hub can carry to it, each in
	// the language it is asked for in.
	Tasks map[task.Kind]dialect.Name
	// Quirks are departures from the first of Dialects.
	Quirks dialect.Quirks
	// CheckPath is what GET is free of charge and fails without a good credential;
	// "" is /models.
	CheckPath string
	// NoCheck: there is no such path. A chat request without a body is refused for
	// a bad credential, else for its emptiness, and costs nothing.
	NoCheck bool

	// KeyLimits: its rate limits count a key's calls of all models together, not of
	// each model.
	KeyLimits bool

	// EnvKeys are the environment variables of the credential, the first one set
	// wins; for SigV4 they belong together, in the order key id, secret, region; for
	// GoogleAccount they are the path of the key's file and the region.
	EnvKeys    []string
	EnvBaseURL string
	// DefaultEnvCredential stands in for a credential when only EnvBaseURL is set.
	DefaultEnvCredential string

	Rank int
	// BarePatterns are beginnings of model names that lead to this kind when the
	// caller names no provider. One ending in "-" also matches without its dash.
	BarePatterns []string
	// ModelPrefixes turn a bare name into this kind's own, where it differs.
	ModelPrefixes []ModelPrefix

	TestModel  string // cheap, for checking a credential
	PublicDocs string // the vendor's API documentation
}

// ModelPrefix says how a reseller names the models of one vendor.
type ModelPrefix struct {
	Pattern string // one of the kind's BarePatterns
	Prefix  string // put before the name
	// DotVersion: the reseller writes versions with a dot, 4.5 for 4-5.
	DotVersion bool
}

// Can reports whether the hub can send calls of type t to this kind.
func (k Kind) Can(t hub.CallType) bool {
	if t == hub.TypeChat {
		return len(k.Dialects) > 0
	}
	for work := range k.Tasks {
		if work.CallType() == t {
			return true
		}
	}
	return false
}

// Does reports whether the hub can carry one kind of work to this kind.
func (k Kind) Does(work task.Kind) bool { return k.Tasks[work] != "" }

// ModelDialects says that models with certain names speak other languages than
// the rest of their kind.
type ModelDialects struct {
	Prefixes []string // beginnings of the provider's own model names, in lower case
	Dialects []dialect.Name
}

// Languages are those that a model of the kind speaks natively, best first.
func (k Kind) Languages(model string) []dialect.Name {
	if len(k.ModelDialects) > 0 {
		lower := strings.ToLower(model)
		for _, m := range k.ModelDialects {
			if slices.ContainsFunc(m.Prefixes, func(p string) bool { return strings.HasPrefix(lower, p) }) {
				return m.Dialects
			}
		}
	}
	return k.Dialects
}

// Speaks reports whether a model of the kind speaks a language natively.
func (k Kind) Speaks(name dialect.Name, model string) bool {
	return slices.Contains(k.Languages(model), name)
}

// Find returns a kind by its id, without regard to case.
func Find(id string) (Kind, bool) {
	id = strings.ToLower(id)
	for _, k := range All() {
		if k.ID == id {
			return k, true
		}
	}
	return Kind{}, false
}

// All returns every kind, ordered by rank and then by id.
func All() []Kind {
	all := slices.Concat(direct(), vendors(), resellers(), hosts(), local())
	for i := range all {
		all[i] = all[i].withMedia()
	}
	slices.SortFunc(all, func(a, b Kind) int {
		if a.Rank != b.Rank {
			return a.Rank - b.Rank
		}
		return strings.Compare(a.ID, b.ID)
	})
	return all
}
