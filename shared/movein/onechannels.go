package movein

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/provider"
	"github.com/aigne-hub/aigne-hub/shared/routing"
)

// served is a model as one channel serves it.
type served struct {
	target   string // provider/model
	weight   int64
	priority int64
	groups   []string // of users who may use it
}

func (a *oneAPI) channels(ctx context.Context) error {
	taken := names{}
	rated := map[string]string{}
	unpriced := map[string]bool{}
	columns := []string{
		"id", "type", "key", "status", "name", "weight", "base_url", "other", "models", "group", "model_mapping", "priority", "config", "channel_info",
		"param_override", "header_override",
	}
	err := a.db.each(ctx, "channels", columns, "ORDER BY id", nil, func(r record) error {
		title := clipped(r.text("name"), 60) + " (" + r.text("id") + ")"
		to, known := placeOf(a.System, r.integer("type"))
		if !known {
			a.s.leave("channel", title, fmt.Sprintf("channels of type %d have an API that the hub does not speak", r.integer("type")))
			return nil
		}
		kind, base, why := to.at(r.text("base_url"))
		if why != "" {
			a.s.leave("channel", title, why)
			return nil
		}
		p := Provider{Kind: kind.ID, Name: taken.take(r.text("name"), kind.ID), DisplayName: clipped(r.text("name"), 100), BaseURL: base, Disabled: r.integer("status") != 1}
		a.keys(&p, kind, r, title)
		if _, err := provider.RegionURL(cmp.Or(p.BaseURL, kind.BaseURL), p.Region); err != nil {
			a.s.leave("channel", title, hub.AsError(err).Message)
			return nil
		}
		for _, column := range []string{"param_override", "header_override"} {
			if v := strings.TrimSpace(r.text(column)); v != "" && v != "{}" {
				a.s.leave("channel setting", title, column+" is not taken over")
			}
		}
		if kind.ID == provider.Azure {
			a.s.leave("channel setting", title, "Azure's v1 API is called, without a version; check that its models are named like the deployments")
		}
		a.s.Providers = append(a.s.Providers, p)
		a.models(p.Name, r, title, rated, unpriced)
		return nil
	})
	for _, option := range []string{"AudioRatio", "AudioCompletionRatio", "ImageRatio"} {
		if m, _ := jsonMap(a.options[option]); len(m) > 0 {
			a.s.leave("prices", option, "prices of audio and picture tokens are not taken over; they cost what text does until rate set says otherwise")
		}
	}
	return err
}

// keys takes over a channel's keys: one a line, or a JSON list of service accounts.
func (a *oneAPI) keys(p *Provider, kind provider.Kind, r record, title string) {
	var config struct {
		Region  string `json:"region"`
		AK      string `json:"ak"`
		SK      string `json:"sk"`
		Account string `json:"vertex_ai_adc"`
	}
	_ = json.Unmarshal([]byte(r.text("config")), &config) // older channels have none
	var info struct {
		Status map[string]int `json:"multi_key_status_list"`
	}
	_ = json.Unmarshal([]byte(r.text("channel_info")), &info)
	list := keyList(r.text("key"))
	switch {
	case kind.ID == provider.Bedrock && config.AK != "" && config.SK != "":
		list = []string{config.AK + "|" + config.SK + "|" + config.Region}
	case kind.ID == provider.Vertex && config.Account != "":
		list = []string{config.Account}
	}
	if kind.ID == provider.Vertex {
		if p.Region = cmp.Or(config.Region, strings.TrimSpace(r.text("other"))); strings.HasPrefix(p.Region, "{") {
			var regions map[string]string // by model
			_ = json.Unmarshal([]byte(p.Region), &regions)
			p.Region = regions[usual]
		}
		p.Region = cmp.Or(p.Region, "global")
	}
	for i, key := range list {
		value := hub.Secret(strings.TrimSpace(key))
		if kind.ID == provider.Bedrock {
			value = a.awsKeys(p, key)
		}
		name := "default"
		if len(list) > 1 {
			name = fmt.Sprintf("key-%d", i+1)
		}
		if _, err := provider.CheckCredential(kind, value); err != nil {
			a.s.leave("credential", title+" "+name, hub.AsError(err).Message)
			continue
		}
		status, told := info.Status[fmt.Sprint(i)]
		p.Credentials = append(p.Credentials, Credential{Name: name, Value: value, Disabled: told && status != 1})
	}
	if kind.ID == provider.Bedrock && p.Region == "" {
		p.Region = config.Region
	}
}

// awsKeys reads ID|SECRET|REGION.
func (a *oneAPI) awsKeys(p *Provider, text string) hub.Secret {
	parts := strings.Split(strings.TrimSpace(text), "|")
	switch len(parts) {
	case 3:
		p.Region = parts[2]
		return provider.AccessKeys{ID: parts[0], Secret: hub.Secret(parts[1])}.Encode()
	case 2: // an API key of Bedrock
		p.Region = parts[1]
		return hub.Secret(parts[0])
	}
	return hub.Secret(text)
}

