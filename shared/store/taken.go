package store

import (
	"context"
	"encoding/json"
	"errors"
)

// TakeUser makes a user who comes from another system, with all that is known of
// the user there, in one transaction: Email, Name, Role, Groups, DID and whether
// DisabledAt is set. ErrConflict: the e-mail address or the DID is taken.
func (s *Store) TakeUser(ctx context.Context, u User) (User, error) {
	u.ID, u.AccountID, u.CreatedAt = s.NewID(), s.NewID(), s.now().UTC()
	groups := u.Groups
	if groups == nil {
		groups = []string{}
	}
	list, err := json.Marshal(groups)
	if err != nil {
		return u, err
	}
	unit := &Unit{Priority: Background}
	addUser(unit, u)
	unit.Add("UPDATE users SET did = ?2, groups_json = ?3, disabled_at = ?4 WHERE id = ?1", u.ID, textOrNil(u.DID), string(list), millisOrNil(u.DisabledAt))
	if u.DID != "" {
		unit.Add("INSERT INTO payment_customers (user_id) VALUES (?1) ON CONFLICT (user_id) DO NOTHING", u.ID)
	}
	return u, s.Do(ctx, unit)
}

// TakeKey stores a key that clients hold already, with its limits and its
// shared wallet, in one transaction. ErrConflict: somebody has a key with this secret.
func (s *Store) TakeKey(ctx context.Context, k APIKey, limits []Limit) (APIKey, error) {
	if _, _, err := s.KeyByHash(ctx, k.Hash); !errors.Is(err, ErrNotFound) {
		return k, errors.Join(err, ErrConflict)
	}
	k.ID, k.CreatedAt, k.Serial = s.NewID(), s.now().UTC(), 1
	return k, s.Tx(ctx, func(ctx context.Context, tx *Tx) error {
		unit := &Unit{}
		unit.Add(insertKey, k.ID, k.UserID, k.Name, k.Hash, k.Hint, millisOrNil(k.ExpiresAt), k.CreatedAt.UnixMilli(),
			listOrNil(k.Models), listOrNil(k.IPs), listOrNil(k.Scopes), textOrNil(k.AppID))
		if k.WalletID != "" {
			unit.Add("UPDATE api_keys SET wallet_id = ?2 WHERE id = ?1", k.ID, k.WalletID)
		}
		for _, l := range limits {
			unit.Add("INSERT INTO limits (id, scope, subject, metric, period, amount, created_at, updated_at) VALUES (?1, 'key', ?2, ?3, ?4, ?5, ?6, ?6)",
				s.NewID(), k.ID, l.Metric, l.Period, l.Amount, s.millis())
		}
		if err := tx.run(ctx, unit); err != nil {
			return err
		}
		return tx.Bump(ctx)
	})
}
