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
