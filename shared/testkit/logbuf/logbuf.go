// Package logbuf keeps what a hub under test logs, for tests that look for what
// must be there and, above all, for what must not. It is for tests only.
package logbuf

import (
	"bytes"
	"sync"
)

// Buffer is an io.Writer that may be read while it is written to. Its zero value
// is empty.
type Buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write keeps p.
func (l *Buffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// String returns what was written so far.
func (l *Buffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
