package auth

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTriesComeBackAfterAMinute(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_800_000_000, 0)
	th := newThrottle(func() time.Time { return now })
	a := netip.MustParseAddr("198.51.100.1")
	for range maxTries {
		require.Zero(t, th.take(a))
	}
	now = now.Add(20 * time.Second)
	assert.Equal(t, 40*time.Second, th.take(a))
	th.giveBack(a)
	assert.Zero(t, th.take(a), "a try given back can be used again")
	assert.NotZero(t, th.take(a))
	now = now.Add(40 * time.Second)
	assert.Zero(t, th.take(a))
}

func TestAnIPv6NetworkIsOneClient(t *testing.T) {
	t.Parallel()
	th := newThrottle(time.Now)
	for i := range maxTries {
		require.Zero(t, th.take(netip.AddrFrom16([16]byte{0x20, 0x01, 0x0d, 0xb8, 15: byte(i)})))
	}
	assert.NotZero(t, th.take(netip.MustParseAddr("2001:db8::ffff")))
	assert.Zero(t, th.take(netip.MustParseAddr("2001:db8:0:1::1")))
	assert.Zero(t, th.take(netip.Addr{}), "an unknown address is one of its own")
}

func TestTheThrottleRemembersABoundedNumberOfAddresses(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_800_000_000, 0)
	th := newThrottle(func() time.Time { return now })
	address := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}) }
	for i := range maxThrottle {
		th.take(address(i))
		now = now.Add(tryWindow * 2 / maxThrottle) // half of them are over at the end
	}
	th.take(address(maxThrottle))
	assert.InDelta(t, maxThrottle/2, len(th.windows), 2, "windows that are over are forgotten")
	for i := range 2 * maxThrottle {
		th.take(address(1<<20 + i))
		require.LessOrEqual(t, len(th.windows), maxThrottle)
	}
}
