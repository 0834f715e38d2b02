package proxy

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/admission"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/routing"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/task"
	"github.com/aigne-hub/aigne-hub/shared/upstream"
)

// The cache keeps complete answers for equal requests of the same user: the
// same bytes but for white space, at the same path, to the same model that may
// go to the same targets for the same reason. A kept answer is sent as the
// client got it the first time, streams as streams. A call that is answered so
// is admitted, on record and settled like any other; it has no attempts. What
// fails in the cache is a miss, never a fault of the call.

// CacheSettings are the operator's choices.
type CacheSettings struct {
	Mode  string        // off, ask or all; "" is off
	TTL   time.Duration // how long an answer is kept
	Size  int64         // bytes that all answers may take together
	Price int64         // percent of the usual price that a kept answer costs
}

// cacheHeader says in a request what the caller wants (on, off, refresh), in an
// answer what came of it. Of a stream nobody knows yet whether it will be kept.
const (
	cacheHeader = "x-aigne-hub-cache"
	cacheHit    = "hit"
	cacheMiss   = "miss"
	cacheStored = "stored"
)

// maxKept is the largest answer that is kept, in bytes.
const maxKept = 1 << 20

// cacheWait bounds what the cache may add to a call.
const cacheWait = 2 * time.Second

// memo is what the cache knows of one request. A nil memo does nothing.
type memo struct {
	h       *handler
	caller  hub.Caller
	request [sha256.Size]byte
	refresh bool
	record  *tape

	key   string // "" when the cache cannot be used
	found *kept
}

// kept is an answer as it is sealed, before its body.
type kept struct {
	CallID   string          `json:"-"`
	Provider string          `json:"provider"`
	Model    string          `json:"model"`
	Usage    hub.Usage       `json:"usage"`
	Source   hub.UsageSource `json:"source"`
	Dropped  []string        `json:"dropped,omitempty"`
	Type     string          `json:"type"` // content type
	Stream   bool            `json:"stream,omitempty"`
	body     []byte
	target   routing.Target
}

// chatMemo is the memo of a chat call. Not kept are answers that exist elsewhere
// too (stored ones and what goes on from them), those for which a provider ran
// tools, and those whose body tells what the first call was charged.
func (h *handler) chatMemo(r *http.Request, caller hub.Caller, name dialect.Name, v *dialect.View, how way) (*memo, error) {
	if v.ServerTools || v.Previous != "" || how.keep || how.path != "" || how.narrow != nil {
		return nil, nil
	}
	return h.newMemo(r, caller, name, v.Object.Raw(), v.Stream, v.Array)
}

// workMemo is the memo of work beside chat: only for what is a pure function of
// its request.
func (h *handler) workMemo(r *http.Request, caller hub.Caller, s dialect.TaskServer, v *dialect.TaskView, body []byte) (*memo, error) {
	if v.Object == nil || !slices.Contains([]task.Kind{task.Embedding, task.Moderation, task.Rerank}, s.Kind()) {
		return nil, nil
	}
	return h.newMemo(r, caller, s.Name(), body, false, false)
}

func (h *handler) newMemo(r *http.Request, caller hub.Caller, name dialect.Name, body []byte, stream, array bool) (*memo, error) {
	mode := h.Cache.Mode
	if mode == "" || mode == "off" {
		return nil, nil
	}
	m := &memo{h: h, caller: caller}
	switch asked := strings.ToLower(header(r, cacheHeader)); asked {
	case "":
		if mode != "all" {
			return nil, nil
		}
	case "off":
		return nil, nil
	case "on":
	case "refresh":
		m.refresh = true
	default:
		return nil, hub.Invalid(cacheHeader, "The header %s must be on, off or refresh, not %.20q.", cacheHeader, asked)
	}
	if h.Gate.Settings.Billing && (name == dialect.AIGNE || name == dialect.AIGNERest) {
		return nil, nil
	}
	if stream {
		m.record = &tape{}
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, body); err != nil {
		return nil, nil // not JSON: it is refused elsewhere, or kept nowhere
	}
	d := sha256.New()
	for _, part := range [][]byte{[]byte(name), []byte(r.URL.Path), []byte(r.URL.RawQuery), {flags(stream, array)}, compact.Bytes(), marksOf(r.Header)} {
		_, _ = d.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part)))) // a hash's Write never fails
		_, _ = d.Write(part)
	}
	d.Sum(m.request[:0])
	return m, nil
}

