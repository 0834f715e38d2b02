package store

import (
	"context"

	"github.com/aigne-hub/aigne-hub/shared/money"
)

type Reversal struct {
	ID, AccountID, GrantID, Cause string
	Amount                        money.Credits
	Actor, Reason                 string
}
type Reversed struct{ Taken, Debt money.Credits }

func (s *Store) GrantIn(ctx context.Context, tx *Tx, g Grant) error {
	var n int
	if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM credit_grants WHERE id = ?", g.ID).Scan(&n); err != nil {
		return err
	}
	if n > 0 {
		return ErrConflict
	}
	return tx.run(ctx, s.GrantUnit(g))
}

func (s *Store) ReverseIn(ctx context.Context, tx *Tx, r Reversal) (Reversed, error) {
	var rem int64
	if err := tx.QueryRowContext(ctx, "SELECT remaining_nano FROM credit_grants WHERE id = ?", r.GrantID).Scan(&rem); err != nil {
		return Reversed{}, err
	}
	take := min(rem, int64(r.Amount))
	u := &Unit{}
	u.Add("UPDATE credit_grants SET remaining_nano = remaining_nano - ?2, open = (remaining_nano > ?2) WHERE id = ?1", r.GrantID, take)
	u.Add("INSERT INTO ledger_operations (id, kind, account_id, amount_nano, actor, reason, created_at) VALUES (?1, 'refund', ?2, ?3, ?4, ?5, ?6)", r.ID, r.AccountID, take, r.Actor, r.Reason, s.millis())
	if take > 0 {
		u.Add("INSERT INTO ledger_entries (operation_id, account_id, amount_nano) VALUES (?1, ?2, -?3), (?1, 'grants', ?3)", r.ID, r.AccountID, take)
	}
	if d := int64(r.Amount) - take; d > 0 {
		u.Add("UPDATE accounts SET debt_nano = debt_nano + ?2 WHERE id = ?1", r.AccountID, d)
	}
	return Reversed{money.Credits(take), r.Amount - money.Credits(take)}, tx.run(ctx, u)
}
