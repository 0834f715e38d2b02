package store

import (
	"context"
	"database/sql"

	"github.com/aigne-hub/aigne-hub/shared/money"
)

// collectDebt takes what an account owes from what is free on it; where nothing
// is owed or free it does nothing.
const collectDebt = "INSERT INTO debt_collections (id, account_id, created_at) VALUES (?1, ?2, ?3)"

// Reversal takes credits back that were given: a refund, a lost dispute, a
// correction.
type Reversal struct {
	ID        string // the same id changes nothing again
	AccountID string
	GrantID   string // the grant to draw from first; "" when any
	Cause     string // refund, dispute or correction
	Amount    money.Credits
	Actor     string
	Reason    string
}

// Reversed is what a reversal came to.
type Reversed struct {
	Taken money.Credits
	Debt  money.Credits // what could not be taken: it is collected as money comes free
}

// ReverseIn takes min(amount, balance - held) of an account within a
// transaction; the rest becomes its debt. A reversal done before gives what it
// came to then. ErrNotFound: there is no such account.
func (s *Store) ReverseIn(ctx context.Context, tx *Tx, r Reversal) (Reversed, error) {
	op := "reverse/" + r.ID
	var done Reversed
	err := tx.QueryRowContext(ctx, `SELECT o.amount_nano, coalesce(d.amount_nano, 0) FROM ledger_operations o
LEFT JOIN account_debts d ON d.id = o.id WHERE o.id = ?`, op).Scan(&done.Taken, &done.Debt)
	if err == nil || !isNoRows(err) {
		return done, err
	}
	acc, err := accountIn(ctx, tx, r.AccountID)
	if err != nil {
		return done, err
	}
	done.Taken = min(r.Amount, max(0, acc.Available()))
	done.Debt = r.Amount - done.Taken
	u := &Unit{}
	now := s.millis()
	u.Add(insertOperation, op, "refund", r.Cause, r.AccountID, int64(done.Taken), r.Actor, r.Reason, now)
	if done.Taken > 0 {
		pieces, err := takeGrants(ctx, tx, r.AccountID, r.GrantID, done.Taken, false)
		if err != nil {
			return done, err
		}
		u.take(op, r.AccountID, done.Taken, pieces)
	}
	if done.Debt > 0 {
		u.Add("INSERT INTO account_debts (id, account_id, operation_id, amount_nano, open_nano, created_at) VALUES (?1, ?2, ?1, ?3, ?3, ?4)",
			op, r.AccountID, int64(done.Debt), now)
	}
	u.Add(refreshExpiry, r.AccountID)
	return done, tx.run(ctx, u)
}

const insertOperation = "INSERT INTO ledger_operations (id, kind, cause, account_id, amount_nano, actor, reason, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"

// piece is what is taken of one grant.
type piece struct {
	Grant
	take money.Credits
}

// takeGrants chooses the grants that an amount is taken from: first, if it is
// given, then in the order in which grants are spent. given leaves out what
// cannot be given away, welcome credits and credit lines.
func takeGrants(ctx context.Context, tx *Tx, accountID, first string, amount money.Credits, given bool) ([]piece, error) {
	open, err := list(ctx, tx, scanGrant, "SELECT "+grantColumns+" WHERE account_id = ?1 AND open = 1 AND remaining_nano > 0 ORDER BY priority, spend_by, id", accountID)
	if err != nil {
		return nil, err
	}
	for i, g := range open {
		if g.ID == first {
			copy(open[1:i+1], open[:i])
			open[0] = g
		}
	}
	var out []piece
	for _, g := range open {
		if given && (g.Kind == "welcome" || g.Kind == "credit_line") {
			continue
		}
		take := min(g.Remaining, amount)
		amount -= take
		if take > 0 {
			out = append(out, piece{g, take})
		}
	}
	if amount > 0 {
		return nil, ErrInsufficient
	}
	return out, nil
}

// take adds the statements that move an amount off a wallet and its grants.
func (u *Unit) take(op, accountID string, amount money.Credits, pieces []piece) {
	for _, p := range pieces {
		u.Add("UPDATE credit_grants SET remaining_nano = remaining_nano - ?2, open = (remaining_nano > ?2) WHERE id = ?1", p.ID, int64(p.take))
	}
	u.Add("INSERT INTO ledger_entries (operation_id, account_id, amount_nano) VALUES (?1, ?2, -?3), (?1, 'adjustments', ?3)", op, accountID, int64(amount))
}

func accountIn(ctx context.Context, tx *Tx, id string) (a Account, err error) {
	err = scanAccount(tx.QueryRowContext(ctx, "SELECT "+accountColumns+" WHERE id = ?", id).Scan, &a)
	if isNoRows(err) {
		err = ErrNotFound
	}
	return a, err
}

