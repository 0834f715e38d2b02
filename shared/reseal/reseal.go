// Package reseal lets data keys of the vault follow each other while everything
// runs: it adds a key, closes the ones before, seals every value of the database
// anew, and notes which keys seal nothing any more. Each step can be interrupted
// and is taken up again by whoever runs next.
package reseal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/vault"
)

// Rotator lets data keys follow each other.
type Rotator struct {
	Store *store.Store
	// Vault returns the keyring with the keys that there are now.
	Vault func(ctx context.Context) (*vault.Keyring, error)
	// NewKey makes a data key, wrapped by the master key in force.
	NewKey func(ctx context.Context) (vault.WrappedKey, error)
	Log    *slog.Logger
	// Settle is how long every process needs to seal under a key that was added.
	// Nothing breaks where one needs longer; there is more to seal anew then.
	Settle time.Duration
}

// SettleTime is enough for all processes: they look for keys every
// second, or every other.
const SettleTime = 3 * time.Second

const (
	lease     = "vault.rotate"
	leaseTime = 20 * time.Second
	pageRows  = 50
	unitBytes = 256 << 10 // sealed text in one transaction
	rounds    = 10        // until values that come late come no more
)

// Outcome is what a rotation did.
type Outcome struct {
	Active   string           `json:"active"`   // the data key that seals now
	Resumed  bool             `json:"resumed"`  // an earlier rotation was brought to its end, no key was added
	Retired  []string         `json:"retired"`  // keys that seal nothing any more
	Resealed map[string]int64 `json:"resealed"` // values, by table
	Dropped  map[string]int64 `json:"dropped"`  // values that were only cached
	// Failed counts values that cannot be opened: changed, or moved to another row.
	// They stay as they are, and so does their key.
	Failed map[string]int64 `json:"failed,omitempty"`
}

// Rotate adds a data key and seals everything anew under it. Where an earlier
// rotation was interrupted it brings that one to its end instead. Only one runs
// at a time.
func (r *Rotator) Rotate(ctx context.Context) (out Outcome, err error) {
	holder := r.Store.NewID()
	if err := r.hold(ctx, holder); err != nil {
		return out, err
	}
	defer r.release(ctx, holder)
	rows, err := r.Store.VaultKeys(ctx)
	if err != nil {
		return out, err
	}
	open, closed := split(rows)
	switch {
	case len(open) > 1, len(closed) > 0:
		out.Resumed = true
	default:
		k, err := r.NewKey(ctx)
		if err != nil {
			return out, err
		}
		if err := r.Store.AddVaultKey(ctx, store.VaultKey{ID: k.ID, Wrapped: k.Wrapped, MasterID: k.MasterID}); err != nil {
			return out, err
		}
		open = append(open, store.VaultKey{ID: k.ID})
	}
	if len(open) > 1 {
		select {
		case <-time.After(r.Settle):
		case <-ctx.Done():
			return out, ctx.Err()
		}
		if err := r.Store.CloseVaultKeys(ctx, newest(open)); err != nil {
			return out, err
		}
	}
	return out, r.finish(ctx, holder, &out)
}

// Finish seals anew what closed keys still seal: after a rotation that was
// interrupted, and for values that came late.
func (r *Rotator) Finish(ctx context.Context) (out Outcome, err error) {
	rows, err := r.Store.VaultKeys(ctx)
	if err != nil {
		return out, err
	}
	if _, closed := split(rows); len(closed) == 0 {
		return out, nil
	}
	holder := r.Store.NewID()
	if err := r.hold(ctx, holder); err != nil {
		return out, err
	}
	defer r.release(ctx, holder)
	return out, r.finish(ctx, holder, &out)
}

func (r *Rotator) hold(ctx context.Context, holder string) error {
	ok, err := r.Store.AcquireJob(ctx, lease, holder, leaseTime)
	if err != nil { // it may have been taken all the same
		r.release(ctx, holder)
		return err
	}
	if !ok {
		return hub.Errorf(hub.CodeConflict, "Another process rotates the vault's keys; if it died, try again in %s.", leaseTime)
	}
	return nil
}

