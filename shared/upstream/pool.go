package upstream

import (
	"fmt"
	"hash/fnv"
	"math"
	"slices"
	"sort"
	"sync"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/routing"
)

// candidate is one key at one target.
type candidate struct {
	target     *routing.Target
	credential routing.Credential
}

// key names the credential's state: a credential's id, or provider and name for
// those from the environment.
func (c candidate) key() string {
	if c.credential.ID != "" {
		return c.credential.ID
	}
	return c.target.Provider.Name + "\x00" + c.credential.Name
}

// scope is what a rate limit of the key's provider covers: one model, or "" for
// all of the key's models together.
func (c candidate) scope() string {
	if c.target == nil || c.target.Provider.Kind.KeyLimits {
		return ""
	}
	return c.target.Model
}

// pool orders candidates by smooth weighted round robin within a target, or by
// a sticky string, and remembers which keys rest and how many calls they have.
type pool struct {
	now hub.Now

	mu    sync.Mutex
	state map[string]*keyState
}

type keyState struct {
	current  int64            // smooth weighted round robin
	busy     int64            // calls under way, of keys with a limit
	whole    rest             // of all its models
	models   map[string]*rest // of single ones, by scope
	refusals int              // of the key itself, in a row
	refused  time.Time        // the newest of them
	served   time.Time        // the newest success
}

// rest is how long a key is to be spared.
type rest struct {
	until time.Time // until then it is used only when nothing else is left
	firm  bool      // the provider said for how long: it is not used before
	low   time.Time // until then it is near its provider's limit and yields to others
}

func (r *rest) resting(now time.Time) bool { return now.Before(r.until) }

// lengthen adds a rest; what the provider asked for is not shortened by another
// call's answer.
func (r *rest) lengthen(now time.Time, d time.Duration, firm bool) {
	until := now.Add(d)
	if r.resting(now) && r.firm && until.Before(r.until) {
		return
	}
	r.firm = firm || (r.firm && r.resting(now))
	r.until = until
}

const (
	// maxStates bounds the memory for keys that no longer exist.
	maxStates = 10_000
	// maxScopes bounds it for models, whose names may come from callers.
	maxScopes = 1000
)

func newPool(now hub.Now) *pool {
	return &pool{now: now, state: map[string]*keyState{}}
}

func (p *pool) of(key string) *keyState {
	s := p.state[key]
	if s == nil {
		if len(p.state) >= maxStates {
			p.forget()
		}
		s = &keyState{}
		p.state[key] = s
	}
	return s
}

// forget makes room; keys with calls under way stay, their count must be right.
func (p *pool) forget() {
	for key, s := range p.state {
		if s.busy == 0 {
			delete(p.state, key)
		}
	}
}

func (s *keyState) at(scope string) *rest {
	if scope == "" {
		return &s.whole
	}
	r := s.models[scope]
	if r == nil {
		if s.models == nil || len(s.models) >= maxScopes {
			s.models = map[string]*rest{}
		}
		r = &rest{}
		s.models[scope] = r
	}
	return r
}

// condition is how fit a key is for a call; lower is better.
type condition int

const (
	fit     condition = iota
	near              // few calls are left of its provider's limit
	full              // it has as many calls as it may
	tired             // it rests, but may be used when nothing else is left
	refused           // the provider said for how long it is not to be used
)

func (p *pool) condition(c candidate, now time.Time) condition {
	s, known := p.state[c.key()]
	if !known {
		return fit
	}
	var own rest
	if r := s.models[c.scope()]; r != nil {
		own = *r
	}
	whole, single := s.whole.resting(now), own.resting(now)
	switch {
	case whole && s.whole.firm, single && own.firm:
		return refused
	case whole, single:
		return tired
	case c.credential.MaxConcurrent > 0 && s.busy >= c.credential.MaxConcurrent:
		return full
	case now.Before(own.low), now.Before(s.whole.low):
		return near
	}
	return fit
}

// order lists the candidates to try: target by target, within a target the
// round robin's choice first, or with a sticky string that string's home, and
// keys near their provider's limit after others; then keys that are full, then
// those that rest; those the provider sent away not at all.
func (p *pool) order(targets []routing.Target, sticky string) []candidate {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	n := 0
	for i := range targets {
		n += len(targets[i].Provider.Credentials)
	}
	out := make([]candidate, 0, n)
	var low, busy, resting []candidate
	for i := range targets {
		from := len(out)
		low = low[:0]
		for _, c := range targets[i].Provider.Credentials {
			cand := candidate{&targets[i], c}
			switch p.condition(cand, now) {
			case fit:
				out = append(out, cand)
			case near:
				low = append(low, cand)
			case full:
				busy = append(busy, cand)
			case tired:
				resting = append(resting, cand)
			case refused:
			}
		}
		p.arrange(out[from:], sticky)
		p.arrange(low, sticky)
		out = append(out, low...)
	}
	return append(append(out, busy...), resting...)
}

func (p *pool) arrange(cands []candidate, sticky string) {
	switch {
	case len(cands) < 2:
	case sticky != "":
		homes(cands, sticky)
	default:
		p.rotate(cands)
	}
}

