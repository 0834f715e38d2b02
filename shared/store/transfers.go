package store

import (
	"context"
	"strconv"

	"github.com/aigne-hub/aigne-hub/shared/money"
)

// Transfer moves credits from one wallet to another.
type Transfer struct {
	ID     string
	From   string // accounts
	To     string
	Amount money.Credits
	Actor  string
	Reason string
}

// TransferIn moves credits within a transaction, whole or not at all. They keep
// their kind, priority and expiry; welcome credits and credit lines stay where
// they are. ErrInsufficient: that much cannot be given away. ErrDebt: the giver
// owes. ErrExists: it was done before.
func (s *Store) TransferIn(ctx context.Context, tx *Tx, t Transfer) error {
	op := "transfer/" + t.ID
	if done, err := operationExists(ctx, tx, op); err != nil || done {
		return existsOr(err)
	}
	from, err := accountIn(ctx, tx, t.From)
	if err != nil {
		return err
	}
	if _, err := accountIn(ctx, tx, t.To); err != nil {
		return err
	}
	switch {
	case from.Debt > 0:
		return ErrDebt
	case t.Amount > from.Available():
		return ErrInsufficient
	}
	pieces, err := takeGrants(ctx, tx, t.From, "", t.Amount, true)
	if err != nil {
		return err
	}
	u := &Unit{}
	u.Add(insertOperation, op, "adjust", "transfer", t.From, int64(t.Amount), t.Actor, t.Reason, s.millis())
	u.take(op, t.From, t.Amount, pieces)
	u.Add(refreshExpiry, t.From)
	for i, p := range pieces {
		g := Grant{ID: t.ID + "/" + strconv.Itoa(i), AccountID: t.To, Kind: p.Kind, Name: p.Name, Amount: p.take, Priority: p.Priority,
			ExpiresAt: p.ExpiresAt, Actor: t.Actor, Reason: t.Reason, Cause: "transfer"}
		s.give(u, g, "adjust", "adjustments")
	}
	return tx.run(ctx, u)
}
