package paymentkit

import (
	"fmt"
	"math/big"
	"strconv"

	"github.com/aigne-hub/aigne-hub/shared/money"
)

// nanoDigits are the decimals that the hub's books keep of a credit.
const nanoDigits = 9

// maxDecimals bounds what a currency may claim.
const maxDecimals = 36

// Currency is a payment currency; a meter's is of type "credit".
type Currency struct {
	ID       string         `json:"id"`
	Name     string         `json:"name"`
	Symbol   string         `json:"symbol"`
	Decimal  int            `json:"decimal"`
	Type     string         `json:"type"`
	Recharge *Recharge      `json:"recharge_config,omitempty"`
	Metadata map[string]any `json:"metadata,omitempty"`
}

// Exact reports whether every amount of the hub's books can be written in the
// currency: then it has nine decimals at least.
func (c Currency) Exact() bool { return c.Decimal >= nanoDigits }

// Credits converts a whole number of the currency's smallest unit. What lies below
// a billionth of a credit is rounded down.
func (c Currency) Credits(units string) (money.Credits, error) {
	if c.Decimal < 0 || c.Decimal > maxDecimals {
		return 0, fmt.Errorf("a currency of %d decimals", c.Decimal)
	}
	if len(units) > 64 {
		return 0, fmt.Errorf("an amount of %d digits", len(units))
	}
	if units == "" {
		return 0, nil
	}
	n, ok := new(big.Int).SetString(units, 10)
	if !ok {
		return 0, fmt.Errorf("%q is no whole number of units", units)
	}
	if c.Decimal <= nanoDigits {
		n.Mul(n, pow10(nanoDigits-c.Decimal))
	} else {
		n.Div(n, pow10(c.Decimal-nanoDigits)) // Euclidean: down, below zero too
	}
	if !n.IsInt64() {
		return 0, fmt.Errorf("%s units: %w", units, money.ErrOverflow)
	}
	return money.Credits(n.Int64()), nil
}

// Units converts credits to a whole number of the currency's smallest unit, rounded
// up where the currency has fewer decimals than the hub's books.
func (c Currency) Units(amount money.Credits) (string, error) {
	if c.Decimal < 0 || c.Decimal > maxDecimals {
		return "", fmt.Errorf("a currency of %d decimals", c.Decimal)
	}
	if c.Decimal >= nanoDigits {
		n := big.NewInt(int64(amount))
		return n.Mul(n, pow10(c.Decimal-nanoDigits)).String(), nil
	}
	step := pow10(nanoDigits - c.Decimal).Int64()
	n := int64(amount) / step
	if int64(amount)%step > 0 {
		n++
	}
	return strconv.FormatInt(n, 10), nil
}

func pow10(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }
