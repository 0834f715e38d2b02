package proxy

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/aigne-hub/aigne-hub/shared/admission"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/dialect/responses"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/upstream"
)

// The shelf holds answers of the Responses API that callers may come back to.
// In the native lane the provider stores them and the hub notes where; in
// translation the hub seals answer and conversation itself. The row is part of
// the unit that settles the call, so it is durable before the last frame leaves
// and an answer that says it is stored can be found. An answer that cannot be
// put on the shelf fails like one that cannot be settled: "store": true in an
// answer that nobody can find would be a lie.

// maxStored is the largest request whose conversation the hub stores itself.
const maxStored = 8 << 20

// shelved is what came of storing a whole answer.
type shelved struct {
	body  []byte // the answer, where it had to be encoded to be stored
	fault *hub.Error
}

// tooLarge refuses, before any money is spent, what could not be stored.
func (x *exchange) tooLarge() error {
	if x.way.keep && len(x.view.Object.Raw()) > maxStored {
		return hub.Invalid("store", "A conversation of more than %d MiB is not stored for this model: send \"store\": false.", maxStored>>20)
	}
	return nil
}

// keepWhole adds a complete answer's row to its settlement. On a fault the call
// is settled as failed.
func (x *exchange) keepWhole(a *upstream.Answer, o *admission.Outcome) (k shelved) {
	if !x.way.keep {
		return k
	}
	var err error
	if t, ok := x.lane.(*translation); ok {
		if k.body, err = t.wholeAnswer(x.whole, x.closing(a, *o, admission.Settled{})); err == nil {
			err = x.shelve(a, o, k.body)
		}
	} else {
		err = x.shelve(a, o, nil)
	}
	k.fault = unshelved(o, err)
	return k
}

// keepStream does the same for a stream that has finished, before its end leaves.
func (x *exchange) keepStream(a *upstream.Answer, o *admission.Outcome) *hub.Error {
	if !x.way.keep {
		return nil
	}
	var response []byte
	if t, ok := x.lane.(*translation); ok {
		whole, ok := t.encoder.(interface {
			Response(dialect.Closing) []byte
		})
		if !ok {
			return nil
		}
		response = whole.Response(x.closing(a, *o, admission.Settled{}))
	}
	return unshelved(o, x.shelve(a, o, response))
}

func unshelved(o *admission.Outcome, err error) *hub.Error {
	if err == nil {
		return nil
	}
	fault := hub.Wrap(hub.CodeUnavailable, err, "The answer could not be stored. Try again, or send \"store\": false.")
	o.Status, o.Err, o.HTTPStatus = hub.StatusFailed, fault, http.StatusServiceUnavailable
	return fault
}

// shelve adds a row to the settlement: with a response the hub's own, else a
// note of where the provider keeps it.
func (x *exchange) shelve(a *upstream.Answer, o *admission.Outcome, response []byte) error {
	row := store.StoredResponse{UserID: x.caller.UserID, ID: x.lane.report().ID, CallID: x.ticket.CallID,
		Provider: a.Target.Provider.Name, Model: a.Target.Model, CredentialID: a.Credential.ID, Credential: a.Credential.Name}
	if response != nil {
		var head struct {
			ID string `json:"id"`
		}
		if err := json.Unmarshal(response, &head); err != nil {
			return err
		}
		row.ID = head.ID
		if err := x.h.seal(x.upstream, &row, x.view, response); err != nil {
			return err
		}
	}
	if row.ID == "" {
		return nil // a provider that names no answer cannot be asked for it either
	}
	o.Also = append(o.Also, x.h.Store.PutResponse(row, x.h.ResponsesTTL))
	return nil
}

// sealedAs names a row to the vault.
func sealedAs(r *store.StoredResponse) string {
	return "responses/" + r.UserID + "/" + r.ID + "/sealed"
}

func (h *handler) seal(ctx context.Context, row *store.StoredResponse, v *dialect.View, response []byte) error {
	s, err := responses.Keep(v, response)
	if err != nil {
		return err
	}
	plain, err := json.Marshal(s)
	if err != nil {
		return err
	}
	keys, err := h.Vault(ctx)
	if err != nil {
		return err
	}
	row.Sealed, row.KeyID, err = keys.Seal(sealedAs(row), hub.Secret(plain))
	return err
}

func (h *handler) open(ctx context.Context, row *store.StoredResponse) (s responses.Stored, err error) {
	keys, err := h.Vault(ctx)
	if err != nil {
		return s, err
	}
	plain, err := keys.Open(sealedAs(row), row.Sealed)
	if err != nil {
		return s, err
	}
	return s, json.Unmarshal([]byte(plain.Reveal()), &s)
}

// stored finds a caller's own answer. Another's, an expired and an unknown one
// are all the same to a caller.
func (h *handler) stored(ctx context.Context, caller hub.Caller, id string) (store.StoredResponse, error) {
	if h.ResponsesTTL <= 0 {
		return store.StoredResponse{}, noResponse(id)
	}
	row, err := h.Store.Response(ctx, caller.UserID, id)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return row, noResponse(id)
	case err != nil:
		return row, hub.Wrap(hub.CodeUnavailable, err, "The stored response cannot be read now. Try again.")
	}
	return row, nil
}

func noResponse(id string) *hub.Error {
	const most = 100
	return hub.Errorf(hub.CodeNotFound, "There is no stored response %s: it may have expired, or was sent with \"store\": false.", id[:min(len(id), most)])
}
