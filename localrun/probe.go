package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/provider"
	"github.com/aigne-hub/aigne-hub/shared/routing"
	"github.com/aigne-hub/aigne-hub/shared/upstream"
)

// probeTimeout bounds one request of `provider test`.
const probeTimeout = 20 * time.Second

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

// probe asks what no vendor charges for and none answers without a good
// credential: mostly the list of models.
func probe(ctx context.Context, a *boot.App, p *routing.Provider, c routing.Credential) probeView {
	v := probeView{Provider: p.Name, Credential: c.Name}
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	started := time.Now()
	status, err := ask(ctx, a, p, c.Secret)
	v.LatencyMS = time.Since(started).Milliseconds()
	v.HTTPStatus = status
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		v.Error = fmt.Sprintf("no answer within %s", probeTimeout)
	case err != nil:
		v.Error = err.Error()
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		v.Error = fmt.Sprintf("HTTP %d: the provider refuses the credential", status)
	case p.Kind.NoCheck && (status == http.StatusBadRequest || status == http.StatusUnprocessableEntity):
		v.OK = true // the empty request was refused for what it lacks
	case status == http.StatusNotFound:
		v.Error = "HTTP 404: there is nothing to ask at the base URL " + p.BaseURL
	case status < 200 || status > 299:
		v.Error = fmt.Sprintf("HTTP %d", status)
	default:
		v.OK = true
	}
	return v
}

func ask(ctx context.Context, a *boot.App, p *routing.Provider, secret hub.Secret) (int, error) {
	base, err := upstream.BaseURL(p, secret)
	if err != nil {
		return 0, err
	}
	method, address, body := question(p.Kind, base)
	r, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(body))
	if err != nil {
		return 0, errors.New("the base URL cannot be asked")
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if p.Kind.Auth == provider.XAPIKey {
		r.Header.Set("Anthropic-Version", "2023-06-01") // docs.claude.com/en/api/versioning
	}
	if err := a.Upstream.Authorize(ctx, p, r, []byte(body), secret); err != nil {
		return 0, err
	}
	// Where a provider redirects to is nobody that the credential was meant for.
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer client.CloseIdleConnections()
	res, err := client.Do(r)
	if err != nil {
		return 0, err
	}
	return res.StatusCode, res.Body.Close()
}

// question is the list of models, the one request that nearly every language has.
// Bedrock keeps it at the host of its control plane; Vertex AI has none for every
// location, but counts tokens for nothing, with the right that calls need.
func question(k provider.Kind, base string) (method, address, body string) {
	switch k.Auth {
	case provider.SigV4:
		return http.MethodGet, strings.Replace(base, "://bedrock-runtime", "://bedrock", 1) + "/foundation-models", ""
	case provider.GoogleAccount:
		return http.MethodPost, base + "/publishers/google/models/" + k.TestModel + ":countTokens",
			`{"contents":[{"role":"user","parts":[{"text":"Hello"}]}]}`
	}
	if k.NoCheck {
		return http.MethodPost, base + "/chat/completions", "{}"
	}
	return http.MethodGet, base + cmp.Or(k.CheckPath, "/models"), ""
}
