package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// keyTermFlags are the flags for what restricts a key; none tells how a
// restriction is taken away where one can be.
func keyTermFlags(none string) []cli.Flag {
	return []cli.Flag{
		text("models", "let it use only these `MODELS` and aliases, by commas: openai/*,fast"+none),
		text("ips", "let it come only from these `ADDRESSES` and networks, by commas: 192.0.2.7,10.0.0.0/8"+none),
		text("scopes", "let it do only this, by commas: `SCOPES` are inference, usage, billing, admin"+none),
		text("rpm", "limit it to `N` requests a minute"+none), text("tpm", "limit it to `N` tokens a minute"+none),
		text("concurrency", "limit it to `N` calls at once"+none),
		text("budget-day", "limit it to so many `CREDITS` a day (UTC)"+none), text("budget-week", "limit it to so many `CREDITS` a week from Monday"+none),
		text("budget-month", "limit it to so many `CREDITS` a month"+none),
	}
}

// noneWord takes a restriction away.
const noneWord = "none"

// keyTerms are the restrictions and limits that a key is to be made with.
func (j *job) keyTerms() (operator.KeyLimits, error) {
	k := operator.KeyLimits{Wallet: j.text("wallet"), App: j.text("app"), BudgetDay: j.text("budget-day"), BudgetWeek: j.text("budget-week"),
		BudgetMonth: j.text("budget-month"), Models: j.list("models"), IPs: j.list("ips"), Scopes: scopes(j.list("scopes"))}
	for name, into := range map[string]**int64{"rpm": &k.RPM, "tpm": &k.TPM, "concurrency": &k.Concurrency} {
		n, err := j.count(name)
		if err != nil {
			return k, err
		}
		*into = n
	}
	return k, nil
}

// list splits a flag at commas; nil when it is not given.
func (j *job) list(name string) []string {
	if !j.c.IsSet(name) {
		return nil
	}
	out := []string{}
	for word := range strings.SplitSeq(j.text(name), ",") {
		if word = strings.TrimSpace(word); word != "" {
			out = append(out, word)
		}
	}
	return out
}

func scopes(words []string) []hub.Scope {
	if words == nil {
		return nil
	}
	out := make([]hub.Scope, len(words))
	for i, w := range words {
		out[i] = hub.Scope(w)
	}
	return out
}

// count reads a whole number; nil when the flag is not given, or says none.
func (j *job) count(name string) (*int64, error) {
	if !j.c.IsSet(name) || j.text(name) == noneWord {
		return nil, nil
	}
	n, err := strconv.ParseInt(j.text(name), 10, 64)
	if err != nil {
		return nil, hub.Invalid(name, "--%s must be a whole number, not %q", name, j.text(name))
	}
	return &n, nil
}

func keyEdit(j *job) error {
	n, err := j.keyChanges()
	if err != nil {
		return err
	}
	return j.withHub(func(a *boot.App) error {
		row, err := a.Desk.ChangeKey(j.ctx, actor, j.text("id"), n)
		if err != nil {
			return err
		}
		return j.show(operator.ViewKey(&row, a.Now()), fmt.Sprintf("Changed key %s: %s.\n", row.ID, restrictions(&row)))
	})
}

// keyChanges reads what is to change.
func (j *job) keyChanges() (n operator.ChangedKey, err error) {
	if j.c.IsSet("name") {
		n.Name = new(j.text("name"))
	}
	if n.ExpiresAt.Set = j.c.IsSet("expires"); n.ExpiresAt.Set && j.text("expires") != "never" {
		if n.ExpiresAt.Value, err = j.moment("expires"); err != nil {
			return n, err
		}
	}
	words := func(name string) operator.Field[[]string] {
		f := operator.Field[[]string]{Set: j.c.IsSet(name), Value: j.list(name)}
		if f.Set && j.text(name) == noneWord {
			f.Value = nil
		}
		return f
	}
	amount := func(name string) operator.Field[string] {
		f := operator.Field[string]{Set: j.c.IsSet(name), Value: j.text(name)}
		if f.Value == noneWord {
			f.Value = ""
		}
		return f
	}
	n.Models, n.IPs = words("models"), words("ips")
	s := words("scopes")
	n.Scopes = operator.Field[[]hub.Scope]{Set: s.Set, Value: scopes(s.Value)}
	n.BudgetDay, n.BudgetWeek, n.BudgetMonth = amount("budget-day"), amount("budget-week"), amount("budget-month")
	for name, into := range map[string]*operator.Field[*int64]{"rpm": &n.RPM, "tpm": &n.TPM, "concurrency": &n.Concurrency} {
		into.Set = j.c.IsSet(name)
		if into.Value, err = j.count(name); err != nil {
			return n, err
		}
	}
	return n, nil
}

