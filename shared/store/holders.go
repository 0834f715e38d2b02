package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// Holder is the wallet of a user or a shared one, and whose it is.
type Holder struct {
	Account

	Email     string // of the user; "" for a shared wallet
	Name      string // of the user or the shared wallet
	Shared    string // team or app; "" for a user's own
	ClosedAt  *time.Time
	CreatedAt time.Time
}

const holderColumns = `a.id, a.kind, coalesce(a.user_id, ''), a.balance_nano, a.held_nano, a.debt_nano, a.next_expiry, coalesce(u.email, ''), coalesce(w.name, u.name, ''),
  coalesce(w.kind, ''), w.closed_at, a.created_at
FROM accounts a LEFT JOIN users u ON u.id = a.user_id LEFT JOIN shared_wallets w ON w.account_id = a.id`

func scanHolder(scan func(...any) error, h *Holder) error {
	var closed sql.NullInt64
	var created int64
	owner := []any{&h.Email, &h.Name, &h.Shared, &closed, &created}
	if err := scanAccount(func(dest ...any) error { return scan(append(dest, owner...)...) }, &h.Account); err != nil {
		return err
	}
	h.ClosedAt, h.CreatedAt = nullMillis(closed), time.UnixMilli(created).UTC()
	return nil
}

// HolderFilter says which wallets are wanted; zero fields do not matter.
type HolderFilter struct {
	Part   string // of the e-mail address or the name, whatever the case of its ASCII letters
	Shared *bool
	InDebt bool
}

// Holders lists up to limit wallets that a filter lets through after the one with
// id after, by id.
func (s *Store) Holders(ctx context.Context, f HolderFilter, after string, limit int) ([]Holder, error) {
	shared := int64(-1)
	if f.Shared != nil {
		shared = boolInt(*f.Shared)
	}
	return list(ctx, s.read, func(r *sql.Rows, h *Holder) error { return scanHolder(r.Scan, h) },
		"SELECT "+holderColumns+` WHERE a.id > ?1 AND a.kind = 'wallet'
  AND (?2 = '' OR instr(lower(coalesce(u.email, '')), ?2) > 0 OR instr(lower(coalesce(w.name, u.name, '')), ?2) > 0)
  AND (?3 < 0 OR (a.user_id IS NULL) = ?3) AND (?4 = 0 OR a.debt_nano > 0) ORDER BY a.id LIMIT ?5`,
		after, lowerASCII(f.Part), shared, boolInt(f.InDebt), limit)
}

// HolderByID finds a wallet by its account's id.
func (s *Store) HolderByID(ctx context.Context, id string) (h Holder, err error) {
	err = scanHolder(s.read.QueryRowContext(ctx, "SELECT "+holderColumns+" WHERE a.id = ? AND a.kind = 'wallet'", id).Scan, &h)
	if errors.Is(err, sql.ErrNoRows) {
		return h, ErrNotFound
	}
	return h, err
}
