package boot

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/vault"
)

// parseSecretsPath checks a path that was read before the settings were.
func parseSecretsPath(c *Config, v string) error {
	if !strings.HasPrefix(v, "/") || strings.HasSuffix(v, "/") {
		return errors.New("must be a path such as /aigne-hub, without a slash at its end")
	}
	c.SecretsPath = v
	return nil
}

// parameters adds to an environment what the Parameter Store has below
// AIGNE_HUB_SECRETS_PATH. What the environment says itself goes before it; an empty
// variable says nothing.
func parameters(ctx context.Context, env Env, environ []string, now hub.Now) (Env, []string, error) {
	path := env.get("AIGNE_HUB_SECRETS_PATH")
	if path == "" {
		return env, environ, nil
	}
	values, err := vault.ParameterStore(env.aws("SSM", now)).Read(ctx, path)
	if err != nil {
		return env, environ, err
	}
	with := func(name string) (string, bool) {
		if v, ok := values[name]; ok && env.get(name) == "" {
			return v, true
		}
		return env(name)
	}
	all := slices.Clone(environ)
	for name, v := range values {
		if env.get(name) == "" {
			all = append(all, name+"="+v)
		}
	}
	return with, all, nil
}
