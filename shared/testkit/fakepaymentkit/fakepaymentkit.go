// Package fakepaymentkit stands in for Payment Kit in tests. It keeps the rules
// that a hub relies on (signed calls only, livemode, display units in and smallest
// units out, an identifier of a meter event counts once, 404 for what is missing)
// and fails on demand: it loses answers, is slow, refuses or is away.
package fakepaymentkit

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/blocklet"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
)

// AppKey is the key of the app in tests; it protects nothing.
const AppKey = "0x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8"

// Fault is what goes wrong with a request.
type Fault int

// The faults.
const (
	None  Fault = iota
	Lose        // the work is done, the answer is lost
	Cut         // nothing is done, the connection breaks
	Fail        // nothing is done, 500
	Late        // the work is done and the answer comes after Slow
	Busy        // nothing is done, 429
	Deny        // nothing is done, 400
	Twice       // the request is carried out twice, as by a client that repeats it
)

// Server is a stand-in with its books. Its fields may be changed under Lock.
type Server struct {
	sync.Mutex
	URL string
	Key *blocklet.Key
	Now func() time.Time
	// Wall is the clock by which signatures expire; nil: Now.
	Wall func() time.Time
	Slow time.Duration
	// Refuses makes a repeated identifier an error (409) instead of a quiet success.
	Refuses bool
	// AutoBuy lets customers without credits go on.
	AutoBuy map[string]bool

	Decimal   int // of the currencies that meters make
	Meters    map[string]*Meter
	Customers map[string]*Customer // by DID
	Grants    []*Grant
	Events    map[string]Event          // by identifier
	Objects   map[string]map[string]any // prices, links, settings and recharge-configs, by kind/key
	Calls     map[string]int            // by method and first part of the path
	Bad       []string                  // what was wrong with requests
	fault     func(r *http.Request) Fault
	next      int
	http      *httptest.Server
}

// Meter is a meter with its currency.
type Meter struct {
	ID, EventName, Unit, CurrencyID string
}

// Customer is a customer; Pending is what no grant has paid yet.
type Customer struct {
	ID, DID string
	Pending money.Credits
}

// Grant is a grant as Payment Kit keeps it.
type Grant struct {
	ID, Customer, Name, Category, Status string
	Amount, Remaining                    money.Credits
	Priority, ExpiresAt                  int64
	Metadata                             map[string]any
}

// Event is a meter event that was taken.
type Event struct {
	Customer, Identifier, EventName string
	Value                           money.Credits
}

// New starts a stand-in that ends with the test.
func New(t testing.TB) *Server {
	t.Helper()
	key, err := blocklet.ParseKey(hub.Secret(AppKey))
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{Key: key, Now: time.Now, Decimal: 10, Meters: map[string]*Meter{}, Customers: map[string]*Customer{}, Events: map[string]Event{},
		Objects: map[string]map[string]any{}, Calls: map[string]int{}, AutoBuy: map[string]bool{}}
	s.http = httptest.NewServer(http.HandlerFunc(s.serve))
	s.URL = s.http.URL
	t.Cleanup(s.http.Close)
	return s
}

// Break has fault asked of every request what goes wrong; nil: nothing does.
func (s *Server) Break(fault func(r *http.Request) Fault) {
	s.Lock()
	defer s.Unlock()
	s.fault = fault
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	fault := None
	s.Lock()
	ask := s.fault
	s.Unlock()
	if ask != nil {
		fault = ask(r)
	}
	switch fault {
	case Cut:
		panic(http.ErrAbortHandler)
	case Fail, Busy, Deny:
		status := map[Fault]int{Fail: 500, Busy: 429, Deny: 400}[fault]
		answer(w, status, []byte(`{"error":"as was asked for"}`))
		return
	}
	status, out := s.written(r, body)
	if fault == Twice {
		status, out = s.written(r, body)
	}
	switch fault {
	case Lose:
		panic(http.ErrAbortHandler)
	case Late:
		time.Sleep(s.Slow)
	}
	answer(w, status, out)
}

func answer(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// written is the answer as text: what it shows may change once the lock is free.
func (s *Server) written(r *http.Request, body []byte) (int, []byte) {
	s.Lock()
	defer s.Unlock()
	status, out := s.handle(r, body)
	text, err := json.Marshal(out)
	if err != nil {
		panic(err) // values of this package only
	}
	return status, text
}

func missing(format string, args ...any) (int, any) {
	return http.StatusNotFound, map[string]any{"error": fmt.Sprintf(format, args...)}
}

func bad(format string, args ...any) (int, any) {
	return http.StatusBadRequest, map[string]any{"error": fmt.Sprintf(format, args...)}
}

func (s *Server) handle(r *http.Request, body []byte) (int, any) {
	wall := s.Wall
	if wall == nil {
		wall = s.Now
	}
	if _, err := s.Key.Verify(r, body, wall()); err != nil {
		s.Bad = append(s.Bad, r.Method+" "+r.URL.Path+": "+err.Error())
		return http.StatusUnauthorized, map[string]any{"error": "signature"}
	}
	if v := r.URL.Query().Get("livemode"); v != "true" && v != "false" {
		s.Bad = append(s.Bad, r.Method+" "+r.URL.Path+": no livemode")
		return bad("livemode is missing")
	}
	path, ok := strings.CutPrefix(r.URL.Path, "/api/")
	if !ok {
		return missing("no such path")
	}
	parts := strings.Split(path, "/")
	s.Calls[r.Method+" "+parts[0]]++
	var in map[string]any
	if len(body) > 0 {
		if err := json.Unmarshal(body, &in); err != nil {
			return bad("body: %v", err)
		}
	}
	switch parts[0] {
	case "meters":
		return s.meters(r, parts, in)
	case "meter-events":
		return s.meterEvents(r, parts, in)
	case "customers":
		return s.customers(r, parts, in)
	case "credit-grants":
		return s.grants(r, parts, in)
	case "credit-transactions":
		return s.transactions(r)
	}
	return s.shop(r, parts, in)
}

func (s *Server) id(prefix string) string {
	s.next++
	return fmt.Sprintf("%s_%d", prefix, s.next)
}

func text(in map[string]any, key string) string {
	v, _ := in[key].(string)
	return v
}

func number(in map[string]any, key string) int64 {
	v, _ := in[key].(float64) // whole numbers of tests
	return int64(v)
}
