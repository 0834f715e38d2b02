package observe

import (
	"context"
	"net/http"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/aigne-hub/aigne-hub/shared/admission"
	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/routing"
)

// Traces makes a trace of each request: the request itself, the model call in it, by
// the GenAI conventions of OpenTelemetry (version 1.41 of the semantic conventions,
// the last that holds them), and each attempt at a provider. What callers and models
// said is in none of them, and neither are paths and queries, which hold what callers typed.
type Traces struct {
	provider  *sdktrace.TracerProvider // nil: nothing is recorded, contexts are only passed on
	tracer    trace.Tracer
	propagate bool
}

// scope names what makes the spans.
const scope = "github.com/aigne-hub/aigne-hub"

// w3c is W3C Trace Context (w3.org/TR/trace-context).
var w3c = propagation.TraceContext{}

// NewTraces makes traces with an exporter, and passes the context on to providers where
// propagate says so. A nil exporter records nothing.
func NewTraces(exporter sdktrace.SpanExporter, sampler sdktrace.Sampler, propagate bool) *Traces {
	t := &Traces{propagate: propagate}
	if exporter != nil {
		const longest = 300 // characters of an attribute
		limits := sdktrace.NewSpanLimits()
		limits.AttributeValueLengthLimit = longest
		t.provider = sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithSampler(sampler), sdktrace.WithRawSpanLimits(limits))
		t.tracer = t.provider.Tracer(scope)
	}
	return t
}

// Flush sends what is finished.
func (t *Traces) Flush(ctx context.Context) {
	if t.provider != nil {
		_ = t.provider.ForceFlush(ctx) // the exporter has logged it
	}
}

// TraceID is the trace that a request belongs to: the one that is recorded, else the
// one that its caller names; "" for none.
func TraceID(r *http.Request) string {
	at := trace.SpanContextFromContext(r.Context())
	if !at.IsValid() {
		at = trace.SpanContextFromContext(w3c.Extract(r.Context(), propagation.HeaderCarrier(r.Header)))
	}
	if !at.HasTraceID() {
		return ""
	}
	return at.TraceID().String()
}

// request begins a request's span, below the caller's.
func (t *Traces) request(r *http.Request, start time.Time) context.Context {
	ctx := w3c.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
	if t.tracer == nil {
		return ctx
	}
	ctx, _ = t.tracer.Start(ctx, method(r.Method), trace.WithSpanKind(trace.SpanKindServer), trace.WithTimestamp(start),
		trace.WithAttributes(attribute.String("http.request.method", method(r.Method))))
	return ctx
}

// method is a method as the conventions want it: what is not one of HTTP's could be
// anything.
func method(m string) string {
	switch m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions, http.MethodConnect, http.MethodTrace:
		return m
	}
	return "_OTHER"
}

// answered ends a request's span.
func (t *Traces) answered(ctx context.Context, s *httpkit.Served) {
	span := trace.SpanFromContext(ctx)
	if !span.IsRecording() {
		span.End()
		return
	}
	if s.Route != "" {
		span.SetName(s.Route)
		_, path, _ := strings.Cut(s.Route, " ")
		span.SetAttributes(attribute.String("http.route", path))
	}
	span.SetAttributes(attribute.Int("http.response.status_code", s.Status), attribute.Int64("http.response.body.size", s.Bytes))
	if s.CallID != "" {
		span.SetAttributes(attribute.String("aigne_hub.call.id", s.CallID))
	}
	if s.Err != nil {
		code := string(hub.CodeOf(s.Err))
		span.SetAttributes(attribute.String("error.type", code))
		if s.Status >= http.StatusInternalServerError {
			span.SetStatus(codes.Error, code)
		}
	}
	span.End()
}

// callKey is the context's key of a call's span.
type callKey struct{}

// Call begins the span of an admitted call.
func (t *Traces) Call(ctx context.Context, callID string, r *admission.Request, start time.Time) context.Context {
	if t.tracer == nil {
		return ctx
	}
	ctx, span := t.call(ctx, callID, r, start)
	return context.WithValue(ctx, callKey{}, span)
}

