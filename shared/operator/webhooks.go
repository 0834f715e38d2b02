package operator

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/notify"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// AddWebhook stores a webhook for some kinds of events, none of them meaning
// all, and returns the secret that signs what is sent there: nobody is shown it
// again.
func (d *Desk) AddWebhook(ctx context.Context, actor, address string, kinds []string) (store.Endpoint, hub.Secret, error) {
	e := store.Endpoint{ID: d.Store.NewID(), URL: strings.TrimSpace(address), Enabled: true, CreatedAt: d.Now().UTC()}
	u, err := url.Parse(e.URL)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil || u.Fragment != "" {
		return e, "", hub.Invalid("url", "A webhook needs an http or https URL without user and fragment, such as https://ops.example.com/hub.")
	}
	if _, err := checkKinds(kinds); err != nil {
		return e, "", err
	}
	list, err := json.Marshal(append([]string{}, kinds...))
	if err != nil {
		return e, "", err
	}
	e.Kinds = string(list)
	secret, err := notify.NewSecret()
	if err != nil {
		return e, "", err
	}
	keyring, err := d.Vault(ctx)
	if err != nil {
		return e, "", err
	}
	if e.Sealed, e.KeyID, err = keyring.Seal(notify.EndpointAAD(e.ID), secret); err != nil {
		return e, "", err
	}
	err = d.Store.AddEndpoint(ctx, e)
	if errors.Is(err, store.ErrConflict) {
		return e, "", hub.Errorf(hub.CodeConflict, "There is a webhook with this URL already.")
	}
	if err != nil {
		return e, "", err
	}
	// The path of a URL may be what a receiver knows its senders by.
	return e, secret, d.audit(ctx, actor, "webhook.add", e.ID, nil, map[string]any{"host": u.Host, "kinds": kinds})
}

// Webhook finds a webhook by its id.
func (d *Desk) Webhook(ctx context.Context, id string) (store.Endpoint, error) {
	all, err := d.Store.Endpoints(ctx)
	if err != nil {
		return store.Endpoint{}, err
	}
	for _, e := range all {
		if e.ID == id {
			return e, nil
		}
	}
	return store.Endpoint{}, hub.Errorf(hub.CodeNotFound, "There is no webhook %s.", id)
}

// RemoveWebhook deletes a webhook.
func (d *Desk) RemoveWebhook(ctx context.Context, actor, id string) error {
	err := d.Store.RemoveEndpoint(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return hub.Errorf(hub.CodeNotFound, "There is no webhook %s.", id)
	}
	if err != nil {
		return err
	}
	return d.audit(ctx, actor, "webhook.remove", id, nil, nil)
}

// TestWebhook sends a test event to a webhook at once. The error says what the
// receiver did.
func (d *Desk) TestWebhook(ctx context.Context, id string) error {
	e, err := d.Webhook(ctx, id)
	if err != nil {
		return err
	}
	if err := d.Notify.TryHook(ctx, e); err != nil {
		return hub.Wrap(hub.CodeUnavailable, err, "The test event did not arrive: %v.", err)
	}
	return nil
}

// Redeliver has a notification sent again to where it was given up.
func (d *Desk) Redeliver(ctx context.Context, actor, id string) error {
	err := d.Store.Redeliver(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return hub.Errorf(hub.CodeNotFound, "No delivery of this notification was given up, or its webhook is gone.")
	}
	if err != nil {
		return err
	}
	return d.audit(ctx, actor, "notifications.resend", id, nil, nil)
}

// SetMailKinds chooses the kinds of events that administrators get by e-mail.
// nil goes back to the default: all that are more than information.
func (d *Desk) SetMailKinds(ctx context.Context, actor string, kinds []string) error {
	list, err := checkKinds(kinds)
	if err != nil {
		return err
	}
	if err := d.Notify.SetMailed(ctx, list); err != nil {
		return err
	}
	return d.audit(ctx, actor, "notifications.mail", "", nil, map[string]any{"kinds": kinds})
}

// SetLowBalance chooses the balance below which users are told who did not choose
// another. 0 tells nobody.
func (d *Desk) SetLowBalance(ctx context.Context, actor string, n money.Credits) error {
	if n < 0 {
		return hub.Invalid("low_balance", "The balance must not be negative.")
	}
	before, err := d.Store.LowBalance(ctx)
	if err != nil {
		return err
	}
	if err := d.Store.SetLowBalance(ctx, n); err != nil {
		return err
	}
	return d.audit(ctx, actor, "notifications.low_balance", "", map[string]any{"credits": before.String()}, map[string]any{"credits": n.String()})
}

// checkKinds reads names of kinds; nil stays nil.
func checkKinds(names []string) ([]notify.Kind, error) {
	if names == nil {
		return nil, nil
	}
	all, kinds := notify.Kinds(), make([]notify.Kind, 0, len(names))
	for _, name := range names {
		if !slices.Contains(all, notify.Kind(name)) {
			words := make([]string, len(all))
			for i, k := range all {
				words[i] = string(k)
			}
			return nil, hub.Invalid("kinds", "%q is no kind of event; there are %s.", name, strings.Join(words, ", "))
		}
		kinds = append(kinds, notify.Kind(name))
	}
	return kinds, nil
}
