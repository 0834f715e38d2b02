package store

import (
	"errors"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// A unit's conditions fail a statement, since an UPDATE that matches nothing
// does not stop a batch on a server. These are the names by which the failures
// are recognised, in an embedded file and over the network alike.
var conditions = []struct {
	text string
	err  error
}{
	{"ck_available", ErrInsufficient},
	{"ck_grant_covers", ErrGrantSplit},
	{"ck_debt", ErrDebt},
	{"ck_limit", ErrLimit},
	{"ck_sign_in_tries", ErrTries},
	{"ck_redeem_uses", ErrCodeUsed},
	{"ck_grants_due", ErrGrantsDue},
	{"NOT NULL constraint failed: model_calls.config_version", ErrStaleConfig},
	{"NOT NULL constraint failed: model_calls.api_key_id", ErrKeyGone},
	{"NOT NULL constraint failed: model_calls.user_id", ErrUserGone},
	{"NOT NULL constraint failed: model_calls.account_id", ErrWalletGone},
	{"NOT NULL constraint failed: model_calls.owner", ErrLeaseLost},
	{"NOT NULL constraint failed: usage.open_owner", ErrNotOpen},
	{"NOT NULL constraint failed: ledger_operations.amount_nano", ErrNotOpen}, // the hold is gone
	{"NOT NULL constraint failed: jobs.call_id", ErrNotOpen},
	{"NOT NULL constraint failed: call_slices.owner", ErrNotOpen},
	{"NOT NULL constraint failed: model_call_stats_state.turn", ErrNotOpen},
	{"NOT NULL constraint failed: archives.", ErrMoved},
	{"UNIQUE constraint failed: call_slices", ErrExists},
	{"UNIQUE constraint failed: jobs.id", ErrExists},
	{"UNIQUE constraint failed: model_calls.id", ErrExists},
	{"UNIQUE constraint failed: usage.call_id", ErrExists},
	{"UNIQUE constraint failed: ledger_operations.id", ErrExists},
	{"UNIQUE constraint failed: idempotency_keys", ErrRepeated},
	{"UNIQUE constraint failed", ErrConflict},
	{"FOREIGN KEY constraint failed", ErrConflict},
}

// The outcomes of a unit whose condition was not met. None of them leaves a
// trace in the database.
var (
	ErrInsufficient = errors.New("wallet does not cover the hold")
	ErrGrantSplit   = errors.New("first grant does not cover the amount")
	ErrLimit        = errors.New("a limit is used up")
	ErrTries        = errors.New("too many tries")
	ErrDebt         = errors.New("account has an open debt")
	ErrGrantsDue    = errors.New("account has grants due to expire")
	ErrStaleConfig  = errors.New("configuration has changed")
	ErrKeyGone      = errors.New("API key is revoked, expired or replaced")
	ErrUserGone     = errors.New("user is disabled")
	ErrWalletGone   = errors.New("key may not spend from the shared wallet")
	ErrLeaseLost    = errors.New("process lease is dead")
	ErrNotOpen      = errors.New("call is no longer open for this process")
	ErrExists       = errors.New("unit is already done")
	ErrRepeated     = errors.New("idempotency key is taken")
	ErrMoved        = errors.New("a call changed or was moved meanwhile")
	ErrConflict     = errors.New("conflicts with existing data")
)

// ErrNotFound is returned for a row that is not there.
var ErrNotFound = errors.New("not found")

// ErrUnavailable is returned when the database could not take a unit; whether
// it did is unknown. Callers of the hub are told to try again.
var ErrUnavailable = hub.Errorf(hub.CodeUnavailable, "The hub's database does not answer now; please try again.")

// condition maps a driver's error to the condition that failed, nil if the
// error is no constraint violation.
func condition(err error) error {
	text := err.Error()
	if !strings.Contains(text, "constraint") && !strings.Contains(text, "ck_") {
		return nil
	}
	for _, c := range conditions {
		if strings.Contains(text, c.text) {
			return c.err
		}
	}
	if strings.Contains(text, "constraint failed") {
		return ErrConflict
	}
	return nil
}

// busy reports whether another process holds the lock.
func busy(err error) bool {
	text := err.Error()
	return strings.Contains(text, "SQLITE_BUSY") || strings.Contains(text, "database is locked")
}
