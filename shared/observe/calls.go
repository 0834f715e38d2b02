package observe

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/admission"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/routing"
	"github.com/aigne-hub/aigne-hub/shared/telemetry/meter"
)

// maxTargets bounds the models that have labels of their own.
const maxTargets = 500

// callFigures are the figures of calls. Those of a target are made at its first call
// and found by one look-up from then on.
type callFigures struct {
	mu  sync.RWMutex
	all map[target]*callSeries

	ended, tokens, units, credits, cost     *meter.Counters
	duration, firstToken, perToken, amounts *meter.Histograms
}

// target is what calls are counted by.
type target struct {
	provider, model string
	kind            hub.CallType
}

// callSeries are the figures of one target.
type callSeries struct {
	f             *callFigures
	labels        target
	ended         [len(statuses)]*meter.Counter
	used          [hub.NumBuckets]atomic.Pointer[meter.Counter]
	credits, cost *meter.Counter
	worked        *meter.Counter // attempts that succeeded
	duration      *meter.Histogram

	firstToken, perToken, input, output *meter.Histogram
}

var statuses = [...]hub.CallStatus{hub.StatusSuccess, hub.StatusFailed, hub.StatusAborted, hub.StatusInterrupted}

// The buckets are those that the GenAI conventions of OpenTelemetry advise, in
// microseconds and tokens.
func durationBounds() []int64 {
	return []int64{10_000, 20_000, 40_000, 80_000, 160_000, 320_000, 640_000, 1_280_000, 2_560_000, 5_120_000, 10_240_000, 20_480_000, 40_960_000, 81_920_000}
}

func firstTokenBounds() []int64 {
	return []int64{1000, 5000, 10_000, 20_000, 40_000, 60_000, 80_000, 100_000, 250_000, 500_000, 750_000, 1_000_000, 2_500_000, 5_000_000, 7_500_000, 10_000_000}
}

func perTokenBounds() []int64 {
	return []int64{10_000, 25_000, 50_000, 75_000, 100_000, 150_000, 200_000, 300_000, 400_000, 500_000, 750_000, 1_000_000, 2_500_000}
}

func tokenBounds() []int64 {
	return []int64{1, 4, 16, 64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216, 67_108_864}
}

func (f *callFigures) init(r *meter.Registry) {
	labels := func(more ...string) []string { return append([]string{"provider", "model"}, more...) }
	f.all = map[target]*callSeries{}
	f.ended = r.Counters(meter.Desc{Name: "aigne_hub_calls_total", Labels: labels("type", "status"), Help: "Settled model calls by how they ended."})
	f.tokens = r.Counters(meter.Desc{Name: "aigne_hub_tokens_total", Labels: labels("bucket"), Help: "Tokens of settled calls, each counted in one bucket.", Unit: "{token}"})
	f.units = r.Counters(meter.Desc{Name: "aigne_hub_units_total", Labels: labels("bucket"), Help: "What settled calls used beside tokens: pictures, seconds, characters, searches, requests."})
	f.credits = r.Counters(meter.Desc{Name: "aigne_hub_credits_total", Labels: labels(), Decimals: 9, Help: "Credits that settled calls were charged.", Unit: "{credit}"})
	f.cost = r.Counters(meter.Desc{Name: "aigne_hub_cost_dollars_total", Labels: labels(), Decimals: 9, Help: "What settled calls cost the operator, in US dollars, as far as it is known.", Unit: "{USD}"})
	f.duration = r.Histograms(meter.Desc{Name: "aigne_hub_call_duration_seconds", OTel: "gen_ai.client.operation.duration", Unit: "s", Labels: labels("type"), Decimals: 6,
		Help: "Time from admission to settlement."}, durationBounds())
	f.firstToken = r.Histograms(meter.Desc{Name: "aigne_hub_time_to_first_token_seconds", OTel: "gen_ai.server.time_to_first_token", Unit: "s", Labels: labels(), Decimals: 6,
		Help: "Time from admission to the first content of a stream that its client got."}, firstTokenBounds())
	f.perToken = r.Histograms(meter.Desc{Name: "aigne_hub_time_per_output_token_seconds", OTel: "gen_ai.server.time_per_output_token", Unit: "s", Labels: labels(), Decimals: 6,
		Help: "Time for each token of a successful stream after the first."}, perTokenBounds())
	f.amounts = r.Histograms(meter.Desc{Name: "aigne_hub_call_tokens", OTel: "gen_ai.client.token.usage", Unit: "{token}", Labels: labels("type"),
		Help: "Tokens of a call: input, output."}, tokenBounds())
}

