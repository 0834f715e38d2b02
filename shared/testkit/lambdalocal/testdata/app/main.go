// Command app is a Lambda that shows each behaviour of the router adapter to the
// tests of lambdalocal.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"sync/atomic"

	"github.com/aigne-hub/aigne-hub/shared/lambdahttp"
	"github.com/aigne-hub/aigne-hub/shared/schedule"
)

func main() {
	mux := http.NewServeMux()
	mux.HandleFunc("/echo", echo)
	mux.HandleFunc("/raw", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/octet-stream")
		_, _ = io.Copy(w, r.Body)
	})
	mux.HandleFunc("/sse", sse)
	mux.HandleFunc("/settle", settle)
	mux.HandleFunc("/big", big)
	mux.HandleFunc("/empty", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/panic", func(http.ResponseWriter, *http.Request) { panic("secret detail") })
	mux.HandleFunc("/midpanic", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "data: 1\n\n")
		panic("secret detail")
	})
	mux.HandleFunc("/slow", func(w http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
		w.WriteHeader(http.StatusGatewayTimeout)
	})
	mux.HandleFunc("/hang", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("midway") {
			_, _ = io.WriteString(w, "data: 1\n\n")
		}
		select {}
	})
	mux.HandleFunc("/exit", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("midway") {
			_, _ = io.WriteString(w, "data: 1\n\n")
			gate("exit")
		}
		os.Exit(3)
	})
	var ran atomic.Int32
	lambdahttp.Start(mux, []schedule.Job{
		{Name: "app.count", Run: func(context.Context) error { gate("count" + strconv.Itoa(int(ran.Add(1)))); return nil }},
		{Name: "app.fail", Run: func(context.Context) error { return errors.New("no luck") }},
		{Name: "app.panic", Run: func(context.Context) error { panic("boom") }},
	}, lambdahttp.Options{Stream: os.Getenv("STREAM") != ""})
}

// gate tells the test where the function is and waits for its leave to go on.
func gate(at string) {
	res, err := http.Get(os.Getenv("GATE") + "?at=" + at)
	if err == nil {
		_ = res.Body.Close()
	}
}

func echo(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Add("Set-Cookie", "one=1; Path=/; HttpOnly")
	w.Header().Add("Set-Cookie", "two=2; Expires=Mon, 02 Nov 2026 10:00:00 GMT")
	w.Header().Set("X-Answer", `{"a":1, "b":[1,2]}`)
	w.WriteHeader(http.StatusCreated)
	_ = json.NewEncoder(w).Encode(map[string]any{ // the pipe to the runtime
		"pid": os.Getpid(), "method": r.Method, "host": r.Host, "path": r.URL.EscapedPath(), "uri": r.RequestURI,
		"query": r.URL.Query(), "header": r.Header, "body": string(body), "remote": r.RemoteAddr, "length": r.ContentLength,
	})
}

func sse(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	rc := http.NewResponseController(w)
	for i := range 3 {
		_, _ = fmt.Fprintf(w, "data: %d\n\n", i) // a client that leaves is seen by the test
		_ = rc.Flush()
		gate("frame" + strconv.Itoa(i))
	}
}

// settle sends its last byte and still has work to do before it returns.
func settle(w http.ResponseWriter, _ *http.Request) {
	_, _ = io.WriteString(w, "last byte")
	gate("settling")
	gate("settled")
}

func big(w http.ResponseWriter, r *http.Request) {
	n, err := strconv.Atoi(r.URL.Query().Get("n"))
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "text/plain")
	chunk := make([]byte, 64<<10)
	for i := range chunk {
		chunk[i] = 'x'
	}
	for n > 0 {
		k := min(n, len(chunk))
		_, _ = w.Write(chunk[:k]) // the adapter answers for a too large one
		n -= k
	}
}
