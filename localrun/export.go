package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/big"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/urfave/cli/v2"
	"go.yaml.in/yaml/v3"

	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/pricing"
	"github.com/aigne-hub/aigne-hub/shared/provider"
	"github.com/aigne-hub/aigne-hub/shared/routing"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

func exportSpec() spec {
	return spec{
		name: "export", usage: "write the configuration as a file that apply reads", run: export, needs: []string{"file"}, arg: "file",
		flags: []cli.Flag{&cli.StringFlag{Name: "file", Aliases: []string{"f"}, Usage: "the `FILE`, - for standard output"}},
		about: "Credentials and API keys are written as env:VARIABLE for you to set, never as they are; a hub that has a key\n" +
			"needs no variable for it. Keys that are over, whose user is disabled, whose wallet is closed or whose name another\n" +
			"key of the user has are left out. Of grants only those that apply gave are written: others, applied again, would\n" +
			"be given twice. Passwords stay behind.",
	}
}

func export(j *job) error {
	return j.withHub(func(a *boot.App) error {
		m, leftOut, err := exported(j.ctx, a)
		if err != nil {
			return err
		}
		var b bytes.Buffer
		b.WriteString("# Written by `aigne-hub export`. Set the variables behind env: before `aigne-hub apply`.\n")
		for _, what := range leftOut {
			b.WriteString("# Left out: " + what + ".\n")
		}
		enc := yaml.NewEncoder(&b)
		enc.SetIndent(2)
		if err := enc.Encode(m); err != nil {
			return err
		}
		name := j.text("file")
		if name == dash {
			_, err := j.stdout.Write(b.Bytes())
			return err
		}
		const private = 0o600
		if err := os.WriteFile(name, b.Bytes(), private); err != nil {
			return err
		}
		v := map[string]any{"file": name, "providers": len(m.Providers), "rates": len(m.Rates), "aliases": len(m.Aliases), "users": len(m.Users), "wallets": len(m.Wallets), "keys": len(m.Keys),
			"limits": len(m.Limits), "grants": len(m.Grants), "left_out": append([]string{}, leftOut...)}
		return j.show(v, fmt.Sprintf("Wrote %s: %d provider(s), %d rate(s), %d alias(es), %d user(s), %d wallet(s), %d key(s), %d limit(s), %d grant(s).\n%s",
			name, len(m.Providers), len(m.Rates), len(m.Aliases), len(m.Users), len(m.Wallets), len(m.Keys), len(m.Limits), len(m.Grants), notes(leftOut)))
	})
}

func notes(leftOut []string) string {
	var b strings.Builder
	for _, what := range leftOut {
		b.WriteString("Left out: " + what + ".\n")
	}
	return b.String()
}

// exported is the configuration, and what of it no file can say.
func exported(ctx context.Context, a *boot.App) (m manifest, leftOut []string, err error) {
	m = manifest{Version: manifestVersion}
	refs := references{}
	if m.Providers, err = exportProviders(ctx, a, refs); err != nil {
		return m, nil, err
	}
	rates, err := a.Store.Rates(ctx)
	if err != nil {
		return m, nil, err
	}
	for _, row := range rates {
		if row.Retired {
			continue
		}
		r, err := exportRate(row, a.Config.CreditPrice)
		if err != nil {
			return m, nil, err
		}
		m.Rates = append(m.Rates, r)
	}
	if m.Aliases, err = exportAliases(ctx, a); err != nil {
		return m, nil, err
	}
	users, err := allUsers(ctx, a)
	if err != nil {
		return m, nil, err
	}
	wallets, names, err := exportWallets(ctx, a)
	if err != nil {
		return m, nil, err
	}
	m.Wallets = wallets
	x := &keyExport{users: users, wallets: names}
	if x.limits, err = a.Store.Limits(ctx); err != nil {
		return m, nil, err
	}
	if m.Keys, err = x.export(ctx, a, refs); err != nil {
		return m, nil, err
	}
	m.Limits = exportLimits(x)
	for _, u := range users {
		m.Users = append(m.Users, manifestUser{Email: u.Email, Role: string(u.Role), Groups: u.Groups})
		grants, err := a.Store.Grants(ctx, u.AccountID)
		if err != nil {
			return m, nil, err
		}
		for _, g := range grants {
			if g.ID == grantID(g.Name, u.Email) {
				m.Grants = append(m.Grants, exportGrant(g, u.Email))
			}
		}
	}
	return m, x.leftOut, nil
}

func exportGrant(g store.Grant, email string) manifestGrant {
	out := manifestGrant{Name: g.Name, User: email, Amount: g.Amount.String(), Reason: g.Reason}
	if g.ExpiresAt != nil {
		out.ExpiresAt = g.ExpiresAt.UTC().Format(time.RFC3339Nano)
	}
	return out
}

