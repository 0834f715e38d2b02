package rollup

import (
	"math/big"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
)

// Figures are sums as they are shown. Amounts are decimal text.
type Figures struct {
	Calls        int64                    `json:"calls"`
	Statuses     map[hub.CallStatus]int64 `json:"statuses"`
	SuccessRate  *float64                 `json:"success_rate"` // from 0 to 1; null without calls
	InputTokens  int64                    `json:"input_tokens"` // caches and modalities included
	OutputTokens int64                    `json:"output_tokens"`
	Usage        map[string]int64         `json:"usage"` // by bucket, without zeroes
	Credits      money.Credits            `json:"credits"`
	Duration     Latency                  `json:"duration"`
	TTFB         Latency                  `json:"ttfb"`

	*OperatorFigures
}

// Latency is how long things took, in milliseconds, null without any. Percentiles
// are at most 3.125 % away from the true ones.
type Latency struct {
	Count int64  `json:"count"`
	AvgMS *int64 `json:"avg_ms"`
	P50MS *int64 `json:"p50_ms"`
	P95MS *int64 `json:"p95_ms"`
	P99MS *int64 `json:"p99_ms"`
}

// OperatorFigures are for those who run the hub, in US dollars.
type OperatorFigures struct {
	CostUSD    money.Credits  `json:"cost_usd"`           // of calls whose cost is known
	Uncosted   int64          `json:"calls_without_cost"` // calls whose cost is not
	RevenueUSD money.Credits  `json:"revenue_usd"`
	MarginUSD  *money.Credits `json:"margin_usd"` // of calls whose cost is known; null: of none
	Shortfall  money.Credits  `json:"shortfall"`  // credits that wallets did not cover
}

// Figures shows sums; creditPrice, dollars per credit, is for operators, "" leaves
// out what is theirs.
func (t *Total) Figures(creditPrice string) (Figures, error) {
	f := Figures{Calls: t.Calls, Statuses: map[hub.CallStatus]int64{}, InputTokens: t.Units.Prompt(), OutputTokens: t.Units.Completion(),
		Usage: map[string]int64{}, Credits: money.Credits(t.Credits),
		Duration: latency(&t.Durations, t.DurationMS, t.Timed), TTFB: latency(&t.TTFBs, t.TTFBMS, t.Begun), SuccessRate: Share(t.Statuses[hub.StatusSuccess], t.Calls)}
	for _, s := range []hub.CallStatus{hub.StatusSuccess, hub.StatusFailed, hub.StatusAborted, hub.StatusInterrupted} {
		f.Statuses[s] = t.Statuses[s]
	}
	for b, n := range t.Units {
		if n != 0 {
			f.Usage[hub.Bucket(b).String()] = n
		}
	}
	var err error
	f.OperatorFigures, err = t.Operator(creditPrice)
	return f, err
}

// Operator shows what is for those who run the hub; nil with creditPrice "".
func (t *Total) Operator(creditPrice string) (*OperatorFigures, error) {
	if creditPrice == "" {
		return nil, nil //nolint:nilnil // nothing to show is no fault
	}
	revenue, err := money.Credits(t.Credits).Dollars(creditPrice)
	if err != nil {
		return nil, err
	}
	f := &OperatorFigures{CostUSD: money.Credits(t.Cost), Uncosted: t.Uncosted, RevenueUSD: revenue, Shortfall: money.Credits(t.Shortfall)}
	if t.Uncosted < t.Calls {
		earned, err := money.Credits(t.CostedCredits).Dollars(creditPrice)
		if err != nil {
			return nil, err
		}
		f.MarginUSD = new(earned - money.Credits(t.Cost))
	}
	return f, nil
}

func latency(h *Histogram, sum, n int64) Latency {
	l := Latency{Count: n}
	if n == 0 {
		return l
	}
	l.AvgMS = new((sum + n/2) / n)
	for _, p := range []struct {
		perMille int64
		into     **int64
	}{{500, &l.P50MS}, {950, &l.P95MS}, {990, &l.P99MS}} {
		if ms, ok := h.Percentile(p.perMille); ok {
			*p.into = &ms
		}
	}
	return l
}

// Share is a part of a whole with four decimals, nil of nothing.
func Share(part, whole int64) *float64 {
	if whole == 0 {
		return nil
	}
	const steps = 10_000
	n := new(big.Int).Mul(big.NewInt(part), big.NewInt(steps))
	v := float64(n.Quo(n, big.NewInt(whole)).Int64()) / steps
	return &v
}
