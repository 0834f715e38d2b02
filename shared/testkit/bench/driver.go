package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// sample is one measurement of one target.
type sample struct {
	Result
	cpu  time.Duration
	peak int64 // KiB
}

// bench is one run of the driver.
type bench struct {
	pace    pace
	plan    []measure
	targets []*target
	// samples[measure][target] has one entry a round.
	samples map[string]map[string][]sample
	skipped []string // measurements that the time did not allow
}

func runCommand(ctx context.Context, args []string, out io.Writer) error {
	fs := flag.NewFlagSet("run", flag.ContinueOnError)
	hub := fs.String("hub", "", "the hub's binary; without it only the floor is measured")
	short := fs.Bool("quick", false, "within a minute instead of ten")
	names := fs.String("targets", "", "which of floor,off,on; all by default")
	idle := fs.Int("idle", 1000, "streams held at once")
	check := fs.Bool("check", false, "fail when a goal is missed")
	if err := fs.Parse(args); err != nil {
		return err
	}
	p := full
	if *short {
		p = quick
	}
	missed, err := drive(ctx, out, p, *idle, *hub, *names)
	if err == nil && *check && missed > 0 {
		return fmt.Errorf("%d goals were missed", missed)
	}
	return err
}

// drive starts, measures, prints and stops; it returns how many goals were missed.
func drive(ctx context.Context, out io.Writer, p pace, idle int, hub, names string) (missed int, err error) {
	b := &bench{pace: p, plan: plan(p, idle), samples: map[string]map[string][]sample{}}
	ctx, cancel := context.WithTimeout(ctx, p.limit)
	defer cancel()
	defer b.stop()
	if err := b.start(ctx, hub, names); err != nil {
		return 0, err
	}
	if err := b.measure(ctx); err != nil {
		return 0, err
	}
	return b.report(out), nil
}

// start brings the upstream and the wanted targets up.
func (b *bench) start(ctx context.Context, hub, names string) error {
	wanted := []string{floor, hubOff, hubOn}
	if hub == "" {
		wanted = wanted[:1]
	}
	if names != "" {
		wanted = strings.Split(names, ",")
	}
	up, err := startPart("fakeup")
	if err != nil {
		return err
	}
	up.name = direct
	b.targets = append(b.targets, up)
	for _, name := range wanted {
		var t *target
		switch {
		case name == floor:
			t, err = startFloor(ctx, up.url)
		case (name == hubOff || name == hubOn) && hub != "":
			t, err = b.startHub(ctx, hub, up.url, name)
		default:
			err = fmt.Errorf("target %q: one of floor, off, on; the last two need -hub", name)
		}
		if err != nil {
			return err
		}
		b.targets = append(b.targets, t)
	}
	return nil
}

func (b *bench) startHub(ctx context.Context, binary, upstream, mode string) (*target, error) {
	binary, err := filepath.Abs(binary)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "aigne-hub-bench-")
	if err != nil {
		return nil, err
	}
	t, err := startHub(ctx, binary, upstream, dir, mode)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	t.dir = dir
	return t, nil
}

func (b *bench) stop() {
	for _, t := range slices.Backward(b.targets) {
		t.stop()
		if t.dir != "" {
			_ = os.RemoveAll(t.dir) // a temporary folder left behind harms nobody
		}
	}
}

// measure runs all rounds. In each, a measure goes to one target after the other,
// so that a change of the machine's mood meets all of them.
func (b *bench) measure(ctx context.Context) error {
	for _, t := range b.targets { // connections, pools and caches warm up
		if _, err := b.once(ctx, t, Job{Conns: 64, Prompt: 1 << 10, Time: b.pace.each / 4}); err != nil {
			return err
		}
	}
	for round := range b.pace.rounds {
		for _, m := range b.plan {
			if m.once && round > 0 {
				continue
			}
			if m.ofHub {
				m.job.Rate *= b.share()
			}
			for i := range b.targets {
				t := b.targets[i]
				if round%2 == 1 && i > 0 { // the order of the others alternates, direct stays first
					t = b.targets[len(b.targets)-i]
				}
				s, err := b.once(ctx, t, m.job)
				if errors.Is(err, context.DeadlineExceeded) {
					b.skipped = append(b.skipped, fmt.Sprintf("round %d from %q on", round+1, m.name))
					return nil
				}
				if err != nil {
					return fmt.Errorf("%s, %s: %w", m.name, t.name, err)
				}
				if b.samples[m.name] == nil {
					b.samples[m.name] = map[string][]sample{}
				}
				b.samples[m.name][t.name] = append(b.samples[m.name][t.name], s)
			}
		}
	}
	return nil
}

// share is 1, or less where the hub's maximum is below twice the wished rate.
func (b *bench) share() float64 {
	share := 1.0
	for _, name := range []string{floor, hubOff, hubOn} {
		if s := b.samples[atSaturation][name]; len(s) > 0 {
			share = min(share, s[len(s)-1].PerSecond/2/wishedRate)
		}
	}
	return share
}

// once measures one job against one target.
func (b *bench) once(ctx context.Context, t *target, j Job) (sample, error) {
	j.URL, j.Key = t.url, t.key
	pid := t.cmd.Process.Pid
	_ = resetPeak(pid) // where the kernel does not allow it, the peak is that of the whole run
	before, err := readProcess(pid)
	if err != nil {
		return sample{}, err
	}
	r, err := run(ctx, j)
	if err != nil {
		return sample{}, err
	}
	if ctx.Err() != nil {
		return sample{}, ctx.Err()
	}
	after, err := readProcess(pid)
	if err != nil {
		return sample{}, fmt.Errorf("%s has died: %w\n%s", t.name, err, t.log)
	}
	if r.Errors > 0 {
		return sample{}, fmt.Errorf("%d of %d requests failed, the last with: %s", r.Errors, r.Requests, r.LastError)
	}
	return sample{Result: r, cpu: after.CPU - before.CPU, peak: after.Peak}, nil
}
