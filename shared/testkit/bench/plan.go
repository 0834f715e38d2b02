package main

import (
	"fmt"
	"time"
)

// measure is one line of the table.
type measure struct {
	name string
	job  Job
	// ofHub: the rate is the wished one, or half of what the hub can do.
	ofHub bool
	once  bool // one round is enough
}

// The names of the measures that goals refer to.
const (
	atSaturation = "closed loop, 64 connections"
	openLoop     = "open loop, 64 connections"
	pacedStreams = "64 streams of 200 frames, paced"
	fastStreams  = "16 streams of 2,000 frames, all out"
	idleStreams  = "idle-ish streams at once"
)

// pace is how much time a run of the driver has.
type pace struct {
	rounds int
	each   time.Duration // of one measurement
	every  time.Duration // between the frames of paced streams
	hold   time.Duration // between the two frames of idle-ish streams
	limit  time.Duration // of everything
}

var (
	full  = pace{rounds: 3, each: 3 * time.Second, every: 10 * time.Millisecond, hold: 1200 * time.Millisecond, limit: 570 * time.Second}
	quick = pace{rounds: 1, each: 500 * time.Millisecond, every: 2 * time.Millisecond, hold: 1200 * time.Millisecond, limit: 58 * time.Second}
)

// wishedRate is the open loop's rate where the hub can do twice as much.
const wishedRate = 1000

// plan lists what is measured: the lines of the design's speed goals.
func plan(p pace, idle int) []measure {
	const kb = 1 << 10
	closed := func(conns, prompt int) Job { return Job{Conns: conns, Prompt: prompt, Time: p.each} }
	stream := func(conns, frames int, every time.Duration) Job {
		return Job{Conns: conns, Prompt: kb, Frames: frames, Every: every, Time: p.each}
	}
	open := stream(64, 20, 0)
	open.Rate = wishedRate / 10
	plain := closed(64, kb)
	plain.Rate = wishedRate
	return []measure{
		{name: "1 connection", job: closed(1, kb)},
		{name: "1 connection, streams of 200 frames", job: stream(1, 200, 0)},
		{name: "closed loop, 16 connections", job: closed(16, kb)},
		{name: atSaturation, job: closed(64, kb)},
		{name: "closed loop, 256 connections", job: closed(256, kb)},
		{name: openLoop, job: plain, ofHub: true},
		{name: "open loop, streams of 20 frames", job: open, ofHub: true},
		{name: "prompts of 16 KB, 4 connections", job: closed(4, 16*kb)},
		{name: "prompts of 256 KB, 4 connections", job: closed(4, 256*kb)},
		{name: "prompts of 4 MB, 2 connections", job: closed(2, 4<<10*kb)},
		{name: pacedStreams, job: stream(64, 200, p.every)},
		{name: fastStreams, job: stream(16, 2000, 0)},
		{name: fmt.Sprintf("%d %s", idle, idleStreams), once: true, job: Job{
			// Each connection has time for one stream; the first lasts until all have begun.
			Conns: idle, Prompt: kb, Frames: 2, Every: p.hold, Time: p.hold,
		}},
	}
}
