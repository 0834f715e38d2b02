package movein

import (
	"math/big"
	"regexp"
	"strings"
)

// number is what decimals of other systems look like. Their length and exponent
// are bounded, because a Rat writes every digit out.
var number = regexp.MustCompile(`^[+-]?(\d{1,40}(\.\d{0,60})?|\.\d{1,60})([eE][+-]?\d{1,2})?$`)

// decimal reads a decimal exactly; false: it is none.
func decimal(text string) (*big.Rat, bool) {
	text = strings.TrimSpace(text)
	if !number.MatchString(text) {
		return nil, false
	}
	return new(big.Rat).SetString(text)
}

// plain writes a decimal with at most so many digits after the point, rounded half
// up, without zeros at the end; exact: nothing was rounded away.
func plain(r *big.Rat, digits int) (text string, exact bool) {
	text = r.FloatString(digits)
	back, _ := new(big.Rat).SetString(text)
	if strings.Contains(text, ".") {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	if text == "-0" {
		text = "0"
	}
	return text, back.Cmp(r) == 0
}

// rounded is a decimal with so many digits after the point: what a column of that
// scale was given before SQLite made a binary number of it.
func rounded(r *big.Rat, digits int) *big.Rat {
	out, _ := new(big.Rat).SetString(r.FloatString(digits))
	return out
}

const (
	million     = 1_000_000
	priceDigits = 6 // of prices per million units, which is exact in pico per unit
	moneyDigits = 9
)

// perMillion is a price per unit as the hub writes it.
func perMillion(perUnit *big.Rat) (text string, exact bool) {
	return plain(new(big.Rat).Mul(perUnit, big.NewRat(million, 1)), priceDigits)
}
