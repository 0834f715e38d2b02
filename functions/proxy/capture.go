package proxy

import (
	"net/http"

	"github.com/aigne-hub/aigne-hub/shared/capture"
	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// begun keeps a call's request and gives the writer by which its answer is kept,
// as the client gets it.
func begun(t *capture.Take, w http.ResponseWriter, r *http.Request, body []byte) http.ResponseWriter {
	t.Request(r.Header.Get("Content-Type"), body)
	return t.Writer(w)
}

// ended hands a call over to be stored. An error that is answered for the handler
// is encoded once more: the writer of the handler does not see it.
func ended(t *capture.Take, r *http.Request, err error, encode httpkit.ErrorBody) {
	if err != nil && !t.Answered() {
		fault := hub.AsError(err)
		t.Refused(httpkit.Status(fault), "application/json", encode(fault, httpkit.RequestID(r.Context())))
	}
	t.Done()
}
