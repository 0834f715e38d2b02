package upstream

import (
	"context"
	"errors"
	"io"
	"sync/atomic"
	"time"
)

// idleBody is an answer's body that fails when nothing arrives for a while. It
// counts reads and looks at the count now and then: a clock read and a timer
// for every frame would cost more than relaying the frame. Only a read that
// waits counts as silence: while a slow client is written to nobody reads.
type idleBody struct {
	src    io.ReadCloser
	first  *time.Timer // the first-byte time-out
	idle   time.Duration
	cancel context.CancelCauseFunc
	ctx    context.Context

	reads  atomic.Int64 // begun and returned ones together: odd while one waits
	ended  atomic.Bool
	ticker *time.Timer // set once the answer is relayed
	seen   int64       // of the ticker only
	still  int
}

// looks is how often within the idle time-out the count is looked at.
const looks = 4

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
	if n := b.reads.Load(); n != b.seen || n%2 == 0 {
		b.seen, b.still = n, 0
	} else if b.still++; b.still >= looks {
		b.cancel(errIdle)
		return
	}
	b.ticker.Reset(b.idle / looks)
}

// Read reads, and is noticed by the idle time-out.
func (b *idleBody) Read(p []byte) (int, error) {
	b.reads.Add(1)
	n, err := b.src.Read(p)
	b.reads.Add(1)
	if err != nil && !errors.Is(err, io.EOF) {
		if cause := context.Cause(b.ctx); cause != nil {
			err = cause
		}
	}
	return n, err
}

// Close ends the attempt and frees its connection.
func (b *idleBody) Close() error {
	b.ended.Store(true)
	b.first.Stop()
	if b.ticker != nil {
		b.ticker.Stop()
	}
	err := b.src.Close()
	b.cancel(nil)
	return err
}
