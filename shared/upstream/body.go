package upstream

import (
	"context"
	"errors"
	"io"
	"sync/atomic"
	"time"
)

// idleBody is an answer's body that fails when nothing arrives for a while, or
// next to nothing. It counts reads and looks at the count now and then: a clock
// read and a timer for every frame would cost more than relaying the frame. Only
// a read that waits counts as silence: while a slow client is written to nobody
// reads.
type idleBody struct {
	src       io.ReadCloser
	first     *time.Timer // the first-byte time-out
	total     *time.Timer // the whole attempt's; nil: none
	firstByte time.Duration
	idle      time.Duration
	slowest   int64 // bytes per second; 0: any
	cancel    context.CancelCauseFunc
	ctx       context.Context
	release   func() // when it is closed; nil: nothing
	tell      bool   // how it ends is recorded

	reads  atomic.Int64 // begun and returned ones together: odd while one waits
	bytes  atomic.Int64
	ended  atomic.Bool
	ticker *time.Timer // set once the answer is relayed
	seen   int64       // of the ticker only, like those below
	still  int
	waited int // looks in a row that found a read waiting
	before int64
}

// looks is how often within the idle time-out the count is looked at.
const looks = 4

// again begins the first-byte time-out once more.
func (b *idleBody) again() {
	if b.ticker == nil {
		b.first.Reset(b.firstByte)
	}
}

// relaying switches from the first-byte to the idle time-out.
func (b *idleBody) relaying() {
	if b.ticker != nil {
		return
	}
	b.first.Stop()
	b.ticker = time.AfterFunc(b.idle, b.look) // look needs the field, so it starts with Reset
	b.ticker.Reset(b.idle / looks)
}

func (b *idleBody) look() {
	if b.ended.Load() {
		return
	}
	n := b.reads.Load()
	if n != b.seen || n%2 == 0 {
		b.seen, b.still = n, 0
	} else if b.still++; b.still >= looks {
		b.cancel(errIdle)
		return
	}
	if b.slowest > 0 && b.slow(n%2 == 1) {
		b.cancel(errSlow)
		return
	}
	b.ticker.Reset(b.idle / looks)
}

// slow reports whether less than the least rate came over a whole idle time-out,
// in which each look found a read waiting.
func (b *idleBody) slow(waiting bool) bool {
	if !waiting {
		b.waited, b.before = 0, b.bytes.Load()
		return false
	}
	if b.waited++; b.waited < looks {
		return false
	}
	got := b.bytes.Load()
	came := got - b.before
	b.waited, b.before = 0, got
	return float64(came) < float64(b.slowest)*b.idle.Seconds()
}

// Read reads, and is noticed by the idle time-out.
func (b *idleBody) Read(p []byte) (int, error) {
	b.reads.Add(1)
	n, err := b.src.Read(p)
	b.reads.Add(1)
	b.bytes.Add(int64(n))
	if err != nil && !errors.Is(err, io.EOF) {
		if cause := context.Cause(b.ctx); cause != nil {
			err = cause
		}
	}
	return n, err
}

// Close ends the attempt and frees its connection. It is safe to call twice.
func (b *idleBody) Close() error {
	err := b.src.Close()
	b.end()
	return err
}

// end stops the clocks.
func (b *idleBody) end() {
	if b.ended.Swap(true) {
		return
	}
	b.first.Stop()
	if b.total != nil {
		b.total.Stop()
	}
	if b.ticker != nil {
		b.ticker.Stop()
	}
	b.cancel(nil)
	if b.release != nil {
		b.release()
	}
}
