package lambdalocal

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

const (
	streamType       = "application/vnd.awslambda.http-integration-response"
	trailerErrorType = "Lambda-Runtime-Function-Error-Type"
	maxPrelude       = 1 << 20
)

// FunctionURL fronts the function as a Function URL with InvokeMode RESPONSE_STREAM:
// what it writes reaches the client at once, and a client that leaves is not noticed.
// A stream that the function breaks off is broken off for the client too. An answer
// without the streaming prelude comes as it is, as bytes.
func (f *Function) FunctionURL() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		payload, ok := prepare(w, r, eventURL, maxPayload)
		if !ok {
			return
		}
		started := false
		err := f.invoke(payload, func(res *result) error {
			if res.failed {
				b, _ := io.ReadAll(res.body) // a broken-off error is an error
				return &FunctionError{Type: "Unhandled", Message: string(b)}
			}
			return stream(w, res, &started)
		})
		switch {
		case err != nil && started:
			panic(http.ErrAbortHandler) // net/http's way to break off
		case err != nil:
			refuse(w, err)
		}
	})
}

// FunctionURLBuffered fronts the function as a Function URL with InvokeMode BUFFERED.
func (f *Function) FunctionURLBuffered() http.Handler { return f.buffered(eventURL, true, maxPayload) }

// HTTPAPI fronts the function as an API Gateway HTTP API with payload 2.0.
func (f *Function) HTTPAPI() http.Handler { return f.buffered(eventV2, true, maxPayload) }

// RESTAPI fronts the function as an API Gateway REST API with all media types binary.
func (f *Function) RESTAPI() http.Handler { return f.buffered(eventV1, false, maxPayload) }

// ALB fronts the function as a load balancer's target; multi is the target group's
// attribute lambda.multi_value_headers.enabled.
func (f *Function) ALB(multi bool) http.Handler {
	return f.buffered(eventALB(multi), false, maxPayloadALB)
}

// buffered fronts with whole answers. Where bare is set, an answer without a status
// code is the body itself.
func (f *Function) buffered(build func(incoming) ([]byte, error), bare bool, limit int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		payload, ok := prepare(w, r, build, limit)
		if !ok {
			return
		}
		b, err := f.collect(payload, limit)
		if err != nil {
			refuse(w, err)
			return
		}
		var a answer
		err = json.Unmarshal(b, &a)
		if bare && (err != nil || a.StatusCode == 0) {
			a, err = answer{StatusCode: http.StatusOK, Headers: map[string]string{"content-type": "application/json"}, Body: string(b)}, nil
		}
		body := []byte(a.Body)
		if err == nil && a.IsBase64Encoded {
			body, err = base64.StdEncoding.DecodeString(a.Body)
		}
		if err != nil || a.StatusCode < 200 || a.StatusCode > 599 {
			refuse(w, errors.New("lambdalocal: the answer has not the form that the front end expects"))
			return
		}
		a.writeHead(w)
		_, _ = w.Write(body) // a client that left
	})
}

// prepare reads the request and makes the event, or answers and returns false.
func prepare(w http.ResponseWriter, r *http.Request, build func(incoming) ([]byte, error), limit int) ([]byte, bool) {
	in, err := receive(r, limit)
	var payload []byte
	if err == nil {
		payload, err = build(in)
	}
	switch {
	case errors.Is(err, bodySizeError{}), len(payload) > limit:
		reply(w, http.StatusRequestEntityTooLarge, "Request Entity Too Large")
	case err != nil:
		reply(w, http.StatusBadRequest, "Bad Request")
	default:
		return payload, true
	}
	return nil, false
}

// refuse answers for a function that gave none.
func refuse(w http.ResponseWriter, err error) {
	if errors.Is(err, ErrThrottled) {
		reply(w, http.StatusTooManyRequests, "Too Many Requests")
		return
	}
	w.Header().Set("X-Lambdalocal-Error", strings.ReplaceAll(err.Error(), "\n", " ")) // for the test's author
	reply(w, http.StatusBadGateway, "Internal Server Error")
}

func reply(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, `{"message":%q}`, message) // a client that left
}

// answer is the union of what functions answer to the front ends.
type answer struct {
	StatusCode        int                 `json:"statusCode"`
	Headers           map[string]string   `json:"headers"`
	MultiValueHeaders map[string][]string `json:"multiValueHeaders"`
	Cookies           []string            `json:"cookies"`
	Body              string              `json:"body"`
	IsBase64Encoded   bool                `json:"isBase64Encoded"`
}

func (a answer) writeHead(w http.ResponseWriter) {
	for k, v := range a.Headers {
		w.Header().Add(k, v)
	}
	for k, vs := range a.MultiValueHeaders {
		w.Header().Del(k)
		for _, v := range vs {
			w.Header().Add(k, v)
		}
	}
	for _, c := range a.Cookies {
		w.Header().Add("Set-Cookie", c)
	}
	w.WriteHeader(a.StatusCode)
}

// stream copies a streamed answer: a JSON prelude, eight NUL bytes, the body.
func stream(w http.ResponseWriter, res *result, started *bool) error {
	body := bufio.NewReader(res.body)
	head := answer{StatusCode: http.StatusOK, Headers: map[string]string{"Content-Type": "application/octet-stream"}}
	if res.ctype == streamType {
		prelude, err := readPrelude(body)
		if err != nil {
			return err
		}
		head = answer{}
		if json.Unmarshal(prelude, &head) != nil || head.StatusCode < 200 || head.StatusCode > 599 {
			return fmt.Errorf("lambdalocal: bad prelude %q", prelude)
		}
	}
	*started = true
	head.writeHead(w)
	rc := http.NewResponseController(w)
	_ = rc.Flush() // a client that left is found below
	buf, gone := make([]byte, 64<<10), false
	for {
		n, err := body.Read(buf)
		if n > 0 && !gone {
			_, werr := w.Write(buf[:n])
			gone = werr != nil || rc.Flush() != nil // the function is let run on, as Lambda does
		}
		switch {
		case errors.Is(err, io.EOF):
			if kind := res.trailer().Get(trailerErrorType); kind != "" {
				return &FunctionError{Type: kind, Message: "the answer broke off"}
			}
			return nil
		case err != nil:
			return fmt.Errorf("%w: %w", ErrExit, err)
		}
	}
}

func readPrelude(r *bufio.Reader) ([]byte, error) {
	var prelude []byte
	for nuls := 0; nuls < 8; {
		c, err := r.ReadByte()
		if err != nil || len(prelude) > maxPrelude {
			return nil, fmt.Errorf("lambdalocal: no prelude in a streamed answer: %w", err)
		}
		if prelude = append(prelude, c); c == 0 {
			nuls++
		} else {
			nuls = 0
		}
	}
	return prelude[:len(prelude)-8], nil
}
