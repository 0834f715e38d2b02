package fakepaymentkit

import (
	"bufio"
	"context"
	"embed"
	"encoding/json"
	"io"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/testkit/npm"
)

//go:embed package.json package-lock.json client.mjs users.mjs channel.mjs
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

// StartChannel starts ArcBlock's own web socket server as the channel of a
// component and returns its port. It tells of user three things once somebody
// joins: an update with a wrong signature, a change of settings, and a change of the
// user's permissions. Without npm, or where its packages cannot be had, the test is
// skipped and says so.
func StartChannel(t testing.TB, serverKey, app, component, apiKey, user string) (port string) {
	t.Helper()
	node := npm.Node(t)
	dir := npm.InstallOrSkip(t, "payment", files)
	cmd := exec.CommandContext(t.Context(), node, filepath.Join(dir, "channel.mjs"), serverKey, app, component, apiKey, user)
	in, err := cmd.StdinPipe() // its end is the server's
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if port, ok := strings.CutPrefix(lines.Text(), "port "); ok {
			go func() { _, _ = io.Copy(io.Discard, out) }()
			return port
		}
	}
	t.Fatal("the channel does not start")
	return ""
}
