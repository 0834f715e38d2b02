// Package money is exact arithmetic for credits and dollars: amounts in
// billionths (nano), prices per unit in trillionths (pico), products in 128
// bits. Nothing here, or near it, is a float.
package money

import (
	"errors"
	"fmt"
	"math/big"
	"math/bits"
	"strings"
)

// ErrOverflow is returned where a result does not fit; nothing ever wraps.
var ErrOverflow = errors.New("amount out of range")

// Credits is an amount in nano-credits (1e-9 credit). It also carries costs in
// nano-dollars where a name says so.
type Credits int64

// Rate is a price per unit in pico-credits (1e-12 credit), or pico-dollars
// where a name says cost.
type Rate int64

// Digits after the decimal point of each type.
const (
	creditDigits = 9
	rateDigits   = 12
)

// Credit is one whole credit.
const Credit Credits = 1_000_000_000

// ParseCredits reads a decimal such as "12.5" with at most nine decimals.
func ParseCredits(s string) (Credits, error) {
	n, err := parse(s, creditDigits)
	return Credits(n), err
}

// ParseRate reads a decimal price per unit with at most twelve decimals.
func ParseRate(s string) (Rate, error) {
	n, err := parse(s, rateDigits)
	return Rate(n), err
}

// ParsePerMillion reads a price per million units with at most six decimals,
// which is exact in pico per unit.
func ParsePerMillion(s string) (Rate, error) {
	n, err := parse(s, rateDigits-6)
	return Rate(n), err
}

// String returns the shortest exact decimal.
func (c Credits) String() string { return format(int64(c), creditDigits) }

// String returns the shortest exact decimal, per unit.
func (r Rate) String() string { return format(int64(r), rateDigits) }

// PerMillion returns the price per million units as the shortest exact decimal.
func (r Rate) PerMillion() string { return format(int64(r), rateDigits-6) }

// MarshalText writes the decimal per unit, so that JSON carries rates as strings.
func (r Rate) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (r *Rate) UnmarshalText(b []byte) error {
	v, err := ParseRate(string(b))
	*r = v
	return err
}

// MarshalText writes the decimal, so that JSON carries amounts as strings.
func (c Credits) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (c *Credits) UnmarshalText(b []byte) error {
	v, err := ParseCredits(string(b))
	*c = v
	return err
}

