// Package fakestripe plays Stripe for tests, as far as the hub speaks with it. It
// is strict: it refuses, in Stripe's own error shape, forms with missing, unknown
// or contradicting fields, wrong keys, and idempotency keys that come back with
// another request. It signs webhooks, and leaves to the test which of them arrive,
// how often and in which order. It can lose answers and fail.
package fakestripe

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/stripe"
)

// The secrets of every fake.
const (
	Key           = "sk_test_fake_0123456789abcdef"
	WebhookSecret = "whsec_fake_0123456789abcdef"
)

// object is a resource as it is sent.
type object = map[string]any

// Event is something that Stripe would send to a webhook.
type Event struct {
	ID, Type string
	Body     []byte
}

// Signature is the header Stripe-Signature of an event sent at a time.
func (e Event) Signature(at time.Time) string { return Sign(WebhookSecret, e.Body, at) }

// Sign is the header Stripe-Signature for a body.
func Sign(secret string, body []byte, at time.Time) string {
	stamp := strconv.FormatInt(at.Unix(), 10)
	return "t=" + stamp + ",v1=" + hex.EncodeToString(stripe.Sign(hub.Secret(secret), stamp, body))
}

// Faults are what the fake does to requests to come. Counts run down.
type Faults struct {
	Drop   int // carry out so many, send no answer
	Errors int // answer so many with 500, carry out nothing
}

// Stripe is one fake.
type Stripe struct {
	URL string

	t        testing.TB
	mu       sync.Mutex
	n        int
	kept     map[string]kept // by idempotency key
	objects  map[string]object
	cards    map[string][]Card // by customer, newest first
	order    []string          // ids of intents
	events   []Event
	faults   Faults
	requests int
	refused  []string
}

// kept is a request and its answer, under an idempotency key.
type kept struct {
	request string
	status  int
	body    []byte
}

// Card is a kept card.
type Card struct {
	ID      string
	Decline string // the error code of every charge; "" works
}

// Start runs a fake until the test ends.
func Start(t testing.TB) *Stripe {
	t.Helper()
	f := &Stripe{t: t, kept: map[string]kept{}, objects: map[string]object{}, cards: map[string][]Card{}}
	server := httptest.NewServer(http.HandlerFunc(f.serve))
	t.Cleanup(server.Close)
	f.URL = server.URL
	return f
}

// Plan sets the faults of requests to come.
func (f *Stripe) Plan(x Faults) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.faults = x
}

// Requests is how many requests came.
func (f *Stripe) Requests() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.requests
}

// Refused lists what was refused as wrong, cards that were declined left out.
func (f *Stripe) Refused() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.refused...)
}

// ForgetKeys forgets all idempotency keys, as Stripe does after a day.
func (f *Stripe) ForgetKeys() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.kept = map[string]kept{}
}

// Take returns the events since the last time, oldest first.
func (f *Stripe) Take() []Event {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := f.events
	f.events = nil
	return out
}

func (f *Stripe) id(prefix string) string {
	f.n++
	return fmt.Sprintf("%s_fake%06d", prefix, f.n)
}

// emit queues an event with the object as it is now.
func (f *Stripe) emit(kind string, o object) {
	id := f.id("evt")
	body, err := json.Marshal(object{"id": id, "object": "event", "api_version": "2024-06-20", "created": time.Now().Unix(), "livemode": false, "type": kind,
		"pending_webhooks": 1, "data": object{"object": o}})
	if err != nil {
		f.t.Error(err)
	}
	f.events = append(f.events, Event{ID: id, Type: kind, Body: body})
}

// wrong is a refusal.
type wrong struct {
	status              int
	kind, code, message string
	more                object
}

func invalid(code, format string, args ...any) *wrong {
	return &wrong{status: http.StatusBadRequest, kind: "invalid_request_error", code: code, message: fmt.Sprintf(format, args...)}
}

