package store

import (
	"context"
	"database/sql"

	"github.com/aigne-hub/aigne-hub/shared/money"
)

// RateAt finds a version of a rate, whatever became of the rate since.
func (s *Store) RateAt(ctx context.Context, id string, version int64) (v RateVersion, err error) {
	err = scanRateVersion(s.read.QueryRowContext(ctx, rateVersionColumns+"WHERE rate_id = ? AND version = ?", id, version).Scan, &v)
	if isNoRows(err) {
		err = ErrNotFound
	}
	return v, err
}

// CallOperations lists what was booked for a call, in the order of their ids:
// <call>/correct, <call>/settle and whatever else bears the call's id.
func (s *Store) CallOperations(ctx context.Context, callID string) ([]Operation, error) {
	return list(ctx, s.read, scanOperation, "SELECT "+operationColumns+" WHERE id > ?1 || '/' AND id < ?1 || '0' ORDER BY id LIMIT 100", callID)
}

// Entry is one side of an operation.
type Entry struct {
	OperationID string
	AccountID   string
	Amount      money.Credits
}

// CallEntries lists the entries of a call's operations.
func (s *Store) CallEntries(ctx context.Context, callID string) ([]Entry, error) {
	return list(ctx, s.read, func(r *sql.Rows, e *Entry) error { return r.Scan(&e.OperationID, &e.AccountID, &e.Amount) },
		`SELECT operation_id, account_id, amount_nano FROM ledger_entries
WHERE operation_id > ?1 || '/' AND operation_id < ?1 || '0' ORDER BY operation_id, amount_nano LIMIT 200`, callID)
}
