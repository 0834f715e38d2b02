package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"time"

	"github.com/oklog/ulid/v2"
)

// seal is a row of ledger_seals.
type seal struct {
	account    string
	number     int64
	through    int64
	operations int64
	balance    int64
	sums       map[string]int64
	hash       string
}

// sealed sums up an account's operations between two moments onto the seal
// before, and hashes them in their order. It fails on operations that are not in
// order themselves: nothing wrong is sealed.
func sealed(ctx context.Context, q queryer, before seal, through int64) (seal, error) {
	next := seal{account: before.account, number: before.number + 1, through: through, operations: before.operations, balance: before.balance,
		sums: map[string]int64{}}
	for k, v := range before.sums {
		next.sums[k] = v
	}
	digest := sha256.New()
	digest.Write([]byte(before.hash))
	rows, err := q.QueryContext(ctx, `SELECT o.id, o.kind, o.cause, o.amount_nano, o.created_at, coalesce(e.account_id, ''), coalesce(e.amount_nano, 0)
FROM ledger_operations o LEFT JOIN ledger_entries e ON e.operation_id = o.id
WHERE o.account_id = ?1 AND o.created_at > ?2 AND o.created_at <= ?3 ORDER BY o.account_id, o.created_at, o.id, e.account_id`, before.account, before.through, through)
	if err != nil {
		return next, err
	}
	defer rows.Close()
	var one sealing
	for rows.Next() {
		var id, kind, cause, account string
		var amount, created, entry int64
		if err := rows.Scan(&id, &kind, &cause, &amount, &created, &account, &entry); err != nil {
			return next, err
		}
		if id != one.id {
			if err := one.inOrder(); err != nil {
				return next, err
			}
			one = sealing{id: id, amount: amount}
			next.operations++
			line(digest, id, kind, cause, amount, created)
		}
		if account == "" {
			continue
		}
		one.add(entry)
		line(digest, account, entry)
		if account == before.account {
			next.balance += entry
		} else {
			next.sums[account] += entry
		}
	}
	next.hash = hex.EncodeToString(digest.Sum(nil))
	return next, errors.Join(rows.Err(), one.inOrder())
}

// sealing is one operation while its entries are read.
type sealing struct {
	id               string
	amount, sum, all int64
}

func (o *sealing) add(entry int64) {
	o.sum += entry
	o.all += max(entry, -entry)
}

func (o *sealing) inOrder() error {
	if o.sum != 0 || o.all != 2*o.amount {
		return fmt.Errorf("operation %s is not in order and cannot be sealed", o.id)
	}
	return nil
}

func line(digest hash.Hash, parts ...any) {
	text, _ := json.Marshal(parts) // strings and whole numbers
	digest.Write(append(text, '\n'))
}

// lastSeal is an account's newest seal, or the empty one before the first.
func lastSeal(ctx context.Context, q queryer, account string) (seal, error) {
	x := seal{account: account, through: -1 << 63, sums: map[string]int64{}}
	var sums string
	err := q.QueryRowContext(ctx, `SELECT number, through, operations, balance_nano, sums_json, hash FROM ledger_seals
WHERE account_id = ? ORDER BY number DESC LIMIT 1`, account).Scan(&x.number, &x.through, &x.operations, &x.balance, &sums, &x.hash)
	if isNoRows(err) {
		return x, nil
	}
	if err != nil {
		return x, err
	}
	return x, json.Unmarshal([]byte(sums), &x.sums)
}

// SealAccount seals what happened on a wallet up to a time ago, by the
// database's clock, if that is at least so many operations. First it is made
// certain that nothing can come before that time any more; then what there is is
// read at leisure and written down. It reports whether a seal was made.
func (s *Store) SealAccount(ctx context.Context, accountID string, ago time.Duration, least int64) (bool, error) {
	before, err := lastSeal(ctx, s.read, accountID)
	if err != nil {
		return false, err
	}
	var through, n int64
	err = s.read.QueryRowContext(ctx, "SELECT "+dbNow+" - ?3, (SELECT count(*) FROM (SELECT 1 FROM ledger_operations WHERE account_id = ?1 AND created_at > ?2 AND created_at <= "+
		dbNow+" - ?3 LIMIT ?4))", accountID, before.through, ago.Milliseconds(), max(1, least)).Scan(&through, &n)
	if err != nil || n < max(1, least) {
		return false, err
	}
	if err := s.Exec(ctx, "UPDATE accounts SET sealed_through = max(sealed_through, ?2) WHERE id = ?1", accountID, through); err != nil {
		return false, err
	}
	next, err := sealed(ctx, s.read, before, through)
	if err != nil {
		return false, err
	}
	sums, err := json.Marshal(next.sums)
	if err != nil {
		return false, err
	}
	u := &Unit{Priority: Background}
	u.Add(`INSERT INTO ledger_seals (account_id, number, through, operations, balance_nano, sums_json, hash, created_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)`, accountID, next.number, next.through, next.operations, next.balance, string(sums), next.hash, s.millis())
	err = s.Do(ctx, u)
	if errors.Is(err, ErrConflict) { // another process sealed it
		return false, nil
	}
	return err == nil, err
}

