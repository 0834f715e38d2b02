// Package limits knows which limits bind a call: requests, tokens, concurrent
// calls and credits, for keys, users, apps and models. It is pure; the store
// counts, in the unit that admits a call, so that limits hold across processes.
package limits

import (
	"fmt"
	"strings"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// The metrics.
const (
	Requests    = "requests"
	Tokens      = "tokens"
	Concurrency = "concurrency"
	Credits     = "credits"
)

// The scopes.
const (
	Key   = "key"
	User  = "user"
	App   = "app"
	Model = "model"
	// Member is a user of a shared wallet: <wallet>/<user>, or <wallet>/* for each.
	Member = "member"
)

// Each is the subject that binds every one of a scope by itself.
const Each = "*"

// Periods are the lengths of windows, for the metrics that have one.
func Periods() []string { return []string{"minute", "hour", "day", "week", "month"} }

// Set is all limits of one configuration.
type Set struct {
	of map[[2]string][]store.Limit
}

// NewSet arranges limits.
func NewSet(all []store.Limit) *Set {
	s := &Set{of: make(map[[2]string][]store.Limit, len(all))}
	for _, l := range all {
		at := [2]string{l.Scope, l.Subject}
		if l.Scope == Model {
			at[1] = fold(l.Subject)
		}
		s.of[at] = append(s.of[at], l)
	}
	return s
}

// Bind lists what a call takes of the limits that bind it, with nothing reserved
// yet. models are the names by which its model is known: provider/model of the
// first target, and what the caller asked for.
func (s *Set) Bind(c hub.Caller, models ...string) []store.LimitHold {
	if s == nil || len(s.of) == 0 {
		return nil
	}
	var out []store.LimitHold
	for _, who := range [...][2]string{{Key, c.KeyID}, {User, c.UserID}, {App, c.AppID}} {
		if who[1] == "" {
			continue
		}
		out = s.bind(out, who[0], who[1], who[1])
		out = s.bind(out, who[0], Each, who[1])
	}
	if c.SharedWallet {
		who := c.AccountID + "/" + c.UserID
		out = s.bind(out, Member, who, who)
		out = s.bind(out, Member, c.AccountID+"/"+Each, who)
	}
	first := ""
	for i, m := range models {
		m = fold(m)
		if i == 0 {
			first = m
		}
		if m == "" || m == Each || (i > 0 && m == first) {
			continue
		}
		out = s.bind(out, Model, m, m)
	}
	if first != "" {
		out = s.bind(out, Model, Each, first)
	}
	return out
}

// fold makes one of the spellings under which a model can be asked for: another
// one must not lead past its limit.
func fold(model string) string {
	return strings.ToLower(strings.TrimSpace(strings.TrimPrefix(model, "aignehub/")))
}

func (s *Set) bind(out []store.LimitHold, scope, subject, counts string) []store.LimitHold {
	for _, l := range s.of[[2]string{scope, subject}] {
		out = append(out, store.LimitHold{LimitID: l.ID, Counts: counts, Metric: l.Metric, Period: l.Period, Most: l.Amount})
	}
	return out
}

// Reserve fills in what a call may use at most: one request, its tokens, its
// hold.
func Reserve(holds []store.LimitHold, tokens int64, hold money.Credits) {
	for i := range holds {
		switch holds[i].Metric {
		case Requests, Concurrency:
			holds[i].Amount = 1
		case Tokens:
			holds[i].Amount = tokens
		case Credits:
			holds[i].Amount = int64(hold)
		}
	}
}

// Describe says a limit in words: "60 requests a minute".
func Describe(h store.LimitHold) string {
	amount := fmt.Sprint(h.Most)
	if h.Metric == Credits {
		amount = money.Credits(h.Most).String()
	}
	if h.Metric == Concurrency {
		return amount + " calls at once"
	}
	return fmt.Sprintf("%s %s a %s", amount, h.Metric, h.Period)
}

// Exceeded is the error of a used-up limit.
func Exceeded(h store.LimitHold, w store.Window) *hub.Error {
	e := hub.Errorf(hub.CodeRateLimited, "The limit of %s is reached.", Describe(h))
	e.NativeCode = "rate_limit_exceeded"
	if h.Metric == Credits {
		e.Message = fmt.Sprintf("The budget of %s is used up.", Describe(h))
		e.NativeCode = "budget_exceeded"
	}
	e.RetryAfter = time.Duration(w.Ends) * time.Millisecond
	if h.Metric == Concurrency {
		e.RetryAfter = time.Second
	}
	return e
}
