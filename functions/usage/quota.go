package usage

import (
	"encoding/json"
	"math/big"
	"net/http"
	"strconv"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// quotaView is what is left of a wallet and how long it lasts. Its names and
// types are AIGNE Hub's (GET /api/usage/quota): amounts are numbers, written with
// all their decimals.
type quotaView struct {
	Total         json.Number `json:"total"` // of grants that have not expired
	Remaining     json.Number `json:"remaining"`
	Used          json.Number `json:"used"`          // of the total
	PendingCredit json.Number `json:"pendingCredit"` // owed beyond the balance
	DailyAverage  json.Number `json:"dailyAvgCredits"`
	// DaysRemaining is 0 when nothing is left and 999 when nothing is spent, or
	// nothing is charged.
	DaysRemaining int64  `json:"estimatedDaysRemaining"`
	Currency      string `json:"currency"`
	Unlimited     bool   `json:"unlimited"` // billing is off
	Days          int64  `json:"days"`      // of the average: of the range, since the wallet was opened, at least 1
}

const (
	endless      = 999 // days, as AIGNE Hub's clients know it
	defaultRange = 30  // days
	mostRange    = 366
	day          = 24 * time.Hour
)

// quota shows the caller's quota: ?startTime= and ?endTime= (seconds), or
// ?timeRange= (days, 30), say what the average is of.
func (h *handler) quota(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	within, err := quotaSpan(r, h.Now())
	if err != nil {
		return err
	}
	a, err := h.Book.Balance(r.Context(), c.AccountID)
	if err != nil {
		return err
	}
	g, err := h.Store.Granted(r.Context(), c.AccountID)
	if err != nil {
		return err
	}
	spent, err := h.Store.Spent(r.Context(), c.AccountID, within)
	if err != nil {
		return err
	}
	if g.Since.After(within.From) {
		within.From = g.Since // before, nothing could be spent
	}
	length := max(day, within.Until.Sub(within.From))
	v := quotaView{Total: number(g.Total), Remaining: number(a.Balance), Used: number(max(0, g.Total-a.Balance)), PendingCredit: number(a.Debt),
		DailyAverage: number(daily(spent, length)), DaysRemaining: lasts(a.Balance, spent, length), Currency: "credits",
		Unlimited: !h.Billing, Days: int64((length + day - 1) / day)}
	if v.Unlimited {
		v.DaysRemaining = endless
	}
	return httpkit.WriteJSON(w, http.StatusOK, v)
}

func number(c money.Credits) json.Number { return json.Number(c.String()) }

// daily is what was spent a day, rounded down.
func daily(spent money.Credits, length time.Duration) money.Credits {
	n := new(big.Int).Mul(big.NewInt(int64(spent)), big.NewInt(int64(day)))
	return money.Credits(n.Div(n, big.NewInt(int64(length))).Int64()) // at most spent, since length is a day or more
}

// lasts is for how many whole days a balance lasts at that rate.
func lasts(balance, spent money.Credits, length time.Duration) int64 {
	switch {
	case balance <= 0:
		return 0
	case spent <= 0:
		return endless
	}
	n := new(big.Int).Mul(big.NewInt(int64(balance)), big.NewInt(int64(length)))
	n.Div(n, new(big.Int).Mul(big.NewInt(int64(spent)), big.NewInt(int64(day))))
	if !n.IsInt64() {
		return endless
	}
	return max(1, n.Int64())
}

// quotaSpan reads the range of the average; its end is now at the latest.
func quotaSpan(r *http.Request, now time.Time) (store.Span, error) {
	s := store.Span{Until: now}
	q := r.URL.Query()
	days := int64(defaultRange)
	for _, p := range []struct {
		name string
		into func(n int64)
		most int64
	}{
		{"endTime", func(n int64) {
			if end := time.Unix(n, 0); end.Before(now) {
				s.Until = end
			}
		}, 1 << 40},
		{"timeRange", func(n int64) { days = n }, mostRange},
		{"startTime", func(n int64) { s.From = time.Unix(n, 0) }, 1 << 40},
	} {
		text := q.Get(p.name)
		if text == "" {
			continue
		}
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 1 || n > p.most {
			return s, hub.Invalid(p.name, "%s must be a whole number from 1 to %d.", p.name, p.most)
		}
		p.into(n)
	}
	if s.From.IsZero() {
		s.From = s.Until.Add(-time.Duration(days) * day)
	}
	if !s.From.Before(s.Until) || s.Until.Sub(s.From) > mostRange*day {
		return s, hub.Invalid("startTime", "startTime must lie before endTime, by at most %d days.", mostRange)
	}
	return s, nil
}
