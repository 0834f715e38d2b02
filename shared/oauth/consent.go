package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"net/netip"
	"net/url"
	"slices"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/identity"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// Visitor is who stands before the server.
type Visitor = identity.Visitor

// Asked is what a user is shown before saying yes or no.
type Asked struct {
	Name      string      `json:"name"`     // of the application, as it or an operator wrote it
	URL       string      `json:"url"`      // its address, "" if there is none
	Known     bool        `json:"known"`    // an operator registered it
	Redirect  string      `json:"redirect"` // where the browser goes, without path; "": nowhere
	Scopes    []hub.Scope `json:"scopes"`
	User      string      `json:"user"`       // e-mail address of who is signed in
	Address   string      `json:"address"`    // of the program that waits; "": there is none
	StartedAt *time.Time  `json:"started_at"` // when it began to wait
}

// Decision is what the user says.
type Decision struct {
	Allow       bool   `json:"allow"`
	Days        int64  `json:"days"`         // after which it ends; 0: never
	BudgetDay   string `json:"budget_day"`   // decimal credits; "": none
	BudgetMonth string `json:"budget_month"` // likewise
	RPM         *int64 `json:"rpm"`          // requests a minute; null: no limit of its own
}

const maxDays = 3660

func (d *Decision) limits() operator.KeyLimits {
	return operator.KeyLimits{BudgetDay: d.BudgetDay, BudgetMonth: d.BudgetMonth, RPM: d.RPM}
}

func (d *Decision) limited() bool {
	return d.BudgetDay != "" || d.BudgetMonth != "" || d.RPM != nil || d.Days != 0
}

func (d *Decision) check() error {
	if d.Days < 0 || d.Days > maxDays {
		return hub.Invalid("days", "days must be from 0 to %d.", maxDays)
	}
	return d.limits().Check()
}

// terms are what a user agreed to, as they are kept until they are used.
type terms struct {
	Scopes   []hub.Scope `json:"scopes"`
	Decision Decision    `json:"decision"`
	At       time.Time   `json:"at"`
}

func (t *terms) ends() *time.Time {
	if t.Decision.Days == 0 {
		return nil
	}
	end := t.At.AddDate(0, 0, int(t.Decision.Days)).UTC()
	return &end
}

func (s *Server) asked(c store.OAuthClient, scopes []hub.Scope, user string) Asked {
	return Asked{Name: c.Name, URL: c.URL, Known: c.Source == store.ClientOperator, Scopes: scopes, User: user}
}

// Ask says what a request asks of a user.
func (s *Server) Ask(r Request, user string) Asked {
	a := s.asked(r.Client, r.Scopes, user)
	if u, err := url.Parse(r.Redirect); err == nil {
		a.Redirect = u.Scheme + "://" + u.Host
		if u.Host == "" {
			a.Redirect = u.Scheme + ":"
		}
	}
	return a
}

// Remembered reports whether a user agreed to the same before, without limits, and
// need not be asked again. That is only so where nobody but the application can
// take the answer: it has a secret and is reached over https.
func (s *Server) Remembered(ctx context.Context, r Request, userID string) (bool, error) {
	if r.Consent || r.Client.SecretHash == "" || !identity.Assured(r.Redirect) {
		return false, nil
	}
	n, err := s.Store.LastConnection(ctx, userID, r.Client.ID)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	if err != nil || n.RevokedAt != nil || n.Limited || len(n.Scopes) != len(r.Scopes) {
		return false, err
	}
	return !slices.ContainsFunc(r.Scopes, func(scope hub.Scope) bool { return !slices.Contains(n.Scopes, scope) }), nil
}

const codeLife = time.Minute

// CodePrefix begins every authorization code.
const CodePrefix = "ac-hub-"

// Decide carries out what a user says to a request, and returns where the browser
// goes.
func (s *Server) Decide(ctx context.Context, r Request, c hub.Caller, d Decision, issuer string) (string, error) {
	if !d.Allow {
		if err := s.Desk.Note(ctx, c.Email, "connection.deny", r.Client.ID, nil, nil); err != nil {
			return "", err
		}
		return r.Answer(issuer, url.Values{"error": {"access_denied"}, "error_description": {"The user said no."}}), nil
	}
	text, err := s.agree(ctx, c, r.Client, r.Scopes, d)
	if err != nil {
		return "", err
	}
	code := hub.Secret(CodePrefix + identity.NewToken().Reveal())
	err = s.Store.CreateOAuthCode(ctx, store.OAuthCode{Hash: identity.Hash(code), ClientID: r.Client.ID, UserID: c.UserID, RedirectURI: r.named,
		Challenge: r.Challenge, Terms: text, ExpiresAt: s.Now().Add(codeLife), ConnectionID: s.Store.NewID()})
	if err != nil {
		return "", err
	}
	return r.Answer(issuer, url.Values{"code": {code.Reveal()}}), nil
}

// agree records what a user agrees to, and returns it as it is kept.
func (s *Server) agree(ctx context.Context, c hub.Caller, client store.OAuthClient, scopes []hub.Scope, d Decision) (string, error) {
	if err := d.check(); err != nil {
		return "", err
	}
	text, err := json.Marshal(terms{Scopes: scopes, Decision: d, At: s.Now().UTC()})
	if err != nil {
		return "", err
	}
	return string(text), s.Desk.Note(ctx, c.Email, "connection.allow", client.ID, nil, map[string]any{"name": client.Name, "scopes": scopes, "terms": d})
}

func addressText(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}
