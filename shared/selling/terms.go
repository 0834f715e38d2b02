package selling

import (
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
)

// Terms say what credits cost by card. Prices are exact; what a number of credits
// costs is rounded up to the currency's smallest unit.
type Terms struct {
	Currency string        // ISO 4217, lower case
	Price    money.Credits // of one credit, in nano of the currency's main unit; positive
	Min, Max money.Credits // the credits that can be bought at once
	Packages []Package     // at prices of their own
	Tax      bool          // the payment provider adds tax
}

// Package is a number of credits at a price of its own.
type Package struct {
	ID      string // the credits as text, such as 50
	Credits money.Credits
	Amount  int64 // in the currency's smallest unit
}

// Digits are the decimals that a currency's smallest unit stands for at Stripe
// (docs.stripe.com/currencies); most have two.
func Digits(currency string) int {
	switch {
	case slices.Contains([]string{"bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf"}, currency):
		return 0
	case slices.Contains([]string{"bhd", "jod", "kwd", "omr", "tnd"}, currency):
		return 3
	}
	return 2
}

// Money writes an amount of a currency's smallest unit for people: 12.30 USD.
func Money(amount int64, currency string) string {
	return Decimal(amount, currency) + " " + strings.ToUpper(currency)
}

// Decimal writes an amount of a currency's smallest unit as a decimal.
func Decimal(amount int64, currency string) string {
	digits, sign := Digits(currency), ""
	if amount < 0 {
		sign, amount = "-", -amount
	}
	s := fmt.Sprintf("%0*d", digits+1, amount)
	if digits == 0 {
		return sign + s
	}
	return sign + s[:len(s)-digits] + "." + s[len(s)-digits:]
}

// nanoDigits are the decimals of money.Credits.
const nanoDigits = 9

// units is nano of a currency's main unit × a factor of 10^-9 in its smallest
// unit, rounded up.
func units(nano, factor money.Credits, currency string) (int64, error) {
	n := new(big.Int).Mul(big.NewInt(int64(nano)), big.NewInt(int64(factor)))
	step := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(2*nanoDigits-Digits(currency))), nil)
	n.Add(n, new(big.Int).Sub(step, big.NewInt(1))).Quo(n, step)
	if Digits(currency) == 3 { // Stripe takes the last digit only as 0
		n.Add(n, big.NewInt(9)).Quo(n, big.NewInt(10)).Mul(n, big.NewInt(10))
	}
	if !n.IsInt64() {
		return 0, money.ErrOverflow
	}
	return n.Int64(), nil
}

// Cost is what credits cost in the currency's smallest unit, rounded up.
func (t Terms) Cost(credits money.Credits) (int64, error) { return units(t.Price, credits, t.Currency) }

// Order is what somebody wants to buy: credits, or a package.
type Order struct {
	Credits money.Credits
	Package string
	Console bool // the browser goes back to the console then, not to the page of BuyURL
}

// price says what an order is and costs.
func (t Terms) price(o Order) (money.Credits, int64, error) {
	if o.Package != "" {
		i := slices.IndexFunc(t.Packages, func(p Package) bool { return p.ID == o.Package })
		switch {
		case o.Credits != 0:
			return 0, 0, hub.Invalid("package", "Send credits or package, not both.")
		case i < 0:
			return 0, 0, hub.Invalid("package", "There is no package %.40q.", o.Package)
		}
		return t.Packages[i].Credits, t.Packages[i].Amount, nil
	}
	if o.Credits < t.Min || o.Credits > t.Max {
		return 0, 0, hub.Invalid("credits", "Buy %s to %s credits at once.", t.Min, t.Max)
	}
	amount, err := t.Cost(o.Credits)
	if err != nil || amount < 1 {
		return 0, 0, hub.Invalid("credits", "That many credits cannot be sold.")
	}
	return o.Credits, amount, nil
}

var currencyRule = regexp.MustCompile(`^[a-z]{3}$`)

// ParseCurrency reads a currency's code.
func ParseCurrency(s string) (string, error) {
	s = strings.ToLower(s)
	if !currencyRule.MatchString(s) {
		return "", fmt.Errorf("must be a currency's code such as usd, not %q", s)
	}
	return s, nil
}

// ParsePackages reads packages: credits=price, separated by commas, such as
// "10=10,50=47.50", with prices in the currency's main unit.
func ParsePackages(text, currency string) ([]Package, error) {
	var out []Package
	for item := range strings.SplitSeq(text, ",") {
		left, right, ok := strings.Cut(strings.TrimSpace(item), "=")
		credits, err := money.ParseCredits(left)
		if !ok || err != nil || credits <= 0 {
			return nil, fmt.Errorf("must list packages such as 10=10,50=47.50 (credits=price), and %q is none", item)
		}
		price, err := money.ParseCredits(right)
		if err != nil || price <= 0 {
			return nil, fmt.Errorf("must list packages such as 10=10,50=47.50 (credits=price), and %q is none", item)
		}
		amount, err := units(price, money.Credit, currency)
		if err != nil {
			return nil, err
		}
		p := Package{ID: credits.String(), Credits: credits, Amount: amount}
		if slices.ContainsFunc(out, func(o Package) bool { return o.ID == p.ID }) {
			return nil, fmt.Errorf("must name each number of credits once, and %s is there twice", p.ID)
		}
		out = append(out, p)
	}
	return out, nil
}
