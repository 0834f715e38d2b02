// Package health keeps what was seen of targets lately: how many calls went well
// and how long the first byte took, in sliding windows of this process (Board).
// Reporter brings that to the database, where Statuses reads what all processes
// saw. The board is fed by attempts only and knows neither providers nor routes.
package health

import (
	"cmp"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

const (
	slot  = 10 * time.Second
	slots = 30 // five minutes
	// maxTargets bounds the memory: names come from the configuration, but also
	// from callers who may ask a provider for any model.
	maxTargets = 5000
)

// ttfbSteps are the upper bounds of the latency histogram, in milliseconds, a
// third apart.
var ttfbSteps = func() (steps [32]int64) {
	for i := range steps {
		steps[i] = int64(10 * math.Pow(4.0/3, float64(i)))
	}
	return steps
}()

type bucket struct {
	epoch     int64 // which slot since 1970 it counts
	ok, bad   int64
	histogram [len(ttfbSteps) + 1]int32
}

type target struct {
	buckets    [slots]bucket
	last       Event // the newest failure, or success after it
	streak     int64 // failures since the last success
	touched    int64
	ok, bad    int64 // not yet taken
	unreported bool
}

// Target is one model at one provider, for one type of call.
type Target struct {
	Provider string
	Model    string // the provider's own name
	Type     hub.CallType
}

func (t Target) compare(o Target) int {
	return cmp.Or(cmp.Compare(t.Provider, o.Provider), cmp.Compare(t.Model, o.Model), cmp.Compare(t.Type, o.Type))
}

// Event is one attempt at a target.
type Event struct {
	OK     bool
	TTFB   time.Duration // of successes
	Code   hub.Code      // of failures
	Reason string
	At     time.Time
}

// Board keeps all targets. The zero value with Now is ready.
type Board struct {
	Now hub.Now

	mu      sync.Mutex
	targets map[Target]*target
	turned  bool // the availability of a target has changed since Take
}

// Attempt notes an attempt that upstream made. A fault that says nothing of the
// target, because the request was at fault, is not counted.
func (b *Board) Attempt(provider, model string, kind hub.CallType, ttfb time.Duration, fault *hub.Error) {
	e := Event{OK: fault == nil, TTFB: ttfb}
	if fault != nil {
		switch fault.Class {
		case hub.ClassRetry, hub.ClassRateLimit, hub.ClassCredential:
		default:
			return
		}
		e.Code, e.Reason = fault.Code, fault.Message
		if fault.Class == hub.ClassCredential {
			e.Code, e.Reason = hub.CodeProviderCredential, "The provider refused the hub's credential."
		}
	}
	b.Record(Target{provider, model, kind}, e)
}

// Record notes an attempt at a target. One without a type was not asked for an
// answer and is not noted.
func (b *Board) Record(name Target, e Event) {
	if name.Type == "" {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.targets == nil {
		b.targets = map[Target]*target{}
	}
	t := b.targets[name]
	if t == nil {
		if len(b.targets) >= maxTargets {
			b.forget()
		}
		t = &target{}
		b.targets[name] = t
	}
	e.At = b.Now()
	epoch := e.At.UnixMilli() / slot.Milliseconds()
	k := &t.buckets[epoch%slots]
	if k.epoch != epoch {
		*k = bucket{epoch: epoch}
	}
	before := t.available()
	t.touched, t.last = epoch, e
	t.unreported = true
	if e.OK {
		k.ok++
		t.ok++
		k.histogram[step(e.TTFB)]++
		t.streak = 0
	} else {
		k.bad++
		t.bad++
		t.streak++
	}
	b.turned = b.turned || before != t.available()
}

func step(d time.Duration) int {
	i, _ := slices.BinarySearch(ttfbSteps[:], d.Milliseconds())
	return i
}

// forget drops what has been silent longest.
func (b *Board) forget() {
	oldest := int64(math.MaxInt64)
	for _, t := range b.targets {
		oldest = min(oldest, t.touched)
	}
	for name, t := range b.targets {
		if t.touched <= oldest+1 {
			delete(b.targets, name)
		}
	}
}

// downAfter is how many failures in a row make a target unavailable.
const downAfter = 3

func (t *target) available() bool { return t.streak < downAfter }

// State is how a target fares.
type State struct {
	Target
	Available bool
	Calls     int64 // in the window
	Success   float64
	P50, P95  time.Duration // time to the first byte; 0: no success in the window
	Error     hub.Code      // of the newest failure when the target is not available
	Reason    string
	Checked   time.Time // the newest attempt
}

// State returns how one target fares. Success is 1 where nothing is known.
func (b *Board) State(name Target) State {
	b.mu.Lock()
	defer b.mu.Unlock()
	t := b.targets[name]
	if t == nil {
		return State{Target: name, Available: true, Success: 1}
	}
	return t.state(name, b.Now())
}

// States lists all targets, by name.
func (b *Board) States() []State {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.Now()
	out := make([]State, 0, len(b.targets))
	for name, t := range b.targets {
		out = append(out, t.state(name, now))
	}
	slices.SortFunc(out, func(x, y State) int { return x.compare(y.Target) })
	return out
}

// Taken is how a target fares, and how many attempts it saw since it was taken
// before.
type Taken struct {
	State
	OK, Failed int64
}

// Idle reports whether no attempt was ever noted.
func (b *Board) Idle() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.targets) == 0
}

// Turned reports whether the availability of a target has changed since Take.
func (b *Board) Turned() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.turned
}

// Take returns the targets that saw attempts since the last call.
func (b *Board) Take() []Taken {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.Now()
	var out []Taken
	for name, t := range b.targets {
		if t.unreported {
			out = append(out, Taken{t.state(name, now), t.ok, t.bad})
			t.ok, t.bad, t.unreported = 0, 0, false
		}
	}
	b.turned = false
	slices.SortFunc(out, func(x, y Taken) int { return x.compare(y.Target) })
	return out
}

// GiveBack takes in what could not be reported.
func (b *Board) GiveBack(all []Taken) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, k := range all {
		if t := b.targets[k.Target]; t != nil {
			t.ok, t.bad, t.unreported = t.ok+k.OK, t.bad+k.Failed, true
		}
	}
}

func (t *target) state(name Target, now time.Time) State {
	s := State{Target: name, Available: t.available(), Success: 1, Checked: t.last.At}
	if !s.Available {
		s.Error, s.Reason = t.last.Code, t.last.Reason
	}
	var histogram [len(ttfbSteps) + 1]int64
	var ok int64
	first := now.UnixMilli()/slot.Milliseconds() - slots + 1
	for i := range t.buckets {
		k := &t.buckets[i]
		if k.epoch < first {
			continue
		}
		ok += k.ok
		s.Calls += k.ok + k.bad
		for j, n := range k.histogram {
			histogram[j] += int64(n)
		}
	}
	if s.Calls > 0 {
		s.Success = float64(ok) / float64(s.Calls)
	}
	s.P50, s.P95 = quantile(histogram[:], ok, 0.5), quantile(histogram[:], ok, 0.95)
	return s
}

// quantile finds the upper bound of the step that holds a share of the counts.
func quantile(histogram []int64, total int64, share float64) time.Duration {
	if total == 0 {
		return 0
	}
	want := int64(math.Ceil(share * float64(total)))
	for i, n := range histogram {
		if want -= n; want <= 0 {
			return time.Duration(ttfbSteps[min(i, len(ttfbSteps)-1)]) * time.Millisecond
		}
	}
	return time.Duration(ttfbSteps[len(ttfbSteps)-1]) * time.Millisecond
}
