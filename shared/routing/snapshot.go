package routing

import (
	"slices"
	"sort"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/pricing"
	"github.com/aigne-hub/aigne-hub/shared/provider"
	"github.com/aigne-hub/aigne-hub/shared/task"
)

// Settings are the operator's choices that plans depend on.
type Settings struct {
	Billing          bool
	CreditPrice      string // dollars per credit
	DefaultMargin    string // percent; "" means that models without a rate are refused
	DefaultMaxOutput int64  // tokens, where neither request, rate nor catalogue knows
}

// Snapshot is the configuration at one version. It never changes.
type Snapshot struct {
	Version   int64
	settings  Settings
	catalogue *pricing.Catalogue
	providers []*Provider
	byName    map[string]*Provider
	rates     map[rateKey]*Rate
	folded    map[rateKey]*Rate // the same by names in lower case
	aliases   map[string]*Alias // by name in lower case
	measured  func(target string) Measured
	byModel   map[string][]*Rate // by the whole model name and by what follows its last slash

	profiles func() map[string][]string // see profileIndex; made when first asked for

	plans     sync.Map // planKey → Plan: what was made before
	planCount atomic.Int64
}

type rateKey struct {
	provider, model string
	kind            hub.CallType
}

type planKey struct {
	model   string
	kind    hub.CallType
	task    task.Kind
	dialect dialect.Name
	allow   string
}

// maxPlans bounds the memory of plans made: model names come from callers.
const maxPlans = 2000

// NewSnapshot builds a snapshot. Providers are those that may be used, each
// with the credentials that are active.
func NewSnapshot(version int64, s Settings, cat *pricing.Catalogue, providers []*Provider, rates []*Rate) *Snapshot {
	n := &Snapshot{Version: version, settings: s, catalogue: cat, providers: providers,
		byName: map[string]*Provider{}, rates: map[rateKey]*Rate{}, folded: map[rateKey]*Rate{}, byModel: map[string][]*Rate{}}
	n.profiles = sync.OnceValue(n.profileIndex)
	for _, p := range providers {
		n.byName[strings.ToLower(p.Name)] = p
	}
	for _, r := range rates {
		n.rates[rateKey{r.Provider, r.Model, r.Type}] = r
		n.folded[fold(r.Provider, r.Model, r.Type)] = r
		n.byModel[r.Model] = append(n.byModel[r.Model], r)
		if i := strings.LastIndexByte(r.Model, '/'); i >= 0 {
			n.byModel[r.Model[i+1:]] = append(n.byModel[r.Model[i+1:]], r)
		}
	}
	return n
}

// WithAliases adds the operator's own model names, and what is known of how
// targets fare; it is called before the snapshot is used.
func (n *Snapshot) WithAliases(aliases []*Alias, measured func(target string) Measured) *Snapshot {
	n.aliases, n.measured = make(map[string]*Alias, len(aliases)), measured
	for _, a := range aliases {
		n.aliases[strings.ToLower(a.Name)] = a
	}
	return n
}

// Named reports whether a name is an alias.
func (n *Snapshot) Named(model string) bool {
	return len(n.aliases) > 0 && n.aliases[strings.ToLower(strings.TrimPrefix(model, "aignehub/"))] != nil
}

// Providers lists the providers of the snapshot.
func (n *Snapshot) Providers() []*Provider { return n.providers }

// Request is what is to be planned.
type Request struct {
	Model   string
	Type    hub.CallType
	Task    task.Kind    // of work beside chat
	Dialect dialect.Name // the caller's
	Traits  Traits
	Allow   Allow // what the caller may use
}

func has(list []string, word string) known {
	if slices.Contains(list, word) {
		return yes
	}
	return no
}