func (t *Traces) call(ctx context.Context, callID string, r *admission.Request, start time.Time) (context.Context, trace.Span) {
	const longest = 128 // characters of a model's name, which callers type
	model := r.Plan.Requested
	if len(model) > longest {
		model = model[:longest]
	}
	ctx, span := t.tracer.Start(ctx, operation(r.Type)+" "+model, trace.WithSpanKind(trace.SpanKindClient), trace.WithTimestamp(start))
	if !span.IsRecording() {
		return ctx, span
	}
	span.SetAttributes(attribute.String("gen_ai.operation.name", operation(r.Type)), attribute.String("gen_ai.request.model", model),
		attribute.Bool("gen_ai.request.stream", r.Stream), attribute.String("aigne_hub.call.id", callID), attribute.String("aigne_hub.dialect", r.Dialect))
	if r.MaxOutput != nil {
		span.SetAttributes(attribute.Int64("gen_ai.request.max_tokens", *r.MaxOutput))
	}
	if r.N > 1 {
		span.SetAttributes(attribute.Int64("gen_ai.request.choice.count", r.N))
	}
	if kind := output(r.Type); kind != "" {
		span.SetAttributes(attribute.String("gen_ai.output.type", kind))
	}
	return ctx, span
}

// ended ends the span of a settled call; a call without one, a job that was followed
// or a kept answer, gets it now.
func (t *Traces) ended(ctx context.Context, system string, e *admission.Ended) {
	if t.tracer == nil {
		return
	}
	x, o := e.Settlement, e.Outcome
	span, ok := ctx.Value(callKey{}).(trace.Span)
	if !ok {
		_, span = t.call(ctx, x.CallID, e.Request, e.Start)
	}
	defer span.End()
	if !span.IsRecording() {
		return
	}
	span.SetAttributes(attribute.String("gen_ai.provider.name", system), attribute.String("aigne_hub.status", string(x.Status)),
		attribute.Int("aigne_hub.attempts", x.Tries), attribute.String("aigne_hub.usage.source", string(x.Source)))
	if x.Provider != "" {
		span.SetAttributes(attribute.String("gen_ai.response.model", x.Model), attribute.String("aigne_hub.provider", x.Provider))
	}
	for key, n := range map[string]int64{
		"gen_ai.usage.input_tokens": x.Usage.Prompt(), "gen_ai.usage.output_tokens": x.Usage.Completion(),
		"gen_ai.usage.cache_read.input_tokens":     x.Usage[hub.CacheRead],
		"gen_ai.usage.cache_creation.input_tokens": x.Usage[hub.CacheWrite5m] + x.Usage[hub.CacheWrite1h],
		"gen_ai.usage.reasoning.output_tokens":     x.Usage[hub.Reasoning],
	} {
		if n > 0 {
			span.SetAttributes(attribute.Int64(key, n))
		}
	}
	if x.Billing {
		span.SetAttributes(attribute.String("aigne_hub.credits", e.Charged.String()))
	}
	if e.Request.Stream && o.TTFB != nil {
		span.SetAttributes(attribute.Float64("gen_ai.response.time_to_first_chunk", o.TTFB.Seconds()))
	}
	if x.Status != hub.StatusSuccess {
		kind := x.Category
		if kind == "" {
			kind = string(x.Status)
		}
		span.SetAttributes(attribute.String("error.type", kind))
		span.SetStatus(codes.Error, kind)
	}
}

// Attempt begins the span of an attempt at a provider; what it returns ends it.
func (t *Traces) Attempt(ctx context.Context, target *routing.Target, credential string) (context.Context, func(*hub.Error)) {
	if t.tracer == nil {
		return ctx, func(*hub.Error) {}
	}
	ctx, span := t.tracer.Start(ctx, http.MethodPost, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
		attribute.String("aigne_hub.provider", target.Provider.Name), attribute.String("aigne_hub.model", target.Model),
		attribute.String("aigne_hub.credential", credential)))
	return ctx, func(fault *hub.Error) {
		defer span.End()
		if fault == nil {
			span.SetAttributes(attribute.Int("http.response.status_code", http.StatusOK))
			return
		}
		if fault.Status != 0 {
			span.SetAttributes(attribute.Int("http.response.status_code", fault.Status))
		}
		span.SetAttributes(attribute.String("error.type", string(fault.Code)))
		span.SetStatus(codes.Error, string(fault.Code))
	}
}

// Send is called with the request of an attempt before it is signed and sent: it says
// where the attempt goes, and passes the trace on where the operator wants that.
func (t *Traces) Send(ctx context.Context, r *http.Request) {
	if span := trace.SpanFromContext(ctx); span.IsRecording() {
		port := 443
		if r.URL.Scheme == "http" {
			port = 80
		}
		span.SetName(r.Method)
		span.SetAttributes(attribute.String("http.request.method", r.Method), attribute.String("server.address", r.URL.Hostname()),
			attribute.Int("server.port", portOf(r.URL.Port(), port)))
	}
	if t.propagate {
		w3c.Inject(ctx, propagation.HeaderCarrier(r.Header))
	}
}
