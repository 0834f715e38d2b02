package upstream

import (
	"context"
	"io"
	"net/http"
	"net/url"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/routing"
)

// faultReader reads a non-2xx answer.
type faultReader = func(*routing.Target, int, http.Header, []byte) *hub.Error

// Ask sends one request to one provider under one credential, without failover:
// for what only that one knows, such as a job it works on. The answer's body must
// be closed. The pool learns nothing from it.
func (c *Client) Ask(ctx context.Context, t *routing.Target, key routing.Credential, req Request, fault faultReader) (*Answer, error) {
	a, failed := c.attempt(ctx, &Call{Fault: fault, Whole: true}, candidate{t, key}, &req)
	if failed != nil {
		return nil, shown(failed)
	}
	return a, nil
}

// Download gets a file that lies at a provider under its credential. Where it is
// redirected to another place of the same provider the credential goes along, to
// any other it does not, and the fetcher guards the way. The body must be closed.
func (c *Client) Download(ctx context.Context, f *Fetcher, t *routing.Target, key routing.Credential, req Request, fault faultReader) (*http.Response, error) {
	base, err := baseFor(t.Provider, key.Secret, req.Dialect)
	if err != nil {
		return nil, err
	}
	home, err := url.Parse(base)
	if err != nil {
		return nil, hub.Wrap(hub.CodeInternal, err, "The provider's base URL cannot be read.")
	}
	at := base + req.Path
	for range maxRedirects + 1 {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, at, http.NoBody)
		if err != nil {
			return nil, unfetched(err)
		}
		r.Header.Set("User-Agent", "aigne-hub")
		if part := req.Header.Get("Range"); part != "" {
			r.Header.Set("Range", part)
		}
		if err := c.Authorize(ctx, t.Provider, r, nil, key.Secret); err != nil {
			return nil, err
		}
		res, err := c.http.RoundTrip(r)
		if err != nil {
			return nil, networkFault(ctx, candidate{t, key}, err)
		}
		if res.StatusCode >= 200 && res.StatusCode < 300 {
			return res, nil
		}
		text, _ := io.ReadAll(io.LimitReader(res.Body, maxErrorBody)) // what there is of it
		res.Body.Close()
		if res.StatusCode >= 400 {
			return nil, shown(discreet(fault(t, res.StatusCode, res.Header, text), candidate{t, key}))
		}
		to, err := r.URL.Parse(res.Header.Get("Location"))
		if err != nil || res.Header.Get("Location") == "" {
			break
		}
		if to.Scheme != home.Scheme || to.Host != home.Host {
			return f.Open(ctx, to.String(), req.Header)
		}
		at = to.String()
	}
	return nil, hub.Errorf(hub.CodeUpstream, "The provider's file cannot be read: it redirects without end.")
}
