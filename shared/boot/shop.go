package boot

import (
	"github.com/aigne-hub/aigne-hub/shared/selling"
	"github.com/aigne-hub/aigne-hub/shared/stripe"
)

// openShop makes what sells credits. Without a key of the payment provider it
// sells none by card.
func (a *App) openShop() {
	c := a.Config.Selling
	a.Shop = &selling.Shop{Store: a.Store, Secret: c.StripeWebhook, Terms: c.Terms, PublicURL: a.Config.PublicURL, Seller: c.Seller, Now: a.Now, Log: a.Log,
		Tell: a.Notify.Tell, Low: make(chan string, 256)}
	a.Gate.Settings.PaymentLink = c.PaymentLink
	if c.StripeKey != "" {
		a.Shop.Stripe = stripe.New(c.StripeKey, c.StripeURL)
		a.Gate.Settings.PaymentLink = a.Shop.BuyURL()
	}
}
