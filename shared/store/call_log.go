package store

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
)

// CallFilter selects calls. The zero value selects all.
type CallFilter struct {
	UserID        string           `json:"user_id,omitzero"`
	KeyID         string           `json:"key_id,omitzero"` // with UserID, its user's, it reads only that user's calls
	AppID         string           `json:"app_id,omitzero"`
	Provider      string           `json:"provider,omitzero"`
	Model         string           `json:"model,omitzero"` // what the model's name begins with, as asked for or as called
	Type          hub.CallType     `json:"type,omitzero"`
	Statuses      []hub.CallStatus `json:"statuses,omitempty"` // none: any
	ErrorCategory string           `json:"error_category,omitzero"`
	Slow          time.Duration    `json:"slow,omitzero"`        // lasted that long or longer
	MinCredits    money.Credits    `json:"min_credits,omitzero"` // was charged that much or more
	MinCost       money.Credits    `json:"min_cost,omitzero"`    // cost the operator that much or more, nano-dollars
	Search        CallSearch       `json:"search,omitzero"`

	Before string `json:"before,omitzero"` // calls with a smaller id only: the cursor
	Span   Span   `json:"span,omitzero"`   // of their admission
	Limit  int    `json:"-"`               // at most 1,000; 0 means 50
	Walk   int    `json:"-"`               // how many calls are looked at for them, MaxWalk at most; 0 means DefaultWalk
}

// CallSearch is a text that one of some fields is, or begins with. The zero value
// searches nothing.
type CallSearch struct {
	Text string `json:"text,omitzero"` // "": nothing is searched for
	// ID, Request and Trace want the whole of it, Model and User its beginning.
	ID      bool `json:"id,omitzero"`
	Request bool `json:"request,omitzero"`
	Trace   bool `json:"trace,omitzero"`
	Model   bool `json:"model,omitzero"`
	User    bool `json:"user,omitzero"`
}

// How many calls are looked at for a page. Whoever finds too little goes on from
// the page's end.
const (
	DefaultWalk = 10_000
	MaxWalk     = 50_000
)

// CallPage is a part of the call log, newest first.
type CallPage struct {
	Calls []Call
	// Floor is how far the log was looked at: what the filter selects of calls with
	// this id and greater ones is in Calls. "" is all of it.
	Floor string
}

// clause is a part of a condition with what it binds.
type clause struct {
	sql  string
	args []any
}

func join(cs []clause) (text string, args []any) {
	parts := make([]string, len(cs))
	for i, c := range cs {
		parts[i] = c.sql
		args = append(args, c.args...)
	}
	return strings.Join(parts, " AND "), args
}

// path is what leads to the calls: an index and a range of it. What no index
// serves is looked for along the narrowest that there is.
func (f *CallFilter) path() []clause {
	since, before := f.Span.ids()
	if f.Before != "" {
		before = min(before, f.Before)
	}
	out := []clause{{"id < ? AND id >= ?", []any{before, since}}}
	switch {
	case f.UserID != "":
		out = append(out, clause{"user_id = ?", []any{f.UserID}})
	case f.AppID != "":
		out = append(out, clause{"app_id = ? AND app_id <> ''", []any{f.AppID}})
	}
	return out
}

// rest is what the calls on the path are asked for one by one.
func (f *CallFilter) rest() []clause {
	var out []clause
	equal := func(column, value string) {
		if value != "" {
			out = append(out, clause{column + " = ?", []any{value}})
		}
	}
	equal("api_key_id", f.KeyID)
	if f.UserID != "" {
		equal("app_id", f.AppID)
	}
	equal("provider", f.Provider)
	equal("type", string(f.Type))
	equal("error_category", f.ErrorCategory)
	if f.Model != "" {
		out = append(out, clause{"(" + begins("model") + " OR " + begins("requested_model") + ")", slices.Concat(beginning(f.Model), beginning(f.Model))})
	}
	if len(f.Statuses) > 0 {
		c := clause{sql: "status IN (?" + strings.Repeat(", ?", len(f.Statuses)-1) + ")"}
		for _, s := range f.Statuses {
			c.args = append(c.args, string(s))
		}
		out = append(out, c)
	}
	for _, least := range []struct {
		column string
		n      int64
	}{{"duration_ms", f.Slow.Milliseconds()}, {"credits_nano", int64(f.MinCredits)}, {"cost_nano", int64(f.MinCost)}} {
		if least.n > 0 {
			out = append(out, clause{least.column + " >= ?", []any{least.n}})
		}
	}
	if c := f.Search.clause(); c.sql != "" {
		out = append(out, c)
	}
	return out
}

