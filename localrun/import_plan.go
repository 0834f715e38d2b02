package main

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/movein"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/provider"
	"github.com/aigne-hub/aigne-hub/shared/routing"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// importer plans what of another system is made here. What is here already stays
// as it is: whoever runs an import again has changed things meanwhile.
type importer struct {
	planner
	src     *movein.Source
	name    string            // of the import: grants are given once for it
	renamed map[string]string // names of providers there → here
	emails  map[string]string // addresses of users there → here
}

// planImport lists the steps. It changes nothing.
func planImport(ctx context.Context, a *boot.App, src *movein.Source, name string) (*importer, error) {
	p := &importer{src: src, name: name, renamed: map[string]string{}, emails: map[string]string{}}
	p.planner = planner{ctx: ctx, app: a, users: map[string]store.User{}, out: []change{}}
	for _, step := range []func() error{p.providers, p.rates, p.aliases, p.people, p.keys, p.apps} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// step appends a step; differs are what an existing thing is left with.
func (p *importer) step(exists bool, kind, name string, detail []string, do func(ctx context.Context) error) {
	p.add(exists, kind, name, detail, do)
	if last := &p.out[len(p.out)-1]; last.Action == "change" {
		last.Action, last.do = "keep", nil
	}
}

func (p *importer) leave(kind, name, reason string) {
	p.src.Left = append(p.src.Left, movein.Left{Kind: kind, Name: name, Reason: reason})
}

// inWords is an error as people read it.
func inWords(err error) string { return hub.AsError(err).Message }

func (p *importer) providers() error {
	stored, err := p.app.Store.Providers(p.ctx)
	if err != nil {
		return err
	}
	credentials, err := p.app.Store.Credentials(p.ctx)
	if err != nil {
		return err
	}
	byName := map[string]store.Provider{}
	for _, have := range stored {
		byName[have.Name] = have
	}
	for _, want := range p.src.Providers {
		have, exists := p.settle(want, byName)
		p.renamed[want.Name] = have.Name
		byName[have.Name] = have
		n := operator.NewProvider{Kind: want.Kind, Name: have.Name, DisplayName: want.DisplayName, BaseURL: want.BaseURL, Region: want.Region}
		detail := []string{"kind: " + want.Kind}
		if exists {
			detail = nil
		} else if want.Disabled {
			detail = append(detail, "enabled: no")
		}
		p.step(exists, "provider", have.Name, detail, func(ctx context.Context) error {
			_, err := p.app.Desk.TakeProvider(ctx, actor, n, !want.Disabled)
			return err
		})
		for _, c := range want.Credentials {
			if err := p.credential(have, exists, c, credentials); err != nil {
				return err
			}
		}
	}
	return nil
}

// settle finds the provider here that is the same as one there, or a name that is
// free. Only one that leads to the same place is the same: keys must not go
// elsewhere.
func (p *importer) settle(want movein.Provider, byName map[string]store.Provider) (have store.Provider, exists bool) {
	kind, _ := provider.Find(want.Kind)
	at := cmp.Or(want.BaseURL, kind.BaseURL)
	taken := map[string]bool{}
	for _, name := range p.renamed {
		taken[name] = true // by another one there, which must stay another one
	}
	name := want.Name
	for i := 2; ; i++ {
		have, there := byName[name]
		if !there {
			return store.Provider{Name: name, Kind: want.Kind, BaseURL: want.BaseURL, Region: want.Region}, false
		}
		if !taken[name] && have.Kind == want.Kind && cmp.Or(have.BaseURL, kind.BaseURL) == at && have.Region == want.Region {
			return have, true
		}
		name = want.Name[:min(len(want.Name), 48)] + "-" + p.src.System
		if i > 2 {
			name += fmt.Sprint("-", i)
		}
	}
}

func (p *importer) credential(at store.Provider, exists bool, c movein.Credential, stored []store.Credential) error {
	title := at.Name + "/" + c.Name
	if c.Value == "" {
		p.leave("credential", title, "it has no value")
		return nil
	}
	for _, have := range stored {
		if !exists || have.ProviderID != at.ID {
			continue
		}
		other, err := p.newValue(have, c.Value)
		if err != nil {
			return err
		}
		if other == "" {
			p.step(true, "credential", at.Name+"/"+have.Name, nil, nil)
			return nil
		}
		if have.Name == c.Name {
			p.step(true, "credential", title, []string{"the value here is another one"}, nil)
			return nil
		}
	}
	detail := []string{"value: taken over"}
	if c.Disabled {
		detail = append(detail, "active: no")
	}
	p.step(false, "credential", title, detail, func(ctx context.Context) error {
		_, err := p.app.Desk.TakeCredential(ctx, actor, at.Name, c.Name, c.Weight, c.Value, !c.Disabled)
		return err
	})
	return nil
}

func (p *importer) rates() error {
	rows, err := p.app.Store.Rates(p.ctx)
	if err != nil {
		return err
	}
	have := map[string]store.Rate{}
	for _, r := range rows {
		have[r.Provider+"\x00"+r.Model+"\x00"+string(r.Type)] = r
	}
	for _, want := range p.src.Rates {
		name := p.renamed[want.Provider]
		title := name + "/" + want.Model + " " + string(want.Type)
		n, err := manifestRate{Provider: name, Model: want.Model, Type: string(want.Type), Prices: want.Prices, Costs: want.Costs,
			Context: want.Context, MaxOutput: want.MaxOutput}.rate("rate")
		if err != nil {
			p.leave("rate", title, inWords(err))
			continue
		}
		n.InCredits, n.Reason = want.InCredits, "moved in from "+p.name
		key := n.Provider + "\x00" + n.Model + "\x00" + string(n.Type)
		old, exists := have[key]
		have[key] = old
		detail, err := p.rateDetail(n, old, exists)
		if err != nil {
			p.leave("rate", title, "its prices cannot be stored: "+err.Error())
			continue
		}
		if exists && want.Deprecated && old.Deprecated != nil {
			detail = nil // as it is there
		}
		if exists && want.Deprecated && old.Version == 1 && len(detail) == 0 {
			// An import ended between the two acts that make such a rate.
			p.step(false, "deprecation", title, []string{"reason: " + orDash(want.Reason)}, func(ctx context.Context) error {
				_, err := p.app.Desk.DeprecateRate(ctx, actor, old.ID, want.Reason, nil)
				return err
			})
			continue
		}
		p.step(exists, "rate", title, detail, func(ctx context.Context) error { return p.makeRate(ctx, n, want) })
	}
	return nil
}

func (p *importer) makeRate(ctx context.Context, n operator.NewRate, want movein.Rate) error {
	row, err := p.app.Desk.SetRate(ctx, actor, n)
	if err == nil && want.Deprecated {
		_, err = p.app.Desk.DeprecateRate(ctx, actor, row.ID, want.Reason, nil)
	}
	return err
}

func (p *importer) aliases() error {
	rows, err := p.app.Store.Aliases(p.ctx)
	if err != nil {
		return err
	}
	have := map[string]routing.Alias{}
	for _, row := range rows {
		a, err := operator.ReadAlias(row)
		if err != nil {
			return err
		}
		have[strings.ToLower(a.Name)] = *a
	}
	for _, want := range p.src.Aliases {
		alias := routing.Alias{Name: want.Name, Rules: p.rehomed(want.Rules)}
		old, exists := have[strings.ToLower(want.Name)]
		detail := []string{fmt.Sprintf("rules: %d", len(alias.Rules))}
		if exists && rulesJSON(old.Rules) == rulesJSON(alias.Rules) {
			detail = nil
		} else if exists {
			detail = []string{"the rules here are others"}
		}
		p.step(exists, "alias", want.Name, detail, func(ctx context.Context) error { return p.app.Desk.SetAlias(ctx, actor, alias) })
	}
	return nil
}

// rehomed are rules with the names that providers have here.
func (p *importer) rehomed(rules []routing.Rule) []routing.Rule {
	out := make([]routing.Rule, len(rules))
	for i, r := range rules {
		out[i] = routing.Rule{When: r.When, Policy: r.Policy}
		for _, s := range r.Steps {
			step := routing.Step{}
			for _, t := range s.Targets {
				name, model, _ := strings.Cut(t.Model, "/")
				step.Targets = append(step.Targets, routing.Weighted{Model: cmp.Or(p.renamed[name], name) + "/" + model, Weight: t.Weight})
			}
			out[i].Steps = append(out[i].Steps, step)
		}
	}
	return out
}
