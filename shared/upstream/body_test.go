package upstream

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// pipe is a body that gives what is sent, and fails when its attempt ends.
type pipe struct {
	ctx    context.Context
	ch     chan byte
	closed bool
}

func (p *pipe) Read(b []byte) (int, error) {
	select {
	case c := <-p.ch:
		b[0] = c
		return 1, nil
	case <-p.ctx.Done():
		return 0, p.ctx.Err()
	}
}

func (p *pipe) Close() error { p.closed = true; return nil }

func idle(t *testing.T, limit time.Duration) (*idleBody, *pipe) {
	t.Helper()
	ctx, cancel := context.WithCancelCause(t.Context())
	src := &pipe{ctx: ctx, ch: make(chan byte)}
	b := &idleBody{src: src, first: time.AfterFunc(time.Hour, func() { cancel(errFirstByte) }), idle: limit, cancel: cancel, ctx: ctx}
	return b, src
}

func TestTheIdleLimitHoldsBetweenReads(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, src := idle(t, time.Minute)
		b.relaying()
		go func() {
			for range 10 { // nine minutes in all, never a minute of silence
				time.Sleep(54 * time.Second)
				src.ch <- 'x'
			}
		}()
		began := time.Now()
		buf := make([]byte, 8)
		for range 10 {
			_, err := b.Read(buf)
			require.NoError(t, err)
		}
		last := time.Since(began)
		_, err := b.Read(buf)
		require.ErrorIs(t, err, errIdle)
		assert.True(t, TimedOut(err))
		silence := time.Since(began) - last
		assert.GreaterOrEqual(t, silence, time.Minute)
		assert.LessOrEqual(t, silence, time.Minute+time.Minute/looks)
		require.NoError(t, b.Close())
		assert.True(t, src.closed)
	})
}

func TestTheFirstByteLimitEndsWhenTheAnswerIsRelayed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, _ := idle(t, 2*time.Hour)
		began := time.Now()
		_, err := b.Read(make([]byte, 1))
		require.ErrorIs(t, err, errFirstByte)
		assert.Equal(t, time.Hour, time.Since(began))
		require.NoError(t, b.Close())

		b, src := idle(t, 2*time.Hour)
		b.relaying()
		go func() { time.Sleep(90 * time.Minute); src.ch <- 'x' }()
		_, err = b.Read(make([]byte, 1))
		require.NoError(t, err)
		require.NoError(t, b.Close())
	})
}

func TestAClosedBodyLeavesNoTimerBehind(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, src := idle(t, time.Second)
		b.relaying()
		require.NoError(t, b.Close())
		time.Sleep(24 * time.Hour)
		require.ErrorIs(t, context.Cause(src.ctx), context.Canceled)
		assert.NotErrorIs(t, context.Cause(src.ctx), errIdle)
	})
}

func TestOnlyWantOfDataIsATimeout(t *testing.T) {
	t.Parallel()
	assert.True(t, TimedOut(errFirstByte))
	assert.False(t, TimedOut(nil))
	assert.False(t, TimedOut(io.ErrUnexpectedEOF))
	assert.False(t, TimedOut(errors.New("reset")))
}
