package httpkit

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
)

// response counts what is written. It works with http.ResponseController, also
// through Unwrap, and with code that asserts http.Flusher.
type response struct {
	under  http.ResponseWriter
	status int // 0 until the header is out
	bytes  int64
}

// Header returns the header map.
func (w *response) Header() http.Header { return w.under.Header() }

// WriteHeader sends the header. Informational ones (1xx) do not count.
func (w *response) WriteHeader(status int) {
	if w.status == 0 && (status >= 200 || status == http.StatusSwitchingProtocols) {
		w.status = status
	}
	w.under.WriteHeader(status)
}

// Write sends part of the body.
func (w *response) Write(b []byte) (int, error) {
	w.wrote()
	n, err := w.under.Write(b)
	w.bytes += int64(n)
	return n, err
}

// ReadFrom keeps net/http's shortcut for files.
func (w *response) ReadFrom(src io.Reader) (int64, error) {
	w.wrote()
	n, err := io.Copy(w.under, src)
	w.bytes += n
	return n, err
}

// FlushError sends what is buffered; http.ErrNotSupported where the transport
// has no flushing, which callers ignore.
func (w *response) FlushError() error {
	err := http.NewResponseController(w.under).Flush()
	if !errors.Is(err, http.ErrNotSupported) {
		w.wrote()
	}
	return err
}

// Flush is FlushError for http.Flusher.
func (w *response) Flush() {
	_ = w.FlushError() // http.Flusher has no way to tell
}

// Hijack hands the connection over; from then on no answer of ours can go out.
func (w *response) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(w.under).Hijack()
	if err == nil && w.status == 0 {
		w.status = http.StatusSwitchingProtocols
	}
	return conn, rw, err
}

// Unwrap serves http.ResponseController.
func (w *response) Unwrap() http.ResponseWriter { return w.under }

func (w *response) wrote() {
	if w.status == 0 {
		w.status = http.StatusOK
	}
}

// innermost is the transport's own writer: http.MaxBytesReader tells only that
// one to close the connection after a body that was too large.
func innermost(w http.ResponseWriter) http.ResponseWriter {
	for {
		u, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return w
		}
		w = u.Unwrap()
	}
}
