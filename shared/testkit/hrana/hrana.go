// Package hrana runs a real libSQL server (the engine of npm "libsql" behind the
// Hrana protocol) for the store's tests, with faults that a network has: slow,
// lost and late answers, refusals, a killed server. It is for tests only.
package hrana

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"embed"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/testkit/npm"
)

//go:embed server.mjs package.json package-lock.json
var files embed.FS

const startLimit = 30 * time.Second

// Options change how a server runs. The zero value is a fresh database with
// sqld's limits and no faults.
type Options struct {
	File       string        // database file; "" makes one in the test's temp folder
	Delay      time.Duration // wait before every pipeline, in whole milliseconds
	IdleLimit  time.Duration // a stream not used so long expires; 0 means 10 s
	TxnTimeout time.Duration // a transaction open so long is rolled back; 0 means 5 s
}

// Faults are what the server does to pipelines to come. Counts run down.
// Pipelines that only close a stream are left alone: clients send them behind
// their caller's back.
type Faults struct {
	Drop   int           `json:"drop"`   // execute so many, send no answer
	Late   int           `json:"late"`   // execute so many, answer after LateBy
	LateBy time.Duration `json:"-"`      // in whole milliseconds
	Errors int           `json:"errors"` // refuse so many with 503, execute nothing
	Reset  int           `json:"reset"`  // break so many connections, execute nothing
	Midway int           `json:"midway"` // fail so many batches at a statement in their middle, as a broken disk does
	Cut    int           `json:"cut"`    // execute so many batches to their middle, then lose stream and connection
	Match  string        `json:"match"`  // only pipelines whose JSON contains this text
	Delay  time.Duration `json:"-"`      // wait before every pipeline, matching or not
}

// Stats counts what the server has met since it started.
type Stats struct {
	Pipelines int `json:"pipelines"` // but for those that only close a stream
	Closes    int `json:"closes"`    // those; clients send them behind their caller's back
	Dropped   int `json:"dropped"`
	Late      int `json:"late"`
	Errors    int `json:"errors"`
	Resets    int `json:"resets"`
	Midway    int `json:"midway"`
	Cut       int `json:"cut"`
	Streams   int `json:"streams"` // open now
}

// Server is one running server. URL and Token stay the same over Restart.
type Server struct {
	URL   string
	Token string

	t     testing.TB
	node  string
	dir   string
	opts  Options
	cmd   *exec.Cmd
	stdin io.Closer
}

// Start runs a server on a fresh database until the test ends and returns what
// a client needs. The test is skipped when node or npm is missing.
func Start(t testing.TB) (url, token string) {
	t.Helper()
	s := New(t, Options{})
	return s.URL, s.Token
}

// New runs a server until the test ends.
func New(t testing.TB, o Options) *Server {
	t.Helper()
	s := &Server{t: t, node: npm.Node(t), dir: npm.Install(t, "hrana", files), opts: o, Token: rand.Text()}
	if s.opts.File == "" {
		s.opts.File = filepath.Join(t.TempDir(), "hub.db")
	}
	t.Cleanup(s.stop)
	s.run("127.0.0.1:0")
	return s
}

// Restart kills the server without warning and starts it again on the same
// file and port; planned faults are forgotten.
func (s *Server) Restart() {
	s.t.Helper()
	s.stop()
	s.run(strings.TrimPrefix(s.URL, "http://"))
}

// Kill ends the server without warning; Restart brings it back.
func (s *Server) Kill() { s.stop() }

// Plan replaces the planned faults.
func (s *Server) Plan(f Faults) {
	s.t.Helper()
	s.call(http.MethodPost, "/_control", map[string]any{
		"drop": f.Drop, "late": f.Late, "errors": f.Errors, "reset": f.Reset, "midway": f.Midway, "cut": f.Cut, "match": f.Match,
		"late_ms": f.LateBy.Milliseconds(), "delay_ms": f.Delay.Milliseconds(),
	}, nil)
}

// Stats returns the server's counters.
func (s *Server) Stats() Stats {
	s.t.Helper()
	var out Stats
	s.call(http.MethodGet, "/stats", nil, &out)
	return out
}

// Recent returns the bodies of the last 100 pipelines, the newest last.
func (s *Server) Recent() []string {
	s.t.Helper()
	var out []string
	s.call(http.MethodGet, "/recent", nil, &out)
	return out
}

func (s *Server) run(listen string) {
	s.t.Helper()
	args := []string{
		filepath.Join(s.dir, "server.mjs"), "--db", s.opts.File, "--listen", listen, "--auth-token", s.Token,
		"--delay-ms", strconv.FormatInt(s.opts.Delay.Milliseconds(), 10),
	}
	if s.opts.IdleLimit > 0 {
		args = append(args, "--idle-ms", strconv.FormatInt(s.opts.IdleLimit.Milliseconds(), 10))
	}
	if s.opts.TxnTimeout > 0 {
		args = append(args, "--txn-ms", strconv.FormatInt(s.opts.TxnTimeout.Milliseconds(), 10))
	}
	cmd := exec.Command(s.node, args...)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		s.t.Fatalf("hrana: %v", err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		s.t.Fatalf("hrana: %v", err)
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		s.t.Fatalf("hrana: start node: %v", err)
	}
	s.cmd, s.stdin = cmd, stdin
	line := make(chan string, 1)
	go func() {
		text, _ := bufio.NewReader(stdout).ReadString('\n')
		line <- text
	}()
	select {
	case text := <-line:
		url, ok := strings.CutPrefix(strings.TrimSpace(text), "listening ")
		if !ok {
			_ = stdin.Close() // should it still run, it ends with its input
			_ = cmd.Wait()
			s.cmd = nil
			s.t.Fatalf("hrana: the server did not start: %s %s", cmd.ProcessState, stderr.String())
		}
		s.URL = url
	case <-time.After(startLimit):
		s.stop()
		s.t.Fatalf("hrana: the server did not start within %s: %s", startLimit, stderr.String())
	}
}

func (s *Server) stop() {
	if s.cmd == nil {
		return
	}
	// A process that has ended already is what is wanted.
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
	_ = s.stdin.Close()
	s.cmd = nil
}

func (s *Server) call(method, path string, in, out any) {
	s.t.Helper()
	if err := s.exchange(method, path, in, out); err != nil {
		s.t.Fatalf("hrana: %s %s: %v", method, path, err)
	}
}

func (s *Server) exchange(method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.URL+path, body)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+s.Token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d: %s", res.StatusCode, text)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(text, out)
}
