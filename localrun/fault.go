package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/telemetry"
)

// The exit codes, which scripts depend on.
const (
	exitDone     = 0
	exitFailed   = 1
	exitUsage    = 2
	exitNotFound = 3
)

// fail prints an error in one line and returns the exit code that goes with it.
func (p *program) fail(err error, asJSON bool) int {
	message := oneLine(telemetry.Mask(err.Error()))
	if asJSON {
		p.failJSON(err, message)
	} else {
		// Nobody is left to be told when standard error is gone.
		_, _ = fmt.Fprintf(p.stderr, "aigne-hub: %s\n", message)
	}
	return exitCode(err)
}

func (p *program) failJSON(err error, message string) {
	type detail struct {
		Message string   `json:"message"`
		Code    hub.Code `json:"code"`
		Param   string   `json:"param,omitempty"`
	}
	d := detail{Message: message, Code: codeOf(err)}
	var e *hub.Error
	if errors.As(err, &e) {
		d.Param = e.Param
	}
	enc := json.NewEncoder(p.stderr)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(map[string]detail{"error": d})
}

func codeOf(err error) hub.Code {
	if errors.Is(err, store.ErrNotFound) {
		return hub.CodeNotFound
	}
	return hub.CodeOf(err)
}

func exitCode(err error) int {
	switch codeOf(err) {
	case hub.CodeInvalid:
		return exitUsage
	case hub.CodeNotFound, hub.CodeModelNotFound:
		return exitNotFound
	}
	return exitFailed
}

// oneLine joins the lines of an error, since several faults may be reported at
// once.
func oneLine(s string) string {
	lines := strings.FieldsFunc(s, func(r rune) bool { return r == '\n' || r == '\r' })
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return clean(strings.Join(lines, "; "))
}
