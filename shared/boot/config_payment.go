package boot

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/money"
)

// Payment says who sells credits and bills usage.
type Payment struct {
	Mode string        // auto, ledger or paymentkit
	URL  string        // of the Payment Kit, without a closing slash; "" to look it up among the app's components
	Live bool          // real money
	Line money.Credits // that a wallet is lent while Payment Kit buys credits or is away
}

// The modes of payment.
const (
	PaymentAuto   = "auto"
	PaymentLedger = "ledger"
	PaymentKit    = "paymentkit"
)

func paymentSettings() []Setting {
	return []Setting{
		{
			Name: "AIGNE_HUB_PAYMENT", Flag: "payment", Default: PaymentAuto,
			Doc:   "with billing on, who sells credits: ledger, the hub itself; paymentkit, the Payment Kit of a Blocklet Server; auto: paymentkit where the app has one at the start",
			parse: choice(func(c *Config) *string { return &c.Payment.Mode }, PaymentAuto, PaymentLedger, PaymentKit),
		},
		{
			Name: "AIGNE_HUB_PAYMENT_KIT_URL", Flag: "payment-kit-url",
			Doc:   "where Payment Kit is called, http or https; unset: it is looked up among the app's components",
			parse: parsePaymentURL,
		},
		{
			Name: "AIGNE_HUB_PAYMENT_LIVE", Flag: "payment-live", Default: "on, off with PAYMENT_LIVEMODE=false or PAYMENT_TEST_MODE=true",
			Doc:   "off: Payment Kit's test mode",
			parse: onOff(func(c *Config) *bool { return &c.Payment.Live }), derive: paymentLive,
		},
		{
			Name: "AIGNE_HUB_PAYMENT_CREDIT_LINE", Flag: "payment-credit-line", Default: "5",
			Doc:   "the most credits that a wallet is lent while Payment Kit buys some for its user, or is away under hold_local; 0: none",
			parse: parsePaymentLine,
		},
	}
}

// paymentLive follows the variables by which Payment Kit's own client chooses.
func paymentLive(e Env) string {
	if e.get("PAYMENT_LIVEMODE") == "false" || e.get("PAYMENT_LIVE_MODE") == "false" || e.get("PAYMENT_TEST_MODE") == "true" {
		return "off"
	}
	return "on"
}

func parsePaymentURL(c *Config, v string) error {
	u, err := url.Parse(v)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return errors.New("must be an http or https URL without user, query and fragment")
	}
	c.Payment.URL = strings.TrimSuffix(v, "/")
	return nil
}

func parsePaymentLine(c *Config, v string) error {
	amount, err := money.ParseCredits(v)
	if err != nil || amount < 0 {
		return fmt.Errorf("must be credits, not negative and with at most nine decimals, not %q", v)
	}
	c.Payment.Line = amount
	return nil
}
