package operator

import (
	"context"
	"strconv"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/limits"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/rollup"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// KeyView is a key as it is shown: without what could be used in its place.
type KeyView struct {
	ID         string      `json:"id"`
	UserID     string      `json:"user_id"`
	Name       string      `json:"name"`
	Hint       string      `json:"hint"` // the key's last characters
	CreatedAt  time.Time   `json:"created_at"`
	ExpiresAt  *time.Time  `json:"expires_at"`
	RevokedAt  *time.Time  `json:"revoked_at"`
	LastUsedAt *time.Time  `json:"last_used_at"`          // to within a few minutes
	WalletID   string      `json:"wallet_id"`             // the shared wallet that pays; "": the user's own
	Models     []string    `json:"models" openapi:"null"` // patterns; null: all
	IPs        []string    `json:"ips" openapi:"null"`    // networks; null: all
	Scopes     []hub.Scope `json:"scopes" openapi:"null"` // null: whatever the user may do
	App        string      `json:"app"`                   // of a service key; "": it is its user's
	Managed    string      `json:"managed,omitempty"`     // file: only the file that was applied may change it
	RotatedAt  *time.Time  `json:"rotated_at"`
	Old        *OldSecret  `json:"old"` // the secret before the last rotation; null: none is good
}

// OldSecret is a secret in the grace of a rotation.
type OldSecret struct {
	Hint       string     `json:"hint"`
	Until      time.Time  `json:"until"`
	LastUsedAt *time.Time `json:"last_used_at"` // since the rotation
}

// ViewKey makes a key's view at a time.
func ViewKey(k *store.APIKey, now time.Time) KeyView {
	v := KeyView{ID: k.ID, UserID: k.UserID, Name: k.Name, Hint: k.Hint, CreatedAt: k.CreatedAt, ExpiresAt: k.ExpiresAt, RevokedAt: k.RevokedAt,
		LastUsedAt: k.LastUsedAt, WalletID: k.WalletID, Models: k.Models, IPs: k.IPs, Scopes: k.Scopes, App: k.AppID, Managed: k.Managed, RotatedAt: k.RotatedAt}
	if k.OldHash != "" && k.OldUntil != nil && k.OldUntil.After(now) {
		v.Old = &OldSecret{k.OldHint, *k.OldUntil, k.OldUsedAt}
	}
	return v
}

// KeyDetail is a key with its limits and what was done with it.
type KeyDetail struct {
	KeyView
	Limits []UsedLimit `json:"limits"`
	Use    UseView     `json:"use"`
}

// UsedLimit is a limit of a key and how much of it is used now. Amounts are
// numbers, or decimal credits.
type UsedLimit struct {
	ID     string `json:"id"`
	Metric string `json:"metric"`
	Period string `json:"period"` // now for concurrency
	Amount string `json:"amount"`
	Used   string `json:"used"`
}

// UseView is what was used in a span, whose ends are quarter-hours.
type UseView struct {
	From    time.Time     `json:"from"`
	Until   time.Time     `json:"until"`
	Calls   int64         `json:"calls"`
	Failed  int64         `json:"failed"`
	Input   int64         `json:"input_tokens"`
	Output  int64         `json:"output_tokens"`
	Credits money.Credits `json:"credits"`
	// Cost is what the operator paid, as far as it is known; nil where the viewer is no operator.
	Cost *money.Credits `json:"cost_usd,omitempty"`
}

// WithoutCost is the use as those see it who do not run the hub.
func (v UseView) WithoutCost() UseView {
	v.Cost = nil
	return v
}

// MostUse is the longest span that use is summed over.
const MostUse = 31 * 24 * time.Hour

// UseSpan reads a span of use: both times are seconds since 1970 or "", the end is
// now and the length 30 days where nothing is said. The error's Param is
// startTime or endTime.
func UseSpan(from, until string, now time.Time) (store.Span, error) {
	const usual, latest = 30 * 24 * time.Hour, 1 << 36
	s := store.Span{Until: now}
	for _, t := range []struct {
		name, text string
		into       *time.Time
	}{{"endTime", until, &s.Until}, {"startTime", from, &s.From}} {
		if t.text == "" {
			continue
		}
		n, err := strconv.ParseInt(t.text, 10, 64)
		if err != nil || n < 0 || n > latest {
			return s, hub.Invalid(t.name, "%s must be seconds since 1970.", t.name)
		}
		*t.into = time.Unix(n, 0)
	}
	if s.From.IsZero() {
		s.From = s.Until.Add(-usual)
	}
	if !s.From.Before(s.Until) || s.Until.Sub(s.From) > MostUse {
		return s, hub.Invalid("startTime", "startTime must lie before endTime, by at most %d days.", int(MostUse.Hours())/24)
	}
	return s, nil
}

// viewUse makes the view of what finished calls used in a range.
func viewUse(t *rollup.Total, x rollup.Range) UseView {
	return UseView{x.From.UTC(), x.Until.UTC(), t.Calls, t.By(rollup.Errors), t.Units.Prompt(), t.Units.Completion(), money.Credits(t.Credits), new(money.Credits(t.Cost))}
}

// KeyDetail shows a key with its limits and its use in a span.
func (d *Desk) KeyDetail(ctx context.Context, k *store.APIKey, span store.Span) (KeyDetail, error) {
	v := KeyDetail{KeyView: ViewKey(k, d.Now()), Limits: []UsedLimit{}}
	all, err := d.Store.LimitsOf(ctx, limits.Key, k.ID)
	if err != nil {
		return v, err
	}
	for _, l := range all {
		w, err := d.Store.Window(ctx, store.LimitHold{LimitID: l.ID, Counts: k.ID, Metric: l.Metric, Period: l.Period})
		if err != nil {
			return v, err
		}
		v.Limits = append(v.Limits, UsedLimit{l.ID, l.Metric, l.Period, limitText(l.Metric, l.Amount), limitText(l.Metric, w.Used)})
	}
	x, use, _, err := d.Stats.Summary(ctx, rollup.Question{From: span.From, Until: span.Until, Only: store.StatKey{UserID: k.UserID, KeyID: k.ID}})
	if err != nil {
		return v, err
	}
	v.Use = viewUse(&use, x)
	return v, nil
}

// UserUse sums what a user used in a span.
func (d *Desk) UserUse(ctx context.Context, userID string, span store.Span) (UseView, error) {
	x, use, _, err := d.Stats.Summary(ctx, rollup.Question{From: span.From, Until: span.Until, Only: store.StatKey{UserID: userID}})
	return viewUse(&use, x), err
}

func limitText(metric string, n int64) string {
	if metric == limits.Credits {
		return money.Credits(n).String()
	}
	return strconv.FormatInt(n, 10)
}
