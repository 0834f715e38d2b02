package movein

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"path/filepath"
	"slices"
	"sort"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/provider"
)

// SystemAIGNEHub is the original hub, a Blocklet with a database aikit.db.
const SystemAIGNEHub = "aigne-hub"

// AIGNEHub reads an original AIGNE Hub.
type AIGNEHub struct {
	main     *foreign
	archives []*foreign // quarters that it moved calls to, oldest first
	key      *SecretKey // nil: not given
	skip     bool
	names    map[string]string // of providers by their ids there
}

// AIGNEOptions says how an AIGNE Hub is read.
type AIGNEOptions struct {
	Database string
	Key      *SecretKey // nil where no value is sealed
	// WithoutCredentials leaves the providers' keys behind.
	WithoutCredentials bool
}

// OpenAIGNEHub opens the database and the archives beside it.
func OpenAIGNEHub(ctx context.Context, o AIGNEOptions) (*AIGNEHub, error) {
	main, err := openForeign(ctx, o.Database)
	if err != nil {
		return nil, err
	}
	a := &AIGNEHub{main: main, key: o.Key, skip: o.WithoutCredentials, names: map[string]string{}}
	ok, err := main.has(ctx, "AiProviders", "id", "name")
	if err == nil && !ok {
		err = hub.Invalid("from", "%s is no database of AIGNE Hub: it has no table AiProviders.", o.Database)
	}
	if err != nil {
		return nil, errors.Join(err, a.Close())
	}
	files, err := filepath.Glob(filepath.Join(filepath.Dir(o.Database), "archives", "archive_*.db"))
	if err != nil {
		return nil, errors.Join(err, a.Close())
	}
	sort.Strings(files)
	for _, f := range files {
		db, err := openForeign(ctx, f)
		if err != nil {
			return nil, errors.Join(err, a.Close())
		}
		a.archives = append(a.archives, db)
	}
	return a, nil
}

// Close closes the databases.
func (a *AIGNEHub) Close() error {
	err := a.main.Close()
	for _, f := range a.archives {
		err = errors.Join(err, f.Close())
	}
	return err
}