// rotate advances the round robin by one call and brings its order: the chosen
// key first, then by standing.
func (p *pool) rotate(cands []candidate) {
	var total int64
	best := 0
	for i, c := range cands {
		s := p.of(c.key())
		w := max(1, c.credential.Weight)
		s.current += w
		total += w
		if s.current > p.of(cands[best].key()).current {
			best = i
		}
	}
	p.of(cands[best].key()).current -= total
	cands[0], cands[best] = cands[best], cands[0]
	rest := cands[1:]
	sort.SliceStable(rest, func(i, j int) bool {
		return p.of(rest[i].key()).current > p.of(rest[j].key()).current // of: a state may have been cleared meanwhile
	})
}

// homes brings keys into the order in which a sticky string prefers them, by
// weighted rendezvous hashing: each string has its own order, which a key that
// comes or goes leaves as it is for all others, so that the way out of a home
// that is down is the same for every call, and leads back once it is up.
func homes(cands []candidate, sticky string) {
	score := func(c candidate) float64 {
		h := fnv.New64a()
		_, _ = h.Write([]byte(sticky)) // a hash's Write never fails
		_, _ = h.Write([]byte{0})
		_, _ = h.Write([]byte(c.key()))
		const mix = 0xff51afd7ed558ccd // of MurmurHash3's finaliser: FNV's high bits hardly differ between like strings
		x := h.Sum64()
		x = (x ^ x>>33) * mix
		x ^= x >> 33
		unit := (float64(x>>11) + 0.5) / (1 << 53)
		return float64(max(1, c.credential.Weight)) / -math.Log(unit)
	}
	slices.SortStableFunc(cands, func(a, b candidate) int {
		switch x, y := score(a), score(b); {
		case x > y:
			return -1
		case x < y:
			return 1
		}
		return 0
	})
}

// take counts a call on a key, unless it has as many as it may.
func (p *pool) take(c candidate) bool {
	if c.credential.MaxConcurrent <= 0 {
		return true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.of(c.key())
	if s.busy >= c.credential.MaxConcurrent {
		return false
	}
	s.busy++
	return true
}

// give ends a call that take counted.
func (p *pool) give(c candidate) {
	if c.credential.MaxConcurrent <= 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if s := p.state[c.key()]; s != nil && s.busy > 0 {
		s.busy--
	}
}

// rest lets a key cool down for a target's model, or whatever its provider's
// limits cover: for as long as the provider said, else for the setting.
func (p *pool) rest(c candidate, cooldown, asked time.Duration) {
	if cooldown <= 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	d := cooldown
	if asked > 0 {
		d = asked
	}
	p.of(c.key()).at(c.scope()).lengthen(p.now(), d, asked > 0)
}

// learn notes what an answer's header says of the limits that are left.
func (p *pool) learn(c candidate, left quota) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	if r := p.of(c.key()).at(c.scope()); left.near {
		r.low = now.Add(left.reset)
	} else {
		r.low = time.Time{}
	}
}

// succeeded ends a key's rest after an attempt that began at a time.
func (p *pool) succeeded(c candidate, began time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	s := p.of(c.key())
	s.served = now
	if !began.Before(s.refused) {
		s.refusals = 0
	}
	// A call that began before the provider sent the key away says nothing of it.
	for _, r := range []*rest{&s.whole, s.models[c.scope()]} {
		if r != nil && (!r.firm || !r.resting(now)) {
			r.until, r.firm = time.Time{}, false
		}
	}
}

const (
	// patience is how many refusals in a row, with no success between, disable a
	// key that has served lately or is only forbidden something.
	patience = 3
	lately   = time.Minute
	// longestRest bounds the rest of a refused key that nobody can disable.
	longestRest = time.Hour
)

// refuse notes that a provider refused the key itself, and reports whether that
// is to disable it. One refusal is enough for a key that has not served within
// the last minute; a single odd one among successes is not, and neither is a
// 403, which may forbid only this model. Until it is disabled, or for keys that
// cannot be, it rests, twice as long each time.
func (p *pool) refuse(c candidate, status int, cooldown time.Duration) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	s := p.of(c.key())
	s.refusals++
	s.refused = now
	odd := now.Sub(s.served) < lately || status == forbidden
	if cooldown > 0 {
		wait := cooldown << min(s.refusals-1, 12)
		r := &s.whole
		if odd && s.refusals < patience {
			r = s.at(c.scope())
		}
		r.lengthen(now, min(wait, max(longestRest, cooldown)), false)
	}
	return !odd || s.refusals >= patience
}

// exhausted is the error when no key of any target can be used: each was sent
// away by its provider, or has as many calls as it may.
func (p *pool) exhausted(targets []routing.Target) *hub.Error {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	var soonest time.Duration
	for i := range targets {
		for _, c := range targets[i].Provider.Credentials {
			cand := candidate{&targets[i], c}
			s, ok := p.state[cand.key()]
			if !ok {
				continue
			}
			if c.MaxConcurrent > 0 && s.busy >= c.MaxConcurrent {
				return &hub.Error{Code: hub.CodeRateLimited, RetryAfter: time.Second,
					Message: "Every credential that could serve this model has as many calls as it may have at once. Try again in a moment."}
			}
			d := s.whole.until.Sub(now)
			if r := s.models[cand.scope()]; r != nil {
				d = max(d, r.until.Sub(now))
			}
			if soonest == 0 || d < soonest {
				soonest = d
			}
		}
	}
	return &hub.Error{Code: hub.CodeRateLimited, RetryAfter: max(soonest, time.Second),
		Message: fmt.Sprintf("Every credential that could serve this model is rate-limited by its provider for another %d s.", int(max(soonest, time.Second).Seconds()+0.5))}
}
