package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/pricing"
	"github.com/aigne-hub/aigne-hub/shared/routing"
)

// manifestVersion is the only version of the file there is.
const manifestVersion = 1

// manifest is the declarative file of apply and export.
type manifest struct {
	Version   int                `yaml:"version"`
	Providers []manifestProvider `yaml:"providers,omitempty"`
	Rates     []manifestRate     `yaml:"rates,omitempty"`
	Aliases   []manifestAlias    `yaml:"aliases,omitempty"`
	Users     []manifestUser     `yaml:"users,omitempty"`
	Wallets   []manifestWallet   `yaml:"wallets,omitempty"`
	Keys      []manifestKey      `yaml:"keys,omitempty"`
	Limits    []manifestLimit    `yaml:"limits,omitempty"`
	Grants    []manifestGrant    `yaml:"grants,omitempty"`
}

// manifestProvider is a stored provider. What is left out stays as it is.
type manifestProvider struct {
	Kind        string               `yaml:"kind"`
	Name        string               `yaml:"name"`
	BaseURL     string               `yaml:"base_url,omitempty"`
	Region      string               `yaml:"region,omitempty"`
	Enabled     *bool                `yaml:"enabled,omitempty"`
	Timeouts    routing.Timeouts     `yaml:"timeouts,omitempty"`
	Credentials []manifestCredential `yaml:"credentials,omitempty"`
	Managed     string               `yaml:"managed,omitempty"`
}

type manifestCredential struct {
	Name          string `yaml:"name"`
	Weight        int64  `yaml:"weight,omitempty"`
	MaxConcurrent *int64 `yaml:"max_concurrent,omitempty"`
	Active        *bool  `yaml:"active,omitempty"`
	Value         string `yaml:"value"` // env:VARIABLE
}

// manifestRate has prices and costs in US dollars per million units, by bucket.
type manifestRate struct {
	Provider  string            `yaml:"provider"`
	Model     string            `yaml:"model"`
	Type      string            `yaml:"type,omitempty"`
	Prices    map[string]string `yaml:"prices"`
	Tiers     []manifestTier    `yaml:"tiers,omitempty"`
	Costs     map[string]string `yaml:"costs,omitempty"`
	CostTiers []manifestTier    `yaml:"cost_tiers,omitempty"`
	Context   int64             `yaml:"context,omitempty"`
	MaxOutput int64             `yaml:"max_output,omitempty"`
	Timeouts  routing.Timeouts  `yaml:"timeouts,omitempty"`
	Managed   string            `yaml:"managed,omitempty"`
}

// manifestTier replaces prices of calls whose prompt is longer.
type manifestTier struct {
	Above  int64             `yaml:"above"` // tokens
	Prices map[string]string `yaml:"prices"`
}

// manifestUser keeps its groups where the file names none.
type manifestUser struct {
	Email  string   `yaml:"email"`
	Role   string   `yaml:"role"`
	Groups []string `yaml:"groups,omitempty"`
}

// manifestGrant is given once for its name and user.
type manifestGrant struct {
	Name      string `yaml:"name"`
	User      string `yaml:"user"`
	Amount    string `yaml:"amount"`
	ExpiresAt string `yaml:"expires_at,omitempty"` // RFC 3339
	Reason    string `yaml:"reason,omitempty"`
}

var unknownField = regexp.MustCompile(`field (\S+) not found in type \S+`)

// readManifest decodes a file strictly: what it does not know is an error that
// names the line.
func readManifest(data []byte) (manifest, error) {
	var m manifest
	dec := yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(true)
	err := dec.Decode(&m)
	if errors.Is(err, io.EOF) {
		return m, hub.Invalid("file", "the file is empty")
	}
	if err != nil {
		text := strings.TrimPrefix(err.Error(), "yaml: ")
		text = strings.TrimPrefix(text, "unmarshal errors:\n")
		return m, hub.Invalid("file", "%s", unknownField.ReplaceAllString(text, "there is no field $1 here"))
	}
	if !errors.Is(dec.Decode(&manifest{}), io.EOF) {
		return m, hub.Invalid("file", "the file holds more than one document")
	}
	if m.Version != manifestVersion {
		return m, hub.Invalid("version", "version must be %d, not %d", manifestVersion, m.Version)
	}
	return m, m.check()
}

