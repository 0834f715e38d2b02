// Package aigne is the server side of the two languages of AIGNE's own clients:
// the AIGNE model protocol of /api/v2/chat, which npm @aigne/aigne-hub speaks,
// and AIGNE REST, the older /api/v2/completions and /api/v2/chat/completions.
// Image, video and embedding requests of the protocol are not here, and no
// provider speaks these languages: both are always translated.
package aigne

import (
	"crypto/rand"
	"net/http"
	"strings"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// Server speaks the AIGNE model protocol. The zero value is ready.
type Server struct {
	Now hub.Now // nil: the system's clock
}

// RestServer speaks AIGNE REST. The zero value is ready.
type RestServer struct {
	Now hub.Now // nil: the system's clock
}

var (
	_ dialect.Server = Server{}
	_ dialect.Server = RestServer{}
)

// Name returns dialect.AIGNE.
func (Server) Name() dialect.Name { return dialect.AIGNE }

// Name returns dialect.AIGNERest.
func (RestServer) Name() dialect.Name { return dialect.AIGNERest }

// View reads a request of the protocol. The conversation is decoded at once,
// since there is no native lane that could do without.
func (Server) View(r *http.Request, body []byte) (*dialect.View, error) {
	return view(r, body, decodeProtocol)
}

// View reads a REST request. A stream is asked for in the body, or by an Accept
// of text/event-stream where the body does not say false.
func (RestServer) View(r *http.Request, body []byte) (*dialect.View, error) {
	v, err := view(r, body, decodeRest)
	if err != nil || v.Stream || !acceptsEvents(v.Header) {
		return v, err
	}
	if raw, ok := v.Object.Get("stream"); ok && string(raw) == "false" {
		return v, nil
	}
	v.Stream, v.WantsUsage, v.Chat.Stream = true, true, true
	return v, nil
}

// Decode returns the conversation that View has read.
func (Server) Decode(v *dialect.View) (*chat.Request, error) { return decoded(v, decodeProtocol) }

// Decode returns the conversation that View has read.
func (RestServer) Decode(v *dialect.View) (*chat.Request, error) { return decoded(v, decodeRest) }

func view(r *http.Request, body []byte, decode func(*decoder, *fields)) (*dialect.View, error) {
	d := newDecoder()
	top := d.r.parse("", body)
	if d.r.fault == nil {
		decode(d, top)
	}
	if d.r.fault != nil {
		return nil, d.r.fault
	}
	v := &dialect.View{
		Object: top.obj, Model: d.req.Model, Stream: d.req.Stream, WantsUsage: d.req.Stream,
		MaxOutput: d.req.MaxOutput, N: 1, OpaqueInput: d.opaque, Chat: d.req,
	}
	_, v.ServerTools = d.req.Extra["web_search_options"]
	if r != nil {
		v.Header = r.Header
	}
	if d.req.N != nil {
		v.N = *d.req.N
	}
	if t := d.req.Reasoning; t != nil && t.Budget != nil {
		v.Thinking = *t.Budget
	}
	return v, nil
}

func decoded(v *dialect.View, decode func(*decoder, *fields)) (*chat.Request, error) {
	if v.Chat != nil {
		return v.Chat, nil
	}
	again, err := view(nil, v.Object.Raw(), decode)
	if err != nil {
		return nil, err
	}
	again.Chat.Stream = v.Stream
	return again.Chat, nil
}

func acceptsEvents(h http.Header) bool {
	for _, accept := range h.Values("Accept") {
		if strings.Contains(strings.ToLower(accept), "text/event-stream") {
			return true
		}
	}
	return false
}

func clock(now hub.Now) time.Time {
	if now == nil {
		return time.Now()
	}
	return now()
}

func randomID(prefix string) string { return prefix + rand.Text() }
