package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/aigne-hub/aigne-hub/functions/console"
	"github.com/aigne-hub/aigne-hub/shared/identity"
)

// greeting is what serve prints when it is up.
type greeting struct {
	Version    string `json:"version"`
	Data       string `json:"data"`
	Database   string `json:"database"`
	Listen     string `json:"listen"`
	URL        string `json:"url"`
	SetupToken string `json:"setup_token,omitempty"`
	Metrics    string `json:"metrics,omitempty"`
	Profiles   string `json:"profiles,omitempty"`

	elsewhere bool // people sign in at the Blocklet Server
}

// greet says where the hub is and, while it has no owner, how to become one.
func (s *server) greet(addr string, beside []*side) error {
	cfg := s.app.Config
	g := greeting{Version: version, Data: cfg.Data, Database: cfg.Database, Listen: addr, URL: serverURL(cfg, addr)}
	for _, b := range beside {
		switch b.what {
		case listenMetrics:
			g.Metrics = "http://" + b.address() + metricsPath
		case listenProfiles:
			g.Profiles = "http://" + b.address() + "/debug/pprof/"
		}
	}
	token, err := s.app.Users.NewSetupToken(s.ctx)
	if err != nil && !errors.Is(err, identity.ErrHasOwner) && !errors.Is(err, identity.ErrElsewhere) {
		return err
	}
	g.SetupToken, g.elsewhere = token.Reveal(), errors.Is(err, identity.ErrElsewhere)
	return s.show(g, g.words())
}

func (g greeting) words() string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("AIGNE Hub %s", g.Version)
	line("Data folder:   %s", g.Data)
	line("Address:       %s", g.URL)
	if g.Metrics != "" {
		line("Metrics:       %s", g.Metrics)
	}
	if g.Profiles != "" {
		line("Profiles:      %s", g.Profiles)
	}
	if g.elsewhere {
		line("Sign-in:       at the Blocklet Server, whose owner is this hub's")
		return b.String()
	}
	if g.SetupToken == "" {
		line("First call:    aigne-hub quickstart --data %s   prints it", g.Data)
		return b.String()
	}
	line("Set-up token:  %s", g.SetupToken)
	line("There is no owner yet. Become it with the token, which works once:")
	if console.Built() {
		line("  %s/setup#token=%s   in a browser, or", g.URL, g.SetupToken)
	}
	line("  curl %s/api/auth/setup -H 'Content-Type: application/json' -d '%s'", g.URL,
		`{"token":"`+g.SetupToken+`","email":"you@example.com","password":"AT-LEAST-10-CHARACTERS"}`)
	line("or without a password: aigne-hub quickstart --data %s   makes owner, provider and key, and prints the first call.", g.Data)
	return b.String()
}