func flags(stream, array bool) (f byte) {
	if stream {
		f |= 1
	}
	if array {
		f |= 2
	}
	return f
}

// marksOf are the headers by which callers choose versions and features of a
// language.
func marksOf(h http.Header) []byte {
	var names []string
	for name := range h {
		if lower := strings.ToLower(name); strings.HasPrefix(lower, "anthropic-") || strings.HasPrefix(lower, "openai-") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var out []byte
	for _, name := range names {
		out = append(out, name...)
		for _, v := range h[name] {
			out = append(append(out, 0), v...)
		}
		out = append(out, '\n')
	}
	return out
}

// hit reports whether the call is answered from the cache.
func (m *memo) hit() bool { return m != nil && m.found != nil }

// mark tells the caller what the cache did.
func (m *memo) mark(w http.ResponseWriter, what string) {
	if m != nil {
		w.Header().Set(cacheHeader, what)
	}
}

// tape records a stream; nil where nobody wants it.
func (m *memo) tape() *tape {
	if m == nil {
		return nil
	}
	return m.record
}

// look asks the cache once the plan is known; a kept answer becomes what is to
// be admitted.
func (m *memo) look(ctx context.Context, plan *routing.Plan, a *admission.Request) {
	if m == nil {
		return
	}
	m.found, m.key = nil, ""
	ctx, stop := context.WithTimeout(ctx, cacheWait)
	defer stop()
	key, err := m.h.hashes.key(ctx, m.h)
	if err != nil {
		m.complain("its hashing key is not available", err)
		return
	}
	m.key = m.name(key, plan)
	if m.refresh {
		return
	}
	row, err := m.h.Store.KeptAnswer(ctx, m.caller.UserID, m.key)
	if errors.Is(err, store.ErrNotFound) {
		return
	}
	if err == nil {
		m.found, err = m.open(ctx, &row, plan)
	}
	if err != nil {
		m.complain("a kept answer is not readable", err)
		return
	}
	if m.found == nil {
		return
	}
	*plan = plan.Because("answered from the cache, by call " + row.CallID)
	a.Replay = &admission.Replay{Target: &m.found.target, Usage: m.found.Usage, Percent: m.h.Cache.Price}
}

func (m *memo) complain(what string, err error) {
	m.h.Log.Warn("the cache cannot be used", "because", what, "user_id", m.caller.UserID, "error", err)
}

// name is the key of the request under a plan. The order of the targets is not
// part of it: by weight it differs from call to call.
func (m *memo) name(key []byte, plan *routing.Plan) string {
	targets := make([]string, len(plan.Targets))
	for i := range plan.Targets {
		targets[i] = plan.Targets[i].Name()
	}
	slices.Sort(targets)
	mac := hmac.New(sha256.New, key)
	_, _ = mac.Write(m.request[:]) // a hash's Write never fails
	for _, part := range append([]string{m.caller.UserID, plan.Requested, plan.Why}, targets...) {
		_, _ = mac.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part))))
		_, _ = mac.Write([]byte(part))
	}
	return hex.EncodeToString(mac.Sum(nil))
}

func keptAs(userID, key string) string { return "answer_cache/" + userID + "/" + key + "/sealed" }

