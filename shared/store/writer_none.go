package store

import "context"

// noWriter writes nothing.
type noWriter struct{}

func (noWriter) do(context.Context, *Unit) error { return ErrReadOnly }

func (noWriter) tx(context.Context, func(context.Context, *Tx) error) error { return ErrReadOnly }

func (noWriter) close() {}

func (noWriter) stats() *WriteStats {
	return newWriteStats(func() [numPriorities]int { return [numPriorities]int{} })
}

// NotSentError says that a unit was given up before the writer took it: it has
// certainly not happened.
type NotSentError struct{ cause error }

// Error names the reason.
func (e *NotSentError) Error() string { return "unit not sent: " + e.cause.Error() }

// Unwrap returns the context's error.
func (e *NotSentError) Unwrap() error { return e.cause }
