package upstream

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/provider"
	"github.com/aigne-hub/aigne-hub/shared/routing"
)

// ProbeTimeout bounds one free question.
const ProbeTimeout = 20 * time.Second

// Probe is the outcome of a free question under one credential.
type Probe struct {
	OK         bool
	HTTPStatus int // 0: no answer
	Latency    time.Duration
	Error      string // without secrets
}

// Probe asks what no vendor charges for and none answers without a good
// credential: mostly the list of models. The pool learns nothing from it.
func (c *Client) Probe(ctx context.Context, p *routing.Provider, secret hub.Secret) Probe {
	ctx, cancel := context.WithTimeout(ctx, ProbeTimeout)
	defer cancel()
	started := c.now()
	status, err := c.question(ctx, p, secret)
	v := Probe{HTTPStatus: status, Latency: c.now().Sub(started)}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		v.Error = fmt.Sprintf("no answer within %s", ProbeTimeout)
	case err != nil:
		v.Error = discreet(&hub.Error{Message: err.Error()}, candidate{credential: routing.Credential{Secret: secret}}).Message
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

func (c *Client) question(ctx context.Context, p *routing.Provider, secret hub.Secret) (int, error) {
	base, err := BaseURL(p, secret)
	if err != nil {
		return 0, err
	}
	method, address, body := question(p.Kind, base)
	r, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(body))
	if err != nil {
		return 0, errors.New("the base URL cannot be asked")
	}
	r.Header.Set("User-Agent", "aigne-hub")
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if p.Kind.Auth == provider.XAPIKey {
		r.Header.Set("Anthropic-Version", "2023-06-01") // docs.claude.com/en/api/versioning
	}
	if err := c.Authorize(ctx, p, r, []byte(body), secret); err != nil {
		return 0, err
	}
	res, err := c.http.RoundTrip(r) // follows no redirect: where one leads is nobody that the credential was meant for
	if err != nil {
		return 0, err
	}
	_, _ = io.CopyN(io.Discard, res.Body, maxErrorBody) // so that the connection can serve again
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
