package boot

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/aigne-hub/aigne-hub/shared/blocklet"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/ledger"
	"github.com/aigne-hub/aigne-hub/shared/mirror"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/outbox"
	"github.com/aigne-hub/aigne-hub/shared/paymentkit"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// openPayment connects the books to a Payment Kit where the settings say so. It
// calls nobody: what is missing there is made by the first job.
func (a *App) openPayment() error {
	p := a.Config.Payment
	if !a.Config.Billing || p.Mode == PaymentLedger {
		return nil
	}
	env, inside, err := blocklet.ReadEnvironment(a.env)
	if err != nil {
		return err
	}
	if !inside {
		if p.Mode == PaymentKit {
			return hub.Invalid("AIGNE_HUB_PAYMENT", "AIGNE_HUB_PAYMENT is paymentkit, but this is no component of a Blocklet Server: BLOCKLET_APP_ASK and BLOCKLET_COMPONENT_DID are not set.")
		}
		return nil
	}
	if p.Mode == PaymentAuto && a.Config.Selling.StripeKey != "" {
		a.Log.Info("credits are sold by card; the app's Payment Kit is not used")
		return nil
	}
	if p.Mode == PaymentAuto && p.URL == "" {
		_, err := env.Component(paymentkit.ComponentDID)
		if errors.Is(err, blocklet.ErrNoComponent) {
			a.Log.Info("the app has no Payment Kit; the hub's own books sell credits")
			return nil
		}
		if err != nil {
			return err
		}
	}
	a.connectPayment(env)
	return nil
}

func (a *App) connectPayment(env *blocklet.Environment) {
	p := a.Config.Payment
	kit := &paymentkit.Client{Live: p.Live,
		Base: func() (string, error) {
			if p.URL != "" {
				return p.URL, nil
			}
			c, err := env.Component(paymentkit.ComponentDID)
			if err == nil && !c.Running() {
				err = fmt.Errorf("its status is %d", c.Status)
			}
			return env.Base(c), err
		},
		Sign: func(r *http.Request, body []byte) error { return env.Key.Sign(r, body, env.ComponentDID, a.Now()) }}
	shop := &paymentkit.Shop{Client: kit, HubDID: env.ComponentDID, AppPID: env.AppPID, CreditPrice: a.Config.CreditPrice, Now: a.Now,
		Tells: env.CanNotify(),
		Page: func() (string, error) {
			c, err := env.Component(paymentkit.ComponentDID)
			if errors.Is(err, blocklet.ErrNoComponent) && p.URL != "" {
				return p.URL, nil
			}
			return env.Page(c), err
		}}
	a.Blocklet, a.Kit = env, shop
	a.Mirror = &mirror.Mirror{Store: a.Store, Book: a.Book, Kit: kit, Shop: shop, Welcome: a.Book.WelcomeGift, Line: p.Line,
		HoldLocal: a.Config.WhenPaymentDown == "hold_local", Tell: a.Notify.Tell, Log: a.Log, Now: a.Now}
	if env.CanNotify() {
		a.Mirror.Congratulate = func(ctx context.Context, did string, amount money.Credits) error {
			return env.NotifyUser(ctx, did, "Credits received", "You received **"+amount.String()+"** credits.", a.Now())
		}
	}
	a.Outbox = &outbox.Reporter{Store: a.Store, Kit: kit, Ready: shop.Meter, Tell: a.Notify.Tell, Log: a.Log, Now: a.Now}
	// The gift is given at Payment Kit, and comes back from there like any grant.
	a.Book.WelcomeGift = ledger.WelcomeGift{}
	a.Gate.Funds, a.Desk.Outside = a.Mirror, a.Mirror
	a.Codes.Elsewhere = func(u store.User) bool { return u.DID != "" }
	a.Store.ReportUsage(true)
	a.Log.Info("credits are sold by Payment Kit")
}
