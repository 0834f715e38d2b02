package movein

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/provider"
	"github.com/aigne-hub/aigne-hub/shared/routing"
)

// litePlace is where a model of LiteLLM leads.
type litePlace struct {
	kind   string
	name   string // that a provider gets
	base   string // where the entry names none
	model  string // as the provider knows it
	region string
}

// litePlaces are what stands before the first slash of a model. Vendors without a
// kind of their own speak OpenAI's language at the address given.
var litePlaces = map[string]litePlace{
	"openai": {kind: provider.OpenAI}, "text-completion-openai": {kind: provider.OpenAI},
	"custom_openai": {kind: provider.OpenAICompatible}, "openai_like": {kind: provider.OpenAICompatible},
	"azure": {kind: provider.Azure}, "azure_text": {kind: provider.Azure},
	"anthropic": {kind: provider.Anthropic}, "gemini": {kind: provider.Google},
	"vertex_ai": {kind: provider.Vertex}, "vertex_ai_beta": {kind: provider.Vertex}, "bedrock": {kind: provider.Bedrock}, "bedrock_converse": {kind: provider.Bedrock},
	"deepseek": {kind: provider.DeepSeek}, "xai": {kind: provider.XAI}, "openrouter": {kind: provider.OpenRouter}, "mistral": {kind: provider.Mistral},
	"cohere": {kind: provider.Cohere}, "cohere_chat": {kind: provider.Cohere}, "perplexity": {kind: provider.Perplexity}, "moonshot": {kind: provider.Moonshot},
	"zai": {kind: provider.Zhipu}, "dashscope": {kind: provider.Qwen}, "minimax": {kind: provider.MiniMax}, "volcengine": {kind: provider.Doubao},
	"ollama": {kind: provider.Ollama}, "ollama_chat": {kind: provider.Ollama}, "hosted_vllm": {kind: provider.VLLM}, "lm_studio": {kind: provider.LMStudio},
	"groq":         {kind: provider.OpenAICompatible, base: "https://api.groq.com/openai/v1"},
	"together_ai":  {kind: provider.OpenAICompatible, base: "https://api.together.xyz/v1"},
	"fireworks_ai": {kind: provider.OpenAICompatible, base: "https://api.fireworks.ai/inference/v1"},
	"deepinfra":    {kind: provider.OpenAICompatible, base: "https://api.deepinfra.com/v1/openai"},
	"nvidia_nim":   {kind: provider.OpenAICompatible, base: "https://integrate.api.nvidia.com/v1"},
	"cerebras":     {kind: provider.OpenAICompatible, base: "https://api.cerebras.ai/v1"},
	"sambanova":    {kind: provider.OpenAICompatible, base: "https://api.sambanova.ai/v1"},
	"novita":       {kind: provider.OpenAICompatible, base: "https://api.novita.ai/v3/openai"},
}

// findPlace says where an entry leads; why: nowhere the hub knows.
func findPlace(params fields) (at litePlace, why string) {
	model := params.text("model")
	if model == "" {
		return at, "it has no model"
	}
	prefix, rest, cut := strings.Cut(model, "/")
	if own := params.text("custom_llm_provider"); own != "" {
		if prefix != own {
			rest, cut = model, true
		}
		prefix = own
	}
	at, known := litePlaces[prefix]
	switch {
	case cut && known:
		at.name, at.model = prefix, rest
	case !cut:
		kind := bareKind(model)
		if kind == "" {
			return at, "it does not say whose model it is"
		}
		at = litePlace{kind: kind, name: kind, model: model}
	default:
		return at, "there is no kind of provider for " + prefix
	}
	if at.kind == provider.OpenAI && cmp.Or(params.text("api_base"), params.text("base_url")) != "" {
		at.kind = provider.OpenAICompatible // whatever stands there speaks its language
	}
	if at.kind == provider.Bedrock {
		at.bedrock()
	}
	return at, ""
}

// bedrock takes the route and the region out of the model's name.
func (p *litePlace) bedrock() {
	for _, route := range []string{"converse/", "invoke/", "converse_like/"} {
		p.model = strings.TrimPrefix(p.model, route)
	}
	if region, model, ok := strings.Cut(p.model, "/"); ok && strings.Count(region, "-") >= 2 && !strings.Contains(region, ".") {
		p.region, p.model = region, model
	}
}

// bareKind finds the vendor of a name without one.
func bareKind(model string) string {
	for _, k := range provider.All() {
		if k.Rank != provider.RankDirect {
			continue
		}
		for _, pattern := range k.BarePatterns {
			if strings.HasPrefix(strings.ToLower(model), pattern) {
				return k.ID
			}
		}
	}
	return ""
}

