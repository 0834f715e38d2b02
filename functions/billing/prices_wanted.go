package billing

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/routing"
)

// wanted is which prices are asked for, and in which order.
type wanted struct {
	kind     hub.CallType
	provider string
	part     string // of the name, in small letters
	needs    []routing.Need
	context  int64 // tokens at least
	models   []string
	sort     string
	down     bool
}

const mostCompared = 20 // models by name at once

// What prices can be put in order by.
const (
	byName    = "name"
	byInput   = "input"
	byOutput  = "output"
	byContext = "context"
)

func priceOrders() []string { return []string{byName, byInput, byOutput, byContext} }

func wantedOf(q url.Values) (wanted, error) {
	w := wanted{kind: hub.CallType(q.Get("type")), provider: q.Get("provider"), part: strings.ToLower(q.Get("q")), sort: cmp.Or(q.Get("sort"), byName)}
	if w.kind != "" && !w.kind.Valid() {
		return w, hub.Invalid("type", "%.40q is no type of call; there are %s.", w.kind, typeNames())
	}
	for word := range words(q.Get("capability")) {
		need := routing.Need(word)
		if !slices.Contains(routing.Needs(), need) {
			return w, hub.Invalid("capability", "%.40q is no capability; there are %v.", word, routing.Needs())
		}
		w.needs = append(w.needs, need)
	}
	for name := range words(q.Get("models")) {
		w.models = append(w.models, name)
	}
	if len(w.models) > mostCompared {
		return w, hub.Invalid("models", "models names at most %d.", mostCompared)
	}
	if text := q.Get("minContext"); text != "" {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 0 {
			return w, hub.Invalid("minContext", "minContext must be a whole number of tokens.")
		}
		w.context = n
	}
	if !slices.Contains(priceOrders(), w.sort) {
		return w, hub.Invalid("sort", "sort must be one of %v.", priceOrders())
	}
	switch q.Get("order") {
	case "", "asc":
	case "desc":
		w.down = true
	default:
		return w, hub.Invalid("order", "order must be asc or desc.")
	}
	return w, nil
}

// words are those of a list by comma, without empty ones.
func words(text string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for word := range strings.SplitSeq(text, ",") {
			if word = strings.TrimSpace(word); word != "" && !yield(word) {
				return
			}
		}
	}
}

func (w *wanted) takes(l *routing.Listed) bool {
	if (w.kind != "" && l.Type != w.kind) || (w.provider != "" && l.Provider.Name != w.provider) || l.Context < w.context ||
		!strings.Contains(strings.ToLower(l.Name()), w.part) || (w.models != nil && !slices.Contains(w.models, l.Name())) {
		return false
	}
	if len(w.needs) == 0 {
		return true
	}
	meets := l.Meets()
	return !slices.ContainsFunc(w.needs, func(n routing.Need) bool { return !slices.Contains(meets, n) })
}

// arrange puts models that are in the order of their names into the one asked for.
// Those without what they are ordered by come last, whichever way.
func (w *wanted) arrange(found []routing.Listed) {
	if w.sort == byName {
		if w.down {
			slices.Reverse(found)
		}
		return
	}
	slices.SortStableFunc(found, func(a, b routing.Listed) int {
		x, xok := w.rank(&a)
		y, yok := w.rank(&b)
		switch {
		case !xok || !yok:
			return cmp.Compare(boolRank(!xok), boolRank(!yok))
		case w.down:
			return cmp.Compare(y, x)
		}
		return cmp.Compare(x, y)
	})
}

func boolRank(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (w *wanted) rank(l *routing.Listed) (int64, bool) {
	if w.sort == byContext {
		return l.Context, l.Context > 0
	}
	if l.Prices == nil {
		return 0, false
	}
	bucket := hub.Input
	if w.sort == byOutput {
		bucket = hub.Output
	}
	var rate money.Rate
	rate, ok := l.Prices.Rate(bucket, 0)
	return int64(rate), ok
}