func (f *Stripe) serve(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.requests++
	if f.faults.Errors > 0 {
		f.faults.Errors--
		http.Error(w, `{"error":{"type":"api_error","message":"An unknown error occurred"}}`, http.StatusInternalServerError)
		return
	}
	status, body := f.answer(r)
	if f.faults.Drop > 0 {
		f.faults.Drop--
		panic(http.ErrAbortHandler)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// answer checks what is the same for every request and keeps answers under their
// idempotency keys.
func (f *Stripe) answer(r *http.Request) (int, []byte) {
	if r.Header.Get("Authorization") != "Bearer "+Key {
		return f.refuse(&wrong{status: http.StatusUnauthorized, kind: "invalid_request_error", message: "Invalid API Key provided: sk_test_****"})
	}
	if r.Header.Get("Stripe-Version") == "" {
		return f.refuse(invalid("", "this fake wants a pinned version"))
	}
	if r.Method != http.MethodPost {
		return f.route(r, r.URL.Query())
	}
	if ct := r.Header.Get("Content-Type"); ct != "application/x-www-form-urlencoded" {
		return f.refuse(invalid("", "Invalid content type %q", ct))
	}
	if err := r.ParseForm(); err != nil {
		return f.refuse(invalid("", "%v", err))
	}
	key := r.Header.Get("Idempotency-Key")
	if key == "" || len(key) > 255 {
		return f.refuse(invalid("", "this fake wants an idempotency key of at most 255 characters"))
	}
	request := r.URL.Path + "?" + r.PostForm.Encode()
	if k, ok := f.kept[key]; ok {
		if k.request != request {
			return f.refuse(&wrong{status: http.StatusBadRequest, kind: "idempotency_error",
				message: "Keys for idempotent requests can only be used with the same parameters they were first used with."})
		}
		return k.status, k.body
	}
	status, body := f.route(r, r.PostForm)
	if status != http.StatusBadRequest { // parameters that are refused at once are not kept
		f.kept[key] = kept{request, status, body}
	}
	return status, body
}

func (f *Stripe) refuse(e *wrong) (int, []byte) {
	if e.kind != "card_error" {
		f.refused = append(f.refused, e.message)
	}
	o := object{"type": e.kind, "message": e.message}
	if e.code != "" {
		o["code"] = e.code
	}
	for k, v := range e.more {
		o[k] = v
	}
	body, err := json.Marshal(object{"error": o})
	if err != nil {
		f.t.Error(err)
	}
	return e.status, body
}

func (f *Stripe) route(r *http.Request, form url.Values) (int, []byte) {
	var o object
	var e *wrong
	path := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	switch route := r.Method + " " + strings.Join(path, "/"); {
	case route == "POST v1/customers":
		o, e = f.createCustomer(form)
	case route == "POST v1/checkout/sessions":
		o, e = f.createSession(form)
	case route == "POST v1/payment_intents":
		o, e = f.createIntent(form)
	case route == "GET v1/payment_intents":
		o, e = f.listIntents(form)
	case r.Method == http.MethodPost && len(path) == 4 && path[1] == "payment_methods" && path[3] == "detach":
		o, e = f.detach(path[2], form)
	case r.Method == http.MethodGet && len(path) == 4 && path[1] == "customers" && path[3] == "payment_methods":
		o, e = f.listCards(path[2], form)
	case r.Method == http.MethodGet && (len(path) == 3 && path[1] == "payment_intents" || len(path) == 4 && path[2] == "sessions"):
		o, e = f.find(path[len(path)-1])
	default:
		e = &wrong{status: http.StatusNotFound, kind: "invalid_request_error", message: "Unrecognized request URL (" + route + ")"}
	}
	if e != nil {
		return f.refuse(e)
	}
	body, err := json.Marshal(o)
	if err != nil {
		f.t.Error(err)
	}
	return http.StatusOK, body
}

func (f *Stripe) find(id string) (object, *wrong) {
	if o, ok := f.objects[id]; ok {
		return o, nil
	}
	return nil, &wrong{status: http.StatusNotFound, kind: "invalid_request_error", code: "resource_missing", message: "No such object: '" + id + "'"}
}
