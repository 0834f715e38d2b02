package meter_test

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/aigne-hub/aigne-hub/shared/telemetry/meter"
)

func TestFiguresAreShownAsPrometheusReadsThem(t *testing.T) {
	t.Parallel()
	var r meter.Registry
	calls := r.Counters(meter.Desc{Name: "calls_total", Help: "Calls\nby \\ name.", Labels: []string{"name", "status"}})
	calls.With("b", "ok").Add(2)
	calls.With("a\"\\\n\xff", "ok").Add(1)
	calls.With("b", "ok").Add(3)
	spent := r.Counters(meter.Desc{Name: "credits_total", Help: "Credits.", Decimals: 9})
	spent.With().Add(1_500_000_001)
	took := r.Histograms(meter.Desc{Name: "seconds", Help: "Time.", Labels: []string{"name"}, Decimals: 6}, []int64{1000, 250_000})
	h := took.With("x")
	h.Observe(1000)
	h.Since(time.UnixMilli(0), time.UnixMilli(250).Add(time.Microsecond))
	h.Observe(2_000_000)
	r.Counters(meter.Desc{Name: "none_total", Help: "Nothing happened."})
	r.OnRead(func(_ context.Context, g *meter.Gather) {
		g.Gauge(meter.Desc{Name: "age_seconds", Help: "Age.", Labels: []string{"of"}, Decimals: 3}, -1250, "x")
		g.Gauge(meter.Desc{Name: "age_seconds", Help: "Age.", Labels: []string{"of"}, Decimals: 3}, 0, "y")
	})
	assert.Equal(t, `# HELP age_seconds Age.
# TYPE age_seconds gauge
age_seconds{of="x"} -1.25
age_seconds{of="y"} 0
# HELP calls_total Calls\nby \\ name.
# TYPE calls_total counter
calls_total{name="a\"\\\n�",status="ok"} 1
calls_total{name="b",status="ok"} 5
# HELP credits_total Credits.
# TYPE credits_total counter
credits_total 1.500000001
# HELP seconds Time.
# TYPE seconds histogram
seconds_bucket{name="x",le="0.001"} 1
seconds_bucket{name="x",le="0.25"} 1
seconds_bucket{name="x",le="+Inf"} 3
seconds_sum{name="x"} 2.251001
seconds_count{name="x"} 3
`, string(meter.Prometheus(nil, r.Read(t.Context()))))
}

func TestDecimalsAreExact(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		v        int64
		decimals int
		want     string
	}{
		{0, 0, "0"}, {0, 9, "0"}, {1, 9, "0.000000001"}, {-1, 9, "-0.000000001"}, {10, 1, "1"}, {12, 1, "1.2"},
		{math.MaxInt64, 9, "9223372036.854775807"}, {math.MinInt64, 0, "-9223372036854775808"},
	} {
		assert.Equal(t, c.want, string(meter.AppendDecimal(nil, c.v, c.decimals)))
	}
}

func TestCountingAllocatesNothing(t *testing.T) {
	t.Parallel()
	var r meter.Registry
	c := r.Counters(meter.Desc{Name: "c"}).With()
	h := r.Histograms(meter.Desc{Name: "h"}, []int64{1, 2, 3}).With()
	assert.Zero(t, testing.Benchmark(func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			c.Add(1)
			h.Observe(2)
		}
	}).AllocsPerOp())
}
