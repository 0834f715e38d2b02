package lambdalocal

import (
	"encoding/json"
	"fmt"
	"io"
	"time"
)

const initTimeout = 10 * time.Second // Lambda's own

// acquire returns an instance that waits for an event.
func (f *Function) acquire() (*instance, error) {
	f.mu.Lock()
	for len(f.idle) > 0 {
		in := f.idle[len(f.idle)-1]
		f.idle = f.idle[:len(f.idle)-1]
		select {
		case <-in.dead:
			f.forget(in)
			continue
		default:
		}
		f.mu.Unlock()
		return in, nil
	}
	switch {
	case f.closed:
		f.mu.Unlock()
		return nil, ErrClosed
	case len(f.alive)+f.pending >= f.cfg.Max:
		f.mu.Unlock()
		return nil, ErrThrottled
	}
	f.pending++
	f.started++
	f.mu.Unlock()

	in, err := launch(f.cfg)
	f.mu.Lock()
	f.pending--
	if err == nil {
		f.alive[in] = true
		if f.closed {
			in.kill()
		}
	}
	f.mu.Unlock()
	if err != nil {
		return nil, err
	}
	timer := time.NewTimer(initTimeout)
	defer timer.Stop()
	select {
	case <-in.ready:
		return in, nil
	case <-in.dead:
	case <-timer.C:
	}
	f.discard(in)
	return nil, ErrInit
}

// forget drops an instance from the books; f.mu is held.
func (f *Function) forget(in *instance) {
	delete(f.alive, in)
	in.close()
}

// discard kills an instance and waits for its end.
func (f *Function) discard(in *instance) {
	in.kill()
	<-in.dead
	f.mu.Lock()
	defer f.mu.Unlock()
	f.forget(in)
}

// invoke sends one event and calls use with the result. It returns when the process
// has asked for its next event, so that a caller who sees the end of an answer finds
// the same process free. use is over when invoke returns; it is never called after a
// failure without a result.
func (f *Function) invoke(payload []byte, use func(*result) error) error {
	f.mu.Lock()
	if f.closed {
		f.mu.Unlock()
		return ErrClosed
	}
	f.running.Add(1)
	f.mu.Unlock()
	defer f.running.Done()

	in, err := f.acquire()
	if err != nil {
		return err
	}
	iv := newInvocation(payload, f.cfg.Timeout)
	timer := time.NewTimer(f.cfg.Timeout)
	defer timer.Stop()
	used, failure := f.run(in, iv, timer, use)
	close(iv.done)
	if failure == nil {
		select { // the invocation lasts until the process asks for the next one
		case <-in.ready:
			f.mu.Lock()
			f.idle = append(f.idle, in)
			f.mu.Unlock()
			return used
		case <-in.dead:
		case <-timer.C:
		}
	}
	f.discard(in)
	if failure != nil {
		return failure
	}
	return used // the answer was whole; what came after is not the caller's
}

// run delivers the event and lets use consume the result. failure means that the
// instance is no longer fit for use.
func (f *Function) run(in *instance, iv *invocation, timer *time.Timer, use func(*result) error) (used, failure error) {
	select {
	case in.work <- iv:
	case <-in.dead:
		return nil, ErrExit
	case <-timer.C:
		return nil, ErrTimeout
	}
	var res *result
	select {
	case res = <-iv.result:
	case <-in.dead:
		select {
		case res = <-iv.result: // it answered and then exited
		default:
			return nil, ErrExit
		}
	case <-timer.C:
		return nil, ErrTimeout
	}
	consumed := make(chan error, 1)
	go func() { consumed <- use(res) }()
	select {
	case used = <-consumed:
		return used, nil
	case <-timer.C:
		in.kill() // breaks the body off, so use ends too
		<-consumed
		return nil, ErrTimeout
	}
}

// collect sends one event and returns the answer whole, up to limit bytes.
func (f *Function) collect(payload []byte, limit int) (answer []byte, err error) {
	if len(payload) > limit {
		return nil, fmt.Errorf("lambdalocal: the event has %d bytes, %d are allowed", len(payload), limit)
	}
	err = f.invoke(payload, func(res *result) error {
		b, err := io.ReadAll(io.LimitReader(res.body, int64(limit)+1))
		switch {
		case err != nil:
			return fmt.Errorf("%w: %w", ErrExit, err)
		case len(b) > limit:
			return &FunctionError{Type: "Function.ResponseSizeTooLarge", Message: fmt.Sprintf("the answer has more than %d bytes", limit)}
		case res.failed:
			failed := &FunctionError{}
			if json.Unmarshal(b, failed) != nil {
				failed.Type, failed.Message = "Runtime.Unknown", string(b)
			}
			return failed
		}
		if kind := res.trailer().Get(trailerErrorType); kind != "" {
			return &FunctionError{Type: kind, Message: "the answer broke off"}
		}
		answer = b
		return nil
	})
	return answer, err
}
