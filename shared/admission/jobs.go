package admission

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/pricing"
	"github.com/aigne-hub/aigne-hub/shared/routing"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// Job is what a call becomes that a provider works on after its request was
// answered.
type Job struct {
	Kind        string
	Language    string // in which the provider is asked
	ProviderJob string // the provider's own id
	Target      *routing.Target
	Credential  routing.Credential
	Asked       json.RawMessage // what is shown of the request
	Poll        time.Time       // when the provider is asked first
	Deadline    time.Time
	ExpiresAt   time.Time
	Attempts    []store.Attempt // before the one that succeeded
	Tries       int
}

// terms is what the settlement of a job reads: prices and policy as they were at
// admission, whatever the operator changes meanwhile.
type terms struct {
	Type        hub.CallType    `json:"type"`
	Billing     bool            `json:"billing"`
	Hold        money.Credits   `json:"hold_nano"`
	Prices      *pricing.Prices `json:"prices,omitempty"`
	Cost        *pricing.Prices `json:"cost,omitempty"`
	RateID      string          `json:"rate_id,omitempty"`
	RateVersion int64           `json:"rate_version,omitempty"`
	Attempts    []store.Attempt `json:"attempts,omitempty"`
	Tries       int             `json:"tries"`
	policies
}

// HandOver makes the call a job: from the commit on it belongs to the job, no
// sweeper closes it, and FinishJob settles it. The ticket is used up. On error
// the caller must not be shown the job's id; where the outcome is unknown it is
// tried on in the background, and the job settles like any other.
func (t *Ticket) HandOver(ctx context.Context, j Job) (store.Job, error) {
	if t.settled {
		return store.Job{}, errors.New("ticket of a settled call handed over")
	}
	own, err := json.Marshal(terms{Type: t.req.Type, Billing: t.billing, Hold: t.hold, Prices: j.Target.Prices, Cost: j.Target.Cost,
		RateID: j.Target.RateID, RateVersion: j.Target.RateVersion, Attempts: j.Attempts, Tries: j.Tries, policies: t.policies})
	if err != nil {
		return store.Job{}, err
	}
	c := t.req.Caller
	row := store.Job{ID: t.gate.Store.NewID(), CallID: t.CallID, UserID: c.UserID, AccountID: c.AccountID, AppID: c.AppID,
		Kind: j.Kind, Language: j.Language, Provider: j.Target.Provider.Name, Model: j.Target.Model, CredentialID: j.Credential.ID,
		Credential: j.Credential.Name, ProviderJob: j.ProviderJob, State: store.JobQueued, Asked: j.Asked, Terms: own,
		CreatedAt: t.start.UTC(), Deadline: j.Deadline, ExpiresAt: j.ExpiresAt}
	t.settled = true
	unit := t.gate.Store.JobUnit(row, t.owner, j.Poll)
	wait, stop := context.WithTimeout(ctx, settleWait)
	defer stop()
	send := func(ctx context.Context) error {
		return retry(ctx, func() error {
			err := t.gate.Store.Do(ctx, unit)
			if errors.Is(err, store.ErrExists) || errors.Is(err, store.ErrNotOpen) {
				// Sent before, perhaps, and it arrived: then the call is the job's.
				if _, lookup := t.gate.Store.JobByID(ctx, row.ID, row.UserID); lookup == nil {
					return nil
				} else if !errors.Is(lookup, store.ErrNotFound) {
					return store.ErrUnavailable
				}
			}
			return err
		})
	}
	if err = send(wait); err == nil {
		return row, nil
	}
	t.gate.Log.Error("job not recorded", "call_id", t.CallID, "provider", row.Provider, "provider_job", row.ProviderJob, "error", err)
	if unknown(err) {
		go func() {
			if err := send(context.Background()); err != nil {
				t.gate.Log.Error("job refused", "call_id", t.CallID, "error", err)
			}
		}()
	}
	return store.Job{}, hub.Wrap(hub.CodeUnavailable, err,
		"The provider took the work, but the hub's database could not record it; nothing is charged unless it appears in your list later.")
}

// FinishJob settles the call of a job, once, however many processes ask at the
// same time: the first one's outcome stands. o.Target may be nil. After it
// returns nil the job's row says how it ended.
func (g *Gate) FinishJob(ctx context.Context, row store.Job, end store.JobEnd, o Outcome) (Settled, error) {
	var own terms
	if err := json.Unmarshal(row.Terms, &own); err != nil {
		return Settled{}, hub.Wrap(hub.CodeInternal, err, "The terms of this job cannot be read.")
	}
	end.ID = row.ID
	t := &Ticket{CallID: row.CallID, gate: g, owner: row.Owner(), hold: own.Hold, start: row.CreatedAt, billing: own.Billing, policies: own.policies, job: &end, late: true,
		req: Request{Caller: hub.Caller{UserID: row.UserID, AccountID: row.AccountID, AppID: row.AppID}, Type: own.Type}}
	o.Target = &routing.Target{Provider: &routing.Provider{Name: row.Provider}, Model: row.Model, Prices: own.Prices, Cost: own.Cost,
		RateID: own.RateID, RateVersion: own.RateVersion}
	o.CredentialID, o.Credential, o.Attempts, o.Tries = row.CredentialID, row.Credential, own.Attempts, own.Tries
	return t.Settle(ctx, o)
}
