package upstream

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/routing"
)

func keyAt(targets []routing.Target, target, key int) candidate {
	return candidate{&targets[target], targets[target].Provider.Credentials[key]}
}

func TestAKeyTakesNoMoreCallsThanItMay(t *testing.T) {
	t.Parallel()
	p := newPool(startOfTime().now)
	targets := target("a", 1, "b", 1)
	targets[0].Provider.Credentials[0].MaxConcurrent = 2
	a := keyAt(targets, 0, 0)
	assert.True(t, p.take(a))
	assert.True(t, p.take(a))
	assert.False(t, p.take(a))
	for range 3 {
		assert.Equal(t, "b a", ids(p.order(targets, "")), "it is passed over")
	}
	p.give(a)
	assert.Contains(t, firsts(p, targets, 2), "a")
	assert.True(t, p.take(a))
	p.give(a)
	p.give(a)
	p.give(a) // one too many changes nothing
	assert.True(t, p.take(a))
	assert.True(t, p.take(a))
	assert.False(t, p.take(a))

	targets[0].Provider.Credentials = targets[0].Provider.Credentials[:1]
	e := p.exhausted(targets)
	assert.Equal(t, time.Second, e.RetryAfter)
	assert.Contains(t, e.Message, "at once")
}

func TestKeysWithCallsUnderWayAreNotForgotten(t *testing.T) {
	t.Parallel()
	p := newPool(startOfTime().now)
	targets := target("a", 1)
	targets[0].Provider.Credentials[0].MaxConcurrent = 1
	require.True(t, p.take(keyAt(targets, 0, 0)))
	for i := range maxStates + 5 {
		p.of(fmt.Sprint(i))
	}
	assert.False(t, p.take(keyAt(targets, 0, 0)))
}

func TestAKeyNearItsLimitYieldsToOthersOfItsTarget(t *testing.T) {
	t.Parallel()
	clock := startOfTime()
	p := newPool(clock.now)
	targets := append(target("a", 9, "b", 1), target("x", 1)...)
	p.learn(keyAt(targets, 0, 0), quota{near: true, reset: 10 * time.Second})
	for range 3 {
		assert.Equal(t, "b a x", ids(p.order(targets, "")))
	}
	p.learn(keyAt(targets, 0, 1), quota{near: true, reset: 20 * time.Second})
	assert.Equal(t, "x", ids(p.order(targets, ""))[4:], "alike they are used, before another target")
	clock.move(10 * time.Second)
	assert.Equal(t, "a b x", ids(p.order(targets, "")), "its limit is full again")
	p.learn(keyAt(targets, 0, 1), quota{})
	assert.Contains(t, firsts(p, targets, 10), "b", "an answer said that there is more")
}

func TestARateLimitIsOfOneModelOrOfTheWholeKey(t *testing.T) {
	t.Parallel()
	for _, whole := range []bool{false, true} {
		p := newPool(startOfTime().now)
		small := target("a", 1)
		small[0].Provider.Kind.KeyLimits = whole
		large := []routing.Target{{Provider: small[0].Provider, Model: "large"}}
		p.rest(keyAt(small, 0, 0), time.Minute, time.Minute)
		assert.Empty(t, p.order(small, ""))
		assert.Len(t, p.order(large, ""), map[bool]int{false: 1, true: 0}[whole])
	}
}

func TestWhatARefusalMeansForAKey(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		events string // + success, - 401, 4 403, . a minute, and which of them disables
		want   string
	}{
		{"one that never served", "-", "1"},
		{"one that served long ago", "+.-", "1"},
		{"an odd one among successes", "+-+-+-+-", "0000"},
		{"one that served a moment ago", "+---", "001"},
		{"a model that is forbidden", "444", "001"},
		{"forbidden between successes", "4+44+4", "0000"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			clock := startOfTime()
			p := newPool(clock.now)
			a := keyAt(target("a", 1), 0, 0)
			got := ""
			refuse := func(status int) {
				got += map[bool]string{false: "0", true: "1"}[p.refuse(a, status, time.Second)]
			}
			for _, e := range tt.events {
				clock.move(time.Millisecond)
				switch e {
				case '+':
					p.succeeded(a, clock.now())
				case '-':
					refuse(401)
				case '4':
					refuse(403)
				case '.':
					clock.move(time.Minute)
				}
			}
			assert.Equal(t, tt.want, got)
		})
	}
}

func TestASuccessThatBeganBeforeARefusalForgivesNothing(t *testing.T) {
	t.Parallel()
	clock := startOfTime()
	p := newPool(clock.now)
	a := keyAt(target("a", 1), 0, 0)
	began := clock.now()
	p.succeeded(a, began)
	var last bool
	for range patience {
		clock.move(time.Second)
		last = p.refuse(a, 401, time.Second)
		p.succeeded(a, began)
	}
	assert.True(t, last)
}

func TestAKeyThatCannotBeDisabledRestsLongerEachTime(t *testing.T) {
	t.Parallel()
	clock := startOfTime()
	p := newPool(clock.now)
	targets := append(target("a", 1), target("x", 1)...)
	for _, rest := range []time.Duration{time.Minute, 2 * time.Minute, 4 * time.Minute} {
		p.refuse(keyAt(targets, 0, 0), 401, time.Minute)
		assert.Equal(t, "x a", ids(p.order(targets, "")))
		clock.move(rest - time.Second)
		assert.Equal(t, "x a", ids(p.order(targets, "")))
		clock.move(time.Second)
		assert.Equal(t, "a x", ids(p.order(targets, "")))
	}
	for range 30 {
		p.refuse(keyAt(targets, 0, 0), 401, time.Minute)
	}
	clock.move(longestRest)
	assert.Equal(t, "a x", ids(p.order(targets, "")))
}

func TestStickyStringsKeepTheirKeys(t *testing.T) {
	t.Parallel()
	clock := startOfTime()
	p := newPool(clock.now)
	targets := target("a", 100, "b", 100, "c", 200)
	home, second, share := map[string]string{}, map[string]string{}, map[string]int{}
	for i := range 4000 {
		s := fmt.Sprint("conversation ", i)
		got := p.order(targets, s)
		require.Len(t, got, 3)
		home[s], second[s] = got[0].credential.ID, got[1].credential.ID
		share[home[s]]++
	}
	for id, want := range map[string]int{"a": 1000, "b": 1000, "c": 2000} {
		assert.InDelta(t, want, share[id], 150, "by weight")
	}
	// A home that is down has one way out, and back.
	p.rest(keyAt(targets, 0, 0), time.Minute, 0)
	for s, id := range home {
		want := id
		if id == "a" {
			want = second[s]
		}
		require.Equal(t, want, p.order(targets, s)[0].credential.ID)
	}
	clock.move(time.Minute)
	for s, id := range home {
		require.Equal(t, id, p.order(targets, s)[0].credential.ID)
	}
	assert.Equal(t, "c a b c c a b c", firsts(p, targets, 8), "the round robin has not moved meanwhile")
}

func BenchmarkOrder(b *testing.B) {
	for _, sticky := range []string{"", "conversation 7"} {
		b.Run("sticky="+sticky, func(b *testing.B) {
			p := newPool(time.Now)
			br := newBreaker(time.Now)
			targets := append(target("a", 5, "b", 1, "c", 1), target("x", 1)...)
			b.ReportAllocs()
			for b.Loop() {
				br.arrange(p.order(targets, sticky))
			}
		})
	}
}