func keyList(text string) []string {
	text = strings.TrimSpace(text)
	var objects []json.RawMessage
	if strings.HasPrefix(text, "[") && json.Unmarshal([]byte(text), &objects) == nil {
		var out []string
		for _, o := range objects {
			out = append(out, string(o))
		}
		return out
	}
	if strings.HasPrefix(text, "{") {
		return []string{text}
	}
	var out []string
	for _, line := range strings.Split(text, "\n") {
		if line = strings.TrimSpace(line); line != "" && !slices.Contains(out, line) {
			out = append(out, line)
		}
	}
	return out
}

// models takes over what a channel serves: a rate for each model, and where calls
// for its name go.
func (a *oneAPI) models(providerName string, r record, title string, rated map[string]string, unpriced map[string]bool) {
	mapping := map[string]string{}
	if text := strings.TrimSpace(r.text("model_mapping")); text != "" && json.Unmarshal([]byte(text), &mapping) != nil {
		a.s.leave("channel setting", title, "its mapping of models cannot be read")
		mapping = map[string]string{}
	}
	var groups []string
	for _, g := range strings.Split(r.text("group"), ",") {
		groups = append(groups, groupOf(g))
	}
	for _, name := range strings.Split(r.text("models"), ",") {
		name = strings.TrimSpace(name)
		if name == "" {
			continue
		}
		if strings.ContainsAny(name, " \t\r\n") || len(name) > 200 {
			a.s.leave("model", fmt.Sprintf("%.60q", name), "its name cannot be used here")
			continue
		}
		model := mapped(mapping, name)
		target := providerName + "/" + model
		a.byModel[name] = append(a.byModel[name], served{target: target, weight: max(r.integer("weight"), 0), priority: r.integer("priority"), groups: groups})
		a.rate(providerName, model, name, r.integer("type"), rated, unpriced)
	}
}

// mapped follows a mapping of names, which may have several steps.
func mapped(mapping map[string]string, name string) string {
	seen := map[string]bool{}
	for next := strings.TrimSpace(mapping[name]); next != "" && !seen[name]; next = strings.TrimSpace(mapping[name]) {
		seen[name] = true
		name = next
	}
	return name
}

func (a *oneAPI) rate(providerName, model, name string, channelType int64, rated map[string]string, unpriced map[string]bool) {
	kind := kindOf(model)
	prices, exact, why := a.prices.prices(name, kind, channelType)
	if why != "" {
		if !unpriced[name] {
			a.s.leave("rate", name, why)
		}
		unpriced[name] = true
		return
	}
	target := providerName + "/" + model
	if other, there := rated[target]; there {
		if other != fmt.Sprint(prices) {
			a.s.leave("rate", target+" as "+name, "the same model has another price under another name; the first one is taken over")
		}
		return
	}
	if !exact {
		a.s.leave("digits", target, "its price has more than twelve decimals per unit; it is rounded")
	}
	rated[target] = fmt.Sprint(prices)
	a.s.Rates = append(a.s.Rates, Rate{Provider: providerName, Model: model, Type: kind, Prices: prices})
}

// aliases sends each model's name to the channels that serve it: those of the
// highest priority first, by weight, and for each group of users to its own.
func (a *oneAPI) aliases() {
	targets := map[string]bool{}
	for _, all := range a.byModel {
		for _, s := range all {
			targets[s.target] = true
		}
	}
	seen := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(a.byModel)) {
		all := a.byModel[name]
		if seen[strings.ToLower(name)] {
			a.s.leave("alias", name, "another one has the same name but for capital letters, which make no difference here")
			continue
		}
		seen[strings.ToLower(name)] = true
		if targets[name] {
			a.s.leave("alias", name, "a provider's model has the same name, so that it can be called by it already")
			continue
		}
		alias := routing.Alias{Name: name}
		for _, g := range groupsOf(all) {
			rule := ruleFor(all, g)
			if g != "" {
				rule.When.Groups = []string{g}
				if base := ruleFor(all, ""); fmt.Sprint(base.Steps) == fmt.Sprint(rule.Steps) {
					continue // the last rule says the same
				}
			}
			alias.Rules = append(alias.Rules, rule)
		}
		if err := alias.Check(func(string) bool { return false }); err != nil {
			a.s.leave("alias", name, hub.AsError(err).Message)
			continue
		}
		a.s.Aliases = append(a.s.Aliases, alias)
	}
}

// groupsOf lists the groups that may use a model, the usual one last.
func groupsOf(all []served) []string {
	set := map[string]bool{}
	for _, s := range all {
		for _, g := range s.groups {
			set[g] = true
		}
	}
	list := slices.Sorted(maps.Keys(set))
	if set[""] {
		list = append(list[1:], "")
	}
	return list
}

func ruleFor(all []served, group string) (rule routing.Rule) {
	byPriority := map[int64][]routing.Weighted{}
	for _, s := range all {
		if slices.Contains(s.groups, group) {
			byPriority[s.priority] = append(byPriority[s.priority], routing.Weighted{Model: s.target, Weight: s.weight})
		}
	}
	order := slices.Sorted(maps.Keys(byPriority))
	slices.Reverse(order)
	for _, p := range order {
		rule.Steps = append(rule.Steps, routing.Step{Targets: byPriority[p]})
	}
	return rule
}