// check finds what cannot be right whatever the database holds.
func (m *manifest) check() error {
	seen := map[string]bool{}
	once := func(path, key string) error {
		if seen[key] {
			return hub.Invalid(path, "%s: %s is there twice", path, strings.ReplaceAll(key, "\x00", " "))
		}
		seen[key] = true
		return nil
	}
	for i, p := range m.Providers {
		path := fmt.Sprintf("providers[%d]", i)
		if err := errors.Join(required(path, "kind", p.Kind, "name", p.Name), once(path, "provider\x00"+p.Name)); err != nil {
			return err
		}
		for k, c := range p.Credentials {
			path := fmt.Sprintf("%s.credentials[%d]", path, k)
			if err := errors.Join(required(path, "name", c.Name, "value", c.Value), once(path, "credential\x00"+p.Name+"/"+c.Name)); err != nil {
				return err
			}
			if _, err := envReference(path+".value", c.Value); err != nil {
				return err
			}
		}
	}
	for i, r := range m.Rates {
		path := fmt.Sprintf("rates[%d]", i)
		if err := errors.Join(required(path, "provider", r.Provider, "model", r.Model), once(path, "rate\x00"+r.Provider+"/"+r.Model+" "+r.Type)); err != nil {
			return err
		}
		if _, err := r.rate(path); err != nil {
			return err
		}
	}
	for i, u := range m.Users {
		path := fmt.Sprintf("users[%d]", i)
		if err := errors.Join(required(path, "email", u.Email, "role", u.Role), once(path, "user\x00"+strings.ToLower(u.Email))); err != nil {
			return err
		}
		if !hub.Role(u.Role).Valid() {
			return hub.Invalid(path+".role", "%s.role must be owner, admin, member or guest, not %q", path, u.Role)
		}
		if err := operator.CheckGroups(u.Groups); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	if err := m.checkWallets(once); err != nil {
		return err
	}
	if err := m.checkKeys(once); err != nil {
		return err
	}
	if err := m.checkRouting(once); err != nil {
		return err
	}
	if err := m.checkManaged(); err != nil {
		return err
	}
	return m.checkGrants(once)
}

func (m *manifest) checkGrants(once func(path, key string) error) error {
	for i, g := range m.Grants {
		path := fmt.Sprintf("grants[%d]", i)
		err := errors.Join(required(path, "name", g.Name, "user", g.User, "amount", g.Amount),
			once(path, "grant\x00"+g.Name+" for "+strings.ToLower(g.User)))
		if err != nil {
			return err
		}
		if amount, err := money.ParseCredits(g.Amount); err != nil || amount <= 0 {
			return hub.Invalid(path+".amount", "%s.amount must be a decimal above 0 with at most nine decimals, not %q", path, g.Amount)
		}
		if _, err := g.expiry(path); err != nil {
			return err
		}
	}
	return nil
}

// required takes pairs of a field and its value.
func required(path string, pairs ...string) error {
	for i := 0; i < len(pairs); i += 2 {
		if strings.TrimSpace(pairs[i+1]) == "" {
			return hub.Invalid(path+"."+pairs[i], "%s.%s is missing", path, pairs[i])
		}
	}
	return nil
}

var envName = regexp.MustCompile(`^env:([A-Za-z_][A-Za-z0-9_]*)$`)

// envReference takes the variable out of env:VARIABLE. A secret itself is
// refused, and not repeated.
func envReference(path, value string) (string, error) {
	m := envName.FindStringSubmatch(value)
	if m == nil {
		return "", hub.Invalid(path, "%s must be env:VARIABLE; secrets do not belong into the file", path)
	}
	return m[1], nil
}

func (g manifestGrant) expiry(path string) (*time.Time, error) {
	if g.ExpiresAt == "" {
		return nil, nil
	}
	t, err := time.Parse(time.RFC3339, g.ExpiresAt)
	if err != nil {
		return nil, hub.Invalid(path+".expires_at", "%s.expires_at must be a time such as 2027-01-31T00:00:00Z, not %q", path, g.ExpiresAt)
	}
	t = t.UTC()
	return &t, nil
}

// rate is what the entry asks for.
func (r manifestRate) rate(path string) (operator.NewRate, error) {
	n := operator.NewRate{Provider: r.Provider, Model: r.Model, Type: hub.CallType(r.Type), Context: r.Context, MaxOutput: r.MaxOutput, Timeouts: r.Timeouts}
	if n.Type == "" {
		n.Type = hub.TypeChat
	}
	if !n.Type.Valid() {
		return n, hub.Invalid(path+".type", "%s.type must be chatCompletion, embedding, imageGeneration, audioGeneration, video, moderation or rerank, not %q", path, r.Type)
	}
	if len(r.Prices) == 0 {
		return n, hub.Invalid(path+".prices", "%s.prices is missing", path)
	}
	var err error
	if n.Prices, n.Variants, err = priceList(path+".prices", r.Prices); err != nil {
		return n, err
	}
	if n.Costs, n.CostVariants, err = priceList(path+".costs", r.Costs); err != nil {
		return n, err
	}
	if n.Tiers, err = tierList(path+".tiers", r.Tiers); err != nil {
		return n, err
	}
	n.CostTiers, err = tierList(path+".cost_tiers", r.CostTiers)
	return n, err
}

// priceList parts prices by bucket from those by quality and size.
func priceList(path string, prices map[string]string) (map[hub.Bucket]string, []operator.Variant, error) {
	plain := map[string]string{}
	var variants []operator.Variant
	for key, price := range prices {
		b, quality, size, ok := pricing.ParseKey(key)
		if !ok || (quality == "" && size == "") {
			plain[key] = price
			continue
		}
		if _, err := buckets(path, map[string]string{b.String(): price}); err != nil {
			return nil, nil, err
		}
		variants = append(variants, operator.Variant{Bucket: b, Quality: quality, Size: size, Price: price})
	}
	slices.SortFunc(variants, func(a, b operator.Variant) int {
		return cmp.Or(cmp.Compare(a.Bucket, b.Bucket), cmp.Compare(a.Quality, b.Quality), cmp.Compare(a.Size, b.Size))
	})
	out, err := buckets(path, plain)
	return out, variants, err
}

func tierList(path string, tiers []manifestTier) ([]operator.Tier, error) {
	var out []operator.Tier
	for i, t := range tiers {
		prices, err := buckets(fmt.Sprintf("%s[%d].prices", path, i), t.Prices)
		if err != nil {
			return nil, err
		}
		if t.Above < 0 || len(prices) == 0 {
			return nil, hub.Invalid(fmt.Sprintf("%s[%d]", path, i), "%s[%d] must have above, in tokens, and prices", path, i)
		}
		out = append(out, operator.Tier{Above: t.Above, Prices: prices})
	}
	return out, nil
}

func buckets(path string, prices map[string]string) (map[hub.Bucket]string, error) {
	out := map[hub.Bucket]string{}
	for name, price := range prices {
		b, ok := hub.ParseBucket(name)
		if !ok {
			return nil, hub.Invalid(path+"."+name, "%s.%s is no bucket; there are %s", path, name, bucketNames())
		}
		if rate, err := money.ParsePerMillion(price); err != nil || rate < 0 {
			return nil, hub.Invalid(path+"."+name, "%s.%s must be dollars per million units with at most six decimals, not %q", path, name, price)
		}
		out[b] = price
	}
	return out, nil
}
