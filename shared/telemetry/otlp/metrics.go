package otlp

import (
	"context"
	"encoding/binary"
	"math"
	"strings"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/telemetry/meter"
)

// Metrics sends figures as they were at a moment.
func (c *Client) Metrics(ctx context.Context, families []meter.Family, at time.Time) {
	if len(families) > 0 {
		c.send(ctx, c.opts.Metrics, c.metrics(families, at))
	}
}

// The fields of Metric and of what it holds.
const (
	metricName        = 1
	metricDescription = 2
	metricUnit        = 3
	metricGauge       = 5
	metricSum         = 7
	metricHistogram   = 9

	dataPoints  = 1
	temporality = 2
	cumulative  = 2
	monotonic   = 3

	pointStart      = 2
	pointTime       = 3
	pointDouble     = 4
	pointInt        = 6
	pointAttributes = 7

	histogramCount      = 4
	histogramSum        = 5
	histogramCounts     = 6
	histogramBounds     = 7
	histogramAttributes = 9
)

func (c *Client) metrics(families []meter.Family, at time.Time) message {
	return c.request(func(scope *message) {
		for i := range families {
			scope.within(2, func(m *message) { c.family(m, &families[i], at) })
		}
	})
}

func (c *Client) family(m *message, f *meter.Family, at time.Time) {
	name := f.OTel
	if name == "" {
		name = strings.ReplaceAll(strings.TrimSuffix(f.Name, "_total"), "_", ".")
		name = strings.Replace(name, "aigne.hub.", "aigne_hub.", 1)
	}
	unit := f.Unit
	if unit == "" {
		unit = "1"
	}
	m.text(metricName, name)
	m.text(metricDescription, f.Help)
	m.text(metricUnit, unit)
	field := map[meter.Kind]int{meter.KindGauge: metricGauge, meter.KindCounter: metricSum, meter.KindHistogram: metricHistogram}[f.Kind]
	m.within(field, func(data *message) {
		for i := range f.Points {
			data.within(dataPoints, func(p *message) {
				p.fixed64(pointStart, uint64(c.opts.Start.UnixNano()))
				p.fixed64(pointTime, uint64(at.UnixNano()))
				if f.Kind == meter.KindHistogram {
					histogram(p, f, &f.Points[i])
				} else {
					number(p, f, &f.Points[i])
				}
			})
		}
		if f.Kind != meter.KindGauge {
			data.uint(temporality, cumulative)
		}
		if f.Kind == meter.KindCounter {
			data.uint(monotonic, 1)
		}
	})
}

func number(p *message, f *meter.Family, x *meter.Point) {
	if f.Decimals == 0 {
		p.fixed64(pointInt, uint64(x.Value))
	} else {
		p.double(pointDouble, decimal(x.Value, f.Decimals))
	}
	attributes(p, pointAttributes, f, x)
}

func histogram(p *message, f *meter.Family, x *meter.Point) {
	var all uint64
	var counts, bounds message
	for _, n := range x.Counts {
		all += n
		counts = binary.LittleEndian.AppendUint64(counts, n)
	}
	for _, b := range f.Bounds {
		bounds = binary.LittleEndian.AppendUint64(bounds, math.Float64bits(decimal(b, f.Decimals)))
	}
	p.fixed64(histogramCount, all)
	p.double(histogramSum, decimal(x.Value, f.Decimals))
	p.bytes(histogramCounts, counts)
	p.bytes(histogramBounds, bounds)
	attributes(p, histogramAttributes, f, x)
}

func attributes(p *message, field int, f *meter.Family, x *meter.Point) {
	if x.Attrs != nil {
		for _, a := range x.Attrs {
			p.pair(field, a.Key, clean(a.Value))
		}
		return
	}
	for i, v := range x.Values {
		p.pair(field, f.Labels[i], clean(v))
	}
}

// decimal is a figure as the wire has it, which knows no decimals.
func decimal(v int64, decimals int) float64 { return float64(v) / math.Pow10(decimals) }