func (s CallSearch) clause() clause {
	if s.Text == "" {
		return clause{}
	}
	var parts []string
	var args []any
	for _, field := range []struct {
		on     bool
		column string
		whole  bool
	}{{s.ID, "id", true}, {s.Request, "request_id", true}, {s.Trace, "trace_id", true},
		{s.Model, "model", false}, {s.Model, "requested_model", false}, {s.User, "user_id", false}} {
		switch {
		case !field.on:
		case field.whole:
			parts, args = append(parts, field.column+" = ?"), append(args, s.Text)
		default:
			parts, args = append(parts, begins(field.column)), append(args, beginning(s.Text)...)
		}
	}
	if len(parts) == 0 {
		return clause{sql: "0"}
	}
	return clause{"(" + strings.Join(parts, " OR ") + ")", args}
}

// begins compares without regard to the case of ASCII letters, which is all that
// names of models differ in.
func begins(column string) string { return "substr(" + column + ", 1, ?) = ? COLLATE NOCASE" }

func beginning(text string) []any { return []any{utf8.RuneCountInString(text), text} }

// restColumns are those that rest asks for.
const restColumns = `rowid AS number, id, user_id, api_key_id, app_id, type, provider, model, requested_model, status, error_category,
  duration_ms, credits_nano, cost_nano, request_id, trace_id`

// query selects columns of the calls. With something to ask for, a walk along the
// path yields rows, of which those that answer to it are then read whole.
func (f *CallFilter) query(columns string) (text string, args []any) {
	on, args := join(f.path())
	rest := f.rest()
	if len(rest) == 0 {
		return "SELECT " + columns + " FROM model_calls WHERE " + on + " ORDER BY id DESC LIMIT ?", append(args, f.limit())
	}
	of, more := join(rest)
	return `SELECT ` + columns + ` FROM (SELECT number FROM (SELECT ` + restColumns + ` FROM model_calls WHERE ` + on + ` ORDER BY id DESC LIMIT ?)
WHERE ` + of + ` LIMIT ?) found CROSS JOIN model_calls ON model_calls.rowid = found.number`,
		slices.Concat(args, []any{f.walk()}, more, []any{f.limit()})
}

// reach says how far a walk comes: how many rows, and the id of the last one.
func (f *CallFilter) reach() (text string, args []any) {
	on, args := join(f.path())
	return "SELECT count(*), coalesce(min(id), '') FROM (SELECT id FROM model_calls WHERE " + on + " ORDER BY id DESC LIMIT ?)", append(args, f.walk())
}

func (f *CallFilter) limit() int {
	const usual, most = 50, 1000
	if f.Limit <= 0 {
		return usual
	}
	return min(f.Limit, most)
}

func (f *CallFilter) walk() int {
	if f.Walk <= 0 {
		return DefaultWalk
	}
	return min(f.Walk, MaxWalk)
}

// CallPage lists calls, newest first, as many as Limit, of the next Walk ones on
// the narrowest index that leads to them.
func (s *Store) CallPage(ctx context.Context, f CallFilter) (p CallPage, err error) {
	text, args := f.query(callColumns)
	p.Calls, err = list(ctx, s.read, func(r *sql.Rows, c *Call) error { return scanCall(r.Scan, c) }, text, args...)
	if err != nil {
		return p, err
	}
	if len(p.Calls) == f.limit() {
		p.Floor = p.Calls[len(p.Calls)-1].ID
		return p, nil
	}
	p.Floor, err = s.floor(ctx, f)
	return p, err
}

// CallIDs is CallPage of which only the ids are wanted, up to most of them.
func (s *Store) CallIDs(ctx context.Context, f CallFilter) (ids []string, floor string, err error) {
	text, args := f.query("model_calls.id")
	ids, err = list(ctx, s.read, func(r *sql.Rows, id *string) error { return r.Scan(id) }, text, args...)
	if err != nil {
		return nil, "", err
	}
	if len(ids) == f.limit() {
		return ids, ids[len(ids)-1], nil
	}
	floor, err = s.floor(ctx, f)
	return ids, floor, err
}

// floor is where a walk that found too little came to its end. What was admitted
// since can only make it end earlier, never later than it did.
func (s *Store) floor(ctx context.Context, f CallFilter) (string, error) {
	if len(f.rest()) == 0 {
		return "", nil // the limit is the only bound
	}
	var walked int
	var last string
	text, args := f.reach()
	if err := s.read.QueryRowContext(ctx, text, args...).Scan(&walked, &last); err != nil {
		return "", err
	}
	if walked < f.walk() {
		return "", nil
	}
	return last, nil
}
