package dialect

import (
	"net/http"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/task"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

// TaskView is a request for work beside chat, decoded, with its bytes kept.
// Exactly one of Object and Form is set.
type TaskView struct {
	Request *task.Request
	Object  *wire.Object // the body, when it is JSON
	Form    *wire.Form   // the body, when it is a form
	Header  http.Header  // the caller's headers
	Bytes   int64        // size of the body
}

// Payload is an encoded body.
type Payload struct {
	Type string // content type
	Body []byte
}

// TaskServer is how callers of one language ask for one kind of work.
type TaskServer interface {
	Name() Name
	Kind() task.Kind
	// View decodes a request. Bad requests give hub.CodeInvalid with the field in
	// Param.
	View(r *http.Request, body []byte) (*TaskView, error)
	// Whole encodes a complete answer.
	Whole(v *TaskView, res *task.Result, c Closing) (Payload, error)
	// Error encodes an error body.
	Error(err *hub.Error, requestID string) []byte
}

// TaskEncoded is a request to a provider.
type TaskEncoded struct {
	Path    string // below the base URL, query included
	Method  string // "" is POST
	Type    string // content type of Body; "" is application/json
	Body    []byte
	Header  http.Header // beyond authentication and content type; may be nil
	Dropped []string    // parameters left out because the target ignores them, by the caller's names
}

// TaskAnswer is a provider's complete 2xx answer.
type TaskAnswer struct {
	Header http.Header
	Body   []byte
}

// TaskClient is how work beside chat is asked for at providers of one language.
type TaskClient interface {
	Name() Name
	// Splice prepares a native request: the caller's own bytes with the model and
	// what else must change. v is not changed.
	Splice(v *TaskView, t Target) (TaskEncoded, error)
	// Encode translates, under the rules of Client.Encode.
	Encode(req *task.Request, t Target) (TaskEncoded, error)
	// Decode reads a complete answer and its usage.
	Decode(req *task.Request, a TaskAnswer, t Target) (*task.Result, error)
	// Fault reads a non-2xx answer, with its class.
	Fault(status int, header http.Header, body []byte) *hub.Error
}

// TaskFlow watches a native answer that is passed on as it comes.
type TaskFlow interface {
	// Piece looks at one frame of server-sent events, or at bytes as they came.
	Piece(p []byte) Seen
	// Result is what is known so far; its content may be left out.
	Result() *task.Result
}

// TaskStreamer is a TaskClient whose native answers can be passed on as they
// come.
type TaskStreamer interface {
	// Flow returns nil for an answer that must be read whole. events tells
	// server-sent events from bytes.
	Flow(v *TaskView, header http.Header) (flow TaskFlow, events bool)
}

// TaskEvents is a TaskServer whose callers can ask for server-sent events
// (TaskView.Request.Stream).
type TaskEvents interface {
	// Events encodes a complete answer as events.
	Events(v *TaskView, res *task.Result, c Closing) ([]byte, error)
	// Fail encodes the event that ends a stream with an error.
	Fail(err *hub.Error) []byte
}

// TaskMender is a TaskServer that puts native answers right where vendors depart
// from the language.
type TaskMender interface {
	// Mend returns body itself where nothing is wrong.
	Mend(v *TaskView, res *task.Result, body []byte) ([]byte, error)
}
