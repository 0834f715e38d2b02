package upstream

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/routing"
)

// hand is a clock that stands until it is moved.
type hand struct{ at time.Time }

func (h *hand) now() time.Time       { return h.at }
func (h *hand) move(d time.Duration) { h.at = h.at.Add(d) }
func startOfTime() *hand             { return &hand{at: time.Unix(1_800_000_000, 0)} }
func target(creds ...any) []routing.Target {
	p := &routing.Provider{Name: "p"}
	for i := 0; i < len(creds); i += 2 {
		id := creds[i].(string)
		p.Credentials = append(p.Credentials, routing.Credential{ID: id, Name: id, Weight: int64(creds[i+1].(int))})
	}
	return []routing.Target{{Provider: p, Model: "m"}}
}

func ids(cands []candidate) string {
	var all []string
	for _, c := range cands {
		all = append(all, c.credential.ID)
	}
	return strings.Join(all, " ")
}

// firsts is which key each of n calls begins with.
func firsts(p *pool, targets []routing.Target, n int) string {
	var all []string
	for range n {
		all = append(all, p.order(targets, "")[0].credential.ID)
	}
	return strings.Join(all, " ")
}

func TestKeysTakeTurnsByWeightWithoutBursts(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		targets []routing.Target
		want    string
	}{
		{"five, one, one", target("a", 5, "b", 1, "c", 1), "a a b a c a a a a b a c a a"},
		{"equal weights", target("a", 100, "b", 100, "c", 100), "a b c a b c"},
		{"one key", target("a", 7), "a a a"},
		{"no weight counts as one", target("a", 0, "b", 2), "b a b b a b"},
		{"a negative weight counts as one", target("a", -9, "b", 1), "a b a b"},
		{"two to one", target("a", 2, "b", 1), "a b a a b a"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := newPool(startOfTime().now)
			assert.Equal(t, tt.want, firsts(p, tt.targets, len(strings.Fields(tt.want))))
		})
	}
}

func TestEveryKeyIsACandidateOnce(t *testing.T) {
	t.Parallel()
	p := newPool(startOfTime().now)
	targets := append(target("a", 5, "b", 1, "c", 1), target("x", 1, "y", 1)...)
	for range 50 {
		got := p.order(targets, "")
		require.Len(t, got, 5)
		seen := map[string]bool{}
		for i, c := range got {
			require.False(t, seen[c.credential.ID])
			seen[c.credential.ID] = true
			require.Equal(t, i >= 3, c.target == &targets[1], "the first target's keys come before the second's")
		}
	}
}

func TestOrderingLeavesThePlanAlone(t *testing.T) {
	t.Parallel()
	targets := target("a", 1, "b", 5, "c", 1)
	p := newPool(startOfTime().now)
	for range 10 {
		p.order(targets, "")
	}
	assert.Equal(t, "a", targets[0].Provider.Credentials[0].ID, "plans are shared by all calls")
	assert.Equal(t, "b", targets[0].Provider.Credentials[1].ID)
}

func TestAFailedKeyRestsAndIsUsedOnlyWhenNothingElseIsLeft(t *testing.T) {
	t.Parallel()
	clock := startOfTime()
	p := newPool(clock.now)
	targets := append(target("a", 1, "b", 1), target("x", 1)...)
	p.rest(candidate{&targets[0], targets[0].Provider.Credentials[0]}, time.Minute, 0)
	for range 3 {
		assert.Equal(t, "b x a", ids(p.order(targets, "")), "after the other targets too")
	}
	clock.move(time.Minute)
	assert.Len(t, p.order(targets, ""), 3)
	assert.Contains(t, []string{"a b x", "b a x"}, ids(p.order(targets, "")), "it is rested")
}

func TestAKeyThatItsProviderSentAwayIsNotUsedBefore(t *testing.T) {
	t.Parallel()
	clock := startOfTime()
	p := newPool(clock.now)
	targets := target("a", 1, "b", 1)
	a, b := candidate{&targets[0], targets[0].Provider.Credentials[0]}, candidate{&targets[0], targets[0].Provider.Credentials[1]}
	p.rest(a, time.Second, 30*time.Second)
	assert.Equal(t, "b", ids(p.order(targets, "")), "as long as the provider said, not as the setting")
	p.rest(b, time.Second, 20*time.Second)
	assert.Empty(t, p.order(targets, ""))

	e := p.exhausted(targets)
	assert.Equal(t, hub.CodeRateLimited, e.Code)
	assert.Equal(t, 20*time.Second, e.RetryAfter, "the soonest of them")
	assert.Contains(t, e.Message, "20 s")

	clock.move(20 * time.Second)
	assert.Equal(t, "b", ids(p.order(targets, "")))
	clock.move(10 * time.Second)
	assert.Len(t, p.order(targets, ""), 2)
}

func TestAnExhaustedPoolAsksForAtLeastASecond(t *testing.T) {
	t.Parallel()
	clock := startOfTime()
	p := newPool(clock.now)
	targets := target("a", 1)
	p.rest(candidate{&targets[0], targets[0].Provider.Credentials[0]}, time.Second, 10*time.Millisecond)
	assert.Equal(t, time.Second, p.exhausted(targets).RetryAfter)
}

func TestNoCooldownMeansNoRest(t *testing.T) {
	t.Parallel()
	p := newPool(startOfTime().now)
	targets := target("a", 1, "b", 1)
	for _, asked := range []time.Duration{0, time.Hour} {
		p.rest(candidate{&targets[0], targets[0].Provider.Credentials[0]}, 0, asked)
		assert.Len(t, p.order(targets, ""), 2)
	}
	assert.Equal(t, "a b a b", firsts(p, targets, 4))
}

func TestASuccessEndsTheRest(t *testing.T) {
	t.Parallel()
	p := newPool(startOfTime().now)
	targets := target("a", 1, "b", 1)
	a := candidate{&targets[0], targets[0].Provider.Credentials[0]}
	p.rest(a, time.Hour, 0)
	require.Equal(t, "b a", ids(p.order(targets, "")))
	p.succeeded(a, startOfTime().now())
	assert.Contains(t, firsts(p, targets, 2), "a")
	p.succeeded(candidate{&targets[0], routing.Credential{ID: "unknown"}}, startOfTime().now())
}

func TestKeysFromTheEnvironmentAreToldApartByProviderAndName(t *testing.T) {
	t.Parallel()
	p := newPool(startOfTime().now)
	targets := make([]routing.Target, 2)
	for i := range targets {
		targets[i] = routing.Target{Provider: &routing.Provider{Name: fmt.Sprint("p", i), Credentials: []routing.Credential{{Name: "env"}}}}
	}
	p.rest(candidate{&targets[0], targets[0].Provider.Credentials[0]}, time.Hour, time.Hour)
	got := p.order(targets, "")
	require.Len(t, got, 1)
	assert.Equal(t, "p1", got[0].target.Provider.Name)
}

func TestThePoolRemembersABoundedNumberOfKeys(t *testing.T) {
	t.Parallel()
	p := newPool(startOfTime().now)
	for i := range maxStates + 500 {
		p.rest(candidate{nil, routing.Credential{ID: fmt.Sprint(i)}}, time.Minute, 0)
	}
	assert.LessOrEqual(t, len(p.state), maxStates)
}
