package boot

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/selling"
	"github.com/aigne-hub/aigne-hub/shared/stripe"
)

// Selling says how credits are sold.
type Selling struct {
	PaymentLink   string     // where credits can be had; "" when nowhere
	StripeKey     hub.Secret // "": nothing is sold by card
	StripeWebhook hub.Secret // signs Stripe's webhooks
	StripeURL     string
	Price         string // of one credit in Currency, a decimal; "" for CreditPrice
	Packages      string
	Seller        []string // lines of name and address
	Terms         selling.Terms
}

// sellingSettings: what credits cost by card, and who sells them.
func sellingSettings() []Setting {
	return []Setting{
		{
			Name: "AIGNE_HUB_PAYMENT_LINK", Flag: "payment-link",
			Doc:   "page where credits can be had, shown in 402 answers; with Stripe set up it is the hub's own page",
			parse: parsePaymentLink,
		},
		{
			Name: "AIGNE_HUB_STRIPE_SECRET_KEY", Doc: "Stripe's secret or restricted key, or file:/path of a file that holds it; unset: nothing is sold by card",
			parse: secretOrFile(func(c *Config) *secretField { return &c.Selling.StripeKey }),
		},
		{
			Name: "AIGNE_HUB_STRIPE_WEBHOOK_SECRET", Doc: "signing secret of the webhook /api/billing/stripe/webhook, or file:/path",
			parse: secretOrFile(func(c *Config) *secretField { return &c.Selling.StripeWebhook }),
		},
		{
			Name: "AIGNE_HUB_STRIPE_URL", Flag: "stripe-url", Default: stripe.DefaultBase,
			Doc: "origin of Stripe's API, or of a stand-in", parse: parseStripeURL,
		},
		{
			Name: "AIGNE_HUB_STRIPE_TAX", Flag: "stripe-tax", Default: "off",
			Doc:   "on: Stripe Tax adds tax to the price",
			parse: onOff(func(c *Config) *bool { return &c.Selling.Terms.Tax }),
		},
		{
			Name: "AIGNE_HUB_SALE_CURRENCY", Flag: "sale-currency", Default: "usd",
			Doc: "currency in which credits are sold by card",
			parse: func(c *Config, v string) (err error) {
				c.Selling.Terms.Currency, err = selling.ParseCurrency(v)
				return err
			},
		},
		{
			Name: "AIGNE_HUB_SALE_PRICE", Flag: "sale-price",
			Doc: "price of one credit in that currency; unset: the credit price in US dollars", parse: parseSalePrice,
		},
		{
			Name: "AIGNE_HUB_SALE_MIN", Flag: "sale-min", Default: "5",
			Doc: "fewest credits that can be bought at once", parse: credits(func(c *Config) *money.Credits { return &c.Selling.Terms.Min }),
		},
		{
			Name: "AIGNE_HUB_SALE_MAX", Flag: "sale-max", Default: "1000",
			Doc: "most credits that can be bought at once", parse: credits(func(c *Config) *money.Credits { return &c.Selling.Terms.Max }),
		},
		{
			List: ",",
			Name: "AIGNE_HUB_SALE_PACKAGES", Flag: "sale-packages",
			Doc:   "packages at prices of their own, credits=price, such as 50=47.50,100=90",
			parse: func(c *Config, v string) error { c.Selling.Packages = v; return nil },
		},
		{
			List: ";",
			Name: "AIGNE_HUB_SELLER", Flag: "seller",
			Doc: "name and address of the seller for receipts, lines separated by semicolons", parse: parseSeller,
		},
	}
}

// secretOrFile reads a secret, from a file where one is named. Errors repeat
// nothing of it.
func secretOrFile(field func(*Config) *secretField) parser {
	return func(c *Config, v string) error {
		if path, ok := strings.CutPrefix(v, "file:"); ok {
			const most = 4 << 10
			b, err := os.ReadFile(path)
			if err != nil {
				return fmt.Errorf("names a file that cannot be read: %w", err)
			}
			if v = strings.TrimSpace(string(b)); v == "" || len(v) > most {
				return errors.New("names a file that holds no secret")
			}
		}
		switch {
		case strings.ContainsAny(v, " \t\r\n"):
			return errors.New("must be one word")
		case strings.HasPrefix(v, "pk_"):
			return errors.New("must be the secret key, not the publishable one")
		}
		*field(c) = hub.Secret(v)
		return nil
	}
}

