package boot

import (
	"fmt"
	"io"
	"os"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/provider"
	"github.com/aigne-hub/aigne-hub/shared/routing"
)

// envProviders are the kinds for which the environment has a credential, named
// after their kind.
func (a *App) envProviders(taken map[string]bool) []*routing.Provider {
	var out []*routing.Provider
	for _, kind := range provider.All() {
		if taken[kind.ID] {
			continue
		}
		p, err := a.envProvider(kind)
		if err != nil {
			a.Log.Warn("provider of the environment left out", "provider", kind.ID, "variable", kind.EnvBaseURL, "error", err)
		}
		if p != nil {
			out = append(out, p)
		}
	}
	return out
}

// envProvider is a kind's provider of the environment, nil where the environment
// does not have all that it needs.
func (a *App) envProvider(kind provider.Kind) (*routing.Provider, error) {
	raw := a.env.get(kind.EnvBaseURL)
	secret, region, err := a.envCredential(kind)
	if err != nil {
		return nil, err
	}
	if secret == "" && raw != "" {
		secret = hub.Secret(kind.DefaultEnvCredential)
	}
	if secret == "" {
		return nil, nil
	}
	base, err := baseURL(kind, raw, region)
	if err != nil {
		return nil, err
	}
	return &routing.Provider{Name: kind.ID, Kind: kind.At(base), BaseURL: base, Region: region, Source: "env",
		Credentials: []routing.Credential{{Name: "env", Weight: 1, Secret: secret}}}, nil
}

// envCredential returns the credential that the environment has for a kind, ""
// for none, and its region.
func (a *App) envCredential(kind provider.Kind) (secret hub.Secret, region string, err error) {
	switch kind.Auth {
	case provider.SigV4:
		secret, region, err = a.envKeys(kind)
		return secret, region, err
	case provider.GoogleAccount:
		return a.envAccount(kind)
	}
	for _, name := range kind.EnvKeys {
		if s := a.env.get(name); s != "" {
			return hub.Secret(s), "", nil
		}
	}
	return "", "", nil
}

// envKeys reads Amazon's variables: a pair of keys, or an API key of Bedrock, and
// the region, without which neither is used. On Lambda the pair is the function's
// own role and no word of the operator's about Bedrock.
func (a *App) envKeys(kind provider.Kind) (hub.Secret, string, error) {
	region := a.env.get(kind.EnvKeys[2])
	if region == "" {
		region = a.env.get("AWS_DEFAULT_REGION")
	}
	if region == "" {
		return "", "", nil
	}
	if key := a.env.get("AWS_BEARER_TOKEN_BEDROCK"); key != "" {
		return hub.Secret(key), region, nil
	}
	keys := provider.AccessKeys{ID: a.env.get(kind.EnvKeys[0]), Secret: hub.Secret(a.env.get(kind.EnvKeys[1])), Token: hub.Secret(a.env.get("AWS_SESSION_TOKEN"))}
	if keys.ID == "" || keys.Secret == "" || a.env.onLambda() {
		return "", "", nil
	}
	return keys.Encode(), region, nil
}

// envAccount reads the file of a Google service account's key. A location must be
// set beside it: the file's variable alone is there for many other programs.
func (a *App) envAccount(kind provider.Kind) (hub.Secret, string, error) {
	path, location := a.env.get(kind.EnvKeys[0]), a.env.get(kind.EnvKeys[1])
	if path == "" || location == "" {
		return "", "", nil
	}
	const maxKeyFile = 64 << 10
	f, err := os.Open(path) //nolint:gosec // the operator's own file
	if err != nil {
		return "", "", fmt.Errorf("%s: %w", kind.EnvKeys[0], err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxKeyFile))
	if err != nil {
		return "", "", fmt.Errorf("%s: %w", kind.EnvKeys[0], err)
	}
	if _, err := provider.CheckCredential(kind, hub.Secret(b)); err != nil {
		return "", "", err
	}
	return hub.Secret(b), location, nil
}
