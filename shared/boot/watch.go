package boot

import (
	"fmt"
	"strings"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/health"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/notify"
	"github.com/aigne-hub/aigne-hub/shared/routing"
)

// watchHealth makes the board that each attempt is noted on.
func (a *App) watchHealth() {
	a.Health = &health.Board{Now: a.Now}
	a.Statuses = &health.Statuses{Store: a.Store, Now: a.Now}
	a.Reporter = &health.Reporter{Board: a.Health, Store: a.Store, Log: a.Log, Statuses: a.Statuses}
}

// seen notes an attempt on the board.
func (a *App) seen(t *routing.Target, ttfb time.Duration, fault *hub.Error) {
	a.Health.Attempt(t.Provider.Name, t.Model, t.Type, ttfb, fault)
}

// measured is what this process saw of a target, else what another one did, for
// policies: chat is what they choose for.
func (a *App) measured(target string) routing.Measured {
	name, model, _ := strings.Cut(target, "/")
	t := health.Target{Provider: name, Model: model, Type: hub.TypeChat}
	s := a.Health.State(t)
	if s.Calls == 0 {
		if m, ok := a.Statuses.Recent(t); ok {
			return routing.Measured{TTFB: m.Response, Success: m.Success}
		}
	}
	return routing.Measured{TTFB: s.P50, Success: s.Success}
}

// post is what operators are told by.
func (a *App) post() (*notify.Post, error) {
	p := &notify.Post{Store: a.Store, Log: a.Log, Now: a.Now, Vault: a.Vault}
	if a.Config.SMTP == "" {
		return p, nil
	}
	mail, err := notify.ParseSMTP(a.Config.SMTP)
	if err != nil {
		return nil, fmt.Errorf("AIGNE_HUB_SMTP_URL: %w", err)
	}
	p.Mail = mail
	return p, nil
}

// OnLambda reports whether the process is a sandbox of AWS Lambda.
func (a *App) OnLambda() bool { return a.env != nil && a.env.onLambda() }
