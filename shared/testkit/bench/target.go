package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// The names of the targets, in the order in which they are measured.
const (
	direct = "direct" // the upstream itself: what all latencies are compared with
	floor  = "floor"
	hubOff = "off" // the hub without billing: authentication, limits, durable call records
	hubOn  = "on"  // the hub with the ledger
)

// startLimit bounds how long a process may take to answer for the first time.
const startLimit = 20 * time.Second

// target is one thing that is measured.
type target struct {
	name  string
	url   string
	key   string
	cmd   *exec.Cmd // nil for direct
	log   *tailLog
	start time.Duration // from exec to the first answered chat request
	idle  int64         // resident memory before any load, KiB
	dir   string        // its temporary folder, "" without one
	size  int64         // of the binary, bytes; 0 where it means nothing
}

// tailLog keeps the last words of a process for error messages.
type tailLog struct{ bytes.Buffer }

const tailLimit = 8 << 10

func (l *tailLog) Write(p []byte) (int, error) {
	if l.Len() > tailLimit {
		l.Next(l.Len() - tailLimit/2)
	}
	return l.Buffer.Write(p)
}

func (t *target) stop() {
	if t.cmd == nil || t.cmd.Process == nil {
		return
	}
	_ = t.cmd.Process.Signal(syscall.SIGTERM) // one that has ended already is fine
	done := make(chan struct{})
	go func() {
		_ = t.cmd.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(5 * time.Second):
		_ = t.cmd.Process.Kill()
		<-done
	}
}

// startPart runs this program's fakeup or floor as a process of its own.
func startPart(name string, args ...string) (*target, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	t := &target{name: name, key: "bench", log: &tailLog{}}
	t.cmd = exec.Command(self, append([]string{name}, args...)...)
	t.cmd.Stderr = t.log
	out, err := t.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := t.cmd.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	url, ok := strings.CutPrefix(strings.TrimSpace(line), "listening ")
	if err != nil || !ok {
		t.stop()
		return nil, fmt.Errorf("%s did not start: %s", name, t.log)
	}
	t.url = url
	return t, nil
}

func startFloor(ctx context.Context, upstream string) (*target, error) {
	began := time.Now()
	t, err := startPart("floor", "-upstream", upstream)
	if err != nil {
		return nil, err
	}
	return t, t.awaitAnswer(ctx, began)
}

// startHub sets a hub up with its own commands, on a fresh data folder, and
// serves it.
func startHub(ctx context.Context, binary, upstream, dir, mode string) (*target, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	t := &target{name: mode, url: "http://" + address, log: &tailLog{}}
	if info, err := os.Stat(binary); err == nil {
		t.size = info.Size()
	}
	env := []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "AIGNE_HUB_DATA=" + filepath.Join(dir, "data"),
		"AIGNE_HUB_LISTEN=" + address, "AIGNE_HUB_BILLING=" + mode, "BENCH_UPSTREAM_KEY=sk-bench",
	}
	const email = "bench@example.com"
	for _, args := range [][]string{
		{"migrate"},
		{"provider", "add", "--kind", "openai", "--name", "openai", "--base-url", upstream + "/v1", "--credential-env", "BENCH_UPSTREAM_KEY"},
		{"rate", "set", "--provider", "openai", "--model", "gpt-bench", "--input", "1", "--output", "2"},
		{"user", "create", "--email", email, "--role", "member"},
		{"credits", "grant", "--user", email, "--amount", "1000000"},
		{"key", "create", "--user", email, "--name", "bench"},
	} {
		out, err := command(ctx, binary, env, args...)
		if err != nil {
			return nil, err
		}
		t.key = out // of the last command: the key alone
	}
	t.cmd = exec.Command(binary, "serve")
	t.cmd.Env, t.cmd.Stdout, t.cmd.Stderr = env, io.Discard, t.log
	began := time.Now()
	if err := t.cmd.Start(); err != nil {
		return nil, err
	}
	if err := t.awaitAnswer(ctx, began); err != nil {
		t.stop()
		return nil, err
	}
	return t, nil
}

func command(ctx context.Context, binary string, env []string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Env = env
	var stderr tailLog
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s", filepath.Base(binary), strings.Join(args, " "), err, stderr.String())
	}
	return strings.TrimSpace(string(out)), nil
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// awaitAnswer sends chat requests until one is answered, and notes how long that
// took and what memory the process then has.
func (t *target) awaitAnswer(ctx context.Context, began time.Time) error {
	c := &client{
		address: strings.TrimPrefix(t.url, "http://"), tally: &tally{},
		request: Job{Prompt: 1 << 10}.request(strings.TrimPrefix(t.url, "http://"), t.key),
	}
	defer c.close()
	for {
		err := c.exchange(ctx, time.Now())
		if err == nil {
			break
		}
		c.close()
		if time.Since(began) > startLimit || ctx.Err() != nil {
			return errors.Join(fmt.Errorf("%s does not answer: %w", t.name, err), errors.New(t.log.String()))
		}
		if !pause(ctx, time.Millisecond) {
			return ctx.Err()
		}
	}
	t.start = time.Since(began)
	pause(ctx, 300*time.Millisecond) // what the start has left behind settles
	if p, err := readProcess(t.cmd.Process.Pid); err == nil {
		t.idle = p.RSS
	}
	return nil
}
