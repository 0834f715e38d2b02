package reconcile

import (
	"math/big"
	"strconv"
	"strings"
)

const (
	// mostUnits bounds a figure of an export; sums of a day then fit easily.
	mostUnits  = 1_000_000_000_000_000
	nanoDollar = 1_000_000_000
	mostCost   = 10_000_000 * nanoDollar // of a line
	// mostDigits bounds what is parsed as a decimal.
	mostDigits = 64
)

// wholeNumber reads a count such as 1200 or 1200.0; "" is none.
func wholeNumber(s string) (*int64, bool) {
	s = strings.ReplaceAll(strings.TrimSpace(s), ",", "")
	if s == "" {
		return nil, true
	}
	whole, frac, _ := strings.Cut(s, ".")
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || n < 0 || n > mostUnits || strings.Trim(frac, "0") != "" {
		return nil, false
	}
	return &n, true
}

// dollars reads a decimal, also with an exponent, divided by per (1 for dollars,
// 100 for cents), as nano-dollars rounded half away from zero; "" is none.
func dollars(s string, per int64) (*int64, bool) {
	s = strings.ReplaceAll(strings.TrimPrefix(strings.TrimSpace(s), "$"), ",", "")
	if s == "" {
		return nil, true
	}
	if len(s) > mostDigits || strings.ContainsAny(s, "/_xXpP") {
		return nil, false
	}
	if _, exponent, ok := strings.Cut(strings.ToLower(s), "e"); ok {
		if n, err := strconv.Atoi(exponent); err != nil || n < -40 || n > 40 {
			return nil, false
		}
	}
	v, ok := new(big.Rat).SetString(s)
	if !ok {
		return nil, false
	}
	v.Mul(v, big.NewRat(nanoDollar, per))
	num := new(big.Int).Lsh(new(big.Int).Abs(v.Num()), 1)
	num.Add(num, v.Denom())
	num.Div(num, new(big.Int).Lsh(v.Denom(), 1))
	if !num.IsInt64() || num.Int64() > mostCost {
		return nil, false
	}
	n := num.Int64()
	if v.Sign() < 0 {
		n = -n
	}
	return &n, true
}

// less takes b from a, where both are there: OpenAI's input contains what was
// cached. More cached than there was input is the export's fault; then nothing
// else was input.
func less(a *int64, b ...*int64) *int64 {
	if a == nil {
		return nil
	}
	n := *a
	for _, v := range b {
		if v != nil {
			n -= *v
		}
	}
	return new(max(0, n))
}

// plus adds what is there; nil when nothing is.
func plus(all ...*int64) *int64 {
	var sum *int64
	for _, v := range all {
		switch {
		case v == nil:
		case sum == nil:
			sum = new(*v)
		default:
			*sum += *v
		}
	}
	return sum
}
