// Package responses speaks OpenAI's Responses language, POST /v1/responses:
// what callers send to us (Server), what providers get from us (Client) and the
// meter. The wire format is that of
// https://platform.openai.com/docs/api-reference/responses and
// https://platform.openai.com/docs/api-reference/responses-streaming. Error
// bodies are those of all of OpenAI's surfaces, so they are given from outside.
// Stored answers are the hub's business, not this package's.
package responses

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// ErrorBody encodes an error in OpenAI's form.
type ErrorBody func(err *hub.Error, requestID string) []byte

// FaultReader reads an error body in OpenAI's form; status 0 stands for an
// error within a stream.
type FaultReader func(status int, header http.Header, body []byte) *hub.Error

// Server is the side that callers speak.
type Server struct {
	now  hub.Now
	body ErrorBody
}

// NewServer makes the side that callers speak; now may be nil.
func NewServer(now hub.Now, body ErrorBody) Server {
	if now == nil {
		now = time.Now
	}
	return Server{now: now, body: body}
}

// Client is the side that providers understand.
type Client struct{ fault FaultReader }

// NewClient makes the side that providers understand.
func NewClient(fault FaultReader) Client { return Client{fault: fault} }

var (
	_ dialect.Server = Server{}
	_ dialect.Client = Client{}
)

// Name is dialect.Responses.
func (Server) Name() dialect.Name { return dialect.Responses }

// Name is dialect.Responses.
func (Client) Name() dialect.Name { return dialect.Responses }

// Path is the same for every model.
func (Client) Path(dialect.Target) string { return "/responses" }

// Error encodes an error body. The request id travels in a header.
func (s Server) Error(err *hub.Error, requestID string) []byte { return s.body(err, requestID) }

// Fault reads a non-2xx answer.
func (c Client) Fault(status int, header http.Header, body []byte) *hub.Error {
	return c.fault(status, header, body)
}

// newID makes an id of the language: a prefix that tells the kind of thing, and
// what nobody can guess.
func newID(prefix string) string { return prefix + rand.Text() }

// encodeJSON encodes without HTML escapes and without the closing newline.
func encodeJSON(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return []byte("null") // a raw value that is no JSON: nothing can be said
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

func quote(s string) []byte { return encodeJSON(s) }

func firstOf(words ...string) string {
	for _, w := range words {
		if w != "" {
			return w
		}
	}
	return ""
}
