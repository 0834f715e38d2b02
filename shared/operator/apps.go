package operator

import (
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"strings"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/apps"
	"github.com/aigne-hub/aigne-hub/shared/blocklet"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/rollup"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// The bounds of what is said of an application.
const (
	maxAppID   = 200
	maxAppName = 100
)

// App finds an application.
func (d *Desk) App(ctx context.Context, id string) (store.App, error) {
	a, err := d.Store.AppByID(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return a, hub.Errorf(hub.CodeNotFound, "There is no application %.200s. `aigne-hub app set` makes it known.", id)
	}
	return a, err
}

// ChangedApp says what of an application changes; nil fields stay.
type ChangedApp struct {
	Name      *string `json:"name"`
	Logo      *string `json:"logo"` // http or https URL; "" for none
	URL       *string `json:"url"`
	PublicKey *string `json:"public_key"` // hex of an Ed25519 key; "" for none
}

// SetApp says what an application is called, or makes it known. What is said of
// its name, logo or address by hand is not overwritten by its own page, until all
// three are taken back.
func (d *Desk) SetApp(ctx context.Context, actor, id string, n ChangedApp) (store.App, error) {
	if err := d.CheckApp(id, ChangedApp{}); err != nil {
		return store.App{}, err
	}
	a, err := d.Store.AppByID(ctx, id)
	var before map[string]any
	switch {
	case errors.Is(err, store.ErrNotFound):
		now := d.Now()
		a = store.App{ID: id, Source: store.AppSeen, FetchDueAt: &now}
	case err != nil:
		return a, err
	default:
		before = viewedApp(&a)
	}
	if err := alterApp(&a, &n, d.Now()); err != nil {
		return a, err
	}
	if err := d.Store.SetApp(ctx, a); err != nil {
		return a, err
	}
	if err := d.audit(ctx, actor, "app.set", id, before, viewedApp(&a)); err != nil {
		return a, err
	}
	return d.Store.AppByID(ctx, id)
}

// CheckApp reports what SetApp would refuse; the error's Param names the field.
func (d *Desk) CheckApp(id string, n ChangedApp) error {
	if id == "" || len(id) > maxAppID || strings.TrimSpace(id) != id {
		return hub.Invalid("id", "An application's id has 1 to %d characters.", maxAppID)
	}
	return alterApp(&store.App{ID: id}, &n, d.Now())
}

func viewedApp(a *store.App) map[string]any {
	return map[string]any{"name": a.Name, "logo": a.Logo, "url": a.URL, "public_key": a.PublicKey}
}

func alterApp(a *store.App, n *ChangedApp, now time.Time) error {
	if n.Name != nil {
		if len(*n.Name) > maxAppName || strings.ContainsAny(*n.Name, "\r\n\t") {
			return hub.Invalid("name", "An application's name has at most %d characters, on one line.", maxAppName)
		}
		a.Name = *n.Name
	}
	for _, l := range []struct {
		field string
		from  *string
		into  *string
	}{{"logo", n.Logo, &a.Logo}, {"url", n.URL, &a.URL}} {
		if l.from == nil {
			continue
		}
		if *l.from != "" && apps.Link("", *l.from) == "" {
			return hub.Invalid(l.field, "%s must be an http or https URL without a user.", l.field)
		}
		*l.into = *l.from
	}
	if n.Name != nil || n.Logo != nil || n.URL != nil {
		a.Source, a.FetchDueAt = store.AppOperator, nil
		if a.Name == "" && a.Logo == "" && a.URL == "" {
			a.Source, a.FetchDueAt = store.AppSeen, &now
		}
	}
	if n.PublicKey == nil {
		return nil
	}
	key, err := publicKey(a.ID, *n.PublicKey)
	if err != nil {
		return err
	}
	a.PublicKey = key
	return nil
}

// publicKey checks that an application's id is derived from a key: else anybody
// could register a key for somebody else's application.
func publicKey(id, text string) (string, error) {
	if text == "" {
		return "", nil
	}
	raw, err := hex.DecodeString(strings.TrimPrefix(strings.ToLower(text), "0x"))
	if err != nil || len(raw) != ed25519.PublicKeySize {
		return "", hub.Invalid("public_key", "The public key must be %d hexadecimal digits of an Ed25519 key.", 2*ed25519.PublicKeySize)
	}
	did, ok := blocklet.ParseDID(id)
	if !ok || !did.Of(raw) {
		return "", hub.Invalid("public_key", "The application's id is not derived from this key.")
	}
	return hex.EncodeToString(raw), nil
}

// AppUse sums what was used through applications in a span, by id.
func (d *Desk) AppUse(ctx context.Context, list []store.App, span store.Span) (map[string]UseView, error) {
	out := make(map[string]UseView, len(list))
	if len(list) == 0 {
		return out, nil
	}
	x, all, err := d.Stats.By(ctx, rollup.Question{From: span.From, Until: span.Until}, "app")
	if err != nil {
		return nil, err
	}
	found := make(map[string]*rollup.Part, len(all))
	for _, p := range all {
		found[p.Key] = p
	}
	for i := range list {
		use := &rollup.Total{}
		if p := found[list[i].ID]; p != nil {
			use = &p.Total
		}
		out[list[i].ID] = viewUse(use, x)
	}
	return out, nil
}
