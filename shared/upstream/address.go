package upstream

import (
	"net/netip"
	"slices"
)

// inside are the address ranges that are not the public internet, or that reach
// another address through a gateway: IANA's special-purpose registries
// (RFC 6890), multicast, and the forms of IPv6 that carry an IPv4 address.
var inside = prefixes(
	"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
	"192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
	"2001::/23",     // Teredo and others
	"2001:db8::/32", // documentation
	"2002::/16",     // 6to4
	"3fff::/20",     // documentation
)

// public6 is all of IPv6 that is handed out for the internet; loopback, local,
// mapped, NAT64 and multicast addresses lie outside.
var public6 = netip.MustParsePrefix("2000::/3")

func prefixes(texts ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(texts))
	for i, t := range texts {
		out[i] = netip.MustParsePrefix(t)
	}
	return out
}

// reachable reports whether a URL that a caller typed may lead to an address:
// public ones, and those that the operator lists.
func reachable(addr netip.Addr, allow []netip.Prefix) bool {
	if addr.Zone() != "" {
		return false
	}
	within := func(p netip.Prefix) bool { return p.Contains(addr) || p.Contains(addr.Unmap()) }
	switch {
	case slices.ContainsFunc(allow, within):
		return true
	case addr.Is4In6():
		return false // nobody names public addresses so
	case addr.Is6() && !public6.Contains(addr):
		return false
	}
	return addr.IsValid() && !slices.ContainsFunc(inside, within)
}
