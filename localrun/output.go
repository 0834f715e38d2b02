package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/aigne-hub/aigne-hub/shared/money"
)

// show prints v as one JSON document, or what human says in its place.
func (j *job) show(v any, human string) error {
	if !j.json {
		_, err := fmt.Fprint(j.stdout, human)
		return err
	}
	enc := json.NewEncoder(j.stdout)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// table aligns rows under a heading. What callers of the hub may have typed
// cannot move the terminal's cursor.
func table(heading string, rows [][]string) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	write := func(cells []string) {
		for i := range cells {
			cells[i] = clean(cells[i])
		}
		// A strings.Builder does not fail.
		_, _ = fmt.Fprintln(w, strings.TrimRight(strings.Join(cells, "\t"), "\t"))
	}
	write(strings.Split(heading, " "))
	for _, r := range rows {
		write(r)
	}
	_ = w.Flush()
	lines := strings.Split(b.String(), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n")
}

// clean replaces control characters.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return '?'
		}
		return r
	}, s)
}

// dash stands for what is not there.
const dash = "-"

func orDash(s string) string {
	if s == "" {
		return dash
	}
	return s
}

func timeOrDash(t *time.Time) string {
	if t == nil {
		return dash
	}
	return t.UTC().Format(time.RFC3339)
}

func creditsOrDash(c *money.Credits) string {
	if c == nil {
		return dash
	}
	return c.String()
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
