package boot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/limits"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/pricing"
	"github.com/aigne-hub/aigne-hub/shared/provider"
	"github.com/aigne-hub/aigne-hub/shared/routing"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

const (
	// pollEvery is how often an idle process looks for a new configuration: with
	// the admitting statement's own check it makes changes work within 2 s.
	pollEvery = time.Second
	// rebuildAfter renews a snapshot for the sake of dated prices.
	rebuildAfter = 10 * time.Minute
)

// Routes returns the current snapshot; before the first Reload an empty one.
func (a *App) Routes() *routing.Snapshot {
	if s := a.snapshot.Load(); s != nil {
		return s
	}
	return routing.NewSnapshot(0, a.routing(), a.Catalogue(), nil, nil)
}

func (a *App) routing() routing.Settings {
	return routing.Settings{Billing: a.Config.Billing, CreditPrice: a.Config.CreditPrice, DefaultMargin: a.Config.DefaultMargin,
		DefaultMaxOutput: a.Config.DefaultMaxOutput}
}

func (a *App) configVersion() int64 {
	if s := a.snapshot.Load(); s != nil {
		return s.Version
	}
	return 0
}

// Reload reads the configuration and swaps the snapshot.
func (a *App) Reload(ctx context.Context) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	c, err := a.Store.LoadConfig(ctx)
	if err != nil {
		return fmt.Errorf("read configuration: %w", err)
	}
	providers, err := a.providers(ctx, &c)
	if err != nil {
		return err
	}
	rates := make([]*routing.Rate, 0, len(c.Rates))
	for _, row := range c.Rates {
		r, err := ReadRate(row)
		if err != nil {
			return err
		}
		rates = append(rates, r)
	}
	names := make([]*routing.Alias, 0, len(c.Aliases))
	for _, row := range c.Aliases {
		alias, err := operator.ReadAlias(row)
		if err != nil {
			return err
		}
		names = append(names, alias)
	}
	a.adopt(ctx, c.Catalogue)
	a.snapshot.Store(routing.NewSnapshot(c.Version, a.routing(), a.Catalogue(), providers, rates).WithAliases(names, a.measured))
	a.limits.Store(limits.NewSet(c.Limits))
	a.followCapture(c.Capture)
	a.loaded = a.Now()
	a.checked.Store(a.loaded.UnixMilli())
	return nil
}

// Fresh reloads when the configuration has changed, looking at most once a
// second.
func (a *App) Fresh(ctx context.Context) error {
	if a.fresh() {
		return nil
	}
	return a.refresh(ctx)
}

// fresh reports whether the configuration was looked at within the last second.
func (a *App) fresh() bool {
	return a.snapshot.Load() != nil && a.Now().UnixMilli()-a.checked.Load() < pollEvery.Milliseconds()
}

// FreshFor is Fresh for a request, whose key tells by the way whether the configuration
// has changed, if it has to be read.
func (a *App) FreshFor(r *http.Request) error {
	if !a.fresh() {
		a.Keys.Expect(r)
	}
	return a.Fresh(r.Context())
}

// noticed hears of the version that somebody read beside something else.
func (a *App) noticed(ctx context.Context, version int64) {
	if s := a.snapshot.Load(); s == nil || s.Version == version {
		a.mu.Lock()
		old := a.Now().Sub(a.loaded) > rebuildAfter
		a.mu.Unlock()
		if s != nil && !old {
			a.checked.Store(a.Now().UnixMilli())
		}
		return
	}
	if err := a.Reload(ctx); err != nil {
		a.Log.Warn("configuration not refreshed", "error", err)
	}
}

// CatchUp is Fresh for somebody who was about to be told that something is not
// there. It reports whether the configuration had changed, and looks at most
// once in 50 ms, since unknown names are easy to make up.
func (a *App) CatchUp(ctx context.Context) bool {
	const pause = 50 * time.Millisecond
	before := a.configVersion()
	if now := a.Now().UnixMilli(); now-a.caught.Swap(now) < pause.Milliseconds() {
		return false
	}
	if err := a.refresh(ctx); err != nil {
		a.Log.Warn("configuration not refreshed", "error", err)
	}
	return a.configVersion() != before
}

func (a *App) refresh(ctx context.Context) error {
	s := a.snapshot.Load()
	if s == nil {
		return a.Reload(ctx)
	}
	v, err := a.Store.ConfigVersion(ctx)
	if err != nil {
		return err
	}
	a.mu.Lock()
	old := a.Now().Sub(a.loaded) > rebuildAfter
	a.mu.Unlock()
	if v != s.Version || old {
		return a.Reload(ctx)
	}
	a.checked.Store(a.Now().UnixMilli())
	return nil
}

