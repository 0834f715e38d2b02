package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// median of a figure over the rounds, 0 without samples.
func median(samples []sample, figure func(sample) float64) float64 {
	all := make([]float64, len(samples))
	for i, s := range samples {
		all[i] = figure(s)
	}
	return middle(all)
}

func middle(all []float64) float64 {
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[len(all)/2]
}

// added is the median over the rounds of a target's figure less that of the
// direct run of the same round.
func (b *bench) added(m, target string, figure func(Result) float64) float64 {
	base, own := b.samples[m][direct], b.samples[m][target]
	all := make([]float64, min(len(base), len(own)))
	for i := range all {
		all[i] = figure(own[i].Result) - figure(base[i].Result)
	}
	return middle(all)
}

func perSecond(s sample) float64 { return s.PerSecond }

// cpuRequest is CPU in milliseconds for 1,000 requests.
func cpuRequest(s sample) float64 {
	if s.Requests == 0 {
		return 0
	}
	return float64(s.cpu) / float64(time.Millisecond) / float64(s.Requests) * 1000
}

// cpuFrame is CPU in microseconds for one frame.
func cpuFrame(s sample) float64 {
	if s.Frames == 0 {
		return 0
	}
	return float64(s.cpu) / float64(time.Microsecond) / float64(s.Frames)
}

func peakMB(s sample) float64 { return float64(s.peak) / 1024 }

// report prints the tables and returns how many goals were missed.
func (b *bench) report(out io.Writer) int {
	fmt.Fprint(out, "| measure | target | req/s | added p50 / p99 ms | first byte added p50 / p99 ms | frame transit p50 / p99 ms | CPU ms/1k | CPU µs/frame | peak MB | req/s ÷ floor | CPU ÷ floor |\n")
	fmt.Fprintln(out, "|"+strings.Repeat("---|", 11))
	for _, m := range b.plan {
		for _, t := range b.targets {
			if len(b.samples[m.name][t.name]) > 0 {
				b.line(out, m, t.name)
			}
		}
	}
	fmt.Fprint(out, "\n| target | first answer after ms | idle MB | binary MB |\n|---|---|---|---|\n")
	for _, t := range b.targets[1:] {
		size := "–"
		if t.size > 0 {
			size = fmt.Sprintf("%.1f", float64(t.size)/(1<<20))
		}
		fmt.Fprintf(out, "| %s | %.0f | %.0f | %s |\n", t.name, float64(t.start)/float64(time.Millisecond), float64(t.idle)/1024, size)
	}
	missed := b.goals(out)
	for _, s := range b.skipped {
		fmt.Fprintf(out, "\nNot measured for lack of time: %s.\n", s)
	}
	return missed
}

func (b *bench) line(out io.Writer, m measure, name string) {
	own, base := b.samples[m.name][name], b.samples[m.name][floor]
	pair := func(figure func(Result) Latency) string {
		if name == direct {
			l := figure(own[len(own)-1].Result)
			return fmt.Sprintf("(%.2f / %.2f)", l.P50, l.P99)
		}
		return fmt.Sprintf("%.2f / %.2f",
			b.added(m.name, name, func(r Result) float64 { return figure(r).P50 }),
			b.added(m.name, name, func(r Result) float64 { return figure(r).P99 }))
	}
	transit, frame := "–", "–"
	cpu := cpuRequest
	if m.job.Frames > 0 {
		frame, cpu = fmt.Sprintf("%.1f", median(own, cpuFrame)), cpuFrame
	}
	if m.job.Every > 0 {
		transit = pair(func(r Result) Latency { return r.Transit })
	}
	fmt.Fprintf(out, "| %s | %s | %.0f | %s | %s | %s | %.0f | %s | %.0f | %s | %s |\n", m.name, name, median(own, perSecond),
		pair(func(r Result) Latency { return r.Whole }), pair(func(r Result) Latency { return r.First }), transit,
		median(own, cpuRequest), frame, median(own, peakMB), ratio(own, base, perSecond), ratio(own, base, cpu))
}

