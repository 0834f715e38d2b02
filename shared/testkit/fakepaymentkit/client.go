package fakepaymentkit

import (
	"context"
	"embed"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/testkit/npm"
)

//go:embed package.json package-lock.json client.mjs users.mjs
var files embed.FS

const clientLimit = time.Minute

// RunClient drives the stand-in with the public npm client and returns what each
// call came to. Without npm, or where its packages cannot be had, the test is
// skipped and says so.
func RunClient(t testing.TB, s *Server) map[string]json.RawMessage {
	t.Helper()
	node := npm.Node(t)
	dir := npm.InstallOrSkip(t, "payment", files)
	ctx, cancel := context.WithTimeout(context.Background(), clientLimit)
	defer cancel()
	_, port, _ := strings.Cut(strings.TrimPrefix(s.URL, "http://"), ":")
	cmd := exec.CommandContext(ctx, node, filepath.Join(dir, "client.mjs"), port, AppKey, "z8ia3xzq2tMq8CRHfaXj1BTYJyYnEcHbqP8cJ")
	cmd.Env = append(cmd.Environ(), "NO_PROXY=127.0.0.1", "no_proxy=127.0.0.1")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("the npm client: %v\n%s", err, out)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	var results map[string]json.RawMessage
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &results); err != nil {
		t.Fatalf("the npm client printed no results: %v\n%s", err, out)
	}
	return results
}

// RunUsers has the public npm packages make what the users, the components and
// the server of an app show at a time, as JSON. It is always the same. Without npm,
// or where the packages cannot be had, the test is skipped and says so.
func RunUsers(t testing.TB, now time.Time) []byte {
	t.Helper()
	node := npm.Node(t)
	dir := npm.InstallOrSkip(t, "payment", files)
	ctx, cancel := context.WithTimeout(context.Background(), clientLimit)
	defer cancel()
	out, err := exec.CommandContext(ctx, node, filepath.Join(dir, "users.mjs"), strconv.FormatInt(now.Unix(), 10)).Output()
	if err != nil {
		t.Fatalf("the npm packages: %v\n%s", err, out)
	}
	return out
}