func exportProviders(ctx context.Context, a *boot.App, refs references) ([]manifestProvider, error) {
	stored, err := a.Store.Providers(ctx)
	if err != nil {
		return nil, err
	}
	credentials, err := a.Store.Credentials(ctx)
	if err != nil {
		return nil, err
	}
	var out []manifestProvider
	for _, p := range stored {
		var settings routing.ProviderSettings
		if err := json.Unmarshal([]byte(p.Settings), &settings); err != nil {
			return nil, fmt.Errorf("the settings of provider %s cannot be read: %w", p.Name, err)
		}
		v := manifestProvider{Kind: p.Kind, Name: p.Name, BaseURL: p.BaseURL, Region: p.Region, Enabled: unlessTrue(p.Enabled), Timeouts: settings.Timeouts, Managed: p.Managed}
		for _, c := range credentials {
			if c.ProviderID == p.ID {
				v.Credentials = append(v.Credentials, manifestCredential{Name: c.Name, Weight: c.Weight, MaxConcurrent: unlessNone(c.MaxConcurrent), Active: unlessTrue(c.Active),
					Value: refs.take(placeholder(p, c))})
			}
		}
		out = append(out, v)
	}
	return out, nil
}

// unlessTrue leaves the usual case out of the file.
func unlessTrue(b bool) *bool {
	if b {
		return nil
	}
	return &b
}

// unlessNone leaves a limit that is none out of the file.
func unlessNone(n int64) *int64 {
	if n == 0 {
		return nil
	}
	return &n
}

var notInNames = regexp.MustCompile(`[^A-Z0-9_]`)

// placeholder is the vendor's own variable for the first credential of the
// provider that is named after its kind, and a name made up for others.
func placeholder(p store.Provider, c store.Credential) string {
	if kind, ok := provider.Find(p.Kind); ok && p.Name == p.Kind && c.Name == "default" && len(kind.EnvKeys) > 0 && kind.Auth != provider.SigV4 && kind.Auth != provider.GoogleAccount {
		return kind.EnvKeys[0]
	}
	return variableName("HUB_" + p.Name + "_" + c.Name + "_CREDENTIAL")
}

// exportRate turns credits back into dollars. What was set in dollars with six
// decimals comes back as it was.
func exportRate(row store.Rate, creditPrice string) (manifestRate, error) {
	r, err := boot.ReadRate(row)
	if err != nil {
		return manifestRate{}, err
	}
	out := manifestRate{Provider: row.Provider, Model: row.Model, Type: string(row.Type), Context: r.Context, MaxOutput: r.MaxOutput, Timeouts: r.Timeouts, Managed: row.Managed}
	if out.Prices, err = inDollars(&r.Prices, creditPrice); err != nil {
		return out, err
	}
	if out.Tiers, err = tiersInDollars(r.Prices.Tiers, creditPrice); err != nil || r.Cost == nil {
		return out, err
	}
	if out.Costs, err = inDollars(r.Cost, "1"); err != nil {
		return out, err
	}
	out.CostTiers, err = tiersInDollars(r.Cost.Tiers, "1")
	return out, err
}

func tiersInDollars(tiers []pricing.Tier, creditPrice string) ([]manifestTier, error) {
	var out []manifestTier
	for i := range tiers {
		prices, err := inDollars(&pricing.Prices{Buckets: tiers[i].Buckets}, creditPrice)
		if err != nil {
			return nil, err
		}
		out = append(out, manifestTier{Above: tiers[i].AbovePrompt, Prices: prices})
	}
	return out, nil
}

func inDollars(p *pricing.Prices, creditPrice string) (map[string]string, error) {
	price, ok := new(big.Rat).SetString(creditPrice)
	if !ok {
		return nil, fmt.Errorf("credit price %q is not a number", creditPrice)
	}
	out := map[string]string{}
	add := func(key string, rate money.Rate) error {
		// round(rate × price), half up, in pico-dollars
		x := new(big.Rat).Mul(new(big.Rat).SetInt64(int64(rate)), price)
		n := new(big.Int).Add(new(big.Int).Lsh(x.Num(), 1), x.Denom())
		n.Div(n, new(big.Int).Lsh(x.Denom(), 1))
		if !n.IsInt64() {
			return money.ErrOverflow
		}
		out[key] = money.Rate(n.Int64()).PerMillion()
		return nil
	}
	for b, v := range p.Buckets {
		if !v.Set {
			continue
		}
		if err := add(hub.Bucket(b).String(), v.Rate); err != nil {
			return nil, err
		}
	}
	for i := range p.Variants {
		if err := add(p.Variants[i].Key(), p.Variants[i].Rate); err != nil {
			return nil, err
		}
	}
	return out, nil
}