func parsePaymentLink(c *Config, v string) error {
	u, err := url.Parse(v)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil {
		return errors.New("must be an http or https URL without user, such as https://example.com/buy")
	}
	c.Selling.PaymentLink = v
	return nil
}

func parseStripeURL(c *Config, v string) error {
	u, err := url.Parse(v)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return errors.New("must be an origin such as https://api.stripe.com")
	}
	c.Selling.StripeURL = strings.TrimRight(v, "/")
	return nil
}

func parseSalePrice(c *Config, v string) error {
	price, err := money.ParseCredits(v)
	if err != nil || price <= 0 {
		return fmt.Errorf("must be a positive decimal with at most nine decimals, not %q", v)
	}
	c.Selling.Price = v
	return nil
}

func credits(field func(*Config) *money.Credits) parser {
	return func(c *Config, v string) error {
		n, err := money.ParseCredits(v)
		if err != nil || n <= 0 {
			return fmt.Errorf("must be a positive number of credits with at most nine decimals, not %q", v)
		}
		*field(c) = n
		return nil
	}
}

func parseSeller(c *Config, v string) error {
	const most = 20
	c.Selling.Seller = nil
	for line := range strings.SplitSeq(v, ";") {
		if line = strings.TrimSpace(line); line != "" {
			c.Selling.Seller = append(c.Selling.Seller, line)
		}
	}
	if len(c.Selling.Seller) > most {
		return fmt.Errorf("must have at most %d lines", most)
	}
	return nil
}

// completeSelling fills in prices and checks what belongs together: without the
// webhook's secret nobody could tell the hub that something was paid.
func (c *Config) completeSelling(blame func(name, format string, args ...any)) {
	s := &c.Selling
	switch {
	case s.StripeKey == "" && s.StripeWebhook != "":
		blame("AIGNE_HUB_STRIPE_WEBHOOK_SECRET", "is set, but AIGNE_HUB_STRIPE_SECRET_KEY is not")
	case s.StripeKey != "" && c.Payment.Mode == PaymentKit:
		blame("AIGNE_HUB_PAYMENT", "is paymentkit, but AIGNE_HUB_STRIPE_SECRET_KEY is set; only one of them can sell credits")
	case s.StripeKey != "" && s.StripeWebhook == "":
		blame("AIGNE_HUB_STRIPE_WEBHOOK_SECRET", "must be set together with AIGNE_HUB_STRIPE_SECRET_KEY")
	case s.StripeKey != "" && c.PublicURL == "":
		blame("AIGNE_HUB_PUBLIC_URL", "must be set to sell credits by card: buyers come back to it")
	}
	price := s.Price
	if price == "" {
		if s.StripeKey != "" && s.Terms.Currency != "usd" {
			blame("AIGNE_HUB_SALE_PRICE", "must be set where the currency is %s: the credit price is in US dollars", s.Terms.Currency)
		}
		price = c.CreditPrice
	}
	s.Terms.Price, _ = money.ParseCredits(price) // both were checked when they were read
	if s.Terms.Max < s.Terms.Min {
		blame("AIGNE_HUB_SALE_MAX", "must not be below AIGNE_HUB_SALE_MIN")
	}
	// Above this Stripe takes no payment (docs.stripe.com/currencies).
	const most = 99_999_999
	if cost, err := s.Terms.Cost(s.Terms.Max); err != nil || cost > most {
		blame("AIGNE_HUB_SALE_MAX", "is more than can be paid at once: %d of the currency's smallest unit", most)
	}
	if s.Packages != "" {
		var err error
		if s.Terms.Packages, err = selling.ParsePackages(s.Packages, s.Terms.Currency); err != nil {
			blame("AIGNE_HUB_SALE_PACKAGES", "%v", err)
		}
	}
}
