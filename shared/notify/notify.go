// Package notify tells operators what happens: events are recorded, and sent to
// webhooks and by e-mail from the record, so that neither a crash nor a receiver
// that is down loses one. It decides nothing about what is worth telling.
package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/vault"
)

// Kind names a sort of event.
type Kind string

// The kinds.
const (
	CredentialDisabled Kind = "credential.disabled"
	CredentialRestored Kind = "credential.restored"
	TargetDown         Kind = "target.down"
	TargetUp           Kind = "target.up"
	RateBelowCost      Kind = "rate.below_cost"
	RateDrift          Kind = "rate.drift"
	CatalogueNew       Kind = "catalogue.new"
	PaymentDispute     Kind = "payment.dispute"
	PaymentMismatch    Kind = "payment.mismatch"
	PaymentRefund      Kind = "payment.refund_failed"
	TopUpFailed        Kind = "topup.failed"
	LedgerWrong        Kind = "ledger.wrong"
	AuditWrong         Kind = "audit.wrong" // an act was altered, removed or put in later
	WalletLow          Kind = "wallet.low"
	WalletEmpty        Kind = "wallet.empty"
	OutboxLate         Kind = "outbox.late"      // usage does not reach the outside system that bills it
	OutboxDead         Kind = "outbox.dead"      // that system refused reported usage
	PaymentAdjusted    Kind = "payment.adjusted" // a wallet was brought into line with that system
	AlertRaised        Kind = "alert.raised"
	AlertResolved      Kind = "alert.resolved"
	Test               Kind = "test"
)

// Kinds lists all kinds.
func Kinds() []Kind {
	return []Kind{CredentialDisabled, CredentialRestored, TargetDown, TargetUp, RateBelowCost, RateDrift, CatalogueNew, PaymentDispute, PaymentMismatch, PaymentRefund,
		TopUpFailed, LedgerWrong, AuditWrong, OutboxLate, OutboxDead, PaymentAdjusted, WalletLow, WalletEmpty, AlertRaised, AlertResolved, Test}
}

// The severities.
const (
	Info    = "info"
	Warning = "warning"
	Failure = "error"
)

// Event is something to tell. Data must hold no secret.
type Event struct {
	ID       string // "" for a new one; equal ids are told once
	Kind     Kind
	Severity string
	Title    string // one line for people
	Data     map[string]any
	To       []string // e-mail addresses that get it whatever administrators chose
}

// Post records events and delivers them.
type Post struct {
	Store *store.Store
	Log   *slog.Logger
	Now   hub.Now
	// Vault opens the keyring that seals the webhooks' secrets.
	Vault func(ctx context.Context) (*vault.Keyring, error)
	Mail  Mailer // nil: no e-mail
	Hook  Sender
}

// Tell records an event and where it goes: every webhook that wants its kind
// and, where a mail server is set, the administrators' mailboxes for the kinds
// that Mailed lists.
func (p *Post) Tell(ctx context.Context, e Event) error {
	body, err := json.Marshal(e.Data)
	if err != nil {
		return err
	}
	if e.Data == nil {
		body = []byte("{}")
	}
	hooks, err := p.Store.Endpoints(ctx)
	if err != nil {
		return err
	}
	var to []store.Delivery
	for _, h := range hooks {
		if h.Enabled && wants(h.Kinds, e.Kind) {
			to = append(to, store.Delivery{Channel: "webhook", Address: h.ID})
		}
	}
	var mailboxes []string
	if p.Mail != nil {
		mailboxes = slices.Clone(e.To)
	}
	mailed, err := p.mails(ctx, e)
	if err != nil {
		return err
	}
	if mailed {
		people, err := p.Store.Administrators(ctx)
		if err != nil {
			return err
		}
		mailboxes = append(mailboxes, people...)
	}
	slices.Sort(mailboxes)
	for _, address := range slices.Compact(mailboxes) { // a delivery is one for each place
		to = append(to, store.Delivery{Channel: "email", Address: address})
	}
	p.Log.Info("notification", "kind", string(e.Kind), "severity", e.Severity, "title", e.Title)
	return p.Store.Notify(ctx, store.Notification{ID: e.ID, Kind: string(e.Kind), Severity: e.Severity, Title: e.Title, Body: string(body)}, to)
}

func wants(kinds string, k Kind) bool {
	var list []string
	if json.Unmarshal([]byte(kinds), &list) != nil || len(list) == 0 {
		return true
	}
	return slices.Contains(list, string(k))
}

// mailKinds is the stored setting with the kinds that go out by e-mail.
const mailKinds = "notify.mail_kinds"

// Mailed lists the kinds that go out by e-mail. chosen is false when nobody said
// so far: then it is every event that is more than information.
func (p *Post) Mailed(ctx context.Context) (kinds []Kind, chosen bool, err error) {
	text, err := p.Store.Setting(ctx, mailKinds)
	if errors.Is(err, store.ErrNotFound) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	err = json.Unmarshal([]byte(text), &kinds)
	return kinds, kinds != nil, err
}

// SetMailed chooses the kinds that go out by e-mail. An empty list is a choice
// too; nil goes back to what holds without one.
func (p *Post) SetMailed(ctx context.Context, kinds []Kind) error {
	text, err := json.Marshal(kinds)
	if err != nil {
		return err
	}
	return p.Store.SetSetting(ctx, mailKinds, string(text))
}

