package paymentkit

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// The names under which AIGNE Hub keeps its things at Payment Kit: with the same
// ones an app that changes to this hub keeps its customers' credits.
const (
	MeterName = "agent-hub-ai-meter"
	meterUnit = "AIGNE Hub Credits"
	priceKey  = "DEFAULT_CREDIT_UNIT_PRICE"
	linkKey   = "DEFAULT_CREDIT_PAYMENT_LINK"
)

// The events of which Payment Kit tells the hub rather than the customer.
const (
	EventGranted   = "customer.credit_grant.granted"
	EventCompleted = "checkout.session.completed"
)

const (
	purchasePriority = 50
	mostPerPurchase  = 100_000_000
)

// Shop is what the hub sells at a Payment Kit: its meter, the price of a credit and
// the link under which credits are bought. What is missing is made; what is there
// stays as the operator left it.
type Shop struct {
	Client      *Client
	HubDID      string // of the hub's component
	AppPID      string
	Tells       bool                   // the hub itself tells customers of their grants
	CreditPrice string                 // dollars per credit, a decimal
	Page        func() (string, error) // where browsers find Payment Kit, without a closing slash
	Now         hub.Now

	mu    sync.Mutex
	meter known[Meter]
	link  known[string]
}

// How long what was read is used, and how long a failure to read it speaks for
// others: while Payment Kit is away nobody waits for it in turn.
const (
	fresh = time.Hour
	wary  = 5 * time.Second
)

// known is something that was read, or could not be.
type known[T any] struct {
	value  T
	read   time.Time // zero: never
	failed time.Time
	err    error
}

// remember returns what was read within the hour, else reads it. Where that fails,
// what was read before serves. Two who read at the same time do so twice; the lock
// is not held meanwhile. With anyway it is read also where that has just failed.
func remember[T any](s *Shop, k *known[T], anyway bool, read func() (T, error)) (T, error) {
	s.mu.Lock()
	before, now := *k, s.Now()
	s.mu.Unlock()
	switch {
	case !before.read.IsZero() && now.Sub(before.read) < fresh:
		return before.value, nil
	case !anyway && before.err != nil && now.Sub(before.failed) < wary:
		if !before.read.IsZero() {
			return before.value, nil
		}
		return before.value, fmt.Errorf("asked a moment ago: %w", before.err)
	}
	v, err := read()
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil {
		*k = known[T]{value: v, read: s.Now()}
		return v, nil
	}
	if !errors.Is(err, context.Canceled) { // that says something of the caller only
		k.failed, k.err = s.Now(), err
	}
	if !k.read.IsZero() {
		return k.value, nil
	}
	return v, err
}

// Meter returns the hub's meter, made if it is not there.
func (s *Shop) Meter(ctx context.Context) (Meter, error) {
	return remember(s, &s.meter, false, func() (Meter, error) { return s.readMeter(ctx) })
}

func (s *Shop) readMeter(ctx context.Context) (Meter, error) {
	m, err := ensure(ctx,
		func() (Meter, error) { return s.Client.Meter(ctx, MeterName) },
		func() error {
			_, err := s.Client.CreateMeter(ctx, NewMeter{Name: "AIGNE Hub AI Meter", Description: "What calls through AIGNE Hub cost", EventName: MeterName,
				Unit: meterUnit, Aggregation: "sum", Decimal: nanoDigits})
			return err
		})
	if err != nil {
		return Meter{}, fmt.Errorf("meter: %w", err)
	}
	if !m.Currency.Exact() {
		return Meter{}, fmt.Errorf("the currency of the meter %s has %d decimals; the hub's books have %d, which it must be able to carry",
			MeterName, m.Currency.Decimal, nanoDigits)
	}
	return m, nil
}

// ensure finds something, makes it where it is missing and finds it again: what was
// made meanwhile by somebody else serves as well.
func ensure[T any](ctx context.Context, find func() (T, error), create func() error) (T, error) {
	v, err := find()
	if err == nil || !NotFound(err) || ctx.Err() != nil {
		return v, err
	}
	made := create()
	if v, err = find(); err != nil {
		return v, errors.Join(made, err)
	}
	return v, nil
}

// Ensure makes everything that is missing. It can be repeated; of several processes
// one does it at a time, since prices have nothing that keeps a second one away.
// That somebody has just looked in vain for what is to be made does not stop it.
func (s *Shop) Ensure(ctx context.Context) error {
	m, err := remember(s, &s.meter, true, func() (Meter, error) { return s.readMeter(ctx) })
	if err != nil {
		return err
	}
	link, err := remember(s, &s.link, true, func() (string, error) { return s.ensureLink(ctx, m) })
	if err != nil {
		return err
	}
	return errors.Join(s.ensureRecharge(ctx, m, link), s.ensureNotices(ctx))
}

