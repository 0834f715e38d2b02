package fakeprovider

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// The models that the fakes serve beside chat. Models whose name begins with
// "whisper" report seconds, other transcribers tokens.
var workModels = map[Kind][]string{
	OpenAI: {"text-embedding-fake", "whisper-fake", "gpt-transcribe-fake", "tts-fake", "gpt-tts-fake", "omni-moderation-latest", "rerank-fake"},
	Gemini: {"gemini-embedding-fake", "gemini-tts-fake"},

	Bedrock: {"amazon.titan-embed-text-fake", "cohere.embed-fake"},
}

// piece is a request for work beside chat, read and checked, with its answer.
type piece struct {
	model  string
	stream bool
	kind   string // content type
	parts  [][]byte
	cost   func(a Answer) (u hub.Usage, known bool) // known: the wire has a place for a report
	render func(a Answer, u hub.Usage, known bool) [][]byte
}

// errand reads a request for work; it returns what to answer, or a refusal.
type errand func(p *Provider, r *http.Request, rec *Request) (*piece, *fixed)

// errandOf finds who serves a path.
func (p *Provider) errandOf(r *http.Request) errand {
	if r.Method != http.MethodPost {
		return nil
	}
	switch p.kind {
	case OpenAI:
		return openAIWork[r.URL.Path]
	case Bedrock:
		if strings.HasSuffix(r.URL.Path, "/invoke") {
			return bedrockInvoke
		}
	case Gemini:
		if call, ok := geminiModelPath(r); ok {
			model, method, _ := strings.Cut(call, ":")
			if method == "generateContent" && !strings.Contains(model, "-tts") {
				return nil
			}
			return geminiWork[method]
		}
	}
	return nil
}

func (p *Provider) servesWork(model string) bool {
	return slices.Contains(workModels[p.kind], model) || p.serves(model)
}

// work answers a request beside chat: errors, gates and faults as scripted.
func (p *Provider) work(w http.ResponseWriter, r *http.Request, rec *Request, do errand) {
	one, f := do(p, r, rec)
	if f != nil {
		p.refuse(w, rec, f)
		return
	}
	p.update(func() { rec.Model, rec.Stream = one.model, one.stream })
	a, number := p.next(rec, &turn{model: one.model, n: 1})
	leave := r.Context().Done()
	if !a.Before.pass(leave) {
		p.update(func() { rec.Left = true })
		return
	}
	switch {
	case a.Break == Refuse:
		panic(http.ErrAbortHandler) // net/http's way of tearing a connection
	case a.Status != 0:
		p.refuse(w, rec, p.scripted(a, &turn{lang: p.lang}))
		return
	}
	usage, known := one.cost(a)
	if a.Usage != nil {
		usage = *a.Usage
	}
	known = known && a.Report != NoUsage
	one.parts = one.render(a, usage, known)
	p.update(func() {
		rec.Status, rec.Text, rec.Usage, rec.Known = http.StatusOK, a.Text, usage, known && a.Break == Intact
	})
	w.Header().Set("Content-Type", one.kind)
	if p.kind == Bedrock && known {
		w.Header().Set("X-Amzn-Bedrock-Input-Token-Count", strconv.FormatInt(usage[hub.Input], 10))
	}
	w.Header().Set("X-Request-Id", fmt.Sprintf("req_%06d", number))
	e := &emitter{w: w, flush: http.NewResponseController(w), leave: leave}
	p.emitParts(e, one, a)
	if e.gone {
		p.update(func() { rec.Left, rec.Known = true, false })
	}
	if e.tear {
		panic(http.ErrAbortHandler)
	}
}

func (p *Provider) emitParts(e *emitter, one *piece, a Answer) {
	middle := len(one.parts) / 2
	for i, part := range one.parts {
		if i == middle {
			if len(one.parts) == 1 && (a.Break == Cut || a.Middle != nil) {
				e.send(part[:len(part)/2])
				part = part[len(part)/2:]
			}
			if !e.pass(a.Middle) {
				return
			}
			switch a.Break {
			case Cut:
				e.tear = true
				return
			case ErrorFrame:
				e.send(p.lang.failureFrame())
				return
			}
		}
		if !e.send(part) {
			return
		}
	}
}