// Watch keeps the snapshot fresh until ctx ends.
func (a *App) Watch(ctx context.Context) {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := errors.Join(a.refresh(ctx), a.watchKeys(ctx)); err != nil && ctx.Err() == nil {
				a.Log.Warn("configuration not refreshed", "error", err)
			}
		}
	}
}

// providers joins the stored providers with those of the environment; a stored
// one of the same name wins.
func (a *App) providers(ctx context.Context, c *store.Config) ([]*routing.Provider, error) {
	byID := map[string]*routing.Provider{}
	taken := map[string]bool{}
	var out []*routing.Provider
	for _, row := range c.Providers {
		taken[row.Name] = true
		if !row.Enabled {
			continue
		}
		p, err := readProvider(row)
		if err != nil {
			a.Log.Warn("provider left out", "provider", row.Name, "error", err)
			continue
		}
		byID[row.ID] = p
		out = append(out, p)
	}
	if err := a.credentials(ctx, c, byID); err != nil {
		return nil, err
	}
	for _, p := range out {
		if len(p.Credentials) == 0 && p.Kind.KeyOptional {
			p.Credentials = []routing.Credential{{Name: "none", Weight: 1}}
		}
	}
	return append(out, a.envProviders(taken)...), nil
}

// readProvider makes a provider of its row, without credentials.
func readProvider(row store.Provider) (*routing.Provider, error) {
	kind, ok := provider.Find(row.Kind)
	if !ok {
		return nil, fmt.Errorf("the kind %s is not known", row.Kind)
	}
	base, err := baseURL(kind, row.BaseURL, row.Region)
	if err != nil {
		return nil, fmt.Errorf("bad base URL: %w", err)
	}
	var settings routing.ProviderSettings
	if err := json.Unmarshal([]byte(row.Settings), &settings); err != nil {
		return nil, fmt.Errorf("settings: %w", err)
	}
	return &routing.Provider{ID: row.ID, Name: row.Name, Kind: kind.At(base), BaseURL: base, Region: row.Region, Source: "stored",
		Timeouts: settings.Timeouts}, nil
}

func (a *App) credentials(ctx context.Context, c *store.Config, byID map[string]*routing.Provider) error {
	if len(c.Credentials) == 0 {
		return nil
	}
	keyring, err := a.Vault(ctx)
	if err != nil {
		return err
	}
	for _, row := range c.Credentials {
		p := byID[row.ProviderID]
		if p == nil || !row.Active {
			continue
		}
		secret, err := keyring.Open(operator.CredentialAAD(row.ID), row.Sealed)
		if err != nil {
			a.Log.Error("credential cannot be opened", "provider", p.Name, "credential", row.Name, "error", err)
			continue
		}
		p.Credentials = append(p.Credentials, routing.Credential{ID: row.ID, Name: row.Name, Weight: row.Weight, Secret: secret,
			MaxConcurrent: row.MaxConcurrent})
	}
	return nil
}

func baseURL(kind provider.Kind, raw, region string) (string, error) {
	base, err := provider.NormaliseBaseURL(kind, raw)
	if err != nil {
		return "", err
	}
	return provider.RegionURL(base, region)
}

// ReadRate decodes a rate row.
func ReadRate(row store.Rate) (*routing.Rate, error) {
	r := &routing.Rate{ID: row.ID, Version: row.Version, Provider: row.Provider, Model: row.Model, Type: row.Type, Retired: row.Retired}
	if err := json.Unmarshal([]byte(row.Prices), &r.Prices); err != nil {
		return nil, fmt.Errorf("rate %s/%s: %w", row.Provider, row.Model, err)
	}
	if row.Costs != "" {
		r.Cost = &pricing.Prices{}
		if err := json.Unmarshal([]byte(row.Costs), r.Cost); err != nil {
			return nil, fmt.Errorf("cost of %s/%s: %w", row.Provider, row.Model, err)
		}
	}
	var m routing.RateMetadata
	if err := json.Unmarshal([]byte(row.Metadata), &m); err != nil {
		return nil, fmt.Errorf("metadata of %s/%s: %w", row.Provider, row.Model, err)
	}
	r.Context, r.MaxOutput, r.Timeouts = m.Context, m.MaxOutput, m.Timeouts
	return r, nil
}