func (s *Shop) ensureLink(ctx context.Context, m Meter) (string, error) {
	price, err := ensure(ctx,
		func() (Price, error) { return s.Client.Price(ctx, priceKey) },
		func() error { return s.createPrice(ctx, m) })
	if err != nil {
		return "", fmt.Errorf("price: %w", err)
	}
	link, err := ensure(ctx,
		func() (PaymentLink, error) { return s.Client.PaymentLink(ctx, linkKey) },
		func() error {
			_, err := s.Client.CreatePaymentLink(ctx, PaymentLink{Name: meterUnit, LookupKey: linkKey, Items: []LinkItem{{PriceID: price.ID, Quantity: 1,
				Adjustable: Adjustable{Enabled: true, Minimum: 1, Maximum: mostPerPurchase}}}})
			return err
		})
	if err != nil {
		return "", fmt.Errorf("payment link: %w", err)
	}
	return link.ID, nil
}

// createPrice sells one credit for its price, in every currency that is money.
func (s *Shop) createPrice(ctx context.Context, m Meter) error {
	all, err := s.Client.Currencies(ctx)
	if err != nil {
		return err
	}
	var in []CurrencyAmount
	for _, c := range all {
		if c.Type != "credit" {
			in = append(in, CurrencyAmount{CurrencyID: c.ID, UnitAmount: s.CreditPrice})
		}
	}
	if len(in) == 0 {
		return errors.New("there is no currency to sell credits in; add a payment method to Payment Kit")
	}
	return s.Client.CreateProduct(ctx, Product{Name: meterUnit, Description: "Credits for calls through AIGNE Hub", Type: "credit", Prices: []NewPrice{{
		Type: "one_time", UnitAmount: s.CreditPrice, CurrencyID: in[0].CurrencyID, Currencies: in, LookupKey: priceKey, Nickname: "One credit",
		Metadata: PriceMetadata{MeterID: m.ID, Credit: CreditConfig{Priority: purchasePriority, ValidUnit: "days", CurrencyID: m.CurrencyID, Amount: "1"}}}}})
}

func (s *Shop) ensureRecharge(ctx context.Context, m Meter, link string) error {
	r, err := s.Client.RechargeConfig(ctx, m.CurrencyID)
	if err != nil && !NotFound(err) {
		return fmt.Errorf("recharge: %w", err)
	}
	if r != nil {
		return nil
	}
	price, err := s.Client.Price(ctx, priceKey)
	if err != nil {
		return fmt.Errorf("recharge: %w", err)
	}
	page, err := s.Page()
	if err != nil {
		return err
	}
	return s.Client.SetRechargeConfig(ctx, m.CurrencyID, Recharge{PriceID: price.ID, LinkID: link, CheckoutURL: page + "/checkout/pay/" + link})
}

// ensureNotices has Payment Kit leave the telling of grants to the hub, where the
// hub can.
func (s *Shop) ensureNotices(ctx context.Context) error {
	if !s.Tells {
		return nil
	}
	_, err := ensure(ctx,
		func() (NotificationSetting, error) { return s.Client.NotificationSetting(ctx, s.HubDID) },
		func() error {
			_, err := s.Client.CreateNotificationSetting(ctx, NotificationSetting{Type: "notification", MountLocation: s.HubDID, Description: "AIGNE Hub",
				Settings: Notification{SelfHandle: true, Events: []string{EventGranted, EventCompleted}}})
			return err
		})
	if err != nil {
		return fmt.Errorf("notifications: %w", err)
	}
	return nil
}

// Link is where a user buys credits, signed in as that user; with an empty did,
// where anybody does.
func (s *Shop) Link(ctx context.Context, did string) (string, error) {
	link, err := remember(s, &s.link, false, func() (string, error) {
		l, err := s.Client.PaymentLink(ctx, linkKey)
		return l.ID, err
	})
	if err != nil {
		return "", err
	}
	page, err := s.Page()
	if err != nil {
		return "", err
	}
	address := page + "/checkout/pay/" + url.PathEscape(link)
	if did == "" {
		return address, nil
	}
	connect, err := json.Marshal(map[string]any{"forceConnected": did, "sourceAppPid": s.AppPID, "switchBehavior": "auto", "showClose": false})
	if err != nil {
		return "", err
	}
	return address + "?__did-connect__=" + url.QueryEscape(base64.StdEncoding.EncodeToString(connect)), nil
}
