package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// The floor is what any gateway in Go must pay: a server, a client, a copy. It
// reads the request first, as a gateway must that may try again, sends it on
// with a transport that keeps its connections, and flushes after every read. It
// knows no keys and keeps no records.

const copyBuffer = 16 << 10

func newFloor(upstream string) (http.Handler, error) {
	base, err := url.Parse(upstream)
	if err != nil {
		return nil, err
	}
	if base.Host == "" {
		return nil, errors.New("floor: -upstream must be an origin such as http://127.0.0.1:8080")
	}
	transport := &http.Transport{
		DialContext:         (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
		MaxIdleConns:        0,
		MaxIdleConnsPerHost: 8192,
		IdleConnTimeout:     90 * time.Second,
		DisableCompression:  true,
		ReadBufferSize:      copyBuffer,
		WriteBufferSize:     copyBuffer,
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { forward(w, r, base, transport) }), nil
}

func forward(w http.ResponseWriter, r *http.Request, base *url.URL, transport *http.Transport) {
	body := make([]byte, 0, max(r.ContentLength, 0)+1)
	buf := bytes.NewBuffer(body)
	if _, err := buf.ReadFrom(r.Body); err != nil {
		http.Error(w, "cannot read the request", http.StatusBadRequest)
		return
	}
	target := *base
	target.Path = r.URL.Path
	out := (&http.Request{
		Method: r.Method, URL: &target, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Host: base.Host,
		Header:        http.Header{"Content-Type": r.Header["Content-Type"], "Authorization": r.Header["Authorization"]},
		Body:          io.NopCloser(buf),
		ContentLength: int64(buf.Len()),
	}).WithContext(r.Context())
	res, err := transport.RoundTrip(out)
	if err != nil {
		http.Error(w, "no answer from upstream", http.StatusBadGateway)
		return
	}
	defer res.Body.Close()
	for _, name := range []string{"Content-Type", "Content-Length"} {
		if v := res.Header[name]; v != nil {
			w.Header()[name] = v
		}
	}
	w.WriteHeader(res.StatusCode)
	relay(w, res)
}

func relay(w http.ResponseWriter, res *http.Response) {
	flush := http.NewResponseController(w)
	stream := strings.HasPrefix(res.Header.Get("Content-Type"), "text/event-stream")
	buf := make([]byte, copyBuffer)
	for {
		n, err := res.Body.Read(buf)
		if n > 0 {
			if _, err := w.Write(buf[:n]); err != nil {
				return
			}
			if stream {
				_ = flush.Flush() // a caller that left shows at the next write
			}
		}
		if err == io.EOF {
			return
		}
		if err != nil {
			panic(http.ErrAbortHandler) // net/http's way to let the caller see that the end is missing
		}
	}
}

// serveFloor proxies until ctx ends.
func serveFloor(ctx context.Context, l net.Listener, upstream string) error {
	handler, err := newFloor(upstream)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	stop := context.AfterFunc(ctx, func() { server.Close() })
	defer stop()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
