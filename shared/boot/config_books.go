package boot

import (
	"fmt"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/money"
)

func bookSettings() []Setting {
	const years = 10 * 366 * 24 * time.Hour
	return []Setting{
		{
			Name: "AIGNE_HUB_WELCOME_CREDITS", Flag: "welcome-credits", Default: "0",
			Doc:   "credits that each new user is given once; 0: none",
			parse: parseWelcome,
		},
		{
			Name: "AIGNE_HUB_WELCOME_LIFE", Flag: "welcome-life", Default: "0s",
			Doc:   "after how long what is left of them expires, such as 720h; 0s: never",
			parse: duration(func(c *Config) *time.Duration { return &c.WelcomeLife }, 0, years),
		},
		{
			Name: "AIGNE_HUB_STATS_LIFE", Flag: "stats-life", Default: "4392h",
			Doc:   "for how long sums of 15 minutes are kept, by which statistics know days of any time zone, at least 744h; older ranges are answered in days of UTC, for ever",
			parse: duration(func(c *Config) *time.Duration { return &c.StatsLife }, 31*24*time.Hour, years),
		},
	}
}

func parseWelcome(c *Config, v string) error {
	amount, err := money.ParseCredits(v)
	if err != nil || amount < 0 {
		return fmt.Errorf("must be credits, not negative and with at most nine decimals, not %q", v)
	}
	c.Welcome = amount
	return nil
}
