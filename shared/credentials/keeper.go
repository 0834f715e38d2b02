// Package credentials takes stored credentials that their providers refuse out
// of use, and brings them back once they are taken again. It sends nothing
// itself, and has no say about credentials that an operator disabled.
package credentials

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/notify"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/upstream"
)

// Keeper keeps stored credentials.
type Keeper struct {
	Store *store.Store
	Tell  func(ctx context.Context, e notify.Event) error
	// Ask puts a question that costs nothing under a credential.
	Ask func(ctx context.Context, p store.Provider, c store.Credential) (upstream.Probe, error)
	Log *slog.Logger
	Now hub.Now
}

// schedule is what a refused credential's row holds of its return. Times are Unix
// milliseconds.
type schedule struct {
	Since    int64 `json:"since,omitempty"`    // the first refusal
	Tries    int   `json:"tries,omitempty"`    // questions and returns since then
	Next     int64 `json:"next,omitempty"`     // of a disabled one: when to ask
	Back     int64 `json:"back,omitempty"`     // of an active one: since when
	Status   int   `json:"status,omitempty"`   // of the refusal
	Relapses int   `json:"relapses,omitempty"` // refusals after a return
	Told     bool  `json:"told,omitempty"`     // its return has been told
}

const none = "{}"

func read(c *store.Credential) schedule {
	var s schedule
	_ = json.Unmarshal([]byte(c.Recheck), &s) // it was written below; anything else is no schedule
	return s
}

func (s schedule) text() string {
	b, err := json.Marshal(s)
	if err != nil {
		return none // numbers and a bool always encode
	}
	return string(b)
}

const (
	firstWait = 5 * time.Second
	eagerTime = 3 * time.Hour // after that, questions come hourly
	lazyWait  = time.Hour
	// proven is how long a credential must last before it counts as returned for
	// good where the free question could not tell.
	proven = 10 * time.Minute
)

// wait is the pause before the next question: 5 s, then 5 + 2^n s, until three
// hours are used up; then an hour.
func (s schedule) wait(now time.Time) time.Duration {
	if s.Tries == 0 {
		return firstWait
	}
	const most = 12 // 2^12 s is more than an hour
	d := firstWait + time.Second<<min(s.Tries-1, most)
	if now.Sub(time.UnixMilli(s.Since)) >= eagerTime {
		return lazyWait
	}
	return min(d, lazyWait)
}

// trial is how long a credential that came back is under watch.
func (s schedule) trial(now time.Time) time.Duration { return max(proven, 2*s.wait(now)) }

// unsure reports a refusal of which the free question knows nothing: of a quota,
// or of one that came again after a good answer.
func (s schedule) unsure() bool {
	return s.Relapses > 0 || s.Status == http.StatusPaymentRequired || s.Status == http.StatusTooManyRequests ||
		s.Status == http.StatusForbidden
}

// Refused disables a credential that its provider does not take, and tells the
// operators. A credential that had just come back goes on with its schedule.
func (k *Keeper) Refused(ctx context.Context, r upstream.Refusal) {
	if err := k.disable(ctx, r); err != nil {
		k.Log.ErrorContext(ctx, "a refused credential was not disabled", "provider", r.Provider, "credential", r.Credential, "error", err)
	}
}

