package store

import (
	"context"
	"database/sql"
	"strings"
)

// Violation is one thing that ledger verification found wrong.
type Violation struct {
	Rule    string `json:"rule"`
	Subject string `json:"subject"`
	Detail  string `json:"detail"`
}

// ledgerSeals begins the rules: sealed is what each account came to at its last
// seal, fresh are the operations since. With ?1 nothing counts as sealed.
const ledgerSeals = `WITH sealed AS (SELECT s.account_id, s.through, s.balance_nano, s.sums_json FROM ledger_seals s
  WHERE ?1 = 0 AND s.number = (SELECT max(l.number) FROM ledger_seals l WHERE l.account_id = s.account_id)),
fresh AS (SELECT o.id, o.account_id, o.amount_nano, o.call_id, o.kind FROM accounts a
  LEFT JOIN sealed s ON s.account_id = a.id
  CROSS JOIN ledger_operations o ON o.account_id = a.id AND o.created_at > coalesce(s.through, -9223372036854775807))
`

// ledgerRules are the invariants of the books. Each query lists what breaks
// one: a subject and what was found.
var ledgerRules = []struct{ rule, query string }{
	{"every operation's entries sum to zero",
		`SELECT f.id, 'sum ' || sum(e.amount_nano) FROM fresh f CROSS JOIN ledger_entries e ON e.operation_id = f.id GROUP BY f.id HAVING sum(e.amount_nano) <> 0`},
	{"every operation with an amount has its entries",
		`SELECT o.id, 'amount ' || o.amount_nano FROM fresh o WHERE o.amount_nano <> 0
  AND coalesce((SELECT sum(abs(e.amount_nano)) FROM ledger_entries e WHERE e.operation_id = o.id), 0) <> 2 * o.amount_nano`},
	{"an operation moves its own wallet and system accounts only",
		`SELECT f.id, 'entry on ' || e.account_id FROM fresh f CROSS JOIN ledger_entries e ON e.operation_id = f.id
  JOIN accounts a ON a.id = e.account_id WHERE a.kind = 'wallet' AND e.account_id <> f.account_id`},
	{"each balance equals its entries",
		`SELECT a.id, 'balance ' || a.balance_nano || ', entries ' || (coalesce(s.balance_nano, 0) + coalesce(t.total, 0)) FROM accounts a
  LEFT JOIN sealed s ON s.account_id = a.id
  LEFT JOIN (SELECT f.account_id, sum(e.amount_nano) AS total FROM fresh f CROSS JOIN ledger_entries e ON e.operation_id = f.id AND e.account_id = f.account_id
    GROUP BY f.account_id) t ON t.account_id = a.id
  WHERE a.kind = 'wallet' AND a.balance_nano <> coalesce(s.balance_nano, 0) + coalesce(t.total, 0)`},
	{"each system account equals its entries",
		`SELECT a.id, 'balance ' || a.balance_nano || ', entries ' || (coalesce(s.total, 0) + coalesce(t.total, 0)) FROM accounts a
  LEFT JOIN (SELECT j.key AS id, sum(j.value) AS total FROM sealed, json_each(sealed.sums_json) j GROUP BY j.key) s ON s.id = a.id
  LEFT JOIN (SELECT e.account_id AS id, sum(e.amount_nano) AS total FROM fresh f CROSS JOIN ledger_entries e ON e.operation_id = f.id GROUP BY e.account_id) t ON t.id = a.id
  WHERE a.kind = 'system' AND a.balance_nano <> coalesce(s.total, 0) + coalesce(t.total, 0)`},
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
  WHERE g.open = 1 AND NOT EXISTS (SELECT 1 FROM ledger_operations o WHERE o.id = 'grant/' || g.id AND o.amount_nano = g.amount_nano AND o.account_id = g.account_id)`},
	{"what remains of a grant can be spent",
		`SELECT id, 'remaining ' || remaining_nano || ', closed' FROM credit_grants WHERE open = 0 AND remaining_nano <> 0`},
	{"a credit line is paid back at most by what was spent of it",
		`SELECT id, 'repaid ' || repaid_nano || ' of ' || (amount_nano - remaining_nano) FROM credit_grants
  WHERE repaid_nano > amount_nano - remaining_nano OR (repaid_nano <> 0 AND kind <> 'credit_line')`},
	{"each finished call has exactly one settlement",
		`SELECT c.id, 'no settlement' FROM model_calls c WHERE c.id > ?3 AND c.status <> 'processing' AND c.billing = 1
  AND NOT EXISTS (SELECT 1 FROM ledger_operations o WHERE o.id = c.id || '/settle')`},
	{"each finished call has its usage row",
		`SELECT c.id, 'no usage row' FROM model_calls c WHERE c.id > ?3 AND c.status <> 'processing'
  AND NOT EXISTS (SELECT 1 FROM usage u WHERE u.call_id = c.id)`},
	{"each call's credits equal its operations",
		`SELECT c.id, 'credits ' || c.credits_nano FROM model_calls c WHERE c.id > ?3 AND c.status <> 'processing' AND c.billing = 1 AND c.credits_nano <>
  coalesce((SELECT amount_nano FROM ledger_operations o WHERE o.id = c.id || '/settle'), 0) +
  coalesce((SELECT amount_nano FROM ledger_operations o WHERE o.id = c.id || '/correct'), 0)`},
	{"what is reported of each user's usage is in batches",
		`SELECT user_id, 'usage ' || sum(reported) || ', batches ' || sum(batched) FROM (
    SELECT user_id, reported_nano AS reported, 0 AS batched FROM usage WHERE ?1 <> 0 AND reported_nano <> 0
    UNION ALL SELECT user_id, reported_nano, 0 FROM archive_reported WHERE ?1 <> 0
    UNION ALL SELECT user_id, 0, amount_nano FROM outbox_batches WHERE ?1 <> 0) GROUP BY user_id HAVING sum(reported) <> sum(batched)`},
	{"a charge belongs to a finished call that says so",
		`SELECT f.id, 'call ' || coalesce(c.status, 'none') FROM fresh f LEFT JOIN model_calls c ON c.id = f.call_id
  WHERE f.kind IN ('charge','correct') AND (c.status = 'processing'
    OR (c.id IS NULL AND NOT EXISTS (SELECT 1 FROM archives WHERE f.call_id >= lower_id AND f.call_id < upper_id)))`},
	{"archived calls were charged what the ledger says",
		`SELECT x.name, 'calls ' || x.billed || ', ledger ' || found || '; credits ' || x.billed_nano || ', ledger ' || booked FROM (
    SELECT x.name, x.billed, x.billed_nano, count(o.id) AS found, coalesce(sum(o.booked), 0) AS booked FROM archives x
    LEFT JOIN (SELECT s.id, s.call_id, s.amount_nano + coalesce((SELECT amount_nano FROM ledger_operations d WHERE d.id = s.call_id || '/correct'), 0) AS booked
      FROM ledger_operations s) o ON o.id >= x.lower_id AND o.id < x.upper_id AND o.id = o.call_id || '/settle'
      AND NOT EXISTS (SELECT 1 FROM model_calls c WHERE c.id = o.call_id)
    WHERE ?1 <> 0 GROUP BY x.name) x WHERE found <> x.billed OR booked <> x.billed_nano`},
	{"holds belong to calls that are open",
		`SELECT h.call_id, 'hold ' || h.amount_nano FROM credit_holds h JOIN model_calls c ON c.id = h.call_id WHERE c.status <> 'processing'`},
	{"an open call's hold is what its record says",
		`SELECT h.call_id, 'hold ' || h.amount_nano || ', record ' || c.hold_nano FROM credit_holds h JOIN model_calls c ON c.id = h.call_id
  WHERE h.amount_nano <> c.hold_nano`},
	{"open calls with billing have a hold",
		`SELECT c.id, 'no hold' FROM model_calls c WHERE c.id > ?3 AND c.status = 'processing' AND c.billing = 1
  AND NOT EXISTS (SELECT 1 FROM credit_holds h WHERE h.call_id = c.id)`},
}

const maxViolations = 1000

// VerifyLedger checks every rule in one read snapshot and returns what breaks
// them, plus how many operations were looked at: those since the last seals, or
// with all every one, and then the seals as well.
func (s *Store) VerifyLedger(ctx context.Context, all bool) (violations []Violation, operations int64, err error) {
	err = s.snapshot(ctx, func(conn queryer) error {
		horizon := ""
		if !all {
			if err := conn.QueryRowContext(ctx, "SELECT calls FROM ledger_horizon WHERE id = 1").Scan(&horizon); err != nil {
				return err
			}
		}
		for _, r := range ledgerRules {
			args := []any{boolInt(all), maxViolations}
			if strings.Contains(r.query, "?3") { // some clients want each parameter used
				args = append(args, horizon)
			}
			found, err := list(ctx, conn, func(rows *sql.Rows, v *Violation) error {
				v.Rule = r.rule
				return rows.Scan(&v.Subject, &v.Detail)
			}, ledgerSeals+r.query+" LIMIT ?2", args...)
			if err != nil {
				return err
			}
			violations = append(violations, found...)
		}
		if all {
			broken, err := verifySeals(ctx, conn)
			if err != nil {
				return err
			}
			violations = append(violations, broken...)
		}
		return conn.QueryRowContext(ctx, ledgerSeals+"SELECT count(*) FROM fresh", boolInt(all)).Scan(&operations)
	})
	return violations, operations, err
}

// snapshot reads in one transaction.
func (s *Store) snapshot(ctx context.Context, read func(queryer) error) error {
	conn, err := s.read.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, "BEGIN"); err != nil {
		return err
	}
	defer func() { _, _ = conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK") }()
	return read(conn)
}
