package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/ledger"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/pricing"
	"github.com/aigne-hub/aigne-hub/shared/provider"
	"github.com/aigne-hub/aigne-hub/shared/routing"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// planner compares a manifest with what the database holds.
type planner struct {
	ctx     context.Context
	app     *boot.App
	desk    *operator.Desk // which may change what files manage
	lookup  func(string) (string, bool)
	users   map[string]store.User   // by e-mail address in lower case
	wallets map[string]store.Wallet // shared ones, by name in lower case
	emails  map[string]string       // of users by id, for prune
	keys    *keyring
	secrets map[string]bool // hashes of those that new keys are made of
	file    manifest
	named   map[[4]string]bool // limits that the file names, see limitRef
	out     []change
}

// planManifest lists the steps that lead from the database to the manifest. It
// changes nothing. With prune what the file does not name is removed at the end.
func planManifest(ctx context.Context, a *boot.App, lookup func(string) (string, bool), m manifest, prune bool) ([]change, error) {
	p := &planner{ctx: ctx, app: a, desk: a.Desk.OfFile(), lookup: lookup, users: map[string]store.User{}, wallets: map[string]store.Wallet{}, secrets: map[string]bool{}, file: m, named: map[[4]string]bool{}, out: []change{}}
	for _, step := range []func(manifest) error{p.planUsers, p.planWallets, p.planProviders, p.planRates, p.planAliases, p.planKeys, p.planLimits, p.planGrants} {
		if err := step(m); err != nil {
			return nil, err
		}
	}
	if prune {
		if err := p.planPrune(m); err != nil {
			return nil, err
		}
	}
	return p.out, nil
}

// add appends a step; without details an existing thing stays as it is.
func (p *planner) add(exists bool, kind, name string, detail []string, do func(ctx context.Context) error) {
	c := change{Action: "create", Kind: kind, Name: name, Detail: detail, do: do}
	switch {
	case exists && len(detail) == 0:
		c.Action, c.Detail, c.do = "none", []string{}, nil
	case exists:
		c.Action = "change"
	}
	p.out = append(p.out, c)
}

// compact is a value of numbers, strings and durations, which always encode, as
// JSON.
func compact(v any) string {
	b, _ := json.Marshal(v)
	return string(b)
}

// turned describes the change of one field.
func turned(field, from, to string) string {
	return fmt.Sprintf("%s: %s → %s", field, cmp.Or(from, dash), cmp.Or(to, dash))
}