func (k *Keeper) disable(ctx context.Context, r upstream.Refusal) error {
	all, err := k.Store.Credentials(ctx)
	if err != nil {
		return err
	}
	for i := range all {
		c := &all[i]
		if c.ID != r.CredentialID || !c.Active {
			continue
		}
		now := k.Now()
		s := read(c)
		if s.Back > 0 && now.Sub(time.UnixMilli(s.Back)) < s.trial(now) {
			s.Relapses++
			s.Tries++
		} else {
			s = schedule{Since: now.UnixMilli()}
		}
		s.Status, s.Back = r.Status, 0
		s.Next = now.Add(s.wait(now)).UnixMilli()
		// The first relapse is told if the return was; later ones are known.
		quiet := s.Relapses > 1 || s.Relapses == 1 && !s.Told
		s.Told = false
		if err := k.Store.Recheck(ctx, *c, false, r.Reason, s.text()); err != nil || quiet {
			return unless(err, store.ErrNotFound)
		}
		return k.Tell(ctx, notify.Event{ID: fmt.Sprintf("%s/%s/%d/%d", notify.CredentialDisabled, c.ID, s.Since, s.Relapses), Kind: notify.CredentialDisabled,
			Severity: notify.Failure, Title: fmt.Sprintf("The credential %s of %s is disabled: %s", r.Credential, r.Provider, r.Reason),
			Data: map[string]any{"provider": r.Provider, "credential": r.Credential, "credential_id": c.ID, "http_status": r.Status, "reason": r.Reason}})
	}
	return nil
}

func unless(err, harmless error) error {
	if errors.Is(err, harmless) {
		return nil
	}
	return err
}

// Recheck asks after the disabled credentials that are due and returns those that
// are taken again; those that came back a while ago and lasted are done with.
func (k *Keeper) Recheck(ctx context.Context) error {
	all, err := k.Store.Credentials(ctx)
	if err != nil {
		return err
	}
	var providers map[string]store.Provider
	var faults []error
	for i := range all {
		c := &all[i]
		s, now := read(c), k.Now()
		due := !c.Active && s.Next > 0 && s.Next <= now.UnixMilli()
		lasted := c.Active && s.Back > 0 && now.Sub(time.UnixMilli(s.Back)) >= s.trial(now)
		if !due && !lasted {
			continue
		}
		if providers == nil {
			if providers, err = k.providers(ctx); err != nil {
				return err
			}
		}
		p := providers[c.ProviderID]
		if lasted {
			err = k.settle(ctx, p, c, s)
		} else {
			err = k.question(ctx, p, c, s)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		faults = append(faults, unless(err, store.ErrNotFound)) // somebody else changed it meanwhile
	}
	return errors.Join(faults...)
}

func (k *Keeper) providers(ctx context.Context) (map[string]store.Provider, error) {
	rows, err := k.Store.Providers(ctx)
	byID := make(map[string]store.Provider, len(rows))
	for _, p := range rows {
		byID[p.ID] = p
	}
	return byID, err
}

// question asks after one credential.
func (k *Keeper) question(ctx context.Context, p store.Provider, c *store.Credential, s schedule) error {
	probe, err := k.Ask(ctx, p, *c)
	if err != nil {
		probe = upstream.Probe{Error: err.Error()}
	}
	if ctx.Err() != nil {
		return ctx.Err() // it is no answer of the provider's
	}
	now := k.Now()
	s.Tries++
	if !probe.OK {
		s.Next = now.Add(s.wait(now)).UnixMilli()
		return k.Store.Recheck(ctx, *c, false, c.Error, s.text())
	}
	s.Next, s.Back, s.Told = 0, now.UnixMilli(), !s.unsure()
	if err := k.Store.Recheck(ctx, *c, true, "", s.text()); err != nil || !s.Told {
		return err
	}
	return k.restored(ctx, p, c, s)
}

// settle is done with a credential that lasted.
func (k *Keeper) settle(ctx context.Context, p store.Provider, c *store.Credential, s schedule) error {
	if err := k.Store.Recheck(ctx, *c, true, "", none); err != nil || s.Told {
		return err
	}
	return k.restored(ctx, p, c, s)
}

func (k *Keeper) restored(ctx context.Context, p store.Provider, c *store.Credential, s schedule) error {
	return k.Tell(ctx, notify.Event{ID: fmt.Sprintf("%s/%s/%d/%d", notify.CredentialRestored, c.ID, s.Since, s.Relapses), Kind: notify.CredentialRestored, Severity: notify.Info,
		Title: fmt.Sprintf("The credential %s of %s is in use again.", c.Name, p.Name),
		Data:  map[string]any{"provider": p.Name, "credential": c.Name, "credential_id": c.ID}})
}
