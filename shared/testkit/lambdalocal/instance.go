package lambdalocal

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// invocation is one event on its way through an instance.
type invocation struct {
	id       string
	payload  []byte
	deadline time.Time
	result   chan *result
	done     chan struct{} // closed when the result has been consumed
}

// result is what the process posts; its body may still be on its way.
type result struct {
	body    io.Reader
	ctype   string
	failed  bool
	trailer func() http.Header // complete after the body's end
}

// instance is an execution environment: one process with a Runtime API of its own.
type instance struct {
	cmd    *exec.Cmd
	ln     net.Listener
	server *http.Server
	freeze bool

	work  chan *invocation
	ready chan struct{} // one value for each time the process asks for an event
	dead  chan struct{} // closed when the process has ended

	mu      sync.Mutex
	current *invocation
}

func launch(cfg Config) (*instance, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("lambdalocal: %w", err)
	}
	in := &instance{ln: ln, freeze: !cfg.KeepRunning, work: make(chan *invocation), ready: make(chan struct{}, 1), dead: make(chan struct{})}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", in.next)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/response", func(w http.ResponseWriter, r *http.Request) { in.post(w, r, false) })
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/error", func(w http.ResponseWriter, r *http.Request) { in.post(w, r, true) })
	mux.HandleFunc("POST /2018-06-01/runtime/init/error", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(cfg.Log, r.Body)
		w.WriteHeader(http.StatusAccepted)
	})
	in.server = &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	in.cmd = exec.Command(cfg.Bootstrap)
	in.cmd.Env = append(environment(cfg.Name), append(cfg.Env, "AWS_LAMBDA_RUNTIME_API="+ln.Addr().String())...)
	in.cmd.Stdout, in.cmd.Stderr = cfg.Log, cfg.Log
	in.cmd.SysProcAttr = attributes()
	if err := in.cmd.Start(); err != nil {
		in.close()
		return nil, fmt.Errorf("lambdalocal: %w", err)
	}
	// Only now, since the handlers use the process; until then the port holds its calls.
	go func() { _ = in.server.Serve(ln) }() // ends with the listener
	go func() {
		_ = in.cmd.Wait() // how it ended is seen by whoever waits for it
		_ = in.ln.Close()
		close(in.dead)
	}()
	return in, nil
}

// environment is what Lambda defines, and what any process needs.
func environment(name string) []string {
	return []string{
		"PATH=" + os.Getenv("PATH"), "TMPDIR=" + os.TempDir(), "TZ=:UTC", "LANG=en_US.UTF-8",
		"_HANDLER=bootstrap", "AWS_LAMBDA_FUNCTION_NAME=" + name, "AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=512", "AWS_LAMBDA_INITIALIZATION_TYPE=on-demand",
		"AWS_EXECUTION_ENV=AWS_Lambda_provided.al2023", "AWS_REGION=us-east-1",
	}
}

// next hands out the next event. Until there is one the process stands still.
func (in *instance) next(w http.ResponseWriter, r *http.Request) {
	in.signal(syscall.SIGSTOP)
	select {
	case in.ready <- struct{}{}:
	default: // it asked twice for the same event
	}
	select {
	case iv := <-in.work:
		in.mu.Lock()
		in.current = iv
		in.mu.Unlock()
		in.signal(syscall.SIGCONT)
		h := w.Header()
		h.Set("Content-Type", "application/json")
		h.Set("Lambda-Runtime-Aws-Request-Id", iv.id)
		h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(iv.deadline.UnixMilli(), 10))
		h.Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:123456789012:function:local")
		h.Set("Lambda-Runtime-Trace-Id", "Root=1-"+iv.id[:8]+"-"+iv.id[8:32]+";Sampled=0")
		_, _ = w.Write(iv.payload) // a process that is gone is seen by its end
	case <-in.dead:
	case <-r.Context().Done():
	}
}

// post takes an answer or an error and holds the process until it is consumed.
func (in *instance) post(w http.ResponseWriter, r *http.Request, failed bool) {
	in.mu.Lock()
	iv := in.current
	in.current = nil
	in.mu.Unlock()
	if iv == nil || iv.id != r.PathValue("id") {
		http.Error(w, `{"errorType":"InvalidRequestID"}`, http.StatusBadRequest)
		return
	}
	iv.result <- &result{body: r.Body, ctype: r.Header.Get("Content-Type"), failed: failed, trailer: func() http.Header { return r.Trailer }}
	<-iv.done
	_, _ = io.Copy(io.Discard, r.Body) // what a too large answer has left
	w.WriteHeader(http.StatusAccepted)
}

func (in *instance) signal(s syscall.Signal) {
	if in.freeze {
		_ = in.cmd.Process.Signal(s) // an ended process needs none
	}
}

// kill ends the process, stopped or not; dead is closed soon after.
func (in *instance) kill() { _ = in.cmd.Process.Kill() }

func (in *instance) close() { _ = in.server.Close() }

func newInvocation(payload []byte, timeout time.Duration) *invocation {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails
	return &invocation{id: hex.EncodeToString(b), payload: payload, deadline: time.Now().Add(timeout), result: make(chan *result, 1), done: make(chan struct{})}
}
