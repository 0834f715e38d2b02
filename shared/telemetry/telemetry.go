// Package telemetry sets up what the hub tells its operator: so far the log. It
// decides nothing about what is logged; it makes sure that no secret is.
package telemetry

import (
	"fmt"
	"io"
	"log/slog"
)

// Format is how log lines are written.
type Format string

// The formats: text for people, JSON for machines.
const (
	FormatText Format = "text"
	FormatJSON Format = "json"
)

// ParseFormat reads a format's name.
func ParseFormat(s string) (Format, error) {
	switch f := Format(s); f {
	case FormatText, FormatJSON:
		return f, nil
	}
	return "", fmt.Errorf("log format must be %s or %s", FormatText, FormatJSON)
}

// ParseLevel reads the level's name: debug, info, warn or error.
func ParseLevel(s string) (slog.Level, error) {
	switch s {
	case "debug":
		return slog.LevelDebug, nil
	case "info":
		return slog.LevelInfo, nil
	case "warn":
		return slog.LevelWarn, nil
	case "error":
		return slog.LevelError, nil
	}
	return 0, fmt.Errorf("log level must be debug, info, warn or error")
}

// NewLogger returns a logger that writes lines of level and above to w. Every
// line passes Hide; an unknown format is text.
func NewLogger(w io.Writer, format Format, level slog.Leveler) *slog.Logger {
	opts := &slog.HandlerOptions{Level: level, ReplaceAttr: Hide}
	if format == FormatJSON {
		return slog.New(slog.NewJSONHandler(w, opts))
	}
	return slog.New(slog.NewTextHandler(w, opts))
}
