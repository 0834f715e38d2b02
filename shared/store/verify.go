package store

import (
	"context"
	"database/sql"
)

// Violation is one thing that ledger verification found wrong.
type Violation struct {
	Rule    string `json:"rule"`
	Subject string `json:"subject"`
	Detail  string `json:"detail"`
}

// ledgerRules are the invariants of the books. Each query lists what breaks
// one: a subject and what was found.
var ledgerRules = []struct{ rule, query string }{
	{"every operation's entries sum to zero",
		`SELECT operation_id, 'sum ' || sum(amount_nano) FROM ledger_entries GROUP BY operation_id HAVING sum(amount_nano) <> 0`},
	{"every operation with an amount has its entries",
		`SELECT o.id, 'amount ' || o.amount_nano FROM ledger_operations o WHERE o.amount_nano <> 0
  AND coalesce((SELECT sum(abs(e.amount_nano)) FROM ledger_entries e WHERE e.operation_id = o.id), 0) <> 2 * o.amount_nano`},
	{"each balance equals its entries",
		`SELECT a.id, 'balance ' || a.balance_nano || ', entries ' || coalesce(s.total, 0) FROM accounts a
  LEFT JOIN (SELECT account_id, sum(amount_nano) AS total FROM ledger_entries GROUP BY account_id) s ON s.account_id = a.id
  WHERE a.balance_nano <> coalesce(s.total, 0)`},
	{"each wallet's balance equals its grants' remainders",
		`SELECT a.id, 'balance ' || a.balance_nano || ', grants ' || coalesce(s.total, 0) FROM accounts a
  LEFT JOIN (SELECT account_id, sum(remaining_nano) AS total FROM credit_grants GROUP BY account_id) s ON s.account_id = a.id
  WHERE a.kind = 'wallet' AND a.balance_nano <> coalesce(s.total, 0)`},
	{"held equals the open holds",
		`SELECT a.id, 'held ' || a.held_nano || ', holds ' || coalesce(s.total, 0) FROM accounts a
  LEFT JOIN (SELECT account_id, sum(amount_nano) AS total FROM credit_holds GROUP BY account_id) s ON s.account_id = a.id
  WHERE a.held_nano <> coalesce(s.total, 0)`},
	{"no wallet is overdrawn",
		`SELECT id, 'available ' || (balance_nano - held_nano) FROM accounts WHERE kind = 'wallet' AND (held_nano < 0 OR balance_nano - held_nano < 0)`},
	{"what each account owes equals its open debts",
		`SELECT a.id, 'debt ' || a.debt_nano || ', rows ' || coalesce(s.total, 0) FROM accounts a
  LEFT JOIN (SELECT account_id, sum(open_nano) AS total FROM account_debts GROUP BY account_id) s ON s.account_id = a.id
  WHERE a.debt_nano <> coalesce(s.total, 0)`},
	{"each grant has the operation that gave it",
		`SELECT g.id, 'amount ' || g.amount_nano FROM credit_grants g
  WHERE NOT EXISTS (SELECT 1 FROM ledger_operations o WHERE o.id = 'grant/' || g.id AND o.amount_nano = g.amount_nano AND o.account_id = g.account_id)`},
	{"what remains of a grant can be spent",
		`SELECT id, 'remaining ' || remaining_nano || ', closed' FROM credit_grants WHERE open = 0 AND remaining_nano <> 0`},
	{"a credit line is paid back at most by what was spent of it",
		`SELECT id, 'repaid ' || repaid_nano || ' of ' || (amount_nano - remaining_nano) FROM credit_grants
  WHERE repaid_nano > amount_nano - remaining_nano OR (repaid_nano <> 0 AND kind <> 'credit_line')`},
	{"each finished call has exactly one settlement",
		`SELECT c.id, 'no settlement' FROM model_calls c WHERE c.status <> 'processing' AND c.billing = 1
  AND NOT EXISTS (SELECT 1 FROM ledger_operations o WHERE o.id = c.id || '/settle')`},
	{"each finished call has its usage row",
		`SELECT c.id, 'no usage row' FROM model_calls c WHERE c.status <> 'processing'
  AND NOT EXISTS (SELECT 1 FROM usage u WHERE u.call_id = c.id)`},
	{"each call's credits equal its operations",
		`SELECT c.id, 'credits ' || c.credits_nano FROM model_calls c WHERE c.status <> 'processing' AND c.billing = 1 AND c.credits_nano <>
  coalesce((SELECT amount_nano FROM ledger_operations o WHERE o.id = c.id || '/settle'), 0) +
  coalesce((SELECT amount_nano FROM ledger_operations o WHERE o.id = c.id || '/correct'), 0)`},
	{"what is reported of each user's usage is in batches",
		`SELECT user_id, 'usage ' || sum(reported) || ', batches ' || sum(batched) FROM (
    SELECT user_id, reported_nano AS reported, 0 AS batched FROM usage WHERE reported_nano <> 0
    UNION ALL SELECT user_id, 0, amount_nano FROM outbox_batches) GROUP BY user_id HAVING sum(reported) <> sum(batched)`},
	{"holds belong to calls that are open",
		`SELECT h.call_id, 'hold ' || h.amount_nano FROM credit_holds h JOIN model_calls c ON c.id = h.call_id WHERE c.status <> 'processing'`},
	{"open calls with billing have a hold",
		`SELECT c.id, 'no hold' FROM model_calls c WHERE c.status = 'processing' AND c.billing = 1
  AND NOT EXISTS (SELECT 1 FROM credit_holds h WHERE h.call_id = c.id)`},
}

const maxViolations = 1000

// VerifyLedger checks every rule in one read snapshot and returns what breaks
// them, plus how many operations were looked at.
func (s *Store) VerifyLedger(ctx context.Context) (violations []Violation, operations int64, err error) {
	conn, err := s.read.Conn(ctx)
	if err != nil {
		return nil, 0, err
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, "BEGIN"); err != nil {
		return nil, 0, err
	}
	defer func() { _, _ = conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK") }()
	for _, r := range ledgerRules {
		found, err := list(ctx, conn, func(rows *sql.Rows, v *Violation) error {
			v.Rule = r.rule
			return rows.Scan(&v.Subject, &v.Detail)
		}, r.query+" LIMIT ?", maxViolations)
		if err != nil {
			return nil, 0, err
		}
		violations = append(violations, found...)
	}
	err = conn.QueryRowContext(ctx, "SELECT count(*) FROM ledger_operations").Scan(&operations)
	return violations, operations, err
}