// TakeIn takes an amount off a wallet within a transaction, whole or not at all.
// ErrInsufficient: that much is not free. ErrExists: it was done before.
func (s *Store) TakeIn(ctx context.Context, tx *Tx, r Reversal) error {
	acc, err := accountIn(ctx, tx, r.AccountID)
	if err != nil {
		return err
	}
	u := &Unit{}
	op := "adjust/" + r.ID
	u.Add(insertOperation, op, "adjust", r.Cause, r.AccountID, int64(r.Amount), r.Actor, r.Reason, s.millis())
	if done, err := operationExists(ctx, tx, op); err != nil || done {
		return existsOr(err)
	}
	if r.Amount > acc.Available() {
		return ErrInsufficient
	}
	pieces, err := takeGrants(ctx, tx, r.AccountID, r.GrantID, r.Amount, false)
	if err != nil {
		return err
	}
	u.take(op, r.AccountID, r.Amount, pieces)
	u.Add(refreshExpiry, r.AccountID)
	return tx.run(ctx, u)
}

func operationExists(ctx context.Context, tx *Tx, id string) (bool, error) {
	var one int
	err := tx.QueryRowContext(ctx, "SELECT 1 FROM ledger_operations WHERE id = ?", id).Scan(&one)
	if isNoRows(err) {
		return false, nil
	}
	return err == nil, err
}

func existsOr(err error) error {
	if err != nil {
		return err
	}
	return ErrExists
}

// GiveIn gives an adjusting grant within a transaction, against the adjustments.
// ErrConflict: it was given before.
func (s *Store) GiveIn(ctx context.Context, tx *Tx, g Grant) error {
	u := &Unit{}
	s.give(u, g, "adjust", "adjustments")
	return tx.run(ctx, u)
}

// ForgiveIn lowers what an account owes by a reversal that turned out wrong, at
// most to nothing, and says by how much.
func (s *Store) ForgiveIn(ctx context.Context, tx *Tx, reversalID string, amount money.Credits) (money.Credits, error) {
	var open money.Credits
	err := tx.QueryRowContext(ctx, "SELECT open_nano FROM account_debts WHERE id = ?", "reverse/"+reversalID).Scan(&open)
	if isNoRows(err) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	off := min(open, amount)
	if off <= 0 {
		return 0, nil
	}
	_, err = tx.ExecContext(ctx, "UPDATE account_debts SET open_nano = open_nano - ?2 WHERE id = ?1", "reverse/"+reversalID, int64(off))
	return off, err
}

// Debt is a row of account_debts.
type Debt struct {
	ID        string // of the operation that left it
	AccountID string
	Amount    money.Credits
	Open      money.Credits
}

// Debts lists what an account owes, oldest first.
func (s *Store) Debts(ctx context.Context, accountID string) ([]Debt, error) {
	return list(ctx, s.read, func(r *sql.Rows, d *Debt) error { return r.Scan(&d.ID, &d.AccountID, &d.Amount, &d.Open) },
		"SELECT id, account_id, amount_nano, open_nano FROM account_debts WHERE account_id = ? AND open_nano > 0 ORDER BY id LIMIT 1000", accountID)
}

// CollectDebts takes what accounts owe wherever money is free, a batch at a
// time: most is collected at once, by the unit that makes money free.
func (s *Store) CollectDebts(ctx context.Context) error {
	const batch = 100
	ids, err := list(ctx, s.read, func(r *sql.Rows, id *string) error { return r.Scan(id) },
		"SELECT id FROM accounts WHERE debt_nano > 0 AND balance_nano > held_nano ORDER BY id LIMIT ?", batch)
	if err != nil {
		return err
	}
	for _, id := range ids {
		u := &Unit{Priority: Background}
		u.Add(collectDebt, "debt/"+s.NewID(), id, s.millis())
		if err := s.Do(ctx, u); err != nil {
			return err
		}
	}
	return nil
}

// LendIn makes sure that an account has credit lines of cap in all, what is
// spent and not yet paid back included, and says how much was added. ErrDebt:
// the account owes.
func (s *Store) LendIn(ctx context.Context, tx *Tx, g Grant) (money.Credits, error) {
	acc, err := accountIn(ctx, tx, g.AccountID)
	if err != nil {
		return 0, err
	}
	if acc.Debt > 0 {
		return 0, ErrDebt
	}
	var lent money.Credits
	if err := tx.QueryRowContext(ctx, "SELECT coalesce(sum(amount_nano - repaid_nano), 0) FROM credit_grants WHERE account_id = ? AND kind = 'credit_line'",
		g.AccountID).Scan(&lent); err != nil {
		return 0, err
	}
	if g.Amount -= lent; g.Amount <= 0 {
		return 0, nil
	}
	return g.Amount, s.GrantIn(ctx, tx, g)
}
