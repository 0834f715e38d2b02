package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/testkit/fakeprovider"
)

// stopTime is what the hub gets to end in order.
const stopTime = 5 * time.Second

// demoHub is the hub's binary on a folder of its own.
type demoHub struct {
	binary, dir, url string
	serving          *exec.Cmd
	ended            chan struct{}
}

// environ is all that the hub sees: the caller's own settings and keys stay out
// of the demo.
func (h *demoHub) environ() []string {
	return []string{
		"HOME=" + h.dir, "PATH=" + os.Getenv("PATH"), "AIGNE_HUB_DATA=" + h.dir, "AIGNE_HUB_BILLING=on", "AIGNE_HUB_LOG_LEVEL=warn",
		"DEMO_PROVIDER_KEY=" + fakeprovider.DefaultKey,
	}
}

// command carries out one command of the hub and returns what it printed.
func (h *demoHub) command(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, h.binary, args...)
	cmd.Env = h.environ()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(stderr.String()))
	}
	return stdout.String(), nil
}

// setUp makes a provider, rates, users and credits, and returns the member's key.
func (h *demoHub) setUp(ctx context.Context, upstream string) (key string, err error) {
	for _, line := range []string{
		"provider add --kind openai --name openai --credential-env DEMO_PROVIDER_KEY --base-url " + upstream,
		"rate set --provider openai --model gpt-fake --input 1 --output 4 --cost-input 0.5 --cost-output 2",
		"rate set --provider openai --model gpt-fake-mini --input 0.1 --output 0.4",
		"user create --role owner --email " + owner,
		"user create --role member --email " + member,
		"credits grant --amount 5 --reason demo --user " + member,
	} {
		if _, err := h.command(ctx, strings.Fields(line)...); err != nil {
			return "", err
		}
	}
	key, err = h.command(ctx, "key", "create", "--name", "demo", "--user", member)
	return strings.TrimSpace(key), err
}

// start serves until stop, and waits until the hub says where it is.
func (h *demoHub) start(ctx context.Context, listen string) error {
	// Not bound to ctx, which would kill it: stop lets it end in order.
	cmd := exec.CommandContext(context.WithoutCancel(ctx), h.binary, "serve", "--json", "--listen", listen)
	cmd.Env, cmd.Stderr = h.environ(), os.Stderr
	// A Ctrl-C in the terminal is for the demo, which then stops the hub.
	cmd.SysProcAttr = ownGroup()
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	h.serving, h.ended = cmd, make(chan struct{})
	var up struct {
		URL string `json:"url"`
	}
	err = json.NewDecoder(out).Decode(&up)
	go func() {
		_ = cmd.Wait() // how it ended is in the log on standard error
		close(h.ended)
	}()
	if err != nil {
		_ = cmd.Process.Kill() // it said something else than it should, or has ended
		<-h.ended
		return fmt.Errorf("the hub did not start: %w", err)
	}
	h.url = up.URL
	return nil
}

func (h *demoHub) stop() error {
	_ = h.serving.Process.Signal(syscall.SIGTERM) // it may have ended already
	select {
	case <-h.ended:
		return nil
	case <-time.After(stopTime):
		err := h.serving.Process.Kill()
		<-h.ended
		return err
	}
}