func (p *Post) mails(ctx context.Context, e Event) (bool, error) {
	if p.Mail == nil {
		return false, nil
	}
	kinds, chosen, err := p.Mailed(ctx)
	if !chosen {
		return e.Severity != Info, err
	}
	return slices.Contains(kinds, e.Kind), err
}

// waits are the pauses before further attempts; after the last one a delivery is
// given up. Together they are about two days.
var waits = []time.Duration{5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, time.Hour, 5 * time.Hour, 12 * time.Hour, 24 * time.Hour}

// errHopeless marks a delivery that no further attempt will help.
var errHopeless = errors.New("given up")

// Deliver sends what is due. Addresses are served side by side, each in order;
// one that fails is left alone until the next time.
func (p *Post) Deliver(ctx context.Context) error {
	const (
		each   = 20
		limit  = 400
		atOnce = 8
	)
	due, err := p.Store.DueDeliveries(ctx, each, limit)
	if err != nil || len(due) == 0 {
		return err
	}
	hooks, err := p.Store.Endpoints(ctx)
	if err != nil {
		return err
	}
	var order []string
	queues := map[string][]store.Delivery{}
	for _, d := range due {
		key := d.Channel + " " + d.Address
		if queues[key] == nil {
			order = append(order, key)
		}
		queues[key] = append(queues[key], d)
	}
	var all sync.WaitGroup
	slots := make(chan struct{}, atOnce)
	faults := make([]error, len(order))
	for i, key := range order {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			faults[i] = p.serve(ctx, queues[key], hooks)
		})
	}
	all.Wait()
	return errors.Join(faults...)
}

// serve sends what is due at one address, up to the first failure.
func (p *Post) serve(ctx context.Context, queue []store.Delivery, hooks []store.Endpoint) error {
	for _, d := range queue {
		arrived, err := p.deliver(ctx, d, hooks)
		if err != nil || !arrived {
			return err
		}
	}
	return nil
}

func (p *Post) deliver(ctx context.Context, d store.Delivery, hooks []store.Endpoint) (arrived bool, err error) {
	err = p.send(ctx, d, hooks)
	if err == nil {
		return true, p.Store.Delivered(ctx, d)
	}
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	var wait time.Duration
	if d.Attempts < len(waits) && !errors.Is(err, errHopeless) {
		wait = waits[d.Attempts]
	}
	p.Log.Warn("notification not delivered", "kind", d.Kind, "channel", d.Channel, "attempts", d.Attempts+1, "error", err)
	return false, p.Store.Undelivered(ctx, d, clip(err.Error()), wait)
}

func clip(s string) string {
	const most = 300
	return strings.ToValidUTF8(s[:min(len(s), most)], "")
}

func (p *Post) send(ctx context.Context, d store.Delivery, hooks []store.Endpoint) error {
	if d.Channel == "email" {
		if p.Mail == nil {
			return errors.New("no mail server is set")
		}
		return p.Mail.Send(ctx, message(d))
	}
	i := slices.IndexFunc(hooks, func(h store.Endpoint) bool { return h.ID == d.Address })
	if i < 0 {
		return fmt.Errorf("the webhook was removed: %w", errHopeless)
	}
	return p.post(ctx, d, hooks[i])
}

func (p *Post) post(ctx context.Context, d store.Delivery, h store.Endpoint) error {
	keyring, err := p.Vault(ctx)
	if err != nil {
		return err
	}
	secret, err := keyring.Open(EndpointAAD(h.ID), h.Sealed)
	if err != nil {
		return err
	}
	return p.Hook.Send(ctx, h.URL, secret, d, p.Now())
}

// TryHook sends a test event to one webhook at once and says what became of it.
// Nothing of it is recorded.
func (p *Post) TryHook(ctx context.Context, h store.Endpoint) error {
	return p.post(ctx, p.trial(), h)
}

// TryMail sends a test event to one mailbox at once. Nothing of it is recorded.
func (p *Post) TryMail(ctx context.Context, to string) error {
	if p.Mail == nil {
		return errors.New("no mail server is set")
	}
	d := p.trial()
	d.Address = to
	return p.Mail.Send(ctx, message(d))
}

func (p *Post) trial() store.Delivery {
	return store.Delivery{Notification: store.Notification{ID: p.Store.NewID(), Kind: string(Test), Severity: Info,
		Title: "This is a test.", Body: "{}", CreatedAt: p.Now().UTC()}}
}

func message(d store.Delivery) Message {
	return Message{ID: d.ID, To: d.Address, Subject: "[AIGNE Hub] " + d.Title, Text: text(d), Date: d.CreatedAt}
}

// EndpointAAD binds a webhook's sealed secret to its row.
func EndpointAAD(id string) string { return "webhook_endpoints/" + id + "/secret" }

// text is an event for people to read.
func text(d store.Delivery) string {
	var data map[string]any
	_ = json.Unmarshal([]byte(d.Body), &data) // it was encoded by Tell
	names := make([]string, 0, len(data))
	for name := range data {
		names = append(names, name)
	}
	slices.Sort(names)
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n", d.Title)
	for _, name := range names {
		fmt.Fprintf(&b, "%s: %v\n", name, data[name])
	}
	fmt.Fprintf(&b, "\n%s, %s\n", d.Kind, d.CreatedAt.Format(time.RFC3339))
	return b.String()
}
