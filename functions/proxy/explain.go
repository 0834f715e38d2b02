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
	"github.com/aigne-hub/aigne-hub/shared/task"
)

// explain answers "why would this go there": ?model=, and as the call would
// have them ?type=, ?dialect=, ?needs=, ?tokens=, ?tags=, ?region=, ?route=.
func (h *handler) explain(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	q := r.URL.Query()
	req := routing.Request{Model: q.Get("model"), Type: hub.TypeChat, Dialect: dialect.Name(q.Get("dialect")), Allow: c.Models}
	if err := asKind(&req, q.Get("type")); err != nil {
		return err
	}
	t := routing.Traits{Region: q.Get("region"), Prefer: q.Get("route"), Groups: groupsOf(c), Tags: words(q.Get("tags"))}
	for _, n := range words(q.Get("needs")) {
		t.Needs = append(t.Needs, routing.Need(n))
	}
	if err := routing.CheckNeeds(t.Needs); err != nil {
		return err
	}
	if raw := q.Get("tokens"); raw != "" {
		n, err := strconv.ParseInt(raw, 10, 64)
		if err != nil || n < 0 {
			return hub.Invalid("tokens", "tokens must be a whole number.")
		}
		t.Tokens = n
	}
	req.Traits = t
	v, err := h.Routes().Explain(req)
	if err != nil {
		return err
	}
	return httpkit.WriteJSON(w, http.StatusOK, v)
}

// asKind makes a request one for a kind of work beside chat: embedding, image,
// speech, transcription and so on; "" leaves it chat.
func asKind(req *routing.Request, kind string) error {
	if kind == "" || kind == "chat" {
		if req.Dialect == "" {
			req.Dialect = dialect.OpenAIChat
		}
		return nil
	}
	k := task.Kind(kind)
	if !slices.Contains(task.Kinds(), k) {
		return hub.Invalid("type", "The type must be chat or a kind of work such as embedding, image, speech or rerank, not %.40q.", kind)
	}
	req.Type, req.Task = k.CallType(), k
	if req.Dialect == "" {
		req.Dialect = dialect.OpenAI
	}
	return nil
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
