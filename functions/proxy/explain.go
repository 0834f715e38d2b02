package proxy

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/routing"
)

// planView says where a call would go, without making it.
type planView struct {
	Model   string            `json:"model"`
	Why     string            `json:"why"`
	Targets []planTarget      `json:"targets"` // in the order in which they would be tried
	Refused []routing.Refusal `json:"refused"`
}

type planTarget struct {
	Target    string `json:"target"`
	Kind      string `json:"kind"`
	Native    bool   `json:"native"`     // spoken to in the caller's own language
	Context   int64  `json:"context"`    // tokens; 0: unknown
	MaxOutput int64  `json:"max_output"` // tokens
}

// explain answers "why would this go there": ?model=, and as the call would
// have them ?dialect=, ?needs=, ?tokens=, ?tags=, ?region=, ?route=.
func (h *handler) explain(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	q := r.URL.Query()
	req := routing.Request{Model: q.Get("model"), Type: hub.TypeChat, Dialect: dialect.Name(q.Get("dialect"))}
	if req.Dialect == "" {
		req.Dialect = dialect.OpenAIChat
	}
	t := routing.Traits{Region: q.Get("region"), Prefer: q.Get("route"), Groups: []string{string(c.Role)}, Tags: words(q.Get("tags"))}
	for _, n := range words(q.Get("needs")) {
		if !slices.Contains(routing.Needs(), routing.Need(n)) {
			return hub.Invalid("needs", "A request cannot need %.40q.", n)
		}
		t.Needs = append(t.Needs, routing.Need(n))
	}
	if raw := q.Get("tokens"); raw != "" {
		n, err := strconv.ParseInt(raw, 10, 64)
		if err != nil || n < 0 {
			return hub.Invalid("tokens", "tokens must be a whole number.")
		}
		t.Tokens = n
	}
	req.Traits = t
	plan, err := h.Routes().Plan(req)
	if err != nil {
		return err
	}
	v := planView{Model: req.Model, Why: plan.Why, Targets: []planTarget{}, Refused: plan.Refused}
	if v.Refused == nil {
		v.Refused = []routing.Refusal{}
	}
	for i := range plan.Targets {
		t := &plan.Targets[i]
		_, native := h.clientFor(t, req.Dialect)
		v.Targets = append(v.Targets, planTarget{t.Name(), t.Provider.Kind.ID, native, t.Context, t.MaxOutput})
	}
	return httpkit.WriteJSON(w, http.StatusOK, v)
}

// words splits a list at commas.
func words(list string) (out []string) {
	for w := range strings.SplitSeq(list, ",") {
		if w = strings.TrimSpace(w); w != "" {
			out = append(out, w)
		}
	}
	return out
}