func ratio(own, base []sample, figure func(sample) float64) string {
	if b := median(base, figure); b > 0 {
		return fmt.Sprintf("%.2f", median(own, figure)/b)
	}
	return "–"
}

// goal is one of the design's speed goals.
type goal struct {
	what    string
	value   func(b *bench, target string) (float64, bool)
	limit   map[string]float64
	atLeast bool
	unit    string
}

func both(limit float64) map[string]float64 { return map[string]float64{hubOff: limit, hubOn: limit} }

// toFloor compares a target's figure with the floor's.
func toFloor(m string, figure func(sample) float64) func(*bench, string) (float64, bool) {
	return func(b *bench, target string) (float64, bool) {
		own, base := b.samples[m][target], b.samples[m][floor]
		f := median(base, figure)
		if len(own) == 0 || f == 0 {
			return 0, false
		}
		return median(own, figure) / f, true
	}
}

func addedWhole(m string, figure func(Latency) float64) func(*bench, string) (float64, bool) {
	return func(b *bench, target string) (float64, bool) {
		if len(b.samples[m][target]) == 0 {
			return 0, false
		}
		return b.added(m, target, func(r Result) float64 { return figure(r.Whole) }), true
	}
}

func goals() []goal {
	p50 := func(l Latency) float64 { return l.P50 }
	p99 := func(l Latency) float64 { return l.P99 }
	return []goal{
		{what: "CPU a request ÷ floor, " + atSaturation, value: toFloor(atSaturation, cpuRequest), limit: map[string]float64{hubOff: 2, hubOn: 3}, unit: "×"},
		{what: "throughput ÷ floor, " + atSaturation, value: toFloor(atSaturation, perSecond), limit: map[string]float64{hubOff: 0.6, hubOn: 0.4}, atLeast: true, unit: "×"},
		{what: "CPU a frame ÷ floor, " + pacedStreams, value: toFloor(pacedStreams, cpuFrame), limit: both(1.3), unit: "×"},
		{what: "CPU a frame ÷ floor, " + fastStreams, value: toFloor(fastStreams, cpuFrame), limit: both(1.3), unit: "×"},
		{what: "added p50, " + openLoop, value: addedWhole(openLoop, p50), limit: both(1), unit: " ms"},
		{what: "added p99, " + openLoop, value: addedWhole(openLoop, p99), limit: both(3), unit: " ms"},
		{what: "peak memory, " + idleStreams, value: idlePeak, limit: both(100), unit: " MB"},
		{what: "first answer after the start", value: firstAnswer, limit: both(150), unit: " ms"},
	}
}

func idlePeak(b *bench, target string) (float64, bool) {
	for _, m := range b.plan {
		if s := b.samples[m.name][target]; strings.HasSuffix(m.name, idleStreams) && len(s) > 0 {
			return median(s, peakMB), true
		}
	}
	return 0, false
}

func firstAnswer(b *bench, target string) (float64, bool) {
	for _, t := range b.targets {
		if t.name == target {
			return float64(t.start) / float64(time.Millisecond), true
		}
	}
	return 0, false
}

func (b *bench) goals(out io.Writer) (missed int) {
	fmt.Fprint(out, "\n| goal | hub | measured | limit | |\n|---|---|---|---|---|\n")
	for _, g := range goals() {
		for _, target := range []string{hubOff, hubOn} {
			v, ok := g.value(b, target)
			if !ok {
				continue
			}
			sign, verdict, good := "≤", "ok", v <= g.limit[target]
			if g.atLeast {
				sign, good = "≥", v >= g.limit[target]
			}
			if !good {
				verdict, missed = "missed", missed+1
			}
			fmt.Fprintf(out, "| %s | billing %s | %.2f%s | %s %g%s | %s |\n", g.what, target, v, g.unit, sign, g.limit[target], g.unit, verdict)
		}
	}
	return missed
}