func (r *Rotator) release(ctx context.Context, holder string) {
	if err := r.Store.ReleaseJob(context.WithoutCancel(ctx), lease, holder); err != nil {
		r.Log.Warn("lease not released", "job", lease, "error", err)
	}
}

// split tells keys that seal from closed ones that may still be in use.
func split(rows []store.VaultKey) (open, closed []store.VaultKey) {
	for _, k := range rows {
		switch {
		case k.ClosedAt == nil:
			open = append(open, k)
		case k.EmptiedAt == nil:
			closed = append(closed, k)
		}
	}
	return open, closed
}

func newest(keys []store.VaultKey) (id string) {
	for _, k := range keys {
		id = max(id, k.ID)
	}
	return id
}

// finish goes through all tables until closed keys seal nothing.
func (r *Rotator) finish(ctx context.Context, holder string, out *Outcome) error {
	out.Resealed, out.Dropped, out.Retired = map[string]int64{}, map[string]int64{}, []string{}
	for range rounds {
		rows, err := r.Store.VaultKeys(ctx)
		if err != nil {
			return err
		}
		open, closed := split(rows)
		out.Active = newest(open)
		if len(closed) == 0 {
			return nil
		}
		stuck, err := r.round(ctx, holder, closed, out)
		if err != nil {
			return err
		}
		for _, k := range closed {
			if stuck[k.ID] {
				continue
			}
			err := r.Store.EmptyVaultKey(ctx, k.ID, k.Late)
			if errors.Is(err, store.ErrNotFound) {
				continue // something came late: once more
			}
			if err != nil {
				return err
			}
			out.Retired = append(out.Retired, k.ID)
		}
		if len(stuck) > 0 {
			return hub.Errorf(hub.CodeConflict, "Some sealed values cannot be opened and stay as they are: %v; their data key stays too.", out.Failed)
		}
	}
	return errors.New("values keep being sealed under closed data keys: is there a process that has lost its database?")
}

// round seals anew what is under closed keys, in all tables. stuck are keys with
// values that cannot be opened.
func (r *Rotator) round(ctx context.Context, holder string, closed []store.VaultKey, out *Outcome) (stuck map[string]bool, err error) {
	ids := make([]string, len(closed))
	for i, k := range closed {
		ids[i] = k.ID
	}
	wanted, err := json.Marshal(ids)
	if err != nil {
		return nil, err
	}
	keyring, err := r.Vault(ctx)
	if err != nil {
		return nil, err
	}
	stuck = map[string]bool{}
	out.Failed = nil
	for _, table := range store.SealedTables() {
		w := walk{Rotator: r, table: table, keyring: keyring, out: out, stuck: stuck}
		if err := w.all(ctx, holder, string(wanted)); err != nil {
			return stuck, fmt.Errorf("%s: %w", table, err)
		}
	}
	return stuck, nil
}

// walk goes through one table.
type walk struct {
	*Rotator
	table   string
	keyring *vault.Keyring
	out     *Outcome
	stuck   map[string]bool
}

func (w *walk) all(ctx context.Context, holder, wanted string) error {
	var after [2]string
	for {
		if err := w.hold(ctx, holder); err != nil {
			return err
		}
		page, err := w.Store.SealedPage(ctx, w.table, after, pageRows, wanted)
		if err != nil || len(page) == 0 {
			return err
		}
		if err := w.page(ctx, page); err != nil {
			return err
		}
		after = page[len(page)-1].Key
	}
}

