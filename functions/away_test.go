package functions_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/testkit/hrana"
)

// TestWhileTheDatabaseIsAwayCallersAreToldToTryAgain tries every route while the
// database's server does not answer: none of them calls that a fault of the hub's.
func TestWhileTheDatabaseIsAwayCallersAreToldToTryAgain(t *testing.T) {
	t.Parallel()
	server := hrana.New(t, hrana.Options{})
	w := open(t, "AIGNE_HUB_DATABASE="+server.URL, "AIGNE_HUB_DATABASE_TOKEN="+server.Token, "AIGNE_HUB_MASTER_KEY="+masterKey)
	w.do("auth", "owner", http.MethodGet, "/api/auth/me", "") // so that the key is known
	server.Kill()
	told := 0
	eachRoute(func(name, method, path string, _ httpkit.Route) {
		res := w.do(name, "owner", method, path, "")
		assert.NotEqual(t, http.StatusInternalServerError, res.Code, "%s %s: %s", method, path, res.Body.String())
		if res.Code == http.StatusServiceUnavailable {
			told++
			assert.NotEmpty(t, res.Header().Get("Retry-After"), "%s %s", method, path)
		}
	})
	assert.Greater(t, told, 50)
}
