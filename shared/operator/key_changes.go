package operator

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/limits"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// KeyLimits is what a key is made with beside its name: restrictions, limits of
// its own and the wallet that pays. Zero values set none.
type KeyLimits struct {
	Wallet      string      // a shared wallet of which the user is a member; "": the user's own pays
	RPM         *int64      // requests a minute
	TPM         *int64      // tokens a minute
	Concurrency *int64      // calls at once
	BudgetDay   string      // decimal credits a day (UTC)
	BudgetWeek  string      // decimal credits a week, from Monday
	BudgetMonth string      // decimal credits a calendar month
	Models      []string    // patterns, see routing.Allow; nil: all
	IPs         []string    // addresses and networks it may come from; nil: all
	Scopes      []hub.Scope // nil: whatever the user may do
	App         string      // makes a service key of that application, with the scope inference
}

// keyLimit is a limit that keys have a word of their own for.
type keyLimit struct{ field, metric, period string }

// keyLimits are those, in the order in which they are set.
var keyLimits = [...]keyLimit{
	{"rpm", limits.Requests, "minute"}, {"tpm", limits.Tokens, "minute"}, {"concurrency", limits.Concurrency, ""},
	{"budget_day", limits.Credits, "day"}, {"budget_week", limits.Credits, "week"}, {"budget_month", limits.Credits, "month"},
}

// amounts are what a key is to be limited to, as text, in the order of keyLimits;
// "" is no limit.
func (k KeyLimits) amounts() [len(keyLimits)]string {
	number := func(n *int64) string {
		if n == nil {
			return ""
		}
		return strconv.FormatInt(*n, 10)
	}
	return [...]string{number(k.RPM), number(k.TPM), number(k.Concurrency), k.BudgetDay, k.BudgetWeek, k.BudgetMonth}
}

// of lists the limits of a key. The error's Param names the field.
func (k KeyLimits) of(keyID string) ([]NewLimit, error) {
	var out []NewLimit
	for i, amount := range k.amounts() {
		if amount == "" {
			continue
		}
		l, err := keyLimits[i].of(keyID, amount)
		if err != nil {
			return nil, err
		}
		out = append(out, l)
	}
	return out, nil
}

func (l keyLimit) of(keyID, amount string) (NewLimit, error) {
	if _, err := limitAmount(l.metric, amount); err != nil {
		if l.metric == limits.Credits {
			return NewLimit{}, hub.Invalid(l.field, "%s must be credits with at most nine decimals, not %.40q.", l.field, amount)
		}
		return NewLimit{}, hub.Invalid(l.field, "%s must not be negative.", l.field)
	}
	return NewLimit{limits.Key, keyID, l.metric, l.period, amount}, nil
}

// Field is a member of a JSON object that may be left out: then Set is false. null
// sets the zero value.
type Field[T any] struct {
	Set   bool
	Value T
}

// UnmarshalJSON is called for members that are there.
func (f *Field[T]) UnmarshalJSON(text []byte) error {
	f.Set = true
	return json.Unmarshal(text, &f.Value)
}

// ChangedKey says what of a key changes. Fields that are not set stay; null takes
// a restriction or a limit away.
type ChangedKey struct {
	Name        *string            `json:"name"`
	ExpiresAt   Field[*time.Time]  `json:"expires_at"`
	Models      Field[[]string]    `json:"models"`
	IPs         Field[[]string]    `json:"ips"`
	Scopes      Field[[]hub.Scope] `json:"scopes"`
	Wallet      Field[string]      `json:"wallet"` // "": the user's own
	RPM         Field[*int64]      `json:"rpm"`
	TPM         Field[*int64]      `json:"tpm"`
	Concurrency Field[*int64]      `json:"concurrency"`
	BudgetDay   Field[string]      `json:"budget_day"`
	BudgetWeek  Field[string]      `json:"budget_week"`
	BudgetMonth Field[string]      `json:"budget_month"`
}

// limits are the new amounts, and which of them are given at all.
func (n *ChangedKey) limits() (amounts [len(keyLimits)]string, set [len(keyLimits)]bool) {
	k := KeyLimits{RPM: n.RPM.Value, TPM: n.TPM.Value, Concurrency: n.Concurrency.Value,
		BudgetDay: n.BudgetDay.Value, BudgetWeek: n.BudgetWeek.Value, BudgetMonth: n.BudgetMonth.Value}
	return k.amounts(), [...]bool{n.RPM.Set, n.TPM.Set, n.Concurrency.Set, n.BudgetDay.Set, n.BudgetWeek.Set, n.BudgetMonth.Set}
}

