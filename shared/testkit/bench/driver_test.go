package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestMain lets the driver start this test binary as its fakeup and floor, and
// as a stand-in for the hub: the floor behind the hub's commands.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "fakeup", "floor":
			main()
			return
		case "migrate", "provider", "rate", "user", "credits", "key", "serve":
			if err := standIn(os.Args[1:]); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
			return
		}
	}
	os.Exit(m.Run())
}

// standIn is a hub that notes its commands and proxies.
func standIn(args []string) error {
	data := os.Getenv("AIGNE_HUB_DATA")
	if err := os.MkdirAll(data, 0o700); err != nil {
		return err
	}
	notes := filepath.Join(data, "notes")
	switch args[0] {
	case "key":
		fmt.Println("sk-hub-bench")
	case "provider":
		if os.Getenv("BENCH_UPSTREAM_KEY") == "" {
			return fmt.Errorf("no credential in %v", args)
		}
		return os.WriteFile(notes, []byte(args[7]), 0o600)
	case "serve":
		upstream, err := os.ReadFile(notes)
		if err != nil {
			return err
		}
		l, err := net.Listen("tcp", os.Getenv("AIGNE_HUB_LISTEN"))
		if err != nil {
			return err
		}
		return serveFloor(context.Background(), l, strings.TrimSuffix(string(upstream), "/v1"))
	}
	return nil
}

var tiny = pace{rounds: 2, each: 40 * time.Millisecond, every: 100 * time.Microsecond, hold: 50 * time.Millisecond, limit: 2 * time.Minute}

func TestTheDriverMeasuresHubAndFloorInTurn(t *testing.T) {
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("no /proc here: CPU and memory of processes cannot be read")
	}
	self, err := os.Executable()
	require.NoError(t, err)
	var out bytes.Buffer
	_, err = drive(t.Context(), &out, tiny, 20, self, "")
	require.NoError(t, err)
	report := out.String()
	for _, m := range plan(tiny, 20) {
		for _, target := range []string{direct, floor, hubOff, hubOn} {
			assert.Contains(t, report, "| "+m.name+" | "+target+" |")
		}
	}
	assert.Contains(t, report, "| first answer after the start | billing on |")
	assert.NotContains(t, report, "lack of time")
	assert.NotContains(t, report, "NaN")
}

func TestTheDriverSaysWhatItHadNoTimeFor(t *testing.T) {
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("no /proc here: CPU and memory of processes cannot be read")
	}
	short := tiny
	short.limit, short.each = 1500*time.Millisecond, 300*time.Millisecond
	var out bytes.Buffer
	_, err := drive(t.Context(), &out, short, 1, "", floor)
	require.NoError(t, err)
	assert.Contains(t, out.String(), "Not measured for lack of time: round 1 from")
}

func TestTheDriverReportsWhatCannotBeStarted(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	_, err := drive(t.Context(), &out, tiny, 1, "", "off")
	require.ErrorContains(t, err, "need -hub")
	_, err = drive(t.Context(), &out, tiny, 1, filepath.Join(t.TempDir(), "none"), "on")
	require.ErrorContains(t, err, "migrate")
	assert.Empty(t, out.String())
}

func TestGoalsAreJudgedByRatiosOfOneRun(t *testing.T) {
	t.Parallel()
	one := func(perSecond, p50, p99 float64, cpu time.Duration, peakMB int64) []sample {
		return []sample{{
			Result: Result{Requests: 1000, Frames: 1000, PerSecond: perSecond, Whole: Latency{P50: p50, P99: p99}},
			cpu:    cpu, peak: peakMB << 10,
		}}
	}
	b := &bench{
		pace: tiny, plan: plan(tiny, 1000), samples: map[string]map[string][]sample{},
		targets: []*target{
			{name: direct}, {name: floor, start: 10 * time.Millisecond},
			{name: hubOff, start: 100 * time.Millisecond, size: 20 << 20}, {name: hubOn, start: 200 * time.Millisecond},
		},
	}
	for _, m := range b.plan {
		b.samples[m.name] = map[string][]sample{
			direct: one(9000, 0.1, 0.5, 10*time.Millisecond, 1), floor: one(1000, 0.2, 1, 100*time.Millisecond, 20),
			hubOff: one(700, 0.9, 3, 120*time.Millisecond, 60), hubOn: one(300, 1.5, 4, 310*time.Millisecond, 120),
		}
	}
	var out bytes.Buffer
	assert.Equal(t, 8, b.report(&out), "all goals are missed by billing on, none by off: %s", out.String())
	for _, line := range []string{
		"| CPU a request ÷ floor, closed loop, 64 connections | billing off | 1.20× | ≤ 2× | ok |",
		"| throughput ÷ floor, closed loop, 64 connections | billing on | 0.30× | ≥ 0.4× | missed |",
		"| added p99, open loop, 64 connections | billing off | 2.50 ms | ≤ 3 ms | ok |",
		"| off | 100 | 0 | 20.0 |",
	} {
		assert.Contains(t, out.String(), line)
	}
	assert.InDelta(t, 0.15, b.share(), 0.001, "the open loop runs at half of what the slower hub can do")
}