// Plan resolves a model name: provider/model (the rest may hold more slashes),
// or a bare name, for which the hub picks providers by rank, those that speak
// the caller's dialect first among equals.
func (n *Snapshot) Plan(r Request) (Plan, error) {
	model := strings.TrimPrefix(r.Model, "aignehub/")
	if model == "" {
		return Plan{}, hub.Invalid("model", "The request names no model.")
	}
	if a := n.aliases[strings.ToLower(model)]; a != nil || r.Traits.Prefer != "" {
		return n.arranged(model, a, r)
	}
	key := planKey{model, r.Type, r.Task, r.Dialect, r.Allow.key()}
	if p, ok := n.plans.Load(key); ok {
		plan := p.(Plan)
		plan.Requested = r.Model
		return plan, nil
	}
	plan, err := n.resolve(model, r)
	if err != nil {
		return plan, err
	}
	if plan.record, err = plan.JSON(); err != nil {
		return plan, err
	}
	if n.planCount.Load() < maxPlans {
		if _, loaded := n.plans.LoadOrStore(key, plan); !loaded {
			n.planCount.Add(1)
		}
	}
	return plan, nil
}

func (n *Snapshot) resolve(model string, r Request) (Plan, error) {
	plan := Plan{Version: n.Version, Requested: r.Model}
	cands := n.candidates(model, r.Type)
	var unpriced *Target
	for _, c := range cands {
		t, refusal := n.target(c.provider, c.model, r.Type)
		if !r.Allow.Target(&t) {
			continue
		}
		if refusal == "" && r.Task != "" && !c.provider.Kind.Does(r.Task) {
			refusal = notServed
		}
		if refusal != "" {
			plan.Refused = append(plan.Refused, Refusal{t.Name(), refusal})
			if refusal == noRate && unpriced == nil {
				unpriced = &t
			}
			continue
		}
		plan.Targets = append(plan.Targets, t)
	}
	switch {
	case len(plan.Targets) == 0 && len(plan.Refused) == 0:
		return plan, n.unknown(model, &r)
	case len(plan.Targets) == 0:
		return plan, refused(model, &r, unpriced, plan.Refused)
	}
	sort.SliceStable(plan.Targets, func(i, j int) bool {
		a, b := &plan.Targets[i], &plan.Targets[j]
		if a.Provider.Kind.Rank != b.Provider.Kind.Rank {
			return a.Provider.Kind.Rank < b.Provider.Kind.Rank
		}
		an, bn := a.speaks(&r), b.speaks(&r)
		if an != bn {
			return an
		}
		return a.Provider.Name < b.Provider.Name
	})
	return plan, nil
}

// speaks reports whether the target answers a request in its own language.
func (t *Target) speaks(r *Request) bool {
	if r.Task != "" {
		return t.Provider.Kind.Tasks[r.Task] == r.Dialect
	}
	return t.Provider.Kind.Speaks(r.Dialect, t.Model)
}

type found struct {
	provider *Provider
	model    string
}

func (n *Snapshot) candidates(model string, kind hub.CallType) []found {
	if name, rest, ok := strings.Cut(model, "/"); ok && rest != "" {
		if p := n.byName[strings.ToLower(name)]; p != nil {
			return []found{{p, rest}}
		}
	}
	var out []found
	add := func(p *Provider, m string) {
		if p != nil && !slices.Contains(out, found{p, m}) {
			out = append(out, found{p, m})
		}
	}
	for _, r := range n.byModel[model] {
		if r.Type == kind {
			add(n.byName[strings.ToLower(r.Provider)], r.Model)
		}
	}
	for _, k := range provider.ForBare(model) {
		for _, p := range n.providers {
			if p.Kind.ID != k.ID {
				continue
			}
			if k.ID == provider.Bedrock {
				for _, m := range n.bedrockNames(p, model, kind) {
					add(p, m)
				}
			} else if m, ok := k.NameFor(model); ok {
				add(p, m)
			}
		}
	}
	return out
}

// fold is the key of a rate whatever the case of its names: the catalogue does
// not tell upper from lower case, so another spelling must not lead past the
// operator's own price to the catalogue's.
func fold(provider, model string, kind hub.CallType) rateKey {
	return rateKey{strings.ToLower(provider), strings.ToLower(strings.TrimSpace(model)), kind}
}

// rate finds what the operator asks for a model, the exact spelling first.
func (n *Snapshot) rate(p *Provider, model string, kind hub.CallType) *Rate {
	if r := n.rates[rateKey{p.Name, model, kind}]; r != nil {
		return r
	}
	return n.folded[fold(p.Name, model, kind)]
}

