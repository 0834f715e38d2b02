package upstream

import (
	"fmt"
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

// pool orders candidates by smooth weighted round robin within a target and
// remembers which keys rest.
type pool struct {
	now hub.Now

	mu    sync.Mutex
	state map[string]*keyState
}

type keyState struct {
	current int64     // smooth weighted round robin
	rests   time.Time // until then it is used only when nothing else is left
	firm    bool      // the provider said for how long: it is not used before
}

// maxStates bounds the memory for keys that no longer exist.
const maxStates = 10_000

func newPool(now hub.Now) *pool {
	return &pool{now: now, state: map[string]*keyState{}}
}

func (p *pool) of(key string) *keyState {
	s := p.state[key]
	if s == nil {
		if len(p.state) >= maxStates {
			clear(p.state)
		}
		s = &keyState{}
		p.state[key] = s
	}
	return s
}

// order lists the candidates to try: target by target, within a target the
// round robin's choice first; keys that rest come last, those the provider sent
// away not at all.
func (p *pool) order(targets []routing.Target) []candidate {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	var fresh, tired []candidate
	for i := range targets {
		awake, resting := p.split(&targets[i], now)
		fresh = append(fresh, p.rotate(awake)...)
		tired = append(tired, resting...)
	}
	return append(fresh, tired...)
}

func (p *pool) split(t *routing.Target, now time.Time) (awake, resting []candidate) {
	for _, c := range t.Provider.Credentials {
		cand := candidate{t, c}
		s, known := p.state[cand.key()]
		switch {
		case !known || !now.Before(s.rests):
			awake = append(awake, cand)
		case !s.firm:
			resting = append(resting, cand)
		}
	}
	return awake, resting
}

// rotate advances the round robin by one call and returns its order: the chosen
// key first, then by standing.
func (p *pool) rotate(cands []candidate) []candidate {
	if len(cands) < 2 {
		return cands
	}
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
	return cands
}

// rest lets a key cool down: for as long as the provider said, else for the
// setting.
func (p *pool) rest(c candidate, cooldown, asked time.Duration) {
	if cooldown <= 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.of(c.key())
	if asked > 0 {
		cooldown = asked
	}
	until := p.now().Add(cooldown)
	if p.now().Before(s.rests) && s.firm && until.Before(s.rests) {
		return // another call's answer does not shorten what the provider asked for
	}
	s.firm = asked > 0 || (s.firm && p.now().Before(s.rests))
	s.rests = until
}

func (p *pool) succeeded(c candidate) {
	p.mu.Lock()
	defer p.mu.Unlock()
	// A call that began before the provider sent the key away says nothing of it.
	if s, ok := p.state[c.key()]; ok && (!s.firm || !p.now().Before(s.rests)) {
		s.rests, s.firm = time.Time{}, false
	}
}

// exhausted is the error when every key of every target was sent away by its
// provider.
func (p *pool) exhausted(targets []routing.Target) *hub.Error {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	var soonest time.Duration
	for i := range targets {
		for _, c := range targets[i].Provider.Credentials {
			s, ok := p.state[candidate{&targets[i], c}.key()]
			if !ok {
				continue
			}
			if d := s.rests.Sub(now); soonest == 0 || d < soonest {
				soonest = d
			}
		}
	}
	return &hub.Error{Code: hub.CodeRateLimited, RetryAfter: max(soonest, time.Second),
		Message: fmt.Sprintf("Every credential that could serve this model is rate-limited by its provider for another %d s.", int(max(soonest, time.Second).Seconds()+0.5))}
}
