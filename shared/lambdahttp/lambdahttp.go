// Package lambdahttp is the router adapter: it turns what AWS Lambda hands to a
// function (Function URL, API Gateway v1 and v2, load balancer and schedule events)
// into calls of a plain http.Handler or of a named job, and their outcome into what
// Lambda wants back. A handler sees the same request that net/http would give it.
// It decides nothing about routes, callers or error wording beyond its own failures.
package lambdahttp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"github.com/aigne-hub/aigne-hub/shared/schedule"
)

// defaultMargin is what a request's context ends before the sandbox is killed.
const defaultMargin = 5 * time.Second

// Options are what a Lambda main may set; the zero value is a buffered function.
type Options struct {
	// Stream answers Function URL events with a streamed response. It must agree with
	// the template: true exactly when FunctionUrlConfig.InvokeMode is RESPONSE_STREAM.
	Stream bool
	// Margin is the time left for clean-up (settling a call, an error answer) between
	// the end of the request's context and the function's time-out; at most a quarter
	// of the time that is left at the start. 0: 5 s.
	Margin time.Duration
	// Lease guards jobs across processes. nil: none.
	Lease schedule.Lease
	// Other takes events that are neither HTTP nor a schedule, an API Gateway
	// authorizer's for example. nil: they are an error.
	Other func(ctx context.Context, event json.RawMessage) (any, error)
	// Log takes panics and refused answers. nil: slog.Default().
	Log *slog.Logger
}

func (o Options) log() *slog.Logger {
	if o.Log == nil {
		return slog.Default()
	}
	return o.Log
}

// within returns a context that ends the margin before ctx does.
func (o Options) within(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	margin := o.Margin
	if margin <= 0 {
		margin = defaultMargin
	}
	return context.WithDeadline(ctx, deadline.Add(-min(margin, time.Until(deadline)/4)))
}

// Start is a Lambda's main: it serves events until the process is ended and never
// returns. Outside Lambda, and on a job list that schedule.New refuses, it ends the
// process with status 1 and says why in the log.
func Start(h http.Handler, jobs []schedule.Job, opts Options) {
	handle, err := Handler(h, jobs, opts)
	if err != nil {
		opts.log().Error("the function cannot start", "error", err)
		os.Exit(1)
	}
	lambda.StartWithOptions(handle)
}

// Handler returns the function that Start serves: it looks at the event and calls
// the handler, the job, or Options.Other. It fails when schedule.New does.
func Handler(h http.Handler, jobs []schedule.Job, opts Options) (func(context.Context, json.RawMessage) (any, error), error) {
	runner, err := schedule.New(jobs, schedule.Options{Lease: opts.Lease, Log: opts.Log})
	if err != nil {
		return nil, err
	}
	stream, buffered := Stream(h, opts), newBuffer(h, opts)
	return func(ctx context.Context, raw json.RawMessage) (any, error) {
		ev, err := peek(raw)
		if err != nil {
			return nil, err
		}
		switch {
		case ev.kind() == kindFunctionURL && opts.Stream:
			var full events.LambdaFunctionURLRequest
			if err := decode(raw, &full); err != nil {
				return nil, err
			}
			return stream(ctx, &full)
		case ev.kind().http():
			return buffered.answer(ctx, ev.kind(), raw)
		case ev.kind() == kindJob:
			ctx, cancel := opts.within(ctx)
			defer cancel()
			return runJob(ctx, runner, ev.job())
		case opts.Other != nil:
			return opts.Other(ctx, raw)
		}
		return nil, errEvent
	}, nil
}

// jobResult is what a schedule event is answered with.
type jobResult struct {
	Job    string `json:"job"`
	Status string `json:"status"` // done, or busy when it runs elsewhere
}

func runJob(ctx context.Context, runner *schedule.Runner, name string) (any, error) {
	err := runner.Run(ctx, name)
	switch {
	case err == nil:
		return jobResult{Job: name, Status: "done"}, nil
	case errors.Is(err, schedule.ErrBusy):
		return jobResult{Job: name, Status: "busy"}, nil
	}
	return nil, fmt.Errorf("schedule event: %w", err)
}
