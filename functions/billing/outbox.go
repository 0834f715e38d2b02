package billing

import (
	"net/http"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// outboxView is what Payment Kit has not confirmed yet, and the reports of a state.
type outboxView struct {
	On          bool          `json:"on"`           // usage is reported
	Calls       int64         `json:"calls"`        // settled, in no report
	CallsAmount money.Credits `json:"calls_amount"` // what they cost
	Pending     int64         `json:"pending"`      // reports that were never sent
	Sent        int64         `json:"sent"`         // reports that may have arrived
	Dead        int64         `json:"dead"`         // reports that were given up
	Unconfirmed money.Credits `json:"unconfirmed"`  // in all of these
	Oldest      *time.Time    `json:"oldest"`       // of what is neither confirmed nor dead
	OldestAge   int64         `json:"oldest_age_seconds"`
	httpkit.Listing[batchView]
}

// batchView is a report: usage of one user through one application.
type batchView struct {
	ID        string           `json:"id"` // the identifier of its meter event
	Email     string           `json:"email"`
	DID       string           `json:"did"`
	AppID     string           `json:"app_id"`
	Amount    money.Credits    `json:"amount"`
	Calls     int64            `json:"calls"`
	State     store.BatchState `json:"state"`
	Attempts  int              `json:"attempts"`
	NextTry   time.Time        `json:"next_try"`
	Error     string           `json:"error"`
	CreatedAt time.Time        `json:"created_at"`
	DroppedAt *time.Time       `json:"dropped_at"` // null unless an operator gave it up for good
}

func viewBatch(b store.Batch) batchView {
	return batchView{ID: b.ID, Email: b.Email, DID: b.DID, AppID: b.AppID, Amount: b.Amount, Calls: b.Calls, State: b.State, Attempts: b.Attempts,
		NextTry: b.NextTry, Error: b.Error, CreatedAt: b.CreatedAt, DroppedAt: b.DroppedAt}
}

// outbox counts what has not arrived at Payment Kit and lists the reports of
// ?state= (dead): ?cursor=, ?pageSize=.
func (h *handler) outbox(w http.ResponseWriter, r *http.Request, _ hub.Caller) error {
	state := store.BatchState(r.URL.Query().Get("state"))
	switch state {
	case "":
		state = store.BatchDead
	case store.BatchPending, store.BatchSent, store.BatchConfirmed, store.BatchDead:
	default:
		return hub.Invalid("state", "state must be pending, sent, confirmed or dead.")
	}
	after, size, err := httpkit.CursorPage(r)
	if err != nil {
		return err
	}
	rows, err := h.Store.Batches(r.Context(), state, after, size+1)
	if err != nil {
		return err
	}
	o, err := h.Store.Outbox(r.Context())
	if err != nil {
		return err
	}
	v := outboxView{On: h.Mirror != nil, Calls: o.Calls, CallsAmount: o.CallsAmount, Pending: o.Pending, Sent: o.Sent, Dead: o.Dead, Unconfirmed: o.Unconfirmed,
		Oldest: o.Oldest, Listing: httpkit.Listed(rows, size, func(b store.Batch) string { return b.ID }, viewBatch)}
	if o.Oldest != nil {
		v.OldestAge = max(0, int64(h.Now().Sub(*o.Oldest).Seconds()))
	}
	return httpkit.WriteJSON(w, http.StatusOK, v)
}

type resendOrder struct {
	ID  string `json:"id" validate:"max=64"`
	All bool   `json:"all"`
}

// resend has dead reports sent again under their old identifiers.
func (h *handler) resend(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	in, err := httpkit.Decode[resendOrder](r)
	if err != nil {
		return err
	}
	n := 1
	switch {
	case (in.ID == "") == !in.All:
		return hub.Invalid("id", "Name a report by its id, or say all.")
	case in.All:
		n, err = h.Desk.ResendAll(r.Context(), c.Email)
	default:
		err = h.Desk.Resend(r.Context(), c.Email, in.ID)
	}
	if err != nil {
		return err
	}
	return httpkit.WriteJSON(w, http.StatusOK, map[string]int{"resent": n})
}

type droppedReport struct {
	ID     string `json:"id" validate:"required,max=64"`
	Reason string `json:"reason" validate:"required,max=500"`
}

// drop gives a dead report up for good.
func (h *handler) drop(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	in, err := httpkit.Decode[droppedReport](r)
	if err != nil {
		return err
	}
	if err := h.Desk.DropReport(r.Context(), c.Email, in.ID, in.Reason); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
