// Command demo shows a hub at work without an account anywhere: a fake provider,
// a hub on a temporary folder, users, credits, a key and a few calls. What it
// shows is made up, and it says so; it measures nothing and keeps nothing.
//
//	demo -hub bin/aigne-hub [-listen 127.0.0.1:3030] [-once]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/testkit/fakeprovider"
)

func main() {
	var o options
	flag.StringVar(&o.hub, "hub", "bin/aigne-hub", "the hub's binary")
	flag.StringVar(&o.listen, "listen", "127.0.0.1:0", "address for the hub; port 0 takes a free one")
	flag.BoolVar(&o.once, "once", false, "end after the first calls instead of waiting for Ctrl-C")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, o, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

type options struct {
	hub, listen string
	once        bool
}

const (
	owner  = "owner@demo.invalid"
	member = "member@demo.invalid"
	model  = "openai/gpt-fake"
)

func run(ctx context.Context, o options, out io.Writer) (err error) {
	say(out, "DEMO. The provider is a fake on this machine, its answers are made up; users and credits are examples.\n"+
		"Nothing leaves this machine, and the data folder is deleted at the end.\n\n")
	upstream, stop, err := startFake()
	if err != nil {
		return err
	}
	defer stop()
	dir, err := os.MkdirTemp("", "aigne-hub-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	h := &demoHub{binary: o.hub, dir: dir}
	key, err := h.setUp(ctx, upstream)
	if err != nil {
		return err
	}
	if err := h.start(ctx, o.listen); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.stop()) }()
	if err := seed(ctx, h.url, key); err != nil {
		return err
	}
	say(out, "Hub (demo):   %s\nData folder:  %s\nAPI key:      %s   (of %s, good for this demo only)\n\n", h.url, dir, key, member)
	say(out, "Try, in another terminal:\n  curl %s/v1/chat/completions -H 'Authorization: Bearer %s' -H 'Content-Type: application/json' -d '%s'\n",
		h.url, key, question("Hello", true))
	for _, command := range []string{"calls list", "credits balance " + member, "rate list", "ledger verify"} {
		say(out, "  %s %s --data %s\n", o.hub, command, dir)
	}
	calls, err := h.command(ctx, "calls", "list")
	if err != nil {
		return err
	}
	say(out, "\nThe first calls (demo data):\n%s", calls)
	if o.once {
		return nil
	}
	say(out, "\nCtrl-C ends the demo and deletes its data.\n")
	select {
	case <-ctx.Done():
		return nil
	case <-h.ended:
		return errors.New("the hub ended by itself")
	}
}

// say prints; when standard output is gone nobody is left to be told.
func say(out io.Writer, format string, args ...any) {
	_, _ = fmt.Fprintf(out, format, args...)
}

// startFake serves a fake provider on a loopback port.
func startFake() (url string, stop func(), err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	server := &http.Server{Handler: fakeprovider.New(fakeprovider.OpenAI, fakeprovider.Options{}), ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(l) }() // it ends with stop
	return "http://" + l.Addr().String() + "/v1", func() { _ = server.Close() }, nil
}

func question(text string, stream bool) string {
	return fmt.Sprintf(`{"model":%q,"stream":%t,"max_tokens":200,"messages":[{"role":"user","content":%q}]}`, model, stream, text)
}

// seed makes calls of several kinds, also one that fails.
func seed(ctx context.Context, url, key string) error {
	bodies := []string{
		question("What is a gateway?", false),
		question("Tell me a story about exact books.", true),
		question("Name three birds.", false),
		question("please answer in a stream", true),
	}
	for _, body := range bodies {
		status, err := post(ctx, url, key, body)
		if err != nil {
			return err
		}
		if status != http.StatusOK {
			return fmt.Errorf("a call was answered with HTTP %d", status)
		}
	}
	// The provider refuses a temperature beyond its range: a failed call in the log.
	_, err := post(ctx, url, key, strings.Replace(bodies[0], "{", `{"temperature":9,`, 1))
	return err
}

func post(ctx context.Context, url, key, body string) (status int, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/v1/chat/completions", strings.NewReader(body))
	if err != nil {
		return 0, err
	}
	r.Header.Set("Authorization", "Bearer "+key)
	r.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err
	}
	_, err = io.Copy(io.Discard, res.Body)
	return res.StatusCode, errors.Join(err, res.Body.Close())
}