// ChangeKey alters a key that is not revoked.
func (d *Desk) ChangeKey(ctx context.Context, actor, id string, n ChangedKey) (store.APIKey, error) {
	row, err := d.freeKey(ctx, id)
	if err != nil {
		return row, err
	}
	old, before := row, merged(map[string]any{"name": row.Name}, terms(&row))
	if err := d.alter(&row, &n); err != nil {
		return row, err
	}
	amounts, set := n.limits()
	for i, amount := range amounts {
		if set[i] && amount != "" {
			if _, err := keyLimits[i].of(id, amount); err != nil {
				return row, err
			}
		}
	}
	err = d.Store.ChangeKey(ctx, old, row)
	if errors.Is(err, store.ErrNotFound) {
		return row, hub.Errorf(hub.CodeConflict, "The API key %s is revoked, or was changed meanwhile.", id)
	}
	if err != nil {
		return row, err
	}
	if err := d.audit(ctx, actor, "key.change", id, before, merged(map[string]any{"name": row.Name}, terms(&row))); err != nil {
		return row, err
	}
	if n.Wallet.Set {
		if err := d.BindKey(ctx, actor, id, n.Wallet.Value); err != nil {
			return row, err
		}
	}
	for i, l := range keyLimits {
		if set[i] {
			if err := d.setKeyLimit(ctx, actor, id, l, amounts[i]); err != nil {
				return row, err
			}
		}
	}
	return d.Key(ctx, id)
}

// alter makes the changes to a row, checked but not stored.
func (d *Desk) alter(row *store.APIKey, n *ChangedKey) error {
	if n.Name != nil {
		row.Name = *n.Name
	}
	if n.ExpiresAt.Set {
		if at := n.ExpiresAt.Value; at != nil && !at.After(d.Now()) {
			return hub.Invalid("expires_at", "The expiry must lie in the future; revoke the key to end it now.")
		}
		row.ExpiresAt = n.ExpiresAt.Value
	}
	if n.Models.Set {
		row.Models = n.Models.Value
	}
	if n.IPs.Set {
		row.IPs = n.IPs.Value
	}
	if n.Scopes.Set {
		row.Scopes = n.Scopes.Value
	}
	return d.CheckKey(row)
}

// CheckKey reports what makes a key's name or restrictions unusable and brings its
// networks into their one form. The error's Param names the field.
func (d *Desk) CheckKey(row *store.APIKey) error {
	if err := checkModels(row.Models); err != nil {
		return err
	}
	return d.Keys.Check(row)
}

// setKeyLimit sets a limit of a key, "" takes it away.
func (d *Desk) setKeyLimit(ctx context.Context, actor, id string, l keyLimit, amount string) error {
	if amount != "" {
		n, err := l.of(id, amount)
		if err != nil {
			return err
		}
		_, err = d.SetLimit(ctx, actor, n)
		return err
	}
	period := l.period
	if period == "" {
		period = "now"
	}
	old, err := d.Store.LimitOf(ctx, limits.Key, id, l.metric, period)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return d.RemoveLimit(ctx, actor, old.ID)
}

// Check reports what makes the limits unusable. The error's Param names the field.
func (k KeyLimits) Check() error {
	_, err := k.of("")
	return err
}

// Bounds are the limits as they are stored, without ids and subjects. The error's
// Param names the field.
func (k KeyLimits) Bounds() ([]store.Limit, error) {
	all, err := k.of("")
	if err != nil {
		return nil, err
	}
	out := make([]store.Limit, 0, len(all))
	for _, n := range all {
		l, err := n.Check()
		if err != nil {
			return nil, err
		}
		out = append(out, l)
	}
	return out, nil
}

// KeyWord is the word that keys have for a limit of their own, such as rpm, and ""
// where there is none.
func KeyWord(metric, period string) string {
	for _, l := range keyLimits {
		if l.metric == metric && (l.period == period || metric == limits.Concurrency) {
			return l.field
		}
	}
	return ""
}
