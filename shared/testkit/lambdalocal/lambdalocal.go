// Package lambdalocal runs a real Lambda bootstrap for tests: it is the Lambda
// Runtime API on a loopback port, the execution environments behind it, and the
// front ends before it (Function URL, API Gateway, load balancer, direct invocation).
// It imitates what a function can notice: one event at a time in a process, the
// process stopped between events, time-outs that kill, size limits, error trailers.
// It imitates no permissions, no throttling by rate and no extensions, and it needs a
// Unix system. Source of the wire format: "Using the Lambda runtime API for custom
// runtimes" and "Response streaming" in the AWS Lambda developer guide.
package lambdalocal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Limits of an invocation, in bytes.
const (
	maxPayload    = 6 << 20 // request and buffered response
	maxPayloadALB = 1 << 20 // the same behind a load balancer
)

// The failures of an invocation, beside *FunctionError.
var (
	ErrThrottled = errors.New("lambdalocal: all execution environments are busy")
	ErrTimeout   = errors.New("lambdalocal: the task timed out")
	ErrExit      = errors.New("lambdalocal: the process exited before the invocation was over")
	ErrInit      = errors.New("lambdalocal: the process never asked for an event")
	ErrClosed    = errors.New("lambdalocal: the function is closed")
)

// FunctionError is what a function reported instead of an answer.
type FunctionError struct {
	Type    string `json:"errorType"`
	Message string `json:"errorMessage"`
}

// Error returns type and message.
func (e *FunctionError) Error() string { return e.Type + ": " + e.Message }

// Config describes a function. Only Bootstrap is required.
type Config struct {
	Bootstrap string        // path of the executable
	Env       []string      // "NAME=value"; nothing else of this process's environment is passed on but PATH and TMPDIR
	Name      string        // function name; "": "local"
	Timeout   time.Duration // of an invocation, 0: 15 s
	Max       int           // most execution environments at once, 0: 4
	Log       io.Writer     // stdout and stderr of the processes; nil: os.Stderr. Written to from several goroutines
	// KeepRunning leaves processes running between invocations. Lambda freezes them, and so
	// does this package unless told otherwise.
	KeepRunning bool
}

// Function is a Lambda function: its execution environments are started on demand,
// used for one event at a time and kept for the next. Safe for concurrent use.
type Function struct {
	cfg Config

	mu      sync.Mutex
	idle    []*instance
	alive   map[*instance]bool
	pending int // starting
	started int
	closed  bool
	running sync.WaitGroup // invocations
}

// New prepares a function; the first event starts its first process. The caller must Close it.
func New(cfg Config) (*Function, error) {
	if info, err := os.Stat(cfg.Bootstrap); err != nil || info.Mode()&0o111 == 0 {
		return nil, fmt.Errorf("lambdalocal: %q is not an executable file", cfg.Bootstrap)
	}
	if cfg.Name == "" {
		cfg.Name = "local"
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = 15 * time.Second
	}
	if cfg.Max == 0 {
		cfg.Max = 4
	}
	if cfg.Log == nil {
		cfg.Log = os.Stderr
	}
	cfg.Log = &lockedWriter{w: cfg.Log}
	return &Function{cfg: cfg, alive: map[*instance]bool{}}, nil
}

// Start is New for a test, which closes the function at its end and gets its output
// in the test's log unless cfg.Log says otherwise.
func Start(t testing.TB, cfg Config) *Function {
	t.Helper()
	if cfg.Log == nil {
		cfg.Log = t.Output()
	}
	f, err := New(cfg)
	require.NoError(t, err)
	t.Cleanup(f.Close)
	return f
}

// Build compiles the package (a path such as "./testdata/app" or an import path) as a
// Lambda is compiled, but for this machine, and returns the path of the bootstrap,
// which lives as long as the test.
func Build(t testing.TB, pkg string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "bootstrap")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-buildvcs=false", "-tags", "lambda.norpc", "-o", out, pkg)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	b, err := cmd.CombinedOutput()
	require.NoErrorf(t, err, "go build %s:\n%s", pkg, b)
	return out
}

// Invoke sends one event straight to the function, as EventBridge does, and returns
// its answer. It fails with one of the errors above or a *FunctionError. When ctx ends
// first the invocation goes on by itself, as it would on Lambda.
func (f *Function) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	type outcome struct {
		answer []byte
		err    error
	}
	done := make(chan outcome, 1)
	go func() {
		b, err := f.collect(payload, maxPayload)
		done <- outcome{b, err}
	}()
	select {
	case o := <-done:
		return o.answer, o.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Started returns how many processes have been started so far.
func (f *Function) Started() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.started
}

// Close kills all processes and waits for running invocations, which fail.
func (f *Function) Close() {
	f.mu.Lock()
	f.closed = true
	for in := range f.alive {
		in.kill()
	}
	f.mu.Unlock()
	f.running.Wait()
	f.mu.Lock()
	defer f.mu.Unlock()
	for in := range f.alive {
		<-in.dead
		in.close()
	}
	clear(f.alive)
}

type lockedWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}
