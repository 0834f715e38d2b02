package proxy

import (
	"bytes"
	"errors"
	"net/http"

	"github.com/aigne-hub/aigne-hub/shared/admission"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/routing"
	"github.com/aigne-hub/aigne-hub/shared/upstream"
)

// chat is the way of a call: read, plan, admit, call, relay, settle. The same
// for every dialect; server is the one the caller speaks.
func (h *handler) chat(server dialect.Server) httpkit.CallerHandler {
	return func(w http.ResponseWriter, r *http.Request, caller hub.Caller) error {
		body, err := readBody(r)
		if err != nil {
			return err
		}
		view, err := server.View(r, body)
		if err != nil {
			return err
		}
		return h.call(w, r, caller, server, view, way{body: body})
	}
}

// call carries a request that was read.
func (h *handler) call(w http.ResponseWriter, r *http.Request, caller hub.Caller, server dialect.Server, view *dialect.View, how way) (err error) {
	if how.memo, err = h.chatMemo(r, caller, server.Name(), view, how); err != nil {
		return err
	}
	plan, ticket, err := h.admit(r, caller, server, view, how)
	if err != nil {
		refusalHeaders(w, err)
		return err
	}
	if take := h.Capture.Take(&caller, ticket.CallID); take != nil {
		w = begun(take, w, r, how.body)
		defer func() { ended(take, r, err, server.Error) }()
	}
	if how.memo.hit() {
		return how.memo.replay(w, r, ticket)
	}
	how.memo.mark(w, cacheMiss)
	x := newExchange(h, w, r, server, view, ticket)
	x.caller, x.way = caller, how
	if x.out != nil {
		x.out.tape = how.memo.tape()
	}
	defer x.done()
	answer, trace, err := h.Upstream.Do(x.upstream, upstream.Call{
		Plan:    plan,
		Sticky:  sticky(caller, view),
		Prepare: x.prepare,
		Fault:   x.fault,
		Whole:   !view.Stream,
		Hedge:   !view.Stream,
		Accept:  x.accept,
	})
	if err != nil {
		return x.failed(trace, hub.AsError(err))
	}
	defer answer.Body.Close()
	x.won(answer)
	if view.Stream {
		return x.relayStream(answer, trace)
	}
	return x.relayWhole(answer, trace)
}

// admit plans a chat call and takes its ticket.
func (h *handler) admit(r *http.Request, caller hub.Caller, server dialect.Server, v *dialect.View, how way) (routing.Plan, *admission.Ticket, error) {
	traits, err := h.traits(r, caller, v)
	if err != nil {
		return routing.Plan{}, nil, err
	}
	to := routing.Request{Model: v.Model, Type: hub.TypeChat, Dialect: server.Name(), Traits: traits}
	return h.ticket(r, caller, to, how, func(plan *routing.Plan) admission.Request {
		return admission.Request{
			Caller: caller, Type: hub.TypeChat, Dialect: string(server.Name()), Stream: v.Stream,
			PromptBytes: promptBound(v), OpaqueInput: v.OpaqueInput || hasMedia(v.Object.Raw()),
			MaxOutput: v.MaxOutput, N: v.N, Thinking: v.Thinking, ServerTools: runsTools(v, plan, server.Name()), Variant: serviceAsked(v),
			Unseen:      v.Object.Has("prediction"), // OpenAI bills the tokens of a prediction that it rejects
			CountPrompt: func() int64 { return h.countedBound(server, v, plan) },
		}
	})
}

// ticket plans a call, within what its caller may use, and admits what ask makes
// of the plan; a configuration
// that changed meanwhile is read again.
func (h *handler) ticket(r *http.Request, caller hub.Caller, to routing.Request, how way, ask func(*routing.Plan) admission.Request) (routing.Plan, *admission.Ticket, error) {
	const tries = 4
	to.Allow = caller.Models
	for try := 1; ; try++ {
		plan, err := h.Routes().Plan(to)
		if err == nil {
			plan, err = how.narrowed(plan)
		}
		if err != nil {
			if try < tries && h.CatchUp(r.Context()) {
				continue
			}
			return plan, nil, err
		}
		a := ask(&plan)
		how.memo.look(r.Context(), &plan, &a)
		a.Plan = plan
		a.RequestID, a.TraceID = httpkit.RequestID(r.Context()), h.TraceID(r)
		a.IdempotencyKey = r.Header.Get("Idempotency-Key")
		ticket, err := h.Gate.Admit(r.Context(), a)
		if !errors.Is(err, admission.ErrStale) || try == tries {
			if h.Low != nil && hub.CodeOf(err) == hub.CodeInsufficientCredits {
				h.Low(a.Caller.AccountID)
			}
			return plan, ticket, err
		}
	}
}

// promptBound is the most tokens that the text of a prompt can be: a byte each,
// and what providers add of their own to explain tools.
func promptBound(v *dialect.View) int64 {
	const toolPreamble = 1024
	n := int64(len(v.Object.Raw()))
	for _, name := range explained {
		if v.Object.Has(name) {
			return n + toolPreamble
		}
	}
	return n
}

// explained are the members, in any dialect, that providers or translations add
// words of their own to the prompt for: tools, and answers of a given form.
var explained = []string{"tools", "functions", "input", "response_format", "output_config", "output_format", "generationConfig", "generation_config", "web_search_options", "text"}

// isMediaMark knows the words that stand in bodies with pictures, sounds or
// documents, in any dialect. Quoted in a text they would be escaped.
func isMediaMark(word string) bool {
	switch word {
	case "image_url", "imageUrl", "input_audio", "inputAudio", "image", "document", "file",
		"input_image", "input_file", "inlineData", "inline_data", "fileData", "file_data":
		return true
	}
	return false
}

// longestMark is the length of the longest of them.
const longestMark = len("input_audio")

// hasMedia reports content whose tokens have nothing to do with its bytes.
// Letters written as escapes, which no encoder does, could hide any mark.
func hasMedia(body []byte) bool {
	for rest := body; ; {
		i := bytes.Index(rest, []byte(`\u00`))
		if i < 0 || len(rest) < i+5 {
			break
		}
		if c := rest[i+4]; c >= '4' && c <= '7' {
			return true
		}
		rest = rest[i+4:]
	}
	for rest := body; ; {
		i := bytes.IndexByte(rest, '"')
		if i < 0 {
			return false
		}
		rest = rest[i+1:]
		word := rest[:min(len(rest), longestMark+1)]
		if end := bytes.IndexByte(word, '"'); end > 0 && isMediaMark(string(word[:end])) {
			return true
		}
	}
}