func (p *planner) planProviders(m manifest) error {
	stored, err := p.app.Store.Providers(p.ctx)
	if err != nil {
		return err
	}
	byName := map[string]store.Provider{}
	for _, have := range stored {
		byName[have.Name] = have
	}
	credentials, err := p.app.Store.Credentials(p.ctx)
	if err != nil {
		return err
	}
	for i, want := range m.Providers {
		path := fmt.Sprintf("providers[%d]", i)
		have, exists := byName[want.Name]
		if err := p.planProvider(path, want, have, exists); err != nil {
			return err
		}
		for k, c := range want.Credentials {
			var existing *store.Credential
			for n := range credentials {
				if exists && credentials[n].ProviderID == have.ID && credentials[n].Name == c.Name {
					existing = &credentials[n]
				}
			}
			if err := p.planCredential(fmt.Sprintf("%s.credentials[%d]", path, k), want.Name, c, existing); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *planner) planProvider(path string, want manifestProvider, have store.Provider, exists bool) error {
	kind, ok := provider.Find(want.Kind)
	if !ok {
		return hub.Invalid(path+".kind", "%s.kind: %q is no provider kind; there are %s", path, want.Kind, kindNames())
	}
	base := ""
	if want.BaseURL != "" || kind.BaseURL == "" {
		var err error
		if base, err = provider.NormaliseBaseURL(kind, want.BaseURL); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	if !exists {
		p.add(false, "provider", want.Name, marked([]string{"kind: " + kind.ID}, "", want.Managed), func(ctx context.Context) error {
			made, err := p.desk.AddProvider(ctx, actor, operator.NewProvider{Kind: kind.ID, Name: want.Name, BaseURL: base, Region: want.Region, Timeouts: want.Timeouts})
			if err == nil && want.Enabled != nil && !*want.Enabled {
				err = p.desk.ChangeProvider(ctx, actor, want.Name, operator.ChangedProvider{Enabled: want.Enabled})
			}
			if err != nil {
				return err
			}
			return p.mark(ctx, store.ManagedProvider, made.ID, "", want.Managed)
		})
		return nil
	}
	if have.Kind != kind.ID {
		return hub.Invalid(path+".kind", "%s.kind: the provider %s is of kind %s, which cannot be changed; remove it first", path, have.Name, have.Kind)
	}
	var detail []string
	n := operator.ChangedProvider{}
	if base != "" && base != have.BaseURL {
		detail, n.BaseURL = append(detail, turned("base_url", have.BaseURL, base)), &base
	}
	if want.Region != "" && want.Region != have.Region {
		detail, n.Region = append(detail, turned("region", have.Region, want.Region)), &want.Region
	}
	if want.Enabled != nil && *want.Enabled != have.Enabled {
		detail, n.Enabled = append(detail, turned("enabled", yesNo(have.Enabled), yesNo(*want.Enabled))), want.Enabled
	}
	changed := len(detail) > 0
	var settings routing.ProviderSettings
	if err := json.Unmarshal([]byte(have.Settings), &settings); err != nil {
		return fmt.Errorf("%s: the stored settings of the provider cannot be read: %w", path, err)
	}
	spans := want.Timeouts.Over(settings.Timeouts)
	tuned := spans != settings.Timeouts
	if tuned {
		detail = append(detail, turned("timeouts", compact(settings.Timeouts), compact(spans)))
	}
	p.add(true, "provider", want.Name, marked(detail, have.Managed, want.Managed), func(ctx context.Context) error {
		if changed {
			if err := p.desk.ChangeProvider(ctx, actor, want.Name, n); err != nil {
				return err
			}
		}
		if tuned {
			if _, err := p.desk.SetProviderTimeouts(ctx, actor, want.Name, spans); err != nil {
				return err
			}
		}
		return p.mark(ctx, store.ManagedProvider, have.ID, have.Managed, want.Managed)
	})
	return nil
}

func (p *planner) planRates(m manifest) error {
	rows, err := p.app.Store.Rates(p.ctx)
	if err != nil {
		return err
	}
	have := map[string]store.Rate{}
	for _, r := range rows {
		have[r.Provider+"\x00"+r.Model+"\x00"+string(r.Type)] = r
	}
	for i, want := range m.Rates {
		n, err := want.rate(fmt.Sprintf("rates[%d]", i))
		if err != nil {
			return err
		}
		old, exists := have[n.Provider+"\x00"+n.Model+"\x00"+string(n.Type)]
		detail, err := p.rateDetail(n, old, exists)
		if err != nil {
			return fmt.Errorf("rates[%d]: %w", i, err)
		}
		priced := len(detail) > 0
		p.add(exists, "rate", n.Provider+"/"+n.Model+" "+string(n.Type), marked(detail, old.Managed, want.Managed), func(ctx context.Context) error {
			row := old
			if priced { // a mark makes no new version
				var err error
				if row, err = p.desk.SetRate(ctx, actor, n); err != nil {
					return err
				}
			}
			return p.mark(ctx, store.ManagedRate, row.ID, old.Managed, want.Managed)
		})
	}
	return nil
}

// rateDetail compares in the stored form, credits per unit, where the same
// dollars always give the same figures.
func (p *planner) rateDetail(n operator.NewRate, old store.Rate, exists bool) ([]string, error) {
	price := p.app.Config.CreditPrice
	if n.InCredits {
		price = "1"
	}
	prices, err := inCredits(n.Prices, n.Variants, n.Tiers, price)
	if err != nil {
		return nil, err
	}
	costs := &pricing.Prices{}
	if len(n.Costs)+len(n.CostVariants)+len(n.CostTiers) > 0 {
		if costs, err = inCredits(n.Costs, n.CostVariants, n.CostTiers, "1"); err != nil {
			return nil, err
		}
	}
	if !exists {
		return []string{"credits per million: " + viewPrices(prices).words()}, nil
	}
	before, err := boot.ReadRate(old)
	if err != nil {
		return nil, err
	}
	if before.Cost == nil {
		before.Cost = &pricing.Prices{}
	}
	meta := func(m routing.RateMetadata) string { return compact(m) }
	var detail []string
	if old.Deprecated != nil {
		detail = append(detail, turned("deprecated", yesNo(true), yesNo(false)))
	}
	for _, f := range []struct{ field, from, to string }{
		{"credits per million", viewPrices(&before.Prices).words(), viewPrices(prices).words()},
		{"cost per million", viewPrices(before.Cost).words(), viewPrices(costs).words()},
		{"limits", meta(routing.RateMetadata{Context: before.Context, MaxOutput: before.MaxOutput, Timeouts: before.Timeouts}),
			meta(routing.RateMetadata{Context: n.Context, MaxOutput: n.MaxOutput, Timeouts: n.Timeouts})},
	} {
		if f.from != f.to {
			detail = append(detail, turned(f.field, f.from, f.to))
		}
	}
	return detail, nil
}

func inCredits(perMillion map[hub.Bucket]string, variants []operator.Variant, tiers []operator.Tier, creditPrice string) (*pricing.Prices, error) {
	var dollars pricing.Prices
	for b, text := range perMillion {
		rate, err := money.ParsePerMillion(text)
		if err != nil {
			return nil, err
		}
		dollars.Set(b, rate)
	}
	for _, v := range variants {
		rate, err := money.ParsePerMillion(v.Price)
		if err != nil {
			return nil, err
		}
		dollars.Variants = append(dollars.Variants, pricing.VariantPrice{Bucket: v.Bucket, Quality: v.Quality, Size: v.Size, Rate: rate})
	}
	for _, t := range tiers {
		tier := pricing.Tier{AbovePrompt: t.Above}
		for b, text := range t.Prices {
			rate, err := money.ParsePerMillion(text)
			if err != nil {
				return nil, err
			}
			tier.Buckets[b] = pricing.Price{Rate: rate, Set: true}
		}
		dollars.Tiers = append(dollars.Tiers, tier)
	}
	slices.SortFunc(dollars.Tiers, func(a, b pricing.Tier) int { return cmp.Compare(a.AbovePrompt, b.AbovePrompt) })
	out, err := pricing.FromCost(dollars, "0", creditPrice)
	return &out, err
}

// grantID makes the same grant the same operation, however often it is applied.
func grantID(name, email string) string {
	sum := sha256.Sum256([]byte("apply\x00" + name + "\x00" + strings.ToLower(email)))
	return "apply-" + hex.EncodeToString(sum[:16])
}

func (p *planner) planGrants(m manifest) error {
	for i, want := range m.Grants {
		path := fmt.Sprintf("grants[%d]", i)
		u, known := p.users[strings.ToLower(want.User)]
		if !known {
			return hub.Invalid(path+".user", "%s.user: there is no user %s, here or in the file", path, want.User)
		}
		have, err := p.grant(u, grantID(want.Name, want.User))
		if err != nil {
			return err
		}
		amount, err := money.ParseCredits(want.Amount)
		if err != nil {
			return err
		}
		expires, err := want.expiry(path)
		if err != nil {
			return err
		}
		if have != nil && have.Amount != amount {
			return hub.Invalid(path+".amount", "%s: the grant %s of %s credits has been given and cannot become one of %s; use another name", path, want.Name, have.Amount, amount)
		}
		if have == nil && expires != nil && !expires.After(p.app.Now()) {
			return hub.Invalid(path+".expires_at", "%s.expires_at must lie in the future", path)
		}
		var detail []string
		if have == nil {
			detail = []string{"credits: " + amount.String()}
		}
		p.add(have != nil, "grant", want.Name+" for "+want.User, detail, func(ctx context.Context) error {
			return p.give(ctx, want, ledger.Gift{Name: want.Name, Amount: amount, ExpiresAt: expires, Actor: actor, Reason: want.Reason,
				ID: grantID(want.Name, want.User)})
		})
	}
	return nil
}

func (p *planner) grant(u store.User, id string) (*store.Grant, error) {
	if u.AccountID == "" {
		return nil, nil // the user is yet to be made
	}
	grants, err := p.app.Store.Grants(p.ctx, u.AccountID)
	if err != nil {
		return nil, err
	}
	for i := range grants {
		if grants[i].ID == id {
			return &grants[i], nil
		}
	}
	return nil, nil
}

func (p *planner) give(ctx context.Context, want manifestGrant, g ledger.Gift) error {
	u, err := p.desk.User(ctx, want.User)
	if err != nil {
		return err
	}
	g.AccountID = u.AccountID
	if _, err := p.app.Book.Grant(ctx, g); err != nil {
		return err
	}
	after, err := json.Marshal(map[string]string{"amount": g.Amount.String(), "grant": g.ID, "reason": g.Reason})
	if err != nil {
		return err
	}
	return p.app.Store.Audit(ctx, actor, "credits.grant", u.Email, "", string(after))
}
