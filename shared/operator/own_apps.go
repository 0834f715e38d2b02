package operator

import (
	"context"
	"errors"
	"slices"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/rollup"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// The bounds of the applications of one user.
const (
	mostOwnApps  = 100
	mostUserApps = 10_000
)

// AboutApp is what users say of an application of theirs; nil fields stay.
type AboutApp struct {
	Name *string `json:"name"`
	Logo *string `json:"logo"` // http or https URL; "" for none
	URL  *string `json:"url"`
}

func (n AboutApp) changed() ChangedApp { return ChangedApp{Name: n.Name, Logo: n.Logo, URL: n.URL} }

var errAppName = hub.Invalid("name", "An application needs a name.")

// RegisterApp makes an application known as a user's own. Its id is made here, so
// that nobody takes one by which another application calls itself.
func (d *Desk) RegisterApp(ctx context.Context, actor, userID string, n AboutApp) (store.App, error) {
	a := store.App{ID: "app-" + d.Store.NewID(), Source: store.AppOperator, OwnerID: userID}
	change := n.changed()
	if n.Name == nil || *n.Name == "" {
		return a, errAppName
	}
	if err := alterApp(&a, &change, d.Now()); err != nil {
		return a, err
	}
	err := d.Store.RegisterApp(ctx, a, mostOwnApps)
	if errors.Is(err, store.ErrConflict) {
		return a, hub.Errorf(hub.CodeConflict, "You have %d applications, which is the most; remove one first.", mostOwnApps)
	}
	if err != nil {
		return a, err
	}
	if err := d.audit(ctx, actor, "app.register", a.ID, nil, viewedApp(&a)); err != nil {
		return a, err
	}
	return d.Store.AppByID(ctx, a.ID)
}

// OwnApp finds an application that a user registered. Somebody else's and none
// look the same.
func (d *Desk) OwnApp(ctx context.Context, userID, id string) (store.App, error) {
	a, err := d.Store.AppByID(ctx, id)
	if errors.Is(err, store.ErrNotFound) || (err == nil && a.OwnerID != userID) {
		return store.App{}, hub.Errorf(hub.CodeNotFound, "There is no application with this id among those that you registered.")
	}
	return a, err
}

// ChangeOwnApp changes what a user says of an application of theirs.
func (d *Desk) ChangeOwnApp(ctx context.Context, actor, userID, id string, n AboutApp) (store.App, error) {
	if _, err := d.OwnApp(ctx, userID, id); err != nil {
		return store.App{}, err
	}
	if n.Name != nil && *n.Name == "" {
		return store.App{}, errAppName
	}
	return d.SetApp(ctx, actor, id, n.changed())
}

// RemoveOwnApp ends an application of a user's and its service keys: from the
// commit on they admit nothing. What was used through it stays on record.
func (d *Desk) RemoveOwnApp(ctx context.Context, actor, userID, id string) error {
	a, err := d.OwnApp(ctx, userID, id)
	if err == nil {
		err = d.Store.ReleaseApp(ctx, id, userID)
	}
	if errors.Is(err, store.ErrNotFound) {
		return hub.Errorf(hub.CodeConflict, "The application was removed meanwhile.")
	}
	if err != nil {
		return err
	}
	return d.audit(ctx, actor, "app.remove", id, viewedApp(&a), nil)
}

// UserApps are the applications that a user has to do with: registered, with a
// service key of theirs, or named by their calls in the span. ids are sorted; use
// has those that were used.
type UserApps struct {
	IDs  []string
	use  map[string]*rollup.Part
	span rollup.Range
}

// Use is what the user used through an application in the span.
func (u *UserApps) Use(id string) UseView {
	sum := &rollup.Total{}
	if p := u.use[id]; p != nil {
		sum = &p.Total
	}
	return viewUse(sum, u.span).WithoutCost()
}

// AppsOf finds the applications of a user.
func (d *Desk) AppsOf(ctx context.Context, userID string, span store.Span) (*UserApps, error) {
	u := &UserApps{use: map[string]*rollup.Part{}}
	x, parts, err := d.Stats.By(ctx, rollup.Question{From: span.From, Until: span.Until, Only: store.StatKey{UserID: userID}}, "app")
	if err != nil {
		return nil, err
	}
	u.span = x
	if u.IDs, err = d.Store.AppsOfUser(ctx, userID, mostUserApps); err != nil {
		return nil, err
	}
	for _, p := range parts {
		if p.Key != "" {
			u.use[p.Key] = p
			u.IDs = append(u.IDs, p.Key)
		}
	}
	slices.Sort(u.IDs)
	u.IDs = slices.Compact(u.IDs)
	return u, nil
}
