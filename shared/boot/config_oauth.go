package boot

import "time"

// oauthSettings: signing in to applications with this hub.
func oauthSettings() []Setting {
	const year = 366 * 24 * time.Hour
	return []Setting{
		{
			Name: "AIGNE_HUB_OAUTH_REGISTRATION", Flag: "oauth-registration", Default: "off",
			Doc:   "on: applications may register themselves for signing in with this hub (RFC 7591), as public clients; off: operators register them",
			parse: onOff(func(c *Config) *bool { return &c.OAuth.Registration }),
		},
		{
			Name: "AIGNE_HUB_OAUTH_TOKEN_LIFE", Flag: "oauth-token-life", Default: "1h",
			Doc:   "how long an access token of an application lasts before it has to be refreshed",
			parse: duration(func(c *Config) *time.Duration { return &c.OAuth.TokenLife }, time.Minute, year),
		},
		{
			Name: "AIGNE_HUB_OAUTH_REFRESH_LIFE", Flag: "oauth-refresh-life", Default: "2160h",
			Doc:   "how long an application may leave a refresh token unused",
			parse: duration(func(c *Config) *time.Duration { return &c.OAuth.RefreshLife }, time.Minute, year),
		},
	}
}