// callsStayOpen is for how long calls, jobs included, are taken for possibly
// open.
const callsStayOpen = 72 * time.Hour

// AdvanceHorizon checks finished calls that are older than any open one, a batch
// at a time, and moves the horizon behind which checks of the books need not
// look again. more reports that there are others. A call that is not in order
// stops it.
func (s *Store) AdvanceHorizon(ctx context.Context) (more bool, err error) {
	const batch = 50_000
	var from, to sql.NullString
	err = s.read.QueryRowContext(ctx, "SELECT calls FROM ledger_horizon WHERE id = 1").Scan(&from)
	if err != nil {
		return false, err
	}
	var limit ulid.ULID
	if err := limit.SetTime(ulid.Timestamp(s.now().Add(-callsStayOpen))); err != nil {
		return false, err
	}
	err = s.read.QueryRowContext(ctx, "SELECT max(id) FROM (SELECT id FROM model_calls WHERE id > ?1 AND id < ?2 ORDER BY id LIMIT ?3)",
		from.String, limit.String(), batch).Scan(&to)
	if err != nil || !to.Valid {
		return false, err
	}
	var wrong sql.NullString
	err = s.read.QueryRowContext(ctx, `SELECT min(c.id) FROM model_calls c WHERE c.id > ?1 AND c.id <= ?2 AND (c.status = 'processing'
  OR NOT EXISTS (SELECT 1 FROM usage u WHERE u.call_id = c.id)
  OR (c.billing = 1 AND (NOT EXISTS (SELECT 1 FROM ledger_operations o WHERE o.id = c.id || '/settle') OR c.credits_nano <>
    coalesce((SELECT amount_nano FROM ledger_operations o WHERE o.id = c.id || '/settle'), 0) +
    coalesce((SELECT amount_nano FROM ledger_operations o WHERE o.id = c.id || '/correct'), 0))))`, from.String, to.String).Scan(&wrong)
	if err != nil {
		return false, err
	}
	if wrong.Valid {
		err = s.read.QueryRowContext(ctx, "SELECT max(id) FROM model_calls WHERE id > ?1 AND id < ?2", from.String, wrong.String).Scan(&to)
		if err != nil || !to.Valid {
			return false, err
		}
	}
	return !wrong.Valid, s.Exec(ctx, "UPDATE ledger_horizon SET calls = ?1, checked_at = ?3 WHERE id = 1 AND calls = ?2", to.String, from.String, s.millis())
}

// verifySeals makes every seal once more and lists those that are not what the
// operations say.
func verifySeals(ctx context.Context, q queryer) ([]Violation, error) {
	const rule = "each seal is what its operations come to"
	type row struct {
		account, sums string
		seal
	}
	all, err := list(ctx, q, func(r *sql.Rows, x *row) error {
		return r.Scan(&x.account, &x.number, &x.through, &x.operations, &x.balance, &x.sums, &x.hash)
	}, "SELECT account_id, number, through, operations, balance_nano, sums_json, hash FROM ledger_seals ORDER BY account_id, number")
	if err != nil {
		return nil, err
	}
	var out []Violation
	before := seal{}
	for _, x := range all {
		if x.account != before.account {
			before = seal{account: x.account, through: -1 << 63}
		}
		next, err := sealed(ctx, q, before, x.through)
		sums, merr := json.Marshal(next.sums)
		switch {
		case ctx.Err() != nil || merr != nil:
			return out, errors.Join(ctx.Err(), merr)
		case err != nil:
			out = append(out, Violation{rule, x.account, err.Error()})
		case next.hash != x.hash || next.operations != x.operations || next.balance != x.balance || string(sums) != x.sums:
			out = append(out, Violation{rule, x.account, fmt.Sprintf("seal %d has other operations", x.number)})
		}
		before = next
	}
	return out, nil
}