// page seals a page's values anew, in transactions that hold nobody up.
func (w *walk) page(ctx context.Context, page []store.SealedValue) error {
	var batch []store.Resealed
	bytes := 0
	flush := func() error {
		err := w.Store.Reseal(ctx, w.table, batch)
		if err == nil {
			count := w.out.Resealed
			if store.OnlyCached(w.table) {
				count = w.out.Dropped
			}
			if len(batch) > 0 {
				count[w.table] += int64(len(batch))
			}
		}
		batch, bytes = nil, 0
		return err
	}
	for _, v := range page {
		if v.Sealed == "" {
			continue
		}
		n, err := w.again(v)
		if err != nil {
			w.fail(v, err)
			continue
		}
		batch = append(batch, n)
		if bytes += len(v.Sealed); bytes >= unitBytes {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	return flush()
}

func (w *walk) again(v store.SealedValue) (n store.Resealed, err error) {
	n.SealedValue = v
	if store.OnlyCached(w.table) {
		return n, nil
	}
	name, err := rowName(w.table, v.Key)
	if err != nil {
		return n, err
	}
	plain, err := w.keyring.Open(name, v.Sealed)
	if err != nil {
		return n, err
	}
	n.NewSealed, n.NewKeyID, err = w.keyring.Seal(name, plain)
	return n, err
}

func (w *walk) fail(v store.SealedValue, err error) {
	w.Log.Error("a sealed value cannot be opened and stays as it is", "table", w.table, "row", v.Key[0]+" "+v.Key[1], "error", err)
	if w.out.Failed == nil {
		w.out.Failed = map[string]int64{}
	}
	w.out.Failed[w.table]++
	w.stuck[v.KeyID] = true
}

// rowName is what a value of a table is bound to: it must be what whoever seals
// it says.
func rowName(table string, key [2]string) (string, error) {
	switch table {
	case "ai_credentials", "settings":
		return table + "/" + key[0] + "/value", nil
	case "webhook_endpoints", "user_totp":
		return table + "/" + key[0] + "/secret", nil
	case "redeem_codes":
		return table + "/" + key[0] + "/code", nil
	case "call_exports", "payloads":
		return table + "/" + key[0] + "/sealed", nil
	case "responses", "answer_cache":
		return table + "/" + key[0] + "/" + key[1] + "/sealed", nil
	}
	return "", errors.New("nobody says what values of this table are bound to")
}

// KeyStatus is a data key and what it seals.
type KeyStatus struct {
	ID        string           `json:"id"`
	State     string           `json:"state"` // active, added, closed or retired
	MasterID  string           `json:"master_id"`
	CreatedAt time.Time        `json:"created_at"`
	ClosedAt  *time.Time       `json:"closed_at"`
	RetiredAt *time.Time       `json:"retired_at"`
	Values    map[string]int64 `json:"values"` // by table
}

// Total is how many values a key seals.
func (k KeyStatus) Total() (n int64) {
	for _, v := range k.Values {
		n += v
	}
	return n
}

// Status lists the data keys, oldest first, and counts what each seals. A key
// that values name and that is not there has the state "missing".
func (r *Rotator) Status(ctx context.Context) ([]KeyStatus, error) {
	const page = 1000
	rows, err := r.Store.VaultKeys(ctx)
	if err != nil {
		return nil, err
	}
	open, _ := split(rows)
	active := newest(open)
	out := make([]KeyStatus, 0, len(rows))
	for _, k := range rows {
		s := KeyStatus{k.ID, "added", k.MasterID, k.CreatedAt, k.ClosedAt, k.EmptiedAt, map[string]int64{}}
		switch {
		case k.ID == active:
			s.State = "active"
		case k.EmptiedAt != nil:
			s.State = "retired"
		case k.ClosedAt != nil:
			s.State = "closed"
		}
		out = append(out, s)
	}
	count := func(table, key string) {
		for i := range out {
			if out[i].ID == key {
				out[i].Values[table]++
				return
			}
		}
		out = append(out, KeyStatus{ID: key, State: "missing", Values: map[string]int64{table: 1}})
	}
	for _, table := range store.SealedTables() {
		for after := [2]string{}; ; {
			values, err := r.Store.SealedPage(ctx, table, after, page, "[]")
			if err != nil {
				return nil, err
			}
			for _, v := range values {
				count(table, v.KeyID)
				after = v.Key
			}
			if len(values) < page {
				break
			}
		}
	}
	return out, nil
}