// open unseals an answer; nil where its target is no longer one of the plan.
func (m *memo) open(ctx context.Context, row *store.CachedAnswer, plan *routing.Plan) (*kept, error) {
	keys, err := m.h.Vault(ctx)
	if err != nil {
		return nil, err
	}
	plain, err := keys.Open(keptAs(row.UserID, row.Key), row.Sealed)
	if err != nil {
		return nil, err
	}
	head, body, _ := strings.Cut(plain.Reveal(), "\n")
	k := &kept{CallID: row.CallID, body: []byte(body)}
	if err := json.Unmarshal([]byte(head), k); err != nil {
		return nil, err
	}
	for i := range plan.Targets {
		if t := &plan.Targets[i]; t.Provider.Name == k.Provider && t.Model == k.Model {
			k.target = *t
			return k, nil
		}
	}
	return nil, nil
}

// replay settles a call that is answered from the cache and sends the answer.
func (m *memo) replay(w http.ResponseWriter, r *http.Request, t *admission.Ticket) error {
	k, settling := m.found, context.WithoutCancel(r.Context())
	defer t.Abandon(settling) // only if a panic came between
	settled, err := t.Settle(settling, admission.Outcome{Status: hub.StatusSuccess, Target: &k.target, Usage: k.Usage, Source: k.Source, HTTPStatus: http.StatusOK})
	if err != nil {
		return err
	}
	rateHeaders(w, r, t)
	hd := w.Header()
	m.mark(w, cacheHit)
	hd.Set("x-aigne-hub-call-id", t.CallID)
	hd.Set("x-aigne-hub-provider", k.Provider)
	hd.Set("x-aigne-hub-model", k.Model)
	if len(k.Dropped) > 0 {
		hd.Set("x-aigne-hub-dropped-params", strings.Join(k.Dropped, ", "))
	}
	if settled.Billed {
		hd.Set("x-aigne-hub-credits", settled.Credits.String())
	}
	hd.Set("content-type", k.Type)
	if k.Stream {
		hd.Set("cache-control", "no-cache")
		hd.Set("x-accel-buffering", "no")
	} else {
		hd.Set("content-length", strconv.Itoa(len(k.body)))
	}
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(k.body) // a client that left has been charged; nothing else to do
	return nil
}

// keepWhole keeps a complete answer before it is sent, so that the header can
// say whether it is there.
func (m *memo) keepWhole(w http.ResponseWriter, a *upstream.Answer, callID string, k kept, body []byte) {
	if m == nil {
		return
	}
	k.body = body
	if m.keep(a, callID, k) {
		m.mark(w, cacheStored)
	}
}

// keepStream keeps a stream that has been sent to its end.
func (m *memo) keepStream(a *upstream.Answer, callID string, k kept) {
	if m == nil || m.record == nil || m.record.full {
		return
	}
	k.Stream, k.body = true, m.record.said
	m.keep(a, callID, k)
}

func (m *memo) keep(a *upstream.Answer, callID string, k kept) bool {
	if m.key == "" || len(k.body) > maxKept || len(k.body) == 0 {
		return false
	}
	ctx, stop := context.WithTimeout(context.Background(), cacheWait)
	defer stop()
	k.Provider, k.Model = a.Target.Provider.Name, a.Target.Model
	row := store.CachedAnswer{UserID: m.caller.UserID, Key: m.key, CallID: callID}
	err := m.seal(ctx, &row, &k)
	if err == nil {
		err = m.h.Store.KeepAnswer(ctx, row, m.h.Cache.TTL, m.h.Cache.Size)
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) { // there is no room
		m.complain("an answer was not kept", err)
	}
	return err == nil
}

func (m *memo) seal(ctx context.Context, row *store.CachedAnswer, k *kept) error {
	head, err := json.Marshal(k)
	if err != nil {
		return err
	}
	keys, err := m.h.Vault(ctx)
	if err != nil {
		return err
	}
	plain := make([]byte, 0, len(head)+1+len(k.body))
	plain = append(append(append(plain, head...), '\n'), k.body...)
	row.Sealed, row.KeyID, err = keys.Seal(keptAs(row.UserID, row.Key), hub.Secret(plain))
	return err
}
