package operator

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/limits"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// NewLimit describes a limit. Subject is a key's id, a user's e-mail address, an
// application's id, a model as provider/model or an alias, or wallet/e-mail
// address for a member of a shared wallet; "*" stands for each one by itself. Amount is a number of calls or tokens, or decimal credits.
type NewLimit struct {
	Scope   string `json:"scope"`
	Subject string `json:"subject"`
	Metric  string `json:"metric"`
	Period  string `json:"period"` // "" with concurrency
	Amount  string `json:"amount"`
}

// Check reads everything but the subject.
func (n NewLimit) Check() (store.Limit, error) {
	l := store.Limit{Scope: n.Scope, Metric: n.Metric, Period: n.Period}
	if !slices.Contains([]string{limits.Key, limits.User, limits.App, limits.Model, limits.Member}, n.Scope) {
		return l, hub.Invalid("scope", "The scope must be key, user, app, model or member.")
	}
	var err error
	if l.Amount, err = limitAmount(n.Metric, n.Amount); err != nil {
		return l, err
	}
	switch {
	case n.Metric == limits.Concurrency && (n.Period == "" || n.Period == "now"):
		l.Period = "now"
	case n.Metric == limits.Concurrency:
		return l, hub.Invalid("period", "A limit of concurrent calls has no period.")
	case !slices.Contains(limits.Periods(), n.Period):
		return l, hub.Invalid("period", "The period must be %s.", strings.Join(limits.Periods(), ", "))
	}
	return l, nil
}

// SetLimit creates or replaces a limit.
func (d *Desk) SetLimit(ctx context.Context, actor string, n NewLimit) (store.Limit, error) {
	l, err := n.Check()
	if err != nil {
		return l, err
	}
	if l.Subject, err = d.limitSubject(ctx, n.Scope, n.Subject); err != nil {
		return l, err
	}
	if err := d.freeLimit(ctx, l); err != nil {
		return l, err
	}
	if l, err = d.Store.SetLimit(ctx, l); err != nil {
		return l, err
	}
	return l, d.audit(ctx, actor, "limit.set", l.Scope+" "+n.Subject, nil,
		map[string]any{"metric": l.Metric, "period": l.Period, "amount": n.Amount})
}

func limitAmount(metric, amount string) (int64, error) {
	switch metric {
	case limits.Requests, limits.Tokens, limits.Concurrency:
		n, err := strconv.ParseInt(amount, 10, 64)
		if err != nil || n < 0 {
			return 0, hub.Invalid("amount", "The amount must be a whole number of %s, not %q.", metric, amount)
		}
		return n, nil
	case limits.Credits:
		c, err := money.ParseCredits(amount)
		if err != nil || c < 0 {
			return 0, hub.Invalid("amount", "The amount must be credits with at most nine decimals, not %q.", amount)
		}
		return int64(c), nil
	}
	return 0, hub.Invalid("metric", "The metric must be requests, tokens, concurrency or credits.")
}

// limitSubject finds the id of whom a limit binds.
func (d *Desk) limitSubject(ctx context.Context, scope, subject string) (string, error) {
	const longest = 200
	if scope == limits.Member {
		return d.memberSubject(ctx, subject)
	}
	if subject == limits.Each {
		return subject, nil
	}
	if subject == "" || len(subject) > longest {
		return "", hub.Invalid("subject", "A limit needs to know whom it binds: an id, an e-mail address, a model, or * for each.")
	}
	switch scope {
	case limits.Key:
		k, err := d.Store.KeyByID(ctx, subject)
		if errors.Is(err, store.ErrNotFound) {
			return "", hub.Errorf(hub.CodeNotFound, "There is no key %s.", subject)
		}
		return k.ID, err
	case limits.User:
		u, err := d.User(ctx, subject)
		return u.ID, err
	}
	return subject, nil
}

// RemoveLimit deletes a limit by its id.
func (d *Desk) RemoveLimit(ctx context.Context, actor, id string) error {
	l, err := d.Store.LimitByID(ctx, id)
	if err == nil {
		if err := d.freeLimit(ctx, l); err != nil {
			return err
		}
		err = d.Store.RemoveLimit(ctx, id)
	}
	if errors.Is(err, store.ErrNotFound) {
		return hub.Errorf(hub.CodeNotFound, "There is no limit %s.", id)
	}
	if err != nil {
		return err
	}
	return d.audit(ctx, actor, "limit.remove", id, nil, nil)
}
