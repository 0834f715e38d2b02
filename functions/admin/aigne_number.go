package admin

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/money"
)

// number is a decimal as AIGNE's clients send it: a string, or a JSON number,
// which JavaScript writes with an exponent where it is small. The zero value is
// "not there".
type number string

// UnmarshalJSON writes numbers without their exponent.
func (n *number) UnmarshalJSON(data []byte) error {
	text := string(data)
	if text == "null" {
		*n = ""
		return nil
	}
	if quoted, err := strconv.Unquote(text); err == nil {
		text = quoted
	}
	plain, err := plainDecimal(text)
	*n = number(plain)
	return err
}

// plainDecimal rewrites 1.5e-7 as 0.00000015. Exponents are bounded, since what
// stands in them costs memory.
func plainDecimal(text string) (string, error) {
	const mostExponent = 30
	mantissa, exponent, found := strings.Cut(strings.ToLower(text), "e")
	if !found {
		return text, nil
	}
	shift, err := strconv.Atoi(exponent)
	if err != nil || shift < -mostExponent || shift > mostExponent || len(mantissa) > 40 {
		return "", fmt.Errorf("%.60q is not a decimal number", text)
	}
	r, ok := new(big.Rat).SetString(mantissa)
	if !ok || strings.Contains(mantissa, "/") {
		return "", fmt.Errorf("%.60q is not a decimal number", text)
	}
	power := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(shift, -shift))), nil))
	if shift < 0 {
		power.Inv(power)
	}
	out := r.Mul(r, power).FloatString(2 * mostExponent)
	return strings.TrimSuffix(strings.TrimRight(out, "0"), "."), nil
}

// rate is the number as a price per unit, rounded half up to a trillionth: what
// binary fractions leave behind it is noise.
func (n number) rate() (money.Rate, error) {
	text := string(n)
	if rate, err := money.ParseRate(text); err == nil {
		return rate, nil
	}
	const digits = 12
	whole, frac, found := strings.Cut(text, ".")
	if !found || len(text) > 80 || len(frac) <= digits || strings.Trim(frac, "0123456789") != "" {
		return money.ParseRate(text)
	}
	rate, err := money.ParseRate(whole + "." + frac[:digits])
	if err == nil && frac[digits] >= '5' {
		rate++
	}
	if err == nil && rate == 0 {
		return 0, fmt.Errorf("%.60q is less than a trillionth, and a price must not become free by rounding", text)
	}
	return rate, err
}