// target prices and limits a candidate; refusal says why it cannot serve.
func (n *Snapshot) target(p *Provider, model string, kind hub.CallType) (t Target, refusal string) {
	t = Target{Provider: p, Model: model, Type: kind, Timeouts: p.Timeouts}
	if !p.Kind.Can(kind) {
		return t, notServed
	}
	if len(p.Credentials) == 0 {
		return t, noCredential
	}
	rate := n.rate(p, model, kind)
	if rate != nil {
		t.Model, model = rate.Model, rate.Model
		if rate.Retired {
			return t, retired
		}
	}
	entry, listed := n.catalogue.Lookup(p.Kind.ID, model)
	if listed {
		t.Context, t.MaxOutput = entry.Context, entry.MaxOutput
		t.Tools, t.Reasoning = knownIf(entry.Tools), knownIf(entry.Reasoning)
		if len(entry.InputModalities) > 0 {
			t.Sees, t.Hears = has(entry.InputModalities, "image"), has(entry.InputModalities, "audio")
			t.Reads = has(entry.InputModalities, "pdf")
		}
		if len(entry.OutputModalities) > 0 {
			t.TextOnly = no
			if slices.Equal(entry.OutputModalities, []string{"text"}) {
				t.TextOnly = yes
			}
		}
		if !entry.Cost.Empty() {
			t.Cost = &entry.Cost
		}
	}
	if rate != nil {
		t.RateID, t.RateVersion = rate.ID, rate.Version
		t.Timeouts = rate.Timeouts.Over(p.Timeouts)
		if rate.Context > 0 {
			t.Context = rate.Context
		}
		if rate.MaxOutput > 0 {
			t.MaxOutput = rate.MaxOutput
		}
		if rate.Cost != nil {
			t.Cost = rate.Cost
		}
	}
	t.LimitKnown = t.MaxOutput > 0
	if !t.LimitKnown {
		t.MaxOutput = n.settings.DefaultMaxOutput
	}
	if !n.settings.Billing {
		return t, ""
	}
	switch {
	case rate != nil:
		t.Prices = &rate.Prices
	case t.Cost != nil && n.settings.DefaultMargin != "":
		prices, err := pricing.FromCost(*t.Cost, n.settings.DefaultMargin, n.settings.CreditPrice)
		if err != nil {
			return t, noRate
		}
		t.Prices = &prices
	default:
		return t, noRate
	}
	return t, ""
}

// Listed is a model that can be called.
type Listed struct {
	Target
	Type hub.CallType
}

// Models lists what can be called: models with a rate and, where calls need
// none, those of the catalogue at providers with a live credential. Sorted by
// name.
func (n *Snapshot) Models(kind hub.CallType) []Listed { return n.ModelsFor(nil, kind) }

// ModelsFor is Models for a caller that may not use all.
func (n *Snapshot) ModelsFor(allow Allow, kind hub.CallType) []Listed {
	seen := map[string]bool{}
	var out []Listed
	add := func(p *Provider, model string) {
		if p == nil || seen[p.Name+"/"+model] {
			return
		}
		t, refusal := n.target(p, model, kind)
		if refusal == "" && allow.Target(&t) {
			seen[t.Name()] = true
			out = append(out, Listed{t, kind})
		}
	}
	for k := range n.rates {
		if k.kind == kind {
			add(n.byName[strings.ToLower(k.provider)], k.model)
		}
	}
	if kind == hub.TypeChat && (!n.settings.Billing || n.settings.DefaultMargin != "") {
		for _, p := range n.providers {
			for _, m := range n.catalogue.Models(p.Kind.ID) {
				if slices.Contains(m.OutputModalities, "text") {
					add(p, m.ID)
				}
			}
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Name() < out[j].Name() })
	return out
}

// Offers returns a function that tells whether a target is among the models that
// callers are shown.
func (n *Snapshot) Offers() func(provider, model string, kind hub.CallType) bool {
	all := map[rateKey]bool{}
	for _, kind := range hub.CallTypes() {
		for _, l := range n.Models(kind) {
			all[rateKey{l.Provider.Name, l.Model, kind}] = true
		}
	}
	return func(provider, model string, kind hub.CallType) bool { return all[rateKey{provider, model, kind}] }
}