func keyRotate(j *job) error {
	var grace time.Duration
	if raw := j.text("grace"); raw != "" {
		var err error
		if grace, err = time.ParseDuration(raw); err != nil {
			return hub.Invalid("grace", "--grace must be a duration such as 24h, not %q", raw)
		}
	}
	return j.withHub(func(a *boot.App) error {
		key, row, err := a.Desk.RotateKey(j.ctx, actor, j.text("id"), grace)
		if err != nil {
			return err
		}
		return j.show(map[string]any{"id": row.ID, "key": key.Reveal(), "old_until": row.OldUntil}, key.Reveal()+"\n")
	})
}

func keyShow(j *job) error {
	days, err := j.days()
	if err != nil {
		return err
	}
	return j.withHub(func(a *boot.App) error {
		row, err := a.Desk.Key(j.ctx, j.text("id"))
		if err != nil {
			return err
		}
		now := a.Now()
		v, err := a.Desk.KeyDetail(j.ctx, &row, store.Span{From: now.Add(-days), Until: now})
		if err != nil {
			return err
		}
		u, err := a.Store.UserByID(j.ctx, row.UserID)
		if err != nil {
			return err
		}
		rows := [][]string{{"id", row.ID}, {"name", row.Name}, {"user", u.Email}, {"key", "…" + row.Hint}, {"created", timeOrDash(&row.CreatedAt)},
			{"expires", timeOrDash(row.ExpiresAt)}, {"revoked", timeOrDash(row.RevokedAt)}, {"used", timeOrDash(row.LastUsedAt)},
			{"restricted", restrictions(&row)}}
		if v.Old != nil {
			rows = append(rows, []string{"old secret", fmt.Sprintf("…%s until %s, used %s", v.Old.Hint, timeOrDash(&v.Old.Until), timeOrDash(v.Old.LastUsedAt))})
		}
		for _, l := range v.Limits {
			rows = append(rows, []string{"limit", fmt.Sprintf("%s %s a %s, %s used", l.Amount, l.Metric, l.Period, l.Used)})
		}
		rows = append(rows, []string{"use", useText(&v.Use)})
		return j.show(v, table("FIELD VALUE", rows))
	})
}

// days is the length of the span that --days names.
func (j *job) days() (time.Duration, error) {
	const day, usual = 24 * time.Hour, 30
	n := int64(usual)
	if j.c.IsSet("days") {
		n = j.c.Int64("days")
	}
	if n < 1 || time.Duration(n)*day > operator.MostUse {
		return 0, hub.Invalid("days", "--days must be from 1 to %d", int(operator.MostUse/day))
	}
	return time.Duration(n) * day, nil
}

func useText(u *operator.UseView) string {
	return fmt.Sprintf("%d calls (%d failed), %d + %d tokens, %s credits since %s", u.Calls, u.Failed, u.Input, u.Output, u.Credits, timeOrDash(&u.From))
}

// restrictions says in one line what restricts a key.
func restrictions(k *store.APIKey) string {
	var parts []string
	if k.AppID != "" {
		parts = append(parts, "app "+k.AppID)
	}
	if k.Models != nil {
		parts = append(parts, "models "+strings.Join(k.Models, ","))
	}
	if k.IPs != nil {
		parts = append(parts, "ips "+strings.Join(k.IPs, ","))
	}
	if k.Scopes != nil {
		words := make([]string, len(k.Scopes))
		for i, s := range k.Scopes {
			words[i] = string(s)
		}
		parts = append(parts, "scopes "+strings.Join(words, ","))
	}
	if len(parts) == 0 {
		return "-"
	}
	return strings.Join(parts, "; ")
}
