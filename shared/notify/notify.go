// Package notify tells operators what happens: events are recorded, and sent to
// webhooks and by e-mail from the record, so that neither a crash nor a receiver
// that is down loses one. It decides nothing about what is worth telling.
package notify

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
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
	Test               Kind = "test"
)

// Kinds lists all kinds.
func Kinds() []Kind {
	return []Kind{CredentialDisabled, CredentialRestored, TargetDown, TargetUp, Test}
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
// and, unless it is mere information, the administrators' mailboxes.
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
	if p.Mail != nil && e.Severity != Info {
		people, err := p.Store.Administrators(ctx)
		if err != nil {
			return err
		}
		for _, address := range people {
			to = append(to, store.Delivery{Channel: "email", Address: address})
		}
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

// waits are the pauses before further attempts; after the last one a delivery is
// given up. Together they are about two days.
var waits = []time.Duration{5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, time.Hour, 5 * time.Hour, 12 * time.Hour, 24 * time.Hour}

// Deliver sends what is due. One receiver's failure keeps nobody else waiting.
func (p *Post) Deliver(ctx context.Context) error {
	const batch = 100
	due, err := p.Store.DueDeliveries(ctx, batch)
	if err != nil || len(due) == 0 {
		return err
	}
	hooks, err := p.Store.Endpoints(ctx)
	if err != nil {
		return err
	}
	for _, d := range due {
		if err := p.deliver(ctx, d, hooks); err != nil {
			return err
		}
	}
	return nil
}

func (p *Post) deliver(ctx context.Context, d store.Delivery, hooks []store.Endpoint) error {
	err := p.send(ctx, d, hooks)
	if err == nil {
		return p.Store.Delivered(ctx, d)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var wait time.Duration
	if d.Attempts < len(waits) {
		wait = waits[d.Attempts]
	}
	p.Log.Warn("notification not delivered", "kind", d.Kind, "channel", d.Channel, "attempts", d.Attempts+1, "error", err)
	return p.Store.Undelivered(ctx, d, clip(err.Error()), wait)
}

func clip(s string) string {
	const most = 300
	return strings.ToValidUTF8(s[:min(len(s), most)], "")
}

func (p *Post) send(ctx context.Context, d store.Delivery, hooks []store.Endpoint) error {
	if d.Channel == "email" {
		if p.Mail == nil {
			return fmt.Errorf("no mail server is set")
		}
		return p.Mail.Send(ctx, Message{To: d.Address, Subject: "[AIGNE Hub] " + d.Title, Text: text(d)})
	}
	i := slices.IndexFunc(hooks, func(h store.Endpoint) bool { return h.ID == d.Address })
	if i < 0 {
		return fmt.Errorf("the webhook was removed")
	}
	keyring, err := p.Vault(ctx)
	if err != nil {
		return err
	}
	secret, err := keyring.Open(EndpointAAD(hooks[i].ID), hooks[i].Sealed)
	if err != nil {
		return err
	}
	return p.Hook.Send(ctx, hooks[i].URL, secret, d, p.Now())
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
