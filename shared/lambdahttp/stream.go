package lambdahttp

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/aws/aws-lambda-go/events"
)

// StreamFunc is a handler for Function URLs with InvokeMode RESPONSE_STREAM.
type StreamFunc = func(context.Context, *events.LambdaFunctionURLRequest) (*events.LambdaFunctionURLStreamingResponse, error)

// Stream serves Function URL events with h and streams its answer: each Write is a
// chunk that leaves at once. The function returns when h has sent its header; the
// response's body ends, and its Close returns, only after h has returned, so the
// sandbox is not frozen while h still settles a call. When the reading side goes away
// h's context ends and its writes fail. A panic before the header is a 500 with a
// JSON body, one after it breaks the stream off (Lambda's error trailers).
func Stream(h http.Handler, opts Options) StreamFunc {
	return func(ctx context.Context, ev *events.LambdaFunctionURLRequest) (*events.LambdaFunctionURLStreamingResponse, error) {
		ctx, cancel := opts.within(ctx)
		r, bad := fromURL(ctx, ev)
		pr, pw := io.Pipe()
		w := &streamWriter{pipe: pw, header: http.Header{}, method: r.Method, head: make(chan head, 1)}
		done := make(chan struct{})
		go func() {
			defer close(done)
			defer cancel()
			broken := true // also when a handler ends its goroutine
			defer func() { w.end(broken) }()
			if bad != nil {
				bad.write(w)
				broken = false
				return
			}
			broken = !serve(h, w, r, opts.log())
		}()
		sent := <-w.head
		res := &events.LambdaFunctionURLStreamingResponse{
			StatusCode: sent.status,
			Headers:    make(map[string]string, len(sent.header)),
			Body:       &streamBody{PipeReader: pr, cancel: cancel, done: done},
		}
		for k, v := range sent.header {
			switch {
			case k == "Set-Cookie":
				res.Cookies = v
			case !hopByHop(k) && len(v) > 0:
				res.Headers[k] = strings.Join(v, ", ")
			}
		}
		return res, nil
	}
}

// streamBody is the reading side of an answer.
type streamBody struct {
	*io.PipeReader
	cancel context.CancelFunc
	done   <-chan struct{}
}

// Close tells the handler that nobody reads any more and waits for it to return.
// The runtime calls it before it asks for the next event, after a failed post too.
func (b *streamBody) Close() error {
	b.cancel()
	err := b.PipeReader.Close()
	<-b.done
	return err
}

// brokenError goes into the error trailers and from there to nobody but Lambda's log.
type brokenError struct{}

func (brokenError) Error() string { return "the answer broke off" }

type head struct {
	status int
	header http.Header
}

// streamWriter is the handler's side. It offers http.Flusher, in vain but harmlessly
// (nothing is held back), and no deadlines: http.ResponseController then says
// http.ErrNotSupported.
type streamWriter struct {
	pipe   *io.PipeWriter
	header http.Header
	method string
	head   chan head // gets one value

	once   sync.Once
	status int // valid once the head is sent
}

func (w *streamWriter) Header() http.Header { return w.header }

// WriteHeader sends the head; informational codes are dropped, later calls ignored.
func (w *streamWriter) WriteHeader(status int) {
	if status < 200 {
		return
	}
	w.once.Do(func() {
		w.status = status
		w.head <- head{status, w.header.Clone()}
	})
}

func (w *streamWriter) Write(p []byte) (int, error) {
	w.once.Do(func() {
		w.status = http.StatusOK
		sniff(w.header, p)
		w.head <- head{w.status, w.header.Clone()}
	})
	switch {
	case bodyless(w.method, w.status) && w.method != http.MethodHead:
		return 0, http.ErrBodyNotAllowed
	case w.method == http.MethodHead || len(p) == 0: // a pipe would wait for a reader of nothing
		return len(p), nil
	}
	return w.pipe.Write(p)
}

// Flush sends the head, if it is not out yet.
func (w *streamWriter) Flush() { w.WriteHeader(http.StatusOK) }

// end finishes the answer of a handler that returned, or that broke.
func (w *streamWriter) end(broken bool) {
	if !broken {
		w.WriteHeader(http.StatusOK)
		_ = w.pipe.Close() // never fails
		return
	}
	var body []byte
	w.once.Do(func() {
		f := internal()
		body, w.status = f.fill(w.header), f.status
		w.head <- head{w.status, w.header.Clone()}
	})
	if body == nil { // the header was out already
		_ = w.pipe.CloseWithError(brokenError{}) // never fails
		return
	}
	_, _ = w.Write(body) // nobody else to tell
	_ = w.pipe.Close()   // never fails
}

// sniff sets the Content-Type that net/http would, unless the handler has set one
// (or nil, to have none) or the body is encoded.
func sniff(h http.Header, p []byte) {
	if _, set := h["Content-Type"]; !set && h.Get("Content-Encoding") == "" && len(p) > 0 {
		h.Set("Content-Type", http.DetectContentType(p))
	}
}
