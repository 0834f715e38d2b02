// Package otlp sends spans and figures to an OpenTelemetry collector by OTLP/HTTP with
// Protocol Buffers (opentelemetry.io/docs/specs/otlp, version 1). Spans come from
// OpenTelemetry's own SDK; its exporters are not used because they link gRPC and more
// (8 MB), for messages of two dozen fields.
package otlp

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/telemetry/meter"
)

// Options say where a Client sends what.
type Options struct {
	Traces, Metrics string                // whole URLs; "": that signal is not sent
	Headers         map[string]hub.Secret // for each request
	Timeout         time.Duration         // of one batch, with its repetitions
	Resource        []meter.Attr          // who sends
	Scope, Version  string                // of the code that measures
	Start           time.Time             // since when figures are counted
	Log             *slog.Logger
	Transport       http.RoundTripper // nil: http.DefaultTransport
}

// Client sends batches, each by itself. What cannot be sent in time is lost: telemetry
// must not pile up.
type Client struct {
	opts  Options
	http  *http.Client
	quiet atomic.Bool // the last batch failed too, and that was logged
}

// New makes a Client.
func New(o Options) *Client {
	return &Client{opts: o, http: &http.Client{Transport: o.Transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// request writes what both kinds of requests have in common: resource, scope, and in
// it what write adds.
func (c *Client) request(write func(scope *message)) message {
	var m message
	m.within(1, func(group *message) {
		group.within(1, func(resource *message) {
			for _, a := range c.opts.Resource {
				resource.pair(1, a.Key, clean(a.Value))
			}
		})
		group.within(2, func(scoped *message) {
			scoped.within(1, func(scope *message) {
				scope.text(1, c.opts.Scope)
				scope.text(2, c.opts.Version)
			})
			write(scoped)
		})
	})
	return m
}

// send posts a batch, again after answers that ask for it, within the time-out. It
// logs the first of several failures.
func (c *Client) send(ctx context.Context, url string, m message) {
	if url == "" {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, c.opts.Timeout)
	defer cancel()
	err := c.post(ctx, url, m)
	switch {
	case err == nil:
		c.quiet.Store(false)
	case !c.quiet.Swap(true):
		c.opts.Log.WarnContext(ctx, "telemetry not sent", "error", err)
	}
}

var errAgain = errors.New("the collector asks for a repetition")

func (c *Client) post(ctx context.Context, url string, m message) error {
	var body bytes.Buffer
	z := gzip.NewWriter(&body)
	_, err := z.Write(m)
	if err = errors.Join(err, z.Close()); err != nil {
		return err
	}
	for wait := time.Second; ; wait *= 2 {
		after, err := c.once(ctx, url, body.Bytes())
		if !errors.Is(err, errAgain) {
			return err
		}
		pause := max(after, wait/2+rand.N(wait/2))
		if end, ok := ctx.Deadline(); ok && time.Until(end) < pause {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pause):
		}
	}
}

// once posts a batch and says how long to wait, where it is to be sent again.
func (c *Client) once(ctx context.Context, url string, body []byte) (after time.Duration, err error) {
	const most = 4 << 10 // of an answer, which is read to use the connection again
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	for name, value := range c.opts.Headers {
		r.Header.Set(name, value.Reveal())
	}
	r.Header.Set("Content-Type", "application/x-protobuf")
	r.Header.Set("Content-Encoding", "gzip")
	r.Header.Set("User-Agent", "aigne-hub/"+c.opts.Version)
	res, err := c.http.Do(r)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	_, _ = io.CopyN(io.Discard, res.Body, most) // nothing in it is used
	switch res.StatusCode {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		seconds, _ := strconv.Atoi(res.Header.Get("Retry-After"))
		return time.Duration(max(0, seconds)) * time.Second, fmt.Errorf("%w: HTTP %d", errAgain, res.StatusCode)
	}
	if res.StatusCode/100 != 2 {
		return 0, fmt.Errorf("the collector answers HTTP %d", res.StatusCode)
	}
	return 0, nil
}
