package proxy

import (
	"context"
	"errors"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/admission"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/upstream"
)

const (
	// longestPause is how long a stream waits for a database that does not answer.
	longestPause = 10 * time.Second
	pausePing    = 2 * time.Second // between two pings meanwhile
)

// budget keeps a stream within what its call holds. How far the stream has come is
// the larger of what the provider reported and the bytes that the client gets, a
// token being at least one. When half of the newest slice is used the next one is
// asked for, beside the relaying; a frame that is not covered waits for it.
type budget struct {
	x    *exchange
	a    *upstream.Answer
	ctx  context.Context
	stop context.CancelFunc

	base, held, ceiling int64 // where the newest slice begins and ends, and where none is needed any more

	bytes   int64 // counted of the lane's report
	used    int64
	now     dialect.Report // with the frame in hand
	relayed dialect.Report // without it
	got     dialect.Report // what the client had when it was last known to be there

	prompt int64      // its tokens, once they have been counted
	asking chan grown // nil: nothing is asked for
	vain   int64      // the extent for which more could not be had; -1: none
	swept  bool       // the hold is gone
}

// grown is what came of asking for more.
type grown struct {
	need, held int64
	err        error
}

func newBudget(x *exchange, a *upstream.Answer, held, ceiling int64) *budget {
	b := &budget{x: x, a: a, held: held, ceiling: ceiling, vain: -1}
	b.ctx, b.stop = context.WithCancel(x.settling())
	return b
}

// close ends what is being asked for; the call can be settled after it.
func (b *budget) close() {
	b.stop()
	if b.asking != nil {
		b.take(<-b.asking)
	}
}

// covers takes the frame in hand into account, and reports whether it may be
// passed on now.
func (b *budget) covers(seen dialect.Seen, size int) bool {
	if b.held >= b.ceiling { // all that can come is held: most streams, and every one without billing
		return true
	}
	b.relayed, b.now = b.now, b.x.lane.report()
	if !b.x.gone() {
		b.got = b.relayed
	}
	text := b.now.TextBytes + b.now.HideBytes
	more := text - b.bytes
	b.bytes = text
	if more == 0 && seen.Content && b.now.Shown {
		more = int64(size) // what is no text, such as the beginning of a tool's call
	}
	b.used += more
	reported := b.now.Usage.Completion()
	if seen.Finish && b.now.Known {
		b.used = reported // the whole of it, and no estimate
	}
	b.used = max(b.used, reported)
	select {
	case g := <-b.asking:
		b.take(g)
	default:
	}
	if !seen.Finish && b.used >= b.base+(b.held-b.base)/2 && b.vain != b.held {
		b.ask(0)
	}
	return !b.swept && (b.used <= b.held || (seen.Finish && more == 0))
}

// ask asks for more in the background.
func (b *budget) ask(need int64) {
	if b.asking != nil || b.held >= b.ceiling {
		return
	}
	ch, rep := make(chan grown, 1), b.got
	b.asking = ch
	go func() {
		d := admission.Delivered{Target: b.a.Target, CredentialID: b.a.Credential.ID, Credential: b.a.Credential.Name}
		if !rep.Known && rep.Usage.Prompt() == 0 {
			if b.prompt == 0 {
				b.prompt = b.x.h.promptTokens(b.x.server, b.x.view) // takes its time, so once
			}
			rep.Usage[hub.Input] = b.prompt
		}
		d.Usage, d.Source = b.x.h.usageOf(b.x.server, b.x.view, rep)
		held, err := b.x.ticket.Extend(b.ctx, need, d)
		ch <- grown{need, held, err}
	}()
}

// take notes what came of asking.
func (b *budget) take(g grown) {
	b.asking = nil
	if g.held > b.held {
		b.base, b.held, b.vain = b.held, g.held, -1
	}
	if g.err != nil {
		b.vain, b.swept = b.held, errors.Is(g.err, admission.ErrSwept)
	}
}

// await waits until the frame in hand is covered, and says how the stream ends
// otherwise.
func (b *budget) await(ping func()) ending {
	deadline := time.NewTimer(longestPause)
	defer deadline.Stop()
	tick := time.NewTicker(pausePing)
	defer tick.Stop()
	if b.swept {
		return ending{fault: admission.ErrSwept, ours: true}
	}
	for b.used > b.held && b.held < b.ceiling {
		b.ask(b.used)
		select {
		case g := <-b.asking:
			b.take(g)
			var refused *admission.RefusedError
			switch {
			case g.err == nil, errors.As(g.err, &refused) && g.need < b.used: // asked before, and for less
			case refused != nil:
				return ending{ended: refused.Policy, relayed: b.relayed}
			default:
				return ending{fault: paused(g.err), ours: true}
			}
		case <-tick.C:
			ping()
		case <-deadline.C:
			return ending{fault: paused(nil), ours: true}
		case <-b.x.upstream.Done():
			return ending{fault: b.x.cut(b.x.upstream.Err()), ours: true}
		}
	}
	return ending{}
}

// paused is the fault of a stream that cannot go on because of the hub's books.
func paused(err error) *hub.Error {
	if errors.Is(err, admission.ErrSwept) {
		return admission.ErrSwept
	}
	return &hub.Error{Code: hub.CodeUnavailable, Cause: err, Message: "The hub's database does not answer, so that nothing more can be charged; the answer ends here."}
}
