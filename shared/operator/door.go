package operator

import (
	"context"
	"errors"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// Sessions lists a user's sessions, newest first.
func (d *Desk) Sessions(ctx context.Context, email string) ([]store.Session, error) {
	u, err := d.User(ctx, email)
	if err != nil {
		return nil, err
	}
	return d.Store.Sessions(ctx, u.ID)
}

// EndSession ends a session: from the commit on it admits nothing.
func (d *Desk) EndSession(ctx context.Context, actor, id string) error {
	s, err := d.Store.SessionByID(ctx, id)
	if err == nil {
		err = d.Store.EndSession(ctx, id)
	}
	if errors.Is(err, store.ErrNotFound) {
		return hub.Errorf(hub.CodeNotFound, "There is no session with the id %s.", id)
	}
	if err != nil {
		return err
	}
	return d.audit(ctx, actor, "session.end", id, map[string]any{"user_id": s.UserID, "method": s.Method, "address": s.Address}, nil)
}

// EndSessions ends all sessions of a user but the one with id keep ("": all).
func (d *Desk) EndSessions(ctx context.Context, actor, email, keep string) error {
	u, err := d.User(ctx, email)
	if err != nil {
		return err
	}
	if err := d.Store.EndSessions(ctx, u.ID, keep); err != nil {
		return err
	}
	return d.audit(ctx, actor, "session.end-all", u.Email, nil, map[string]any{"kept": keep})
}

// SetDisabled disables or enables a user. A disabled one's keys and sessions
// admit nothing from then on; the last owner stays enabled.
func (d *Desk) SetDisabled(ctx context.Context, actor, email string, disabled bool) (store.User, error) {
	u, err := d.User(ctx, email)
	if err != nil || disabled == (u.DisabledAt != nil) {
		return u, err
	}
	err = d.Store.SetUserDisabled(ctx, u.ID, disabled)
	if errors.Is(err, store.ErrNotFound) && !disabled {
		return u, hub.Errorf(hub.CodeConflict, "The Blocklet Server does not let %s in; enable the user there.", u.Email)
	}
	if errors.Is(err, store.ErrNotFound) {
		return u, hub.Errorf(hub.CodeConflict, "%s is the only owner; make another one first.", u.Email)
	}
	if err != nil {
		return u, err
	}
	action := "user.enable"
	if disabled {
		action = "user.disable"
	}
	if err := d.audit(ctx, actor, action, u.Email, nil, nil); err != nil {
		return u, err
	}
	return d.User(ctx, u.Email)
}

// SetProfile writes what a user says about itself.
func (d *Desk) SetProfile(ctx context.Context, actor string, before, after store.User) error {
	if err := d.Store.SetProfile(ctx, after); err != nil {
		return err
	}
	show := func(u store.User) map[string]any {
		return map[string]any{"name": u.Name, "language": u.Language, "time_zone": u.TimeZone}
	}
	return d.audit(ctx, actor, "user.profile", after.Email, show(before), show(after))
}

// RemoveSecondFactor takes a user's second factor away: the user lost it, and
// the recovery codes too.
func (d *Desk) RemoveSecondFactor(ctx context.Context, actor, email string) error {
	u, err := d.User(ctx, email)
	if err != nil {
		return err
	}
	err = d.Store.RemoveTOTP(ctx, u.ID)
	if errors.Is(err, store.ErrNotFound) {
		return hub.Errorf(hub.CodeNotFound, "%s has no second factor.", u.Email)
	}
	if err != nil {
		return err
	}
	return d.audit(ctx, actor, "second-factor.remove", u.Email, nil, nil)
}
