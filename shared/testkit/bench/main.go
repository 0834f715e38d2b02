// Command bench measures a gateway against a hand-written floor on one machine:
// a fake upstream, a minimal proxy and a load generator, and a driver that runs
// hub and floor in turn and prints the ratios. Absolute figures depend on the
// machine of the day; the ratios of one run are what counts. It talks to
// 127.0.0.1 only, is bounded in time and count, and stops what it started.
//
//	bench run -hub bin/aigne-hub [-quick] [-targets floor,off,on] [-check]
//	bench fakeup [-listen 127.0.0.1:0]
//	bench floor -upstream http://127.0.0.1:PORT [-listen 127.0.0.1:0]
//	bench load -url http://127.0.0.1:PORT -conns 64 [-rate 1000] [-frames 200] …
//	bench cpu PID
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := dispatch(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func dispatch(ctx context.Context, args []string, out io.Writer) error {
	if len(args) == 0 {
		return errors.New("which part? run, fakeup, floor, load or cpu")
	}
	switch name, rest := args[0], args[1:]; name {
	case "run":
		return runCommand(ctx, rest, out)
	case "fakeup":
		return fakeupCommand(ctx, rest, out)
	case "floor":
		return floorCommand(ctx, rest, out)
	case "load":
		return loadCommand(ctx, rest, out)
	case "cpu":
		return cpuCommand(rest, out)
	default:
		return fmt.Errorf("no part is called %q: run, fakeup, floor, load or cpu", name)
	}
}

// listen opens a loopback port and says where, on a line that a parent reads.
func listen(address string, out io.Writer) (net.Listener, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return nil, fmt.Errorf("%s is no loopback address", address)
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(out, "listening http://%s\n", l.Addr())
	return l, nil
}

func fakeupCommand(ctx context.Context, args []string, out io.Writer) error {
	fs := flag.NewFlagSet("fakeup", flag.ContinueOnError)
	address := fs.String("listen", "127.0.0.1:0", "loopback address")
	if err := fs.Parse(args); err != nil {
		return err
	}
	l, err := listen(*address, out)
	if err != nil {
		return err
	}
	return serveFakeup(ctx, l)
}

func floorCommand(ctx context.Context, args []string, out io.Writer) error {
	fs := flag.NewFlagSet("floor", flag.ContinueOnError)
	address := fs.String("listen", "127.0.0.1:0", "loopback address")
	upstream := fs.String("upstream", "", "origin that requests go to")
	if err := fs.Parse(args); err != nil {
		return err
	}
	l, err := listen(*address, out)
	if err != nil {
		return err
	}
	return serveFloor(ctx, l, *upstream)
}

func loadCommand(ctx context.Context, args []string, out io.Writer) error {
	var job Job
	fs := flag.NewFlagSet("load", flag.ContinueOnError)
	fs.StringVar(&job.URL, "url", "", "origin of the target")
	fs.StringVar(&job.Key, "key", "bench", "API key")
	fs.IntVar(&job.Conns, "conns", 16, "connections")
	fs.Float64Var(&job.Rate, "rate", 0, "requests a second (open loop); 0 is a closed loop")
	fs.DurationVar(&job.Time, "time", 5*time.Second, "how long requests are started")
	fs.IntVar(&job.Prompt, "prompt", 1<<10, "bytes of the request")
	fs.IntVar(&job.Frames, "frames", 0, "frames of a streamed answer; 0 is a whole answer")
	fs.DurationVar(&job.Every, "every", 0, "pause between frames")
	fs.DurationVar(&job.Wait, "wait", 0, "pause before the answer")
	if err := fs.Parse(args); err != nil {
		return err
	}
	result, err := run(ctx, job)
	if err != nil {
		return err
	}
	enc := json.NewEncoder(out)
	enc.SetIndent("", "  ")
	return enc.Encode(result)
}

func cpuCommand(args []string, out io.Writer) error {
	if len(args) != 1 {
		return errors.New("cpu takes a process id")
	}
	pid, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	p, err := readProcess(pid)
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(p)
}