// aliases makes one of each model_name: deployments by order and weight, then those
// of its fallbacks.
func (l *lite) aliases() {
	targets := map[string]bool{}
	for _, group := range l.groups {
		for _, d := range group {
			targets[d.target] = true
		}
	}
	falls := l.fallbacks("fallbacks")
	usualFalls := listed(l.setting("default_fallbacks"))
	made := map[string]routing.Alias{}
	for _, name := range l.order {
		if targets[name] {
			if len(l.groups[name]) > 1 || l.groups[name][0].target != name {
				l.s.leave("alias", name, "a provider's model has the same name and is what is called by it")
			}
			continue
		}
		steps := stepsOf(l.groups[name])
		next := falls[name]
		if next == nil {
			next = usualFalls
		}
		for _, other := range next {
			if group := l.groups[other]; group != nil && other != name {
				steps = append(steps, stepsOf(group)...)
			} else if group == nil {
				l.s.leave("fallback", name+" → "+other, "there is no such model_name here")
			}
		}
		l.keep(made, routing.Alias{Name: name, Rules: []routing.Rule{{Steps: steps}}})
	}
	l.groupAliases(made)
}

func (l *lite) keep(made map[string]routing.Alias, a routing.Alias) {
	if _, there := made[strings.ToLower(a.Name)]; there {
		l.s.leave("alias", a.Name, "another one has the same name but for capital letters, which make no difference here")
		return
	}
	if err := a.Check(func(string) bool { return false }); err != nil {
		l.s.leave("alias", a.Name, hub.AsError(err).Message)
		return
	}
	made[strings.ToLower(a.Name)] = a
	l.s.Aliases = append(l.s.Aliases, a)
}

func stepsOf(group []deployment) (steps []routing.Step) {
	byOrder := map[int64][]routing.Weighted{}
	for _, d := range group {
		byOrder[d.order] = append(byOrder[d.order], routing.Weighted{Model: d.target, Weight: d.weight})
	}
	for _, o := range slices.Sorted(maps.Keys(byOrder)) {
		steps = append(steps, routing.Step{Targets: byOrder[o]})
	}
	return steps
}

// setting is one of router_settings, or of litellm_settings, which may hold the
// same.
func (l *lite) setting(name string) *yaml.Node {
	for _, set := range []fields{l.file.Router, l.file.Settings} {
		if n, ok := set[name]; ok {
			return &n
		}
	}
	return nil
}

// fallbacks reads a list of mappings from a name to names.
func (l *lite) fallbacks(name string) map[string][]string {
	out := map[string][]string{}
	n := l.setting(name)
	if n == nil {
		return out
	}
	var list []map[string]yaml.Node
	if n.Decode(&list) != nil {
		l.s.leave("fallback", name, "it is not in the form that is known")
		return out
	}
	for _, m := range list {
		for from, to := range m {
			out[from] = listed(&to)
		}
	}
	return out
}

// listed reads a list of names, leaving out entries that are more than a name.
func listed(n *yaml.Node) (out []string) {
	if n == nil {
		return nil
	}
	for _, item := range n.Content {
		if item.Kind == yaml.ScalarNode {
			out = append(out, item.Value)
		}
	}
	return out
}

// groupAliases are names for names.
func (l *lite) groupAliases(made map[string]routing.Alias) {
	n := l.setting("model_group_alias")
	if n == nil {
		return
	}
	var all map[string]yaml.Node
	if n.Decode(&all) != nil {
		l.s.leave("alias", "model_group_alias", "it is not in the form that is known")
		return
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		node := all[name]
		to := node.Value
		if node.Kind == yaml.MappingNode {
			var m fields
			_ = node.Decode(&m) // a mapping always is one
			to = m.text("model")
		}
		switch target, there := made[strings.ToLower(to)]; {
		case there:
			l.keep(made, routing.Alias{Name: name, Rules: target.Rules})
		case l.groups[to] != nil:
			l.keep(made, routing.Alias{Name: name, Rules: []routing.Rule{{Steps: stepsOf(l.groups[to])}}})
		default:
			l.s.leave("alias", name, "there is no model_name "+to)
		}
	}
}

// taken settings, which leaveRest does not name.
var takenSettings = []string{"fallbacks", "default_fallbacks", "model_group_alias"}

// leaveRest names what of the file says how LiteLLM works, never its values.
func (l *lite) leaveRest() {
	for _, part := range []struct {
		name string
		set  fields
	}{{"router_settings", l.file.Router}, {"litellm_settings", l.file.Settings}, {"general_settings", l.file.General}} {
		for _, field := range slices.Sorted(maps.Keys(part.set)) {
			why := "it says how LiteLLM works; the hub has settings of its own"
			switch field {
			case "master_key":
				why = "the owner's key is made here: aigne-hub quickstart, or key create"
			case "database_url":
				why = "keys, teams and spend of LiteLLM's database stay there"
			}
			if !slices.Contains(takenSettings, field) {
				l.s.leave("setting", part.name+"."+field, why)
			}
		}
	}
	for _, part := range slices.Sorted(maps.Keys(l.file.Rest)) {
		l.s.leave("setting", part, "the hub has no such thing, or keeps it elsewhere")
	}
}