// series returns the figures of a target; one that is not configured, or one too
// many, is counted among the others of its kind.
func (s *Set) series(t target) *callSeries {
	f := &s.calls
	f.mu.RLock()
	found, full := f.all[t], len(f.all) >= maxTargets
	f.mu.RUnlock()
	if found != nil {
		return found
	}
	if t.provider != none && (full || !s.offers(t)) {
		t.model = other
		if full {
			t.provider = other
		}
		f.mu.RLock()
		found = f.all[t]
		f.mu.RUnlock()
		if found != nil {
			return found
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if found = f.all[t]; found == nil {
		found = f.make(t, s.system(t.provider))
		found.worked = s.attempts.With(t.provider, "ok")
		f.all[t] = found
	}
	return found
}

// offers reports whether a target is one of those that the hub lists.
func (s *Set) offers(t target) bool {
	routes := s.routes()
	if routes == nil {
		return false
	}
	o := s.offered.Load()
	if o == nil || o.routes != routes {
		o = &offering{routes, routes.Offers()}
		s.offered.Store(o)
	}
	return o.has(t.provider, t.model, t.kind)
}

// offering is what a configuration lists: added up once, since names that callers
// make up are looked for at each of their calls.
type offering struct {
	routes *routing.Snapshot
	has    func(provider, model string, kind hub.CallType) bool
}

func (f *callFigures) make(t target, system string) *callSeries {
	c := &callSeries{f: f, labels: t}
	p, m, kind := t.provider, t.model, string(t.kind)
	for i, st := range statuses {
		c.ended[i] = f.ended.With(p, m, kind, string(st))
	}
	c.credits, c.cost = f.credits.With(p, m), f.cost.With(p, m)
	attrs := func(more ...meter.Attr) []meter.Attr {
		return append([]meter.Attr{{Key: "gen_ai.operation.name", Value: operation(t.kind)}, {Key: "gen_ai.provider.name", Value: system},
			{Key: "gen_ai.request.model", Value: m}, {Key: "aigne_hub.provider", Value: p}}, more...)
	}
	c.duration = f.duration.WithAttrs(attrs(), p, m, kind)
	c.firstToken, c.perToken = f.firstToken.WithAttrs(attrs(), p, m), f.perToken.WithAttrs(attrs(), p, m)
	c.input = f.amounts.WithAttrs(attrs(meter.Attr{Key: "gen_ai.token.type", Value: "input"}), p, m, "input")
	c.output = f.amounts.WithAttrs(attrs(meter.Attr{Key: "gen_ai.token.type", Value: "output"}), p, m, "output")
	return c
}

// Ended counts a settled call, and ends its trace.
func (s *Set) Ended(ctx context.Context, e *admission.Ended) {
	o, x := e.Outcome, e.Settlement
	t := target{provider: x.Provider, model: x.Model, kind: x.Type}
	if t.provider == "" {
		t.provider, t.model = none, none
	}
	c := s.series(t)
	for i, st := range statuses {
		if st == x.Status {
			c.ended[i].Add(1)
		}
	}
	for b, n := range x.Usage {
		if n > 0 {
			c.use(hub.Bucket(b), n)
		}
	}
	if e.Charged > 0 {
		c.credits.Add(int64(e.Charged))
	}
	if x.Cost != nil && *x.Cost > 0 {
		c.cost.Add(int64(*x.Cost))
	}
	c.duration.Observe(x.Duration.Microseconds())
	in, out := x.Usage.Prompt(), x.Usage.Completion()
	if in+out > 0 {
		c.input.Observe(in)
		c.output.Observe(out)
	}
	if e.Request.Stream && o.TTFB != nil && x.Status == hub.StatusSuccess {
		c.firstToken.Observe(o.TTFB.Microseconds())
		if out > 1 && x.Duration > *o.TTFB {
			c.perToken.Observe((x.Duration - *o.TTFB).Microseconds() / (out - 1))
		}
	}
	for i := range o.Attempts {
		s.attempts.With(s.known(o.Attempts[i].Provider), category(o.Attempts[i].Category)).Add(1)
	}
	if x.Status == hub.StatusSuccess && o.Tries > 0 {
		c.worked.Add(1)
	}
	if x.Status != hub.StatusSuccess {
		s.faults.With(c.labels.provider, category(x.Category)).Add(1)
	}
	if s.traces != nil {
		s.traces.ended(ctx, s.system(x.Provider), e)
	}
}

// use counts what was used of a bucket; a target's buckets appear as they are used.
func (c *callSeries) use(b hub.Bucket, n int64) {
	counter := c.used[b].Load()
	if counter == nil {
		family := c.f.tokens
		if b >= hub.Images {
			family = c.f.units
		}
		counter = family.With(c.labels.provider, c.labels.model, b.String())
		c.used[b].Store(counter)
	}
	counter.Add(n)
}

// known is a provider's name as a label.
func (s *Set) known(name string) string {
	if s.provider(name) == nil {
		return other
	}
	return name
}

// category is an error's category as a label: a word of the hub's own.
func category(c string) string {
	if c == "" {
		return none
	}
	return c
}

// seconds is a time as figures hold it.
func seconds(d time.Duration) int64 { return d.Microseconds() }
