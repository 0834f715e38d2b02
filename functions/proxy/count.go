package proxy

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/routing"
	"github.com/aigne-hub/aigne-hub/shared/upstream"
)

// countLimit is how long a count may take with all its attempts.
const countLimit = 30 * time.Second

// count answers how many tokens a prompt has. Where a target speaks the caller's
// language the provider counts; otherwise the hub estimates, and says so in a
// header. No provider charges for a count and the hub does not either: nothing
// is held, and there is no call on record, because a record is one of money. The
// caller's key is checked as strictly as for a call.
func (h *handler) count(server dialect.Counter) httpkit.CallerHandler {
	return func(w http.ResponseWriter, r *http.Request, caller hub.Caller) error {
		body, err := readBody(r)
		if err != nil {
			return err
		}
		view, err := server.View(r, body)
		if err != nil {
			return err
		}
		plan, err := h.planCount(r.Context(), caller, server, view)
		if err != nil {
			return err
		}
		answer, target, err := h.forwardCount(r.Context(), plan, server, view)
		switch {
		case err != nil:
			return err
		case answer == nil:
			answer = server.Counted(h.promptTokens(server, view))
			w.Header().Set("x-aigne-hub-usage-source", string(hub.UsageEstimated))
		default:
			w.Header().Set("x-aigne-hub-usage-source", string(hub.UsageReported))
			w.Header().Set("x-aigne-hub-provider", target.Provider.Name)
			w.Header().Set("x-aigne-hub-model", target.Model)
		}
		w.Header().Set("content-type", "application/json")
		w.Header().Set("content-length", strconv.Itoa(len(answer)))
		_, _ = w.Write(answer) // nothing depends on a client that left
		return nil
	}
}

// planCount finds who could answer the prompt, after it has made sure that the
// caller may ask.
func (h *handler) planCount(ctx context.Context, caller hub.Caller, server dialect.Server, v *dialect.View) (routing.Plan, error) {
	if err := h.Gate.Recognize(ctx, caller); err != nil {
		return routing.Plan{}, err
	}
	req := routing.Request{Model: v.Model, Type: hub.TypeChat, Dialect: server.Name(), Allow: caller.Models}
	plan, err := h.Routes().Plan(req)
	if err != nil && h.CatchUp(ctx) {
		plan, err = h.Routes().Plan(req)
	}
	return plan, err
}

// forwardCount lets a provider count. Without one that can there is no answer
// and no error.
func (h *handler) forwardCount(ctx context.Context, plan routing.Plan, server dialect.Server, v *dialect.View) ([]byte, *routing.Target, error) {
	var can []routing.Target
	for i := range plan.Targets {
		client, native := h.clientFor(&plan.Targets[i], server.Name())
		if _, ok := client.(dialect.PromptCounter); ok && native {
			t := plan.Targets[i]
			t.Type = "" // a vendor without the method may serve the model well
			can = append(can, t)
		}
	}
	if len(can) == 0 {
		return nil, nil, nil
	}
	plan.Targets = can // a new list: the plan is shared
	ctx, cancel := context.WithTimeout(ctx, countLimit)
	defer cancel()
	var counted []byte
	answer, _, err := h.Upstream.Do(ctx, upstream.Call{
		Plan: plan, Whole: true,
		Prepare: func(t *routing.Target) (upstream.Request, error) {
			client, _ := h.clientFor(t, server.Name())
			path, enc, err := client.(dialect.PromptCounter).Count(v, dialect.Target{Model: t.Model, Quirks: t.Provider.Kind.Quirks})
			return upstream.Request{Path: path, Body: enc.Body, Header: enc.Header}, err
		},
		Fault: func(t *routing.Target, status int, header http.Header, body []byte) *hub.Error {
			client, _ := h.clientFor(t, server.Name())
			return client.Fault(status, header, body)
		},
		Accept: func(a *upstream.Answer) *hub.Error {
			var err error
			if counted, err = readAnswer(a.Body, a.Header); err == nil && !json.Valid(counted) {
				err = errors.New("the count is not JSON")
			}
			if err != nil {
				return brokenAnswer(err)
			}
			return nil
		},
	})
	if err != nil {
		if uncounted(err) {
			return nil, nil, nil
		}
		return nil, nil, err
	}
	defer answer.Body.Close()
	return counted, answer.Target, nil
}

// uncounted reports a provider that speaks the language but has no such method.
func uncounted(err error) bool {
	switch hub.AsError(err).Status {
	case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotImplemented:
		return true
	}
	return false
}
