package store

import (
	"database/sql"
	"go/ast"
	"go/constant"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// statements finds every SQL text of this package: the constant strings that
// begin like a statement, however they are put together.
func statements(t *testing.T) []string {
	t.Helper()
	fset := token.NewFileSet()
	paths, err := filepath.Glob("*.go")
	require.NoError(t, err)
	var files []*ast.File
	for _, p := range paths {
		if strings.HasSuffix(p, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(fset, p, nil, 0)
		require.NoError(t, err)
		files = append(files, f)
	}
	info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}}
	conf := types.Config{Importer: importer.Default(), Error: func(error) {}} // imports do not matter for constants
	_, _ = conf.Check("store", fset, files, info)
	begins := regexp.MustCompile(`^(SELECT|INSERT|UPDATE|DELETE)\s`)
	seen := map[string]bool{}
	inner := map[ast.Expr]bool{}
	for e := range info.Types {
		if b, ok := e.(*ast.BinaryExpr); ok {
			inner[b.X], inner[b.Y] = true, true
		}
	}
	var out []string
	for e, tv := range info.Types {
		if tv.Value == nil || tv.Value.Kind() != constant.String || inner[e] {
			continue
		}
		if q := constant.StringVal(tv.Value); begins.MatchString(q) && !seen[q] {
			seen[q] = true
			out = append(out, q)
		}
	}
	return out
}

// wholeTables are statements that read whole tables on purpose: small ones, and
// the rules of the ledger, which are about everything.
func wholeTables(q string) bool {
	for _, r := range ledgerRules {
		if r.query == q || strings.HasPrefix(q, r.query) {
			return true
		}
	}
	return strings.Contains(q, "FROM ledger_seals ORDER BY account_id, number") ||
		strings.Contains(q, "FROM accounts WHERE debt_nano > 0") // an index of those in debt only
}

func TestNoStatementScansATableThatGrows(t *testing.T) {
	t.Parallel()
	s, err := Open(t.Context(), Options{URL: "file:" + filepath.Join(t.TempDir(), "hub.db")})
	require.NoError(t, err)
	defer s.Close()
	_, err = s.Migrate(t.Context())
	require.NoError(t, err)
	all := statements(t)
	require.Greater(t, len(all), 40, "the finder finds")
	grows := regexp.MustCompile(`SCAN (accounts|apps|wallet_members|m|ledger_seals|account_debts|model_calls|c|model_call_attempts|usage|ledger_operations|o|ledger_entries|e|credit_grants|g|api_keys|k|idempotency_keys|audit_log|responses|jobs|blobs|answer_cache|admin_events|notifications|notification_deliveries|model_probes|ai_model_status_hours|call_slices|bill_rows|n|b|bill_calls|wallet_crossings|redeem_codes|redeem_uses|redeem_tries|payments|p|payment_backs|payment_disputes|payment_events|card_customers|receipts|outbox_batches|payment_customers|payment_grants|sessions|s|sign_in_tries|invitations|password_resets|r|user_totp|totp_recovery|identities|model_call_stats|model_call_rosters|archive_reported|archive_files|archive_runs|alerts|call_exports|payloads|oauth_clients|oauth_connections|oauth_codes|oauth_devices|connect_sessions|host_users|hu|spent_proofs)\b( |$)`)
	for _, q := range all {
		if wholeTables(q) {
			continue
		}
		steps, err := list(t.Context(), s.read, func(r *sql.Rows, detail *string) error {
			var id, parent, unused int
			return r.Scan(&id, &parent, &unused, detail)
		}, "EXPLAIN QUERY PLAN "+q, make([]any, params(q))...)
		assert.NoError(t, err, q)
		for _, detail := range steps {
			assert.False(t, grows.MatchString(detail), "%s\n%s", detail, q)
		}
	}
}

// TestSumsAreReadByTheirKey looks at the statements that are put together.
func TestSumsAreReadByTheirKey(t *testing.T) {
	t.Parallel()
	s, err := Open(t.Context(), Options{URL: "file:" + filepath.Join(t.TempDir(), "hub.db")})
	require.NoError(t, err)
	defer s.Close()
	_, err = s.Migrate(t.Context())
	require.NoError(t, err)
	for only, want := range map[StatKey]string{
		{}:                                 "PRIMARY KEY (period=? AND cube=? AND started_at>? AND started_at<?)",
		{Model: "m", Status: "success"}:    "PRIMARY KEY (period=? AND cube=? AND started_at>? AND started_at<?)",
		{UserID: "u", AppID: "a"}:          "PRIMARY KEY (period=? AND cube=? AND started_at=? AND user_id=?",
		{AppID: "a"}:                       "INDEX model_call_stats_app (app_id=? AND period=? AND started_at>? AND started_at<?)",
		{UserID: "u", KeyID: "k"}:          "PRIMARY KEY (period=? AND cube=? AND started_at=? AND user_id=?",
		{Provider: "p", Category: "limit"}: "PRIMARY KEY (period=? AND cube=? AND started_at>? AND started_at<?)",
		{Category: manyUsers}:              "PRIMARY KEY (period=? AND cube=? AND started_at=? AND user_id=?",
	} {
		for _, by := range []Dim{0, ByUser, ByModel | ByStatus, 255} {
			q := StatQuery{Only: only, By: by}
			if only.Category == manyUsers {
				q.Only, q.Users = StatKey{}, []string{"u", "v"}
			}
			query, args := q.statement()
			requirePlan(t, s, query, args, want)
		}
	}
	for _, column := range []string{rostersOfApps, rostersOfPeople} {
		requirePlan(t, s, rosterStatement(column), nil, "sqlite_autoindex_model_call_rosters_1 (period=? AND started_at>? AND started_at<?)")
	}
}

const manyUsers = "many users"

// requirePlan wants a plan of a statement over spans, and no scan of what it reads.
func requirePlan(t *testing.T, s *Store, query string, args []any, want string) {
	t.Helper()
	steps, err := list(t.Context(), s.read, func(r *sql.Rows, detail *string) error {
		var id, parent, unused int
		return r.Scan(&id, &parent, &unused, detail)
	}, "EXPLAIN QUERY PLAN "+query, append([]any{"[[0,0,0,1,2]]"}, args...)...)
	require.NoError(t, err, query)
	plan := strings.Join(steps, "\n")
	assert.Contains(t, plan, want, query)
	assert.NotContains(t, plan, "SCAN s", query)
	assert.NotContains(t, plan, "SCAN r", query)
}

// params counts the parameters of a statement: the greatest ?N, else the ?s.
func params(q string) int {
	most, plain := 0, 0
	for _, m := range regexp.MustCompile(`\?(\d*)`).FindAllStringSubmatch(q, -1) {
		if m[1] == "" {
			plain++
			continue
		}
		n := 0
		for _, d := range m[1] {
			n = 10*n + int(d-'0')
		}
		most = max(most, n)
	}
	return max(most, plain)
}
