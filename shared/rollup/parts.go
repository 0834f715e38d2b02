package rollup

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// Part is the sums of what has a key in common.
type Part struct {
	Key string
	store.StatKey
	Total
	Slots []Total // of a question with a step
}

// Keys name the parts that calls count for; most count for one.
type Keys func(store.StatKey) []string

// Parts are sums by key, in no order. A question's By is what keys looks at.
func (r *Reader) Parts(ctx context.Context, q Question, keys Keys) (Range, []*Part, error) {
	q.By |= store.ByStatus
	q.Before = false
	x, all, err := r.Ask(ctx, q)
	parts := map[string]*Part{}
	for _, a := range all {
		for _, key := range keys(a.StatKey) {
			p := parts[key]
			if p == nil {
				p = &Part{Key: key, StatKey: a.StatKey, Slots: make([]Total, len(x.Starts))}
				parts[key] = p
			}
			p.Add(a)
			if len(p.Slots) > 0 {
				p.Slots[a.Slot].Add(a)
			}
		}
	}
	out := make([]*Part, 0, len(parts))
	for _, p := range parts {
		out = append(out, p)
	}
	return x, out, err
}

var dimensions = []struct {
	name string
	dim  store.Dim
	key  func(store.StatKey) string
}{
	{"model", store.ByModel | store.ByProvider, func(k store.StatKey) string { return k.Provider + "/" + k.Model }},
	{"provider", store.ByProvider, func(k store.StatKey) string { return k.Provider }},
	{"user", store.ByUser, func(k store.StatKey) string { return k.UserID }},
	{"group", store.ByUser, nil},
	{"app", store.ByApp, func(k store.StatKey) string { return k.AppID }},
	{"key", store.ByKey | store.ByUser, func(k store.StatKey) string { return k.KeyID }},
	{"type", store.ByType, func(k store.StatKey) string { return string(k.Type) }},
	{"status", store.ByStatus, func(k store.StatKey) string { return string(k.Status) }},
	{"category", store.ByCategory, func(k store.StatKey) string { return k.Category }},
}

// Dimensions lists what calls can be told apart by.
func Dimensions() []string {
	out := make([]string, len(dimensions))
	for i, d := range dimensions {
		out[i] = d.name
	}
	return out
}

// By are sums told apart by a dimension: by group, a call counts for each group that
// its user is in now, and for "" where there is none.
func (r *Reader) By(ctx context.Context, q Question, name string) (Range, []*Part, error) {
	for _, d := range dimensions {
		if d.name != name {
			continue
		}
		q.By = d.dim
		if d.key != nil {
			return r.Parts(ctx, q, func(k store.StatKey) []string { return []string{d.key(k)} })
		}
		groups, err := r.Store.GroupsOfUsers(ctx)
		if err != nil {
			return Range{}, nil, err
		}
		return r.Parts(ctx, q, func(k store.StatKey) []string {
			if g := groups[k.UserID]; len(g) > 0 {
				return g
			}
			return []string{""}
		})
	}
	return Range{}, nil, hub.Invalid("by", "%s", fmt.Sprintf("by must be one of %v.", Dimensions()))
}

// Label is what a part is called.
type Label struct {
	Key      string `json:"key"`
	Name     string `json:"name"` // "": it has none, or is not known any more
	Email    string `json:"email,omitempty"`
	Logo     string `json:"logo,omitempty"`
	URL      string `json:"url,omitempty"`
	Provider string `json:"provider,omitempty"` // of a model
	Model    string `json:"model,omitempty"`
	UserID   string `json:"user_id,omitempty"` // of a key
}

// Labels looks up what parts by a dimension are called, in their order.
func (r *Reader) Labels(ctx context.Context, by string, parts []*Part) ([]Label, error) {
	ids := make([]string, len(parts))
	for i, p := range parts {
		ids[i] = p.Key
	}
	var names map[string]store.Named
	var err error
	switch by {
	case "user":
		names, err = r.Store.UserNames(ctx, ids)
	case "key":
		names, err = r.Store.KeyNames(ctx, ids)
	case "app":
		names, err = r.Store.AppNames(ctx, ids)
	}
	out := make([]Label, len(parts))
	for i, p := range parts {
		n := names[p.Key]
		out[i] = Label{Key: p.Key, Name: n.Name, Email: n.Email, Logo: n.Logo, URL: n.URL}
		switch by {
		case "model":
			out[i].Name, out[i].Provider, out[i].Model = p.Model, p.Provider, p.Model
		case "key":
			out[i].UserID = p.UserID
		case "user", "app":
		default:
			out[i].Name = p.Key
		}
	}
	return out, err
}

// Measure is what parts are put in order by.
type Measure string

// The measures.
const (
	Calls  Measure = "calls"
	Credit Measure = "credits"
	Cost   Measure = "cost"
	Tokens Measure = "tokens"
	Errors Measure = "errors"
)

// MeasureNames lists the measures; the last one is for operators.
func MeasureNames() []string {
	return []string{string(Calls), string(Credit), string(Tokens), string(Errors), string(Cost)}
}

// By is how great a total is by a measure.
func (t *Total) By(m Measure) int64 {
	switch m {
	case Credit:
		return t.Credits
	case Cost:
		return t.Cost
	case Tokens:
		return t.Units.Prompt() + t.Units.Completion()
	case Errors:
		return t.Statuses[hub.StatusFailed] + t.Statuses[hub.StatusInterrupted]
	}
	return t.Calls
}

// SortParts puts the greatest first.
func SortParts(parts []*Part, m Measure) {
	slices.SortFunc(parts, func(a, b *Part) int {
		return cmp.Or(cmp.Compare(b.By(m), a.By(m)), cmp.Compare(b.Calls, a.Calls), cmp.Compare(a.Key, b.Key))
	})
}
