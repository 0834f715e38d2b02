package boot

import (
	"context"
	"errors"
	"slices"

	"github.com/aigne-hub/aigne-hub/shared/reseal"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/vault"
)

// Rotator lets data keys follow each other.
func (a *App) Rotator() *reseal.Rotator {
	return &reseal.Rotator{Store: a.Store, Log: a.Log, Settle: reseal.SettleTime, Vault: a.freshVault, NewKey: func(ctx context.Context) (vault.WrappedKey, error) {
		if _, err := a.freshVault(ctx); err != nil {
			return vault.WrappedKey{}, err
		}
		a.keys.mu.Lock()
		defer a.keys.mu.Unlock()
		rows, err := a.Store.VaultKeys(ctx)
		if err != nil {
			return vault.WrappedKey{}, err
		}
		// Under the master key that wraps the newest one: a new master key is what
		// RotateMaster is for.
		last := slices.MaxFunc(rows, func(x, y store.VaultKey) int { return x.CreatedAt.Compare(y.CreatedAt) })
		m := a.keys.masters[last.MasterID]
		if m == nil {
			return vault.WrappedKey{}, vault.ErrOtherMaster
		}
		return vault.NewDataKey(m, a.Now())
	}}
}

// freshVault is Vault with the keys that there are in this moment.
func (a *App) freshVault(ctx context.Context) (*vault.Keyring, error) {
	a.keys.mu.Lock()
	defer a.keys.mu.Unlock()
	err := a.openVault(ctx)
	return a.keys.ring, err
}

// Rewrapped is what RotateMaster did.
type Rewrapped struct {
	MasterID string   `json:"master_id"`
	From     []string `json:"from"`      // ids of the former master keys; empty: there was nothing to do
	DataKeys int      `json:"data_keys"` // wrapped anew
	// Left are retired data keys whose master key is not here. They seal nothing.
	Left []string `json:"left,omitempty"`
}

// RotateMaster wraps the data keys under the master key that the settings name
// now. The former one must be here too: by AIGNE_HUB_MASTER_KEY_OLD, or with
// KMS, which is asked. With KMS a new master key is made each time. Values stay
// as they are. It can be interrupted at any moment and run again.
func (a *App) RotateMaster(ctx context.Context) (out Rewrapped, err error) {
	if _, err := a.freshVault(ctx); err != nil {
		return out, err
	}
	a.keys.mu.Lock()
	defer a.keys.mu.Unlock()
	to, err := a.newMaster(ctx)
	if err != nil {
		return out, err
	}
	out.MasterID, out.From = to.ID(), []string{}
	rows, err := a.Store.VaultKeys(ctx)
	if err != nil {
		return out, err
	}
	var from []*vault.Master
	for _, m := range a.keys.masters {
		from = append(from, m)
	}
	for _, r := range rows {
		if r.MasterID == to.ID() {
			continue
		}
		w, err := vault.Rewrap(to, vault.WrappedKey{ID: r.ID, Wrapped: r.Wrapped, MasterID: r.MasterID}, from...)
		if errors.Is(err, vault.ErrOtherMaster) && r.EmptiedAt != nil {
			out.Left = append(out.Left, r.ID)
			continue
		}
		if err != nil {
			return out, err
		}
		err = a.Store.RewrapVaultKey(ctx, r.ID, r.Wrapped, store.VaultKey{Wrapped: w.Wrapped, MasterID: w.MasterID})
		if err != nil && !errors.Is(err, store.ErrNotFound) { // not found: somebody else does the same
			return out, err
		}
		out.DataKeys++
		if !slices.Contains(out.From, r.MasterID) {
			out.From = append(out.From, r.MasterID)
		}
	}
	a.keep(to)
	return out, nil
}
