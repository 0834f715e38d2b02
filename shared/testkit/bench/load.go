package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Job is one run of the load generator against one address.
type Job struct {
	URL    string        // origin
	Key    string        // API key
	Conns  int           // connections, each with one request at a time
	Rate   float64       // requests a second whatever the answers do (open loop); 0: the next when one is done
	Time   time.Duration // requests are started so long; those begun are finished
	Prompt int           // bytes of the request's body, about
	Frames int           // frames of a streamed answer; 0: a whole answer
	Every  time.Duration // pause of the upstream between frames
	Wait   time.Duration // pause of the upstream before the answer
}

// maxRequests bounds a run whatever its time.
const maxRequests = 2_000_000

// Result is what came of a Job. Latencies of an open loop count from the moment
// at which the request was due, so that waiting for a free connection shows.
type Result struct {
	Requests  int64   `json:"requests"`
	Errors    int64   `json:"errors"`
	LastError string  `json:"last_error,omitempty"`
	Seconds   float64 `json:"seconds"`
	PerSecond float64 `json:"per_second"`
	First     Latency `json:"first_byte"`
	Whole     Latency `json:"whole"`
	Transit   Latency `json:"frame_transit"` // of paced frames: from the upstream's write to here
	Frames    int64   `json:"frames"`
}

// tally is one worker's count.
type tally struct {
	first, whole, transit histogram
	requests, errors      int64
	frames                int64
	lastError             string
}

// body makes a chat request of about n bytes of words, with its wishes first.
func (j Job) body() string {
	const words = "the quick brown fox jumps over the lazy dog while the rain falls on the old town "
	var b strings.Builder
	fmt.Fprintf(&b, `{"model":"gpt-bench",%s%d;%d;%d",`, userMark, j.Frames, j.Every.Microseconds(), j.Wait.Microseconds())
	if j.Frames > 0 {
		b.WriteString(`"stream":true,"stream_options":{"include_usage":true},`)
	}
	b.WriteString(`"max_tokens":4000,"messages":[{"role":"user","content":"`)
	for b.Len() < j.Prompt {
		b.WriteString(words)
	}
	b.WriteString(`"}]}`)
	return b.String()
}

// request makes the bytes that are sent.
func (j Job) request(host, key string) []byte {
	body := j.body()
	return fmt.Appendf(nil, "POST /v1/chat/completions HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n"+
		"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", host, key, len(body), body)
}

// run carries a job out. An error means that it could not be run at all; what
// went wrong with requests is in the result.
func run(ctx context.Context, j Job) (Result, error) {
	target, err := url.Parse(j.URL)
	if err != nil {
		return Result{}, err
	}
	if host := target.Hostname(); host != "127.0.0.1" && host != "::1" {
		return Result{}, fmt.Errorf("load goes to loopback addresses only, not to %q", host)
	}
	if j.Conns < 1 {
		return Result{}, errors.New("load needs at least one connection")
	}
	request := j.request(target.Host, j.Key)
	start := time.Now()
	tickets := &tickets{job: j, start: start, end: start.Add(j.Time)}
	tallies := make([]*tally, j.Conns)
	var wg sync.WaitGroup
	for i := range tallies {
		tallies[i] = &tally{}
		wg.Go(func() {
			c := &client{address: target.Host, request: request, stream: j.Frames > 0, paced: j.Every > 0, tally: tallies[i]}
			defer c.close()
			work(ctx, c, tickets)
		})
	}
	wg.Wait()
	return sum(tallies, time.Since(start)), nil
}

// tickets hands out the moments at which requests are due.
type tickets struct {
	job        Job
	start, end time.Time
	next       atomic.Int64
}

// take returns when the next request is due; false ends the run.
func (t *tickets) take() (time.Time, bool) {
	n := t.next.Add(1) - 1
	due := time.Now()
	if t.job.Rate > 0 {
		due = t.start.Add(time.Duration(float64(n) / t.job.Rate * float64(time.Second)))
	}
	return due, n < maxRequests && due.Before(t.end)
}

func work(ctx context.Context, c *client, t *tickets) {
	for ctx.Err() == nil {
		due, ok := t.take()
		if !ok {
			return
		}
		if ahead := time.Until(due); ahead > 0 && !pause(ctx, ahead) {
			return
		}
		c.tally.requests++
		if err := c.exchange(ctx, due); err != nil {
			c.close()
			c.tally.errors++
			c.tally.lastError = err.Error()
			if !pause(ctx, time.Millisecond) { // a target that is down must not be hammered
				return
			}
		}
	}
}

func sum(tallies []*tally, took time.Duration) Result {
	var all tally
	for _, t := range tallies {
		all.first.merge(&t.first)
		all.whole.merge(&t.whole)
		all.transit.merge(&t.transit)
		all.requests += t.requests
		all.errors += t.errors
		all.frames += t.frames
		if t.lastError != "" {
			all.lastError = t.lastError
		}
	}
	return Result{
		Requests: all.requests, Errors: all.errors, LastError: all.lastError, Frames: all.frames,
		Seconds: took.Seconds(), PerSecond: float64(all.requests-all.errors) / took.Seconds(),
		First: all.first.latency(), Whole: all.whole.latency(), Transit: all.transit.latency(),
	}
}
