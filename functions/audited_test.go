package functions_test

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/store"
)

// unaudited are the routes with a changing method after which nothing is to be
// on record, and why.
var unaudited = map[string]string{
	"POST /api/admin/providers/{name}/test":     "asks, changes nothing",
	"POST /api/admin/webhooks/{id}/test":        "sends a test, changes nothing",
	"POST /api/user/admin/user-info":            "a question with a body",
	"POST /api/ai/trigger-rate-check":           "a job that runs early; it tells, and changes nothing",
	"POST /api/ai-providers/trigger-rate-check": "a job that runs early; it tells, and changes nothing",
	"PUT /api/user/credit/notices":              "a user's own wish what to be told",
	"POST /api/billing/stripe/webhook":          "what it moves is recorded by the ledger",
	"POST /api/payment/callback":                "what it moves is recorded by the ledger",
	"POST /api/auth/invitations/read":           "a question with a body",
	"POST /api/auth/oidc/{name}/start":          "the sign-in that it may become is on record",
	"POST /api/auth/password/forgot":            "anybody may ask, for any address; the new password is on record",
	"POST /oauth/authorize/read":                "a question with a body",
	"POST /oauth/device/read":                   "a question with a body",
	"POST /oauth/connect/read":                  "a question with a body",
	"POST /oauth/introspect":                    "a question with a body",
	"POST /oauth/token":                         "what the user agreed to and the key that is made are on record; not each refreshment of it",
	"POST /oauth/revoke":                        "what it ends is on record; a token that is not good is no error",
	"POST /oauth/device_authorization":          "nothing is given until the user agrees, which is on record",
	"POST " + connectSession:                    "nothing is given until the user agrees, which is on record",
	"DELETE " + connectSession:                  "the waiting ends; what was given stays",
	"POST /api/auth/second-factor":              "nothing is in force until it is confirmed",
}

const connectSession = "/.well-known/service/api/access-key/session"

// unreached are routes that no test of this package calls with success.
var unreached = map[string]string{}

// onRecord collects the changing routes that tests called with success.
var onRecord struct { //nolint:gochecknoglobals // over all tests of the package
	sync.Mutex
	seen map[string]bool
}

var changing = []string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}

// administration are the functions whose changes are audited.
var administration = []string{"auth", "admin", "billing", "usage"}

// changed checks, after a request that succeeded, that what it did is on record
// with who did it, from where and in which request.
func (w *world) changed(fn, as string, r *http.Request, res *httptest.ResponseRecorder) {
	w.t.Helper()
	if !slices.Contains(changing, r.Method) || !slices.Contains(administration, fn) || res.Code >= 300 {
		return
	}
	route := routeOf(fn, r)
	onRecord.Lock()
	if onRecord.seen == nil {
		onRecord.seen = map[string]bool{}
	}
	onRecord.seen[route] = true
	onRecord.Unlock()
	if unaudited[route] != "" || strings.Contains(res.Body.String(), `"dry_run":true`) || strings.Contains(r.URL.RawQuery, "dry_run") {
		return
	}
	var n int
	var address, user string
	require.NoError(w.t, w.app.Store.Tx(context.WithoutCancel(w.t.Context()), func(ctx context.Context, tx *store.Tx) error {
		return tx.QueryRowContext(ctx, "SELECT count(*), coalesce(max(address), ''), coalesce(max(user_id), '') FROM audit_log WHERE request_id = ?",
			res.Header().Get("X-Request-Id")).Scan(&n, &address, &user)
	}))
	assert.Positive(w.t, n, "%s is not on record", route)
	if n > 0 {
		from, _, err := net.SplitHostPort(r.RemoteAddr)
		require.NoError(w.t, err)
		assert.Equal(w.t, from, address, route)
		assert.Equal(w.t, as != "", user != "", route)
	}
}

// routeOf names the route that serves a request.
func routeOf(fn string, r *http.Request) string {
	mux := http.NewServeMux()
	for _, rt := range all[fn].routes() {
		mux.HandleFunc(strings.TrimPrefix(rt.Method+" "+rt.Pattern, " "), func(http.ResponseWriter, *http.Request) {})
	}
	_, pattern := mux.Handler(r)
	return pattern
}

// TestMain checks after a run of all tests that no changing route was left out.
func TestMain(m *testing.M) {
	code := m.Run()
	if f := flag.Lookup("test.run"); code == 0 && f.Value.String() == "" && flag.Lookup("test.skip").Value.String() == "" {
		if left := leftOut(); len(left) > 0 {
			fmt.Printf("no test changes anything by %s: add one, or name it in unreached\n", strings.Join(left, ", "))
			code = 1
		}
	}
	os.Exit(code)
}

func leftOut() []string {
	left := map[string]bool{}
	for _, fn := range administration {
		for _, rt := range all[fn].routes() {
			name := strings.TrimPrefix(rt.Method+" "+rt.Pattern, " ")
			if slices.Contains(changing, rt.Method) && !onRecord.seen[name] && unaudited[name] == "" && unreached[name] == "" {
				left[name] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(left))
}
