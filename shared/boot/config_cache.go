package boot

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Cache says which answers are kept for equal requests.
type Cache struct {
	Mode  string        // off, ask or all
	TTL   time.Duration // how long an answer is kept
	Size  int64         // bytes that all answers may take together
	Price int64         // percent of the usual price that a kept answer costs, 0 to 100
}

func cacheSettings() []Setting {
	const month = 31 * 24 * time.Hour
	return []Setting{
		{
			Name: "AIGNE_HUB_CACHE", Flag: "cache", Default: "off",
			Doc:   "answers kept for equal requests of the same user: off, ask (only where x-aigne-hub-cache: on asks for it) or all (except where that header is off)",
			parse: choice(func(c *Config) *string { return &c.Cache.Mode }, "off", "ask", "all"),
		},
		{
			Name: "AIGNE_HUB_CACHE_TTL", Flag: "cache-ttl", Default: "1h",
			Doc:   "how long such answers are kept",
			parse: duration(func(c *Config) *time.Duration { return &c.Cache.TTL }, time.Second, month),
		},
		{
			Name: "AIGNE_HUB_CACHE_SIZE", Flag: "cache-size", Default: "256MB",
			Doc:   "what all such answers may take together; a single one is kept up to 1 MB",
			parse: size(func(c *Config) *int64 { return &c.Cache.Size }, 1<<20, 1<<40, "from 1MiB to 1TiB"),
		},
		{
			Name: "AIGNE_HUB_CACHE_PRICE", Flag: "cache-price", Default: "free",
			Doc:   "what such an answer costs: free, full, or percent of the price such as 25%",
			parse: parseCachePrice,
		},
	}
}

func parseCachePrice(c *Config, v string) error {
	const full = 100
	switch v {
	case "free":
		c.Cache.Price = 0
	case "full":
		c.Cache.Price = full
	default:
		n, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(v, "%")), 10, 64)
		if err != nil || n < 0 || n > full {
			return fmt.Errorf("must be free, full or whole percent such as 25%%, not %q", v)
		}
		c.Cache.Price = n
	}
	return nil
}
