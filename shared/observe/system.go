package observe

import (
	"strconv"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/provider"
	"github.com/aigne-hub/aigne-hub/shared/routing"
)

// operation is a type of call in the words of the GenAI conventions; where they have
// none, in the hub's own.
func operation(kind hub.CallType) string {
	switch kind {
	case hub.TypeChat:
		return "chat"
	case hub.TypeEmbedding:
		return "embeddings"
	case hub.TypeImage, hub.TypeAudio, hub.TypeVideo:
		return "generate_content"
	}
	return string(kind)
}

// output is the type of content asked for, "" where the conventions have no word.
func output(kind hub.CallType) string {
	switch kind {
	case hub.TypeImage:
		return "image"
	case hub.TypeAudio:
		return "speech"
	}
	return ""
}

// systems are the conventions' names for providers that the hub calls otherwise
// (opentelemetry.io/docs/specs/semconv/registry/attributes/gen-ai, gen_ai.provider.name).
var systems = map[string]string{
	provider.Azure: "azure.ai.openai", provider.Bedrock: "aws.bedrock", provider.Vertex: "gcp.vertex_ai", provider.Google: "gcp.gemini",
	provider.XAI: "x_ai", provider.Mistral: "mistral_ai", provider.Moonshot: "moonshot_ai",
}

// provider finds a configured provider, nil for none.
func (s *Set) provider(name string) *routing.Provider {
	routes := s.routes()
	if routes == nil {
		return nil
	}
	for _, p := range routes.Providers() {
		if p.Name == name {
			return p
		}
	}
	return nil
}

// system is gen_ai.provider.name for a configured provider.
func (s *Set) system(name string) string {
	p := s.provider(name)
	if p == nil {
		return "_OTHER"
	}
	if known, ok := systems[p.Kind.ID]; ok {
		return known
	}
	return p.Kind.ID
}

// allModels lists what the hub offers as provider/model.
func allModels(routes *routing.Snapshot) []string {
	var out []string
	for _, kind := range hub.CallTypes() {
		for _, l := range routes.Models(kind) {
			out = append(out, l.Provider.Name+"/"+l.Model)
		}
	}
	return out
}

// portOf is a URL's port, or the one of its scheme.
func portOf(text string, otherwise int) int {
	if n, err := strconv.Atoi(text); err == nil {
		return n
	}
	return otherwise
}