// Read describes everything but calls and usage. An error of Param app-ek says
// that a credential does not open.
func (a *AIGNEHub) Read(ctx context.Context) (*Source, error) {
	s := &Source{System: SystemAIGNEHub}
	for _, step := range []func(context.Context, *Source) error{a.providers, a.credentials, a.rates, a.users, a.apps} {
		if err := step(ctx, s); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// ignoredURL are kinds whose base URL the old hub stored and did not use.
var ignoredURL = []string{provider.Anthropic, provider.Google}

func (a *AIGNEHub) providers(ctx context.Context, s *Source) error {
	taken := names{}
	return a.main.each(ctx, "AiProviders", []string{"id", "name", "displayName", "baseUrl", "region", "enabled"}, "ORDER BY id", nil, func(r record) error {
		kind, ok := provider.Find(strings.ToLower(r.text("name")))
		if !ok {
			s.leave("provider", r.text("name"), "there is no such kind of provider here")
			return nil
		}
		p := Provider{Kind: kind.ID, Name: taken.take(r.text("name"), kind.ID), DisplayName: clipped(r.text("displayName"), 100), Region: strings.TrimSpace(r.text("region")), Disabled: !r.truth("enabled")}
		p.BaseURL = a.baseURL(s, kind, r.text("baseUrl"))
		if kind.ID == provider.Bedrock && p.Region == "" {
			p.Region = "us-east-1" // what the old hub called then
		}
		if kind.ID != provider.Bedrock {
			p.Region = ""
		}
		a.names[r.text("id")] = p.Name
		s.Providers = append(s.Providers, p)
		return nil
	})
}

func (a *AIGNEHub) baseURL(s *Source, kind provider.Kind, raw string) string {
	raw = strings.TrimSpace(raw)
	if raw == "" || kind.ID == provider.Bedrock {
		return ""
	}
	base, err := provider.NormaliseBaseURL(kind, raw)
	switch {
	case err != nil:
		s.leave("base URL", kind.ID, hub.AsError(err).Message)
		return ""
	case base == kind.BaseURL:
		return ""
	case slices.Contains(ignoredURL, kind.ID):
		s.leave("base URL", kind.ID, "the old hub did not use it; set it by provider change if it is to be used")
		return ""
	}
	return base
}

func (s *Source) provider(name string) *Provider {
	for i := range s.Providers {
		if s.Providers[i].Name == name {
			return &s.Providers[i]
		}
	}
	return nil
}

func (a *AIGNEHub) credentials(ctx context.Context, s *Source) error {
	taken := map[string]names{}
	columns := []string{"id", "providerId", "name", "credentialValue", "credentialType", "active", "weight"}
	return a.main.each(ctx, "AiCredentials", columns, "ORDER BY id", nil, func(r record) error {
		name := a.names[r.text("providerId")]
		p := s.provider(name)
		switch {
		case p == nil:
			s.leave("credential", r.text("name"), "its provider is not there")
			return nil
		case a.skip:
			s.leave("credential", name+"/"+r.text("name"), "left by request; add it with credential add")
			return nil
		}
		value, why, err := a.credentialValue(p, r)
		if err != nil {
			return err
		}
		if why != "" {
			s.leave("credential", name+"/"+r.text("name"), why)
			return nil
		}
		if taken[name] == nil {
			taken[name] = names{}
		}
		p.Credentials = append(p.Credentials, Credential{
			Name: taken[name].take(r.text("name"), "default"), Value: value, Weight: max(r.integer("weight"), 0), Disabled: !r.truth("active"),
		})
		return nil
	})
}

func (a *AIGNEHub) credentialValue(p *Provider, r record) (value hub.Secret, why string, err error) {
	var fields map[string]any
	text := r.text("credentialValue")
	if json.Unmarshal([]byte(text), &fields) != nil {
		var inner string // some versions stored the JSON as a string in JSON
		if json.Unmarshal([]byte(text), &inner) != nil || json.Unmarshal([]byte(inner), &fields) != nil {
			return "", "its value is not in the form that is known", nil
		}
	}
	open := func(field string) hub.Secret {
		stored, _ := fields[field].(string)
		if err != nil || stored == "" {
			return ""
		}
		var plainText hub.Secret
		plainText, err = a.open(p.Name+"/"+r.text("name"), stored)
		return plainText
	}
	if r.text("credentialType") == "custom" {
		return "", "credentials of the type custom were not used for calls", nil
	}
	value = open("api_key")
	if r.text("credentialType") == "access_key_pair" {
		id, _ := fields["access_key_id"].(string)
		pair := provider.AccessKeys{ID: id, Secret: open("secret_access_key")}
		if value = ""; pair.ID != "" && pair.Secret != "" {
			value = pair.Encode()
		}
	}
	if err != nil {
		return "", "", err
	}
	if value == "" {
		return "", "it holds no key", nil
	}
	kind, _ := provider.Find(p.Kind)
	if _, err := provider.CheckCredential(kind, value); err != nil {
		return "", hub.AsError(err).Message, nil
	}
	return value, "", nil
}

func (a *AIGNEHub) open(name, stored string) (hub.Secret, error) {
	if !Sealed(stored) {
		return hub.Secret(stored), nil
	}
	if a.key == nil {
		return "", hub.Invalid("app-ek", "The credential %s is sealed. Give the old application's key (BLOCKLET_APP_EK) and its DID, or leave the credentials behind.", name)
	}
	value, err := a.key.Open(stored)
	if err != nil {
		return "", hub.Invalid("app-ek", "The credential %s does not open: the key (BLOCKLET_APP_EK) or the application's DID (BLOCKLET_DID of the application, not of the component) is not the one it was sealed with. Nothing was imported.", name)
	}
	return value, nil
}

// rateDigits is the scale of the old hub's columns of rates.
const rateDigits = 10

func (a *AIGNEHub) rates(ctx context.Context, s *Source) error {
	columns := []string{"providerId", "model", "type", "unitCosts", "caching", "inputRate", "outputRate", "deprecated", "deprecatedReason"}
	return a.main.each(ctx, "AiModelRates", columns, "ORDER BY id", nil, func(r record) error {
		name := a.names[r.text("providerId")]
		n := Rate{Provider: name, Model: strings.TrimSpace(r.text("model")), Type: hub.CallType(r.text("type")), InCredits: true, Prices: map[string]string{},
			Costs: map[string]string{}, Deprecated: r.truth("deprecated"), Reason: clipped(r.text("deprecatedReason"), 100)}
		title := name + "/" + n.Model + " " + string(n.Type)
		if name == "" || n.Model == "" || !n.Type.Valid() {
			s.leave("rate", title, "its provider, model or type is not known here")
			return nil
		}
		in, ok1 := r.decimal("inputRate", rateDigits)
		out, ok2 := r.decimal("outputRate", rateDigits)
		if !ok1 || !ok2 || in.Sign() < 0 || out.Sign() < 0 {
			s.leave("rate", title, "its prices are no decimals of 0 or more")
			return nil
		}
		n.Prices[hub.Input.String()], _ = perMillion(in)
		n.Prices[made(n.Type)], _ = perMillion(out)
		if n.Type == hub.TypeEmbedding {
			delete(n.Prices, hub.Output.String())
		}
		s.caching(&n, title, r.text("caching"))
		s.unitCosts(&n, title, r.text("unitCosts"))
		s.Rates = append(s.Rates, n)
		return nil
	})
}

// made is the bucket of what models of a type make.
func made(kind hub.CallType) string {
	switch kind {
	case hub.TypeImage:
		return hub.Images.String()
	case hub.TypeVideo:
		return hub.Seconds.String()
	}
	return hub.Output.String()
}

// caching takes over the rates of prompt caches. The old hub took 0 for not set,
// and charged the input's rate.
func (s *Source) caching(n *Rate, title, text string) {
	for _, c := range []struct {
		field  string
		bucket hub.Bucket
	}{{"readRate", hub.CacheRead}, {"writeRate", hub.CacheWrite5m}} {
		if r := jsonDecimal(text, c.field); r != nil && r.Sign() > 0 {
			price, exact := perMillion(r)
			n.Prices[c.bucket.String()] = price
			s.noteRounded(title, c.bucket.String(), exact)
		}
	}
}

func (s *Source) unitCosts(n *Rate, title, text string) {
	for field, bucket := range map[string]string{"input": hub.Input.String(), "output": made(n.Type)} {
		if n.Type == hub.TypeEmbedding && field == "output" {
			continue
		}
		if r := jsonDecimal(text, field); r != nil && r.Sign() >= 0 {
			price, exact := perMillion(r)
			n.Costs[bucket] = price
			s.noteRounded(title, "cost of "+bucket, exact)
		}
	}
}

func (s *Source) noteRounded(title, what string, exact bool) {
	if !exact {
		s.leave("digits", title, "the "+what+" has more than twelve decimals per unit; it is rounded")
	}
}

// jsonDecimal is a number of a JSON object, written as number or text; nil: none.
func jsonDecimal(text, field string) *big.Rat {
	var fields map[string]json.RawMessage
	if json.Unmarshal([]byte(text), &fields) != nil {
		return nil
	}
	r, ok := decimal(strings.Trim(string(fields[field]), `"`))
	if !ok {
		return nil
	}
	return r
}

// users are whoever calls or usage name: the old hub's users are the host's.
func (a *AIGNEHub) users(ctx context.Context, s *Source) error {
	seen := map[string]bool{}
	for _, db := range append([]*foreign{a.main}, a.archives...) {
		for _, table := range []string{"ModelCalls", "Usages"} {
			if ok, err := db.has(ctx, table, "userDid"); err != nil || !ok {
				if err != nil {
					return err
				}
				continue
			}
			err := db.each(ctx, table, []string{"userDid"}, "WHERE userDid IS NOT NULL AND userDid <> '' GROUP BY userDid ORDER BY userDid", nil, func(r record) error {
				if did := bareDID(r.text("userDid")); !seen[did] {
					seen[did] = true
					s.addDID(did)
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
	}
	slices.SortFunc(s.Users, func(a, b User) int { return strings.Compare(a.ID, b.ID) })
	return nil
}

func bareDID(text string) string { return strings.TrimPrefix(strings.TrimSpace(text), "did:abt:") }

// didMail is the address of a user of whom only the DID is known: the one that a
// hub gives to users of a Blocklet Server without a verified address, so that it
// finds them when they sign in there.
func didMail(did string) string { return did + "@did" + nowhere }

func (s *Source) addDID(did string) {
	if strings.ContainsFunc(did, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`@"(),:;<>[\]`, r) }) || len(did) > 100 {
		s.leave("user", fmt.Sprintf("%.60q", did), "it is no DID")
		return
	}
	s.Users = append(s.Users, User{ID: did, Email: didMail(did), DID: did, Role: hub.RoleMember})
}

func (a *AIGNEHub) apps(ctx context.Context, s *Source) error {
	byID := map[string]int{}
	err := a.main.each(ctx, "Projects", []string{"appDid", "appName", "appLogo", "appUrl"}, "WHERE appName <> '' ORDER BY appDid", nil, func(r record) error {
		byID[r.text("appDid")] = len(s.Apps)
		s.Apps = append(s.Apps, App{ID: r.text("appDid"), Name: clipped(r.text("appName"), 100), Logo: r.text("appLogo"), URL: r.text("appUrl")})
		return nil
	})
	if err != nil {
		return err
	}
	return a.main.each(ctx, "Apps", []string{"id", "publicKey"}, "WHERE publicKey <> '' ORDER BY id", nil, func(r record) error {
		i, known := byID[r.text("id")]
		if !known {
			i = len(s.Apps)
			s.Apps = append(s.Apps, App{ID: r.text("id")})
		}
		s.Apps[i].PublicKey = r.text("publicKey")
		return nil
	})
}
