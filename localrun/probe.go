package main

import (
	"context"
	"strconv"

	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/routing"
)

// probeView is the outcome of a request with one credential.
type probeView struct {
	Provider   string `json:"provider"`
	Credential string `json:"credential"`
	OK         bool   `json:"ok"`
	HTTPStatus int    `json:"http_status"` // 0: no answer
	LatencyMS  int64  `json:"latency_ms"`
	Error      string `json:"error"`
}

func providerTest(j *job) error {
	return j.withHub(func(a *boot.App) error {
		p, err := usable(j.ctx, a, j.text("name"))
		if err != nil {
			return err
		}
		views := make([]probeView, 0, len(p.Credentials))
		rows, failed := [][]string(nil), 0
		for _, c := range p.Credentials {
			v := probe(j.ctx, a, p, c)
			outcome := "ok"
			if !v.OK {
				outcome = "failed"
				failed++
			}
			views = append(views, v)
			rows = append(rows, []string{v.Provider, v.Credential, outcome, strconv.FormatInt(v.LatencyMS, 10) + " ms", orDash(v.Error)})
		}
		if err := j.show(views, table("PROVIDER CREDENTIAL RESULT LATENCY ERROR", rows)); err != nil {
			return err
		}
		if failed > 0 {
			return hub.Errorf(hub.CodeUpstream, "%d of %d credentials of %s failed", failed, len(views), p.Name)
		}
		return nil
	})
}

// usable finds a provider, stored or of the environment, that calls could go to.
func usable(ctx context.Context, a *boot.App, name string) (*routing.Provider, error) {
	if err := a.Reload(ctx); err != nil {
		return nil, err
	}
	for _, p := range a.Routes().Providers() {
		if p.Name != name {
			continue
		}
		if len(p.Credentials) == 0 {
			return nil, hub.Errorf(hub.CodeProviderCredential, "the provider %s has no active credential; `aigne-hub credential add` stores one", name)
		}
		return p, nil
	}
	stored, err := a.Store.Providers(ctx)
	if err != nil {
		return nil, err
	}
	for _, p := range stored {
		if p.Name == name {
			return nil, hub.Errorf(hub.CodeUnavailable, "the provider %s is disabled, or its kind or base URL cannot be used", name)
		}
	}
	return nil, hub.Errorf(hub.CodeNotFound, "there is no provider named %s", name)
}

// probe asks the free question under one credential.
func probe(ctx context.Context, a *boot.App, p *routing.Provider, c routing.Credential) probeView {
	v := a.Upstream.Probe(ctx, p, c.Secret)
	return probeView{Provider: p.Name, Credential: c.Name, OK: v.OK, HTTPStatus: v.HTTPStatus, LatencyMS: v.Latency.Milliseconds(), Error: v.Error}
}
