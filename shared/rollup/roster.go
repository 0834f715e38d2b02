package rollup

import (
	"cmp"
	"encoding/binary"
	"maps"
	"slices"

	"github.com/oklog/ulid/v2"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// A roster (model_call_rosters) is who called in a bucket. Both of its texts begin
// with the number of their form; then follow lines up to the end. Numbers are
// those of encoding/binary (signed); a name is its length and its bytes (packed: a
// ULID is its 16 bytes behind a zero).
//
//	apps:   application, status, calls, uncosted, credits, costed credits, cost, more
//	people: user, application, key, calls, credits, cost, tokens, errors
const rosterForm = 1

// who are those of whom one line of a roster is. Names are as they are in it.
type who struct{ user, app, key string }

// weight is what a line can be put in order by.
type weight struct{ calls, credits, cost, tokens, errors int64 }

func (w *weight) numbers() [5]*int64 {
	return [5]*int64{&w.calls, &w.credits, &w.cost, &w.tokens, &w.errors}
}

func (w *weight) add(o *weight) {
	w.calls, w.credits, w.cost, w.tokens, w.errors = w.calls+o.calls, w.credits+o.credits, w.cost+o.cost, w.tokens+o.tokens, w.errors+o.errors
}

func (w *weight) by(m Measure) int64 {
	switch m {
	case Credit:
		return w.credits
	case Cost:
		return w.cost
	case Tokens:
		return w.tokens
	case Errors:
		return w.errors
	}
	return w.calls
}

// weigh is the weight of sums of calls that ended in one way.
func weigh(s *Sums, ended hub.CallStatus) weight {
	w := weight{calls: s.Calls, credits: s.Credits, cost: s.Cost, tokens: s.Units.Prompt() + s.Units.Completion()}
	if ended == hub.StatusFailed || ended == hub.StatusInterrupted {
		w.errors = s.Calls
	}
	return w
}

// roster writes down who the calls of a full cube are of.
func (t tally) roster() *store.Roster {
	people := map[who]*weight{}
	apps := tally{}
	for k, s := range t {
		apps.at(store.StatKey{AppID: k.AppID, Status: k.Status}).Add(s)
		line := who{k.UserID, k.AppID, k.KeyID}
		if people[line] == nil {
			people[line] = &weight{}
		}
		people[line].add(new(weigh(s, k.Status)))
	}
	r := &store.Roster{Apps: []byte{rosterForm}, People: []byte{rosterForm}}
	for _, k := range slices.SortedFunc(maps.Keys(apps), func(a, b store.StatKey) int {
		return cmp.Or(cmp.Compare(a.AppID, b.AppID), cmp.Compare(a.Status, b.Status))
	}) {
		s := apps[k].stored()
		r.Apps = addName(addName(r.Apps, k.AppID), string(k.Status))
		for _, n := range []int64{s.Calls, s.Uncosted, s.Credits, s.CostedCredits, s.Cost} {
			r.Apps = binary.AppendVarint(r.Apps, n)
		}
		r.Apps = addName(r.Apps, s.More)
	}
	for _, k := range slices.SortedFunc(maps.Keys(people), func(a, b who) int {
		return cmp.Or(cmp.Compare(a.user, b.user), cmp.Compare(a.app, b.app), cmp.Compare(a.key, b.key))
	}) {
		r.People = addName(addName(addName(r.People, k.user), k.app), k.key)
		for _, n := range people[k].numbers() {
			r.People = binary.AppendVarint(r.People, *n)
		}
	}
	return r
}

// packed is a name as a roster has it: a ULID is its bytes behind a zero byte,
// which no other name begins with.
func packed(name string) string {
	if id, err := ulid.ParseStrict(name); err == nil && id.String() == name {
		return "\x00" + string(id[:])
	}
	return name
}

func unpacked(name string) string {
	if len(name) == 1+len(ulid.ULID{}) && name[0] == 0 {
		return ulid.ULID([]byte(name[1:])).String()
	}
	return name
}

func addName(out []byte, name string) []byte {
	name = packed(name)
	return append(binary.AppendVarint(out, int64(len(name))), name...)
}

// reading takes a roster's text apart. What it gave is as long good as the text.
type reading struct {
	text []byte
	at   int
	bad  bool // the text is cut off, or not of a form that is known
}

func readRoster(text []byte) reading {
	if len(text) == 0 || text[0] != rosterForm {
		return reading{bad: true}
	}
	return reading{text: text, at: 1}
}

func (r *reading) more() bool { return r.at < len(r.text) && !r.bad }

func (r *reading) number() int64 {
	if r.at < len(r.text) && r.text[r.at] < 0x80 { // most are short
		n := r.text[r.at]
		r.at++
		return int64(n>>1) ^ -int64(n&1)
	}
	n, size := binary.Varint(r.text[r.at:])
	if size <= 0 {
		r.bad, r.at = true, len(r.text)
		return 0
	}
	r.at += size
	return n
}

func (r *reading) name() []byte {
	n := r.number()
	if n < 0 || n > int64(len(r.text)-r.at) {
		r.bad, r.at = true, len(r.text)
		return nil
	}
	r.at += int(n)
	return r.text[r.at-int(n) : r.at]
}

// app reads a line of the applications.
func (r *reading) app() (k store.StatKey, s store.StatSums) {
	k.AppID, k.Status = unpacked(string(r.name())), hub.CallStatus(unpacked(string(r.name())))
	for _, n := range [...]*int64{&s.Calls, &s.Uncosted, &s.Credits, &s.CostedCredits, &s.Cost} {
		*n = r.number()
	}
	s.More = unpacked(string(r.name()))
	return k, s
}

// person reads a line of the people. Names are packed.
func (r *reading) person() (user, app, key []byte, w weight) {
	user, app, key = r.name(), r.name(), r.name()
	w = weight{r.number(), r.number(), r.number(), r.number(), r.number()}
	return user, app, key, w
}
