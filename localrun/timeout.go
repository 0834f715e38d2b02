package main

import (
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/routing"
)

// timeoutFlag sets time-outs of its own; what is not given is as wider says.
func timeoutFlag(wider string) cli.Flag {
	return &cli.StringSliceFlag{Name: "timeout", Usage: "`WHICH=DURATION`, where WHICH is connect, first-byte, idle or total (of an attempt); without it " + wider + " (may be repeated)"}
}

// timeouts reads --timeout.
func (j *job) timeouts() (t routing.Timeouts, err error) {
	fields := map[string]*routing.Span{"connect": &t.Connect, "first-byte": &t.FirstByte, "idle": &t.Idle, "total": &t.Total}
	for _, pair := range j.c.StringSlice("timeout") {
		which, text, _ := strings.Cut(pair, "=")
		field := fields[which]
		if field == nil {
			return t, hub.Invalid("timeout", "--timeout must be connect, first-byte, idle or total, an equals sign and a duration, not %q", pair)
		}
		if err := field.UnmarshalText([]byte(text)); err != nil || text == "" {
			return t, hub.Invalid("timeout", "--timeout %s must be a duration such as 30s or 5m, from 1ms to 24h, or 0, not %q", which, text)
		}
	}
	return t, nil
}
