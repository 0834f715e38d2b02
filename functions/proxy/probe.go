package proxy

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/routing"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/upstream"
)

const (
	probeRun    = 5 * time.Minute
	probeLimit  = time.Minute // of one probe
	probesOnce  = 4           // side by side
	probesRun   = 50          // in one run; the rest has its turn in the next
	probeOutput = 16          // tokens: fewer are refused by some vendors
)

// probe calls each model that the operator priced and nobody called for a while.
// It is the operator's own call: no user, no wallet and no limit has to do with
// it, and what it costs is on record with it.
func (h *handler) probe(ctx context.Context, every time.Duration) error {
	idle, err := h.idle(ctx, every)
	if err != nil {
		return err
	}
	var all sync.WaitGroup
	slots := make(chan struct{}, probesOnce)
	faults := make([]error, len(idle))
	for i := range idle {
		slots <- struct{}{}
		if ctx.Err() != nil {
			<-slots
			break
		}
		all.Go(func() {
			defer func() { <-slots }()
			faults[i] = h.Store.AddProbe(ctx, h.probeTarget(ctx, &idle[i]))
		})
	}
	all.Wait()
	return errors.Join(errors.Join(faults...), ctx.Err())
}

// idle lists priced targets of chat that saw neither a call nor a probe lately.
func (h *handler) idle(ctx context.Context, every time.Duration) ([]routing.Target, error) {
	busy, err := h.Store.LatelyCalled(ctx, hub.TypeChat, every)
	if err != nil {
		return nil, err
	}
	seen := make(map[string]bool, len(busy))
	for _, name := range busy {
		seen[name] = true
	}
	var out []routing.Target
	for _, l := range h.Routes().Models(hub.TypeChat) {
		if l.RateID != "" && !seen[l.Name()] && len(out) < probesRun {
			out = append(out, l.Target)
		}
	}
	return out, nil
}

// probeTarget makes the smallest call of chat.
func (h *handler) probeTarget(ctx context.Context, t *routing.Target) store.Probe {
	ctx, cancel := context.WithTimeout(ctx, probeLimit)
	defer cancel()
	p := store.Probe{Provider: t.Provider.Name, Model: t.Model}
	client, _ := h.clientFor(t, "")
	ask := dialect.Target{Model: t.Model, Quirks: t.Provider.Kind.Quirks, MaxOutput: t.MaxOutput}
	var res *chat.Response
	answer, trace, err := h.Upstream.Do(ctx, upstream.Call{
		Plan: routing.Plan{Requested: t.Name(), Targets: []routing.Target{*t}}, Whole: true,
		Prepare: func(t *routing.Target) (upstream.Request, error) {
			enc, err := client.Encode(&chat.Request{Model: t.Model, MaxOutput: new(min(probeOutput, t.MaxOutput)),
				Messages: []chat.Message{{Role: chat.User, Parts: []chat.Part{{Kind: chat.Text, Text: "Hi"}}}}}, ask)
			return upstream.Request{Dialect: client.Name(), Path: client.Path(ask), Body: enc.Body, Header: enc.Header}, err
		},
		Fault: func(_ *routing.Target, status int, header http.Header, body []byte) *hub.Error {
			return client.Fault(status, header, body)
		},
		Accept: func(a *upstream.Answer) *hub.Error {
			body, err := readAnswer(a.Body, a.Header)
			if err == nil {
				res, err = client.Decode(body, ask.Quirks)
			}
			if err != nil {
				return brokenAnswer(err)
			}
			return nil
		},
	})
	p.Credential = trace.LastKey.Name
	if err != nil {
		e := hub.AsError(err)
		p.Category, p.Error, p.HTTPStatus = string(e.Code), e.Message, httpkit.Status(e)
		return p
	}
	defer answer.Body.Close()
	p.OK, p.HTTPStatus, p.TTFB, p.Usage = true, http.StatusOK, answer.TTFB, res.Usage
	if t.Cost != nil && res.UsageKnown {
		cost := t.Cost.For("", "")
		if c, err := cost.Charge(cost.Measured(res.Usage)); err == nil {
			p.Cost = &c
		}
	}
	return p
}
