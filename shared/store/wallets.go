package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/money"
)

// Wallet is a row of shared_wallets, with its account: a wallet of a team or an
// application.
type Wallet struct {
	AccountID string
	Name      string
	Kind      string // team or app
	ClosedAt  *time.Time
	CreatedAt time.Time
	Balance   money.Credits
	Held      money.Credits
	Debt      money.Credits
}

// Member is a user who may spend from a shared wallet.
type Member struct {
	AccountID string
	UserID    string
	Email     string
	Name      string
	Manager   bool // may see everything of the wallet, and put members in and out
	CreatedAt time.Time
}

const walletColumns = `w.account_id, w.name, w.kind, w.closed_at, w.created_at, a.balance_nano, a.held_nano, a.debt_nano
FROM shared_wallets w JOIN accounts a ON a.id = w.account_id`

func scanWallet(scan func(...any) error, w *Wallet) error {
	var closed sql.NullInt64
	var created int64
	if err := scan(&w.AccountID, &w.Name, &w.Kind, &closed, &created, &w.Balance, &w.Held, &w.Debt); err != nil {
		return err
	}
	w.ClosedAt, w.CreatedAt = nullMillis(closed), time.UnixMilli(created).UTC()
	return nil
}

// CreateWallet makes a shared wallet. ErrConflict: the name is taken.
func (s *Store) CreateWallet(ctx context.Context, w Wallet) (Wallet, error) {
	w.AccountID, w.CreatedAt = s.NewID(), s.now().UTC()
	u := &Unit{Priority: Background}
	u.Add("INSERT INTO accounts (id, kind, created_at) VALUES (?1, 'wallet', ?2)", w.AccountID, w.CreatedAt.UnixMilli())
	u.Add("INSERT INTO shared_wallets (account_id, name, kind, created_at) VALUES (?1, ?2, ?3, ?4)",
		w.AccountID, w.Name, w.Kind, w.CreatedAt.UnixMilli())
	return w, s.Do(ctx, u)
}

// WalletByName finds a shared wallet by its name or its account's id.
func (s *Store) WalletByName(ctx context.Context, name string) (Wallet, error) {
	var w Wallet
	for _, where := range []string{" WHERE w.name = ?", " WHERE w.account_id = ?"} {
		err := scanWallet(s.read.QueryRowContext(ctx, "SELECT "+walletColumns+where, name).Scan, &w)
		if !errors.Is(err, sql.ErrNoRows) {
			return w, err
		}
	}
	return w, ErrNotFound
}

// Wallets lists up to limit shared wallets after the one with the id after.
func (s *Store) Wallets(ctx context.Context, after string, limit int) ([]Wallet, error) {
	return list(ctx, s.read, func(r *sql.Rows, w *Wallet) error { return scanWallet(r.Scan, w) },
		"SELECT "+walletColumns+" WHERE w.account_id > ? ORDER BY w.account_id LIMIT ?", after, limit)
}

// WalletsOf lists the open shared wallets that a user may spend from.
func (s *Store) WalletsOf(ctx context.Context, userID string) ([]Wallet, error) {
	return list(ctx, s.read, func(r *sql.Rows, w *Wallet) error { return scanWallet(r.Scan, w) },
		"SELECT "+walletColumns+" JOIN wallet_members m ON m.account_id = w.account_id WHERE m.user_id = ? AND w.closed_at IS NULL ORDER BY w.account_id LIMIT 1000", userID)
}

// ManagedBy lists the ids of the shared wallets that a user is a manager of.
func (s *Store) ManagedBy(ctx context.Context, userID string) ([]string, error) {
	return list(ctx, s.read, func(r *sql.Rows, id *string) error { return r.Scan(id) },
		"SELECT m.account_id FROM wallet_members m WHERE m.user_id = ? AND m.manager = 1 ORDER BY m.account_id LIMIT 1000", userID)
}

// CloseWallet ends a shared wallet: from the commit on no call is paid from it.
// ErrNotFound: it is closed already. ErrInsufficient: credits are left on it.
func (s *Store) CloseWallet(ctx context.Context, accountID string) error {
	return s.Tx(ctx, func(ctx context.Context, tx *Tx) error {
		acc, err := accountIn(ctx, tx, accountID)
		switch {
		case err != nil:
			return err
		case acc.Balance != 0 || acc.Held != 0:
			return ErrInsufficient
		}
		if err := tx.one(ctx, "UPDATE shared_wallets SET closed_at = ?2 WHERE account_id = ?1 AND closed_at IS NULL", accountID, s.millis()); err != nil {
			return err
		}
		return tx.Bump(ctx)
	})
}

// SetMember puts a user into a shared wallet, or changes what the user may do.
func (s *Store) SetMember(ctx context.Context, m Member) error {
	return s.changed(ctx, `INSERT INTO wallet_members (account_id, user_id, manager, created_at) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (account_id, user_id) DO UPDATE SET manager = ?3`, m.AccountID, m.UserID, boolInt(m.Manager), s.millis())
}

// RemoveMember takes a user out of a shared wallet: from the commit on the
// user's keys spend nothing of it. ErrNotFound: the user is no member.
func (s *Store) RemoveMember(ctx context.Context, accountID, userID string) error {
	return s.changed(ctx, "DELETE FROM wallet_members WHERE account_id = ?1 AND user_id = ?2", accountID, userID)
}

const memberColumns = "m.account_id, m.user_id, u.email, u.name, m.manager, m.created_at FROM wallet_members m JOIN users u ON u.id = m.user_id"

func scanMember(scan func(...any) error, m *Member) error {
	var created int64
	if err := scan(&m.AccountID, &m.UserID, &m.Email, &m.Name, &m.Manager, &created); err != nil {
		return err
	}
	m.CreatedAt = time.UnixMilli(created).UTC()
	return nil
}

// Members lists up to limit members of a shared wallet after the user with the
// id after.
func (s *Store) Members(ctx context.Context, accountID, after string, limit int) ([]Member, error) {
	return list(ctx, s.read, func(r *sql.Rows, m *Member) error { return scanMember(r.Scan, m) },
		"SELECT "+memberColumns+" WHERE m.account_id = ? AND m.user_id > ? ORDER BY m.user_id LIMIT ?", accountID, after, limit)
}

// MemberOf finds a user's membership. ErrNotFound: the user is no member.
func (s *Store) MemberOf(ctx context.Context, accountID, userID string) (m Member, err error) {
	err = scanMember(s.read.QueryRowContext(ctx, "SELECT "+memberColumns+" WHERE m.account_id = ? AND m.user_id = ?", accountID, userID).Scan, &m)
	if isNoRows(err) {
		err = ErrNotFound
	}
	return m, err
}

// SetKeyWallet makes a shared wallet pay for a key's calls; "": its user's own.
func (s *Store) SetKeyWallet(ctx context.Context, keyID, accountID string) error {
	var wallet any
	if accountID != "" {
		wallet = accountID
	}
	return s.changed(ctx, "UPDATE api_keys SET wallet_id = ?2 WHERE id = ?1", keyID, wallet)
}

// sharedPays is the wallet of a shared-wallet call, NULL once its key must not
// spend from it any more; then model_calls.account_id fails.
const sharedPays = `(SELECT w.account_id FROM api_keys k
    JOIN shared_wallets w ON w.account_id = k.wallet_id AND w.closed_at IS NULL
    JOIN wallet_members m ON m.account_id = w.account_id AND m.user_id = k.user_id
    WHERE k.id = ?4 AND k.wallet_id = ?6)`
