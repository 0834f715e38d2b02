package upstream

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/routing"
)

// maxForwarded bounds the answer to a forwarded request.
const maxForwarded = 64 << 20

// Forward sends one request about something that a provider keeps under one of
// its keys. There is one attempt: no other place can answer. fault reads a
// non-2xx answer.
func (c *Client) Forward(ctx context.Context, method string, p *routing.Provider, key routing.Credential, req Request,
	fault func(status int, header http.Header, body []byte) *hub.Error,
) (body []byte, header http.Header, err error) {
	ctx, cancel := context.WithTimeout(ctx, max(c.settings.FirstByte, time.Second))
	defer cancel()
	cand := candidate{&routing.Target{Provider: p}, key}
	base, err := baseFor(p, key.Secret, req.Dialect)
	if err != nil {
		return nil, nil, err
	}
	r, err := http.NewRequestWithContext(ctx, method, base+p.Kind.WithQuery(req.Path), bytes.NewReader(req.Body))
	if err != nil {
		return nil, nil, err
	}
	if len(req.Body) > 0 {
		r.Header.Set("Content-Type", "application/json")
	}
	r.Header.Set("User-Agent", "aigne-hub")
	if err := c.Authorize(ctx, p, r, req.Body, key.Secret); err != nil {
		return nil, nil, err
	}
	res, err := c.http.RoundTrip(r)
	if err != nil {
		return nil, nil, networkFault(ctx, cand, err)
	}
	defer res.Body.Close()
	body, err = io.ReadAll(io.LimitReader(res.Body, maxForwarded))
	if err != nil {
		return nil, nil, networkFault(ctx, cand, err)
	}
	if res.StatusCode < http.StatusOK || res.StatusCode >= http.StatusMultipleChoices {
		return nil, nil, shown(discreet(fault(res.StatusCode, res.Header, body[:min(len(body), maxErrorBody)]), cand))
	}
	return body, res.Header, nil
}
