package routing

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/task"
)

// Ask reads a question where a call would go: ?model=, and as the call would have
// them ?type=, ?dialect=, ?needs=, ?tokens=, ?tags=, ?region=, ?route=. groups and
// allow are what is known of who would call.
func Ask(q url.Values, groups []string, allow Allow) (Request, error) {
	req := Request{Model: q.Get("model"), Type: hub.TypeChat, Dialect: dialect.Name(q.Get("dialect")), Allow: allow}
	if err := asKind(&req, q.Get("type")); err != nil {
		return req, err
	}
	t := Traits{Region: q.Get("region"), Prefer: q.Get("route"), Groups: groups, Tags: Words(q.Get("tags"))}
	for _, n := range Words(q.Get("needs")) {
		t.Needs = append(t.Needs, Need(n))
	}
	if err := CheckNeeds(t.Needs); err != nil {
		return req, err
	}
	if raw := q.Get("tokens"); raw != "" {
		n, err := strconv.ParseInt(raw, 10, 64)
		if err != nil || n < 0 {
			return req, hub.Invalid("tokens", "tokens must be a whole number.")
		}
		t.Tokens = n
	}
	req.Traits = t
	return req, nil
}

// asKind makes a request one for a kind of work beside chat: embedding, image,
// speech, transcription and so on; "" leaves it chat.
func asKind(req *Request, kind string) error {
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

// Words splits a list at commas.
func Words(list string) (out []string) {
	for w := range strings.SplitSeq(list, ",") {
		if w = strings.TrimSpace(w); w != "" {
			out = append(out, w)
		}
	}
	return out
}
