package movein

import (
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/provider"
)

// place is where channels of a type lead.
type place struct {
	kind string
	base string // where the channel names none; "" there: the kind's own, or none
	path string // is put behind an address that a channel names
}

const v1 = "/v1"

// sharedPlaces are types whose numbers mean the same in one-api and new-api. Types
// that are missing have an API of their own that the hub does not speak.
var sharedPlaces = map[int64]place{
	1:  {kind: provider.OpenAI, path: v1},
	3:  {kind: provider.Azure},
	5:  {kind: provider.OpenAICompatible, path: v1},
	6:  {kind: provider.OpenAICompatible, path: v1},
	7:  {kind: provider.OpenAICompatible, path: v1},
	8:  {kind: provider.OpenAICompatible, path: v1},
	10: {kind: provider.OpenAICompatible, path: v1},
	12: {kind: provider.OpenAICompatible, path: v1},
	13: {kind: provider.OpenAICompatible, path: v1},
	14: {kind: provider.Anthropic},
	16: {kind: provider.Zhipu, base: "https://open.bigmodel.cn/api/paas/v4", path: "/api/paas/v4"},
	17: {kind: provider.Qwen, base: "https://dashscope.aliyuncs.com/compatible-mode/v1", path: "/compatible-mode/v1"},
	20: {kind: provider.OpenRouter, path: v1},
	22: {kind: provider.OpenAICompatible, path: v1},
	24: {kind: provider.Google},
	25: {kind: provider.Moonshot, base: "https://api.moonshot.cn/v1", path: v1},
	31: {kind: provider.OpenAICompatible, base: "https://api.lingyiwanwu.com/v1", path: v1},
	33: {kind: provider.Bedrock},
}

// From 26 on, and at 2 and 4, the two systems number their types differently.
var (
	oneAPIPlaces = map[int64]place{
		2:  {kind: provider.OpenAICompatible, path: v1},
		4:  {kind: provider.OpenAICompatible, path: v1},
		26: {kind: provider.OpenAICompatible, base: "https://api.baichuan-ai.com/v1", path: v1},
		27: {kind: provider.MiniMax, base: "https://api.minimax.chat/v1", path: v1},
		28: {kind: provider.Mistral, path: v1},
		29: {kind: provider.OpenAICompatible, base: "https://api.groq.com/openai/v1", path: v1},
		30: {kind: provider.Ollama, path: v1},
		32: {kind: provider.OpenAICompatible, base: "https://api.stepfun.com/v1", path: v1},
		35: {kind: provider.Cohere, path: "/compatibility/v1"},
		36: {kind: provider.DeepSeek, path: v1},
		39: {kind: provider.OpenAICompatible, base: "https://api.together.xyz/v1", path: v1},
		40: {kind: provider.Doubao, path: "/api/v3"},
		41: {kind: provider.OpenAICompatible, base: "https://api.novita.ai/v3/openai"},
		42: {kind: provider.Vertex},
		44: {kind: provider.OpenAICompatible, base: "https://api.siliconflow.cn/v1", path: v1},
		45: {kind: provider.XAI, path: v1},
		49: {kind: provider.Qwen, base: "https://dashscope.aliyuncs.com/compatible-mode/v1", path: "/compatible-mode/v1"},
		50: {kind: provider.OpenAICompatible},
		51: {kind: provider.Google},
	}
	newAPIPlaces = map[int64]place{
		4:  {kind: provider.Ollama, path: v1},
		26: {kind: provider.Zhipu, base: "https://open.bigmodel.cn/api/paas/v4", path: "/api/paas/v4"},
		27: {kind: provider.Perplexity},
		34: {kind: provider.Cohere, path: "/compatibility/v1"},
		35: {kind: provider.MiniMax, base: "https://api.minimax.chat/v1", path: v1},
		38: {kind: provider.OpenAICompatible, base: "https://api.jina.ai/v1", path: v1},
		40: {kind: provider.OpenAICompatible, base: "https://api.siliconflow.cn/v1", path: v1},
		41: {kind: provider.Vertex},
		42: {kind: provider.Mistral, path: v1},
		43: {kind: provider.DeepSeek, path: v1},
		45: {kind: provider.Doubao, path: "/api/v3"},
		47: {kind: provider.OpenAICompatible, path: v1},
		48: {kind: provider.XAI, path: v1},
	}
)

// placeOf says where channels of a type of a system lead.
func placeOf(system string, kind int64) (place, bool) {
	own := oneAPIPlaces
	if system == SystemNewAPI {
		own = newAPIPlaces
	}
	if p, ok := own[kind]; ok {
		return p, true
	}
	p, ok := sharedPlaces[kind]
	return p, ok
}

// at is the kind and the base URL of a channel that names an address, or "". why:
// it cannot be taken over.
func (p place) at(address string) (kind provider.Kind, base, why string) {
	kind, _ = provider.Find(p.kind)
	address = strings.TrimRight(strings.TrimSpace(address), "/")
	if address == "" {
		if base = p.base; base == "" && kind.BaseURL == "" {
			return kind, "", "it names no address"
		}
		return kind, base, ""
	}
	address = strings.TrimSuffix(address, "/chat/completions")
	if kind.ID == provider.Bedrock || kind.ID == provider.Vertex {
		return kind, "", "" // the region makes their addresses
	}
	if p.path != "" && !strings.HasSuffix(address, p.path) {
		address += p.path
	}
	if kind.ID == provider.OpenAI && address != kind.BaseURL {
		kind, _ = provider.Find(provider.OpenAICompatible) // somebody else who speaks its language
	}
	if kind.ID == provider.Google && strings.Contains(address, "generativelanguage.googleapis.com") {
		return kind, "", ""
	}
	base, err := provider.NormaliseBaseURL(kind, address)
	if err != nil {
		return kind, "", "its address cannot be used: " + err.Error()
	}
	if base == kind.BaseURL {
		base = ""
	}
	return kind, base, ""
}