func parse(s string, digits int) (int64, error) {
	if len(s) > 64 {
		return 0, fmt.Errorf("decimal of %d characters is too long", len(s))
	}
	body, neg := strings.CutPrefix(s, "-")
	whole, frac, dot := strings.Cut(body, ".")
	if whole == "" || !allDigits(whole) || (dot && frac == "") || !allDigits(frac) {
		return 0, fmt.Errorf("%q is not a decimal number", s)
	}
	frac = strings.TrimRight(frac, "0")
	if len(frac) > digits {
		return 0, fmt.Errorf("%q has more than %d decimals", s, digits)
	}
	n, ok := new(big.Int).SetString(whole+frac+strings.Repeat("0", digits-len(frac)), 10)
	if !ok {
		return 0, fmt.Errorf("%q is not a decimal number", s)
	}
	if neg {
		n.Neg(n)
	}
	if !n.IsInt64() {
		return 0, fmt.Errorf("%q: %w", s, ErrOverflow)
	}
	return n.Int64(), nil
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

func format(n int64, digits int) string {
	sign := ""
	u := uint64(n)
	if n < 0 {
		sign, u = "-", -u
	}
	s := fmt.Sprintf("%0*d", digits+1, u)
	whole, frac := s[:len(s)-digits], strings.TrimRight(s[len(s)-digits:], "0")
	if frac == "" {
		return sign + whole
	}
	return sign + whole + "." + frac
}

// Sum adds products of units and rates in 128 bits, to be rounded once.
// The zero value is an empty sum.
type Sum struct{ hi, lo uint64 }

// Add adds units × rate. Both must be non-negative.
func (s *Sum) Add(units int64, rate Rate) error {
	if units < 0 || rate < 0 {
		return fmt.Errorf("negative units or rate: %w", ErrOverflow)
	}
	hi, lo := bits.Mul64(uint64(units), uint64(rate))
	var carry uint64
	s.lo, carry = bits.Add64(s.lo, lo, 0)
	s.hi, carry = bits.Add64(s.hi, hi, carry)
	if carry != 0 {
		return ErrOverflow
	}
	return nil
}

const picoPerNano = 1000

// Charge rounds half up to nano-credits: what a user pays.
func (s Sum) Charge() (Credits, error) { return s.round(picoPerNano / 2) }

// Hold rounds up to nano-credits: what is set aside.
func (s Sum) Hold() (Credits, error) { return s.round(picoPerNano - 1) }

func (s Sum) round(add uint64) (Credits, error) {
	lo, carry := bits.Add64(s.lo, add, 0)
	hi, over := bits.Add64(s.hi, 0, carry)
	if over != 0 || hi >= picoPerNano {
		return 0, ErrOverflow
	}
	q, _ := bits.Div64(hi, lo, picoPerNano)
	if q > 1<<63-1 {
		return 0, ErrOverflow
	}
	return Credits(q), nil
}

// String returns the sum before any rounding: credits as the shortest exact
// decimal, of at most twelve decimals.
func (s Sum) String() string {
	n := new(big.Int).SetUint64(s.hi)
	n.Or(n.Lsh(n, 64), new(big.Int).SetUint64(s.lo))
	digits := n.String()
	if short := rateDigits + 1 - len(digits); short > 0 {
		digits = strings.Repeat("0", short) + digits
	}
	whole, frac := digits[:len(digits)-rateDigits], strings.TrimRight(digits[len(digits)-rateDigits:], "0")
	if frac == "" {
		return whole
	}
	return whole + "." + frac
}

// MarshalText writes the decimal, so that JSON carries sums as strings.
func (s Sum) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Less reports whether s is smaller than o.
func (s Sum) Less(o Sum) bool { return s.hi < o.hi || (s.hi == o.hi && s.lo < o.lo) }

// RateFromCost computes cost × (1 + margin ÷ 100) ÷ creditPrice, rounded half
// up to a pico-credit. Margin is a percentage such as "20" or "12.5";
// creditPrice is dollars per credit.
func RateFromCost(cost Rate, marginPercent, creditPrice string) (Rate, error) {
	m, ok := new(big.Rat).SetString(marginPercent)
	if !ok {
		return 0, fmt.Errorf("margin %q is not a number", marginPercent)
	}
	p, ok := new(big.Rat).SetString(creditPrice)
	if !ok || p.Sign() <= 0 {
		return 0, fmt.Errorf("credit price %q is not a positive number", creditPrice)
	}
	m.Add(m.Quo(m, big.NewRat(100, 1)), big.NewRat(1, 1))
	r := new(big.Rat).SetInt64(int64(cost))
	r.Mul(r, m).Quo(r, p)
	if r.Sign() < 0 {
		return 0, fmt.Errorf("margin %q makes a negative rate", marginPercent)
	}
	num := new(big.Int).Lsh(r.Num(), 1)
	num.Add(num, r.Denom())
	num.Div(num, new(big.Int).Lsh(r.Denom(), 1))
	if !num.IsInt64() {
		return 0, ErrOverflow
	}
	return Rate(num.Int64()), nil
}

// Add returns a + b, or ErrOverflow.
func Add(a, b Credits) (Credits, error) {
	c := a + b
	if (c > a) != (b > 0) && b != 0 {
		return 0, ErrOverflow
	}
	return c, nil
}

// Percent is so many percent of an amount that is not negative, rounded half up.
func (c Credits) Percent(percent int64) Credits {
	const whole = 100
	n := int64(c)
	return Credits(n/whole*percent + (n%whole*percent+whole/2)/whole)
}

// Dollars is what an amount of credits is worth at so many dollars per credit, in
// nano-dollars, rounded half up.
func (c Credits) Dollars(creditPrice string) (Credits, error) {
	p, ok := new(big.Rat).SetString(creditPrice)
	if !ok || p.Sign() <= 0 {
		return 0, fmt.Errorf("credit price %q is not a positive number", creditPrice)
	}
	p.Mul(p, new(big.Rat).SetInt64(int64(c)))
	num := new(big.Int).Lsh(p.Num(), 1)
	num.Add(num, p.Denom())
	num.Div(num, new(big.Int).Lsh(p.Denom(), 1))
	if !num.IsInt64() {
		return 0, ErrOverflow
	}
	return Credits(num.Int64()), nil
}
