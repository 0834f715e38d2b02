package boot

import (
	"context"
	"log/slog"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"github.com/oklog/ulid/v2"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/aigne-hub/aigne-hub/shared/alert"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/observe"
	"github.com/aigne-hub/aigne-hub/shared/telemetry/meter"
	"github.com/aigne-hub/aigne-hub/shared/telemetry/otlp"
)

// Observer is what a process counts, and how it is sent to a collector.
type Observer struct {
	*observe.Set

	client   *otlp.Client // nil: nothing is sent
	metrics  bool
	interval time.Duration
	now      hub.Now
	sent     atomic.Int64 // when figures last were, Unix milliseconds
}

// NewObserver makes what counts, before the hub is open.
func NewObserver(cfg Config, version string, log *slog.Logger, now hub.Now) *Observer {
	o := &Observer{now: now, interval: cfg.Telemetry.Interval}
	t := cfg.Telemetry
	var exporter sdktrace.SpanExporter
	if t.On() {
		o.metrics = t.Metrics != ""
		resource := append(slices.Clone(t.Resource), meter.Attr{Key: "service.version", Value: version}, meter.Attr{Key: "service.instance.id", Value: ulid.Make().String()},
			meter.Attr{Key: "telemetry.sdk.language", Value: "go"})
		if host := hostName(); host != "" {
			resource = append(resource, meter.Attr{Key: "host.name", Value: host})
		}
		o.client = otlp.New(otlp.Options{Traces: t.Traces, Metrics: t.Metrics, Headers: t.Headers, Timeout: t.Timeout, Resource: resource,
			Scope: "github.com/aigne-hub/aigne-hub", Version: version, Start: now(), Log: log})
		if t.Traces != "" {
			exporter = otlp.Spans{Client: o.client}
		}
	}
	var traces *observe.Traces
	if exporter != nil || cfg.TracePropagate {
		traces = observe.NewTraces(exporter, sampler(&t), cfg.TracePropagate)
	}
	o.Set = observe.New(now, version, traces)
	return o
}

// sampler is one of those that OpenTelemetry has names for.
func sampler(t *Telemetry) sdktrace.Sampler {
	switch t.Sampler {
	case "always_off":
		return sdktrace.NeverSample()
	case "traceidratio":
		return sdktrace.TraceIDRatioBased(t.SampleRatio)
	case "parentbased_always_off":
		return sdktrace.ParentBased(sdktrace.NeverSample())
	case "parentbased_traceidratio":
		return sdktrace.ParentBased(sdktrace.TraceIDRatioBased(t.SampleRatio))
	case "always_on":
		return sdktrace.AlwaysSample()
	}
	return sdktrace.ParentBased(sdktrace.AlwaysSample())
}

// Serve sends figures at intervals until ctx ends, and what is left then.
func (o *Observer) Serve(ctx context.Context) {
	if o.client == nil {
		<-ctx.Done()
		return
	}
	tick := time.NewTicker(o.interval)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			o.push(ctx)
		case <-ctx.Done():
			const patience = 3 * time.Second
			o.Flush(context.WithoutCancel(ctx), patience)
			return
		}
	}
}

func (o *Observer) push(ctx context.Context) {
	if !o.metrics {
		return
	}
	now := o.now()
	o.sent.Store(now.UnixMilli())
	o.client.Metrics(ctx, o.Registry.Read(ctx), now)
}

// Flush sends what has not been sent, within a time. Without a collector it does
// nothing.
func (o *Observer) Flush(ctx context.Context, within time.Duration) {
	if o.client == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	if t := o.Traces(); t != nil {
		t.Flush(ctx)
	}
	o.push(ctx)
}

// afterwards is Flush at the end of an invocation of Lambda, where no ticker runs:
// spans always, figures when they are due.
func (o *Observer) afterwards(ctx context.Context) {
	if o.client == nil {
		return
	}
	const (
		patience = time.Second
		often    = 10 * time.Second
	)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	if t := o.Traces(); t != nil {
		t.Flush(ctx)
	}
	if o.now().UnixMilli()-o.sent.Load() >= often.Milliseconds() {
		o.push(ctx)
	}
}

// observed lets the Observer see into the hub.
func (a *App) observed() {
	a.Observe.Open(observe.Hub{Store: a.Store, Routes: a.Routes, RestsUntil: a.Upstream.RestsAnywhereUntil, OpenBreakers: a.Upstream.OpenBreakers})
	a.Gate.Ended = a.Observe.Ended
	if t := a.Observe.Traces(); t != nil {
		a.Gate.Begun = t.Call
	}
}

// Watcher evaluates the rules of alerts.
func (a *App) Watcher() *alert.Watcher {
	w := &alert.Watcher{Store: a.Store, Tell: a.Notify.Tell, Log: a.Log, Now: a.Now}
	if file := a.Config.DatabaseFile(); file != "" {
		w.Room = func() (free, all uint64, err error) { return alert.DiskRoom(filepath.Dir(file)) }
	}
	return w
}
