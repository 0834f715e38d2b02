// Package reconcile reads what providers say they were used for — exports of
// usage and cost — and sets it against what this hub recorded. It changes nobody's
// charge: what a bill corrects is the operator's cost.
package reconcile

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// Format names a kind of export.
type Format string

// The formats. All but CSV are read as JSON or as CSV, whichever the file is.
const (
	OpenAIUsage    Format = "openai-usage"    // usage API pages, or the usage page's export
	OpenAICosts    Format = "openai-costs"    // costs API pages, or the cost export
	AnthropicUsage Format = "anthropic-usage" // usage report pages, or the console's usage export
	AnthropicCost  Format = "anthropic-cost"  // cost report pages, or the console's cost export
	CSV            Format = "csv"             // any table whose columns are mapped
)

// Formats lists all formats.
func Formats() []Format {
	return []Format{OpenAIUsage, OpenAICosts, AnthropicUsage, AnthropicCost, CSV}
}

// The facets of a bill: what was used, and what it cost.
const (
	usageFacet = "usage"
	costFacet  = "cost"
)

// line is one line of an export. Figures that it does not have are nil.
type line struct {
	at       time.Time
	model    string
	key      string
	call     string // the hub's id of a call, where the export has one
	request  string // or the id of its request
	requests *int64
	input    *int64 // neither read from nor written to a cache
	read     *int64
	write    *int64
	output   *int64
	cost     *int64 // nano-dollars
}

// nothing reports a line without figures, or with zeroes only.
func (l *line) nothing() bool {
	for _, n := range []*int64{l.requests, l.input, l.read, l.write, l.output, l.cost} {
		if n != nil && *n != 0 {
			return false
		}
	}
	return true
}

// reader yields an export's lines one after the other; io.EOF ends it. Errors
// name the place.
type reader interface {
	next() (line, error)
}

// open chooses how a file is read.
func open(f Format, r io.Reader, o Options) (reader, error) {
	if !slices.Contains(Formats(), f) {
		return nil, hub.Invalid("format", "The format must be one of %s.", names())
	}
	if len(o.Columns) > 0 && f != CSV {
		return nil, hub.Invalid("map", "Only the format csv has columns that are mapped.")
	}
	buf := bufio.NewReaderSize(r, 1<<16)
	first, err := skipBlank(buf)
	if err != nil {
		return nil, hub.Invalid("file", "The file is empty.")
	}
	if first == '{' || first == '[' {
		switch f {
		case OpenAIUsage, OpenAICosts, AnthropicUsage, AnthropicCost:
			return newPages(f, buf), nil
		}
		return nil, hub.Invalid("file", "The file is JSON; the format csv reads tables.")
	}
	t, err := newTable(buf)
	if err != nil {
		return nil, err
	}
	switch f {
	case OpenAIUsage:
		return openAIUsageTable(t)
	case OpenAICosts:
		return openAICostTable(t)
	case AnthropicUsage:
		return anthropicUsageTable(t)
	case AnthropicCost:
		return anthropicCostTable(t)
	}
	return mappedTable(t, o)
}

func names() string {
	var all []string
	for _, f := range Formats() {
		all = append(all, string(f))
	}
	return strings.Join(all, ", ")
}

// skipBlank drops a byte-order mark and blanks, and looks at what follows.
func skipBlank(r *bufio.Reader) (byte, error) {
	if mark, err := r.Peek(3); err == nil && bytes.Equal(mark, []byte("\xef\xbb\xbf")) {
		_, _ = r.Discard(len(mark)) // it was peeked
	}
	for {
		b, err := r.ReadByte()
		if err != nil {
			return 0, err
		}
		if b != ' ' && b != '\n' && b != '\r' {
			return b, r.UnreadByte()
		}
	}
}

// fault is what is wrong at a place of a file.
func fault(place, format string, args ...any) error {
	return hub.Invalid("file", "%s: %s", place, fmt.Sprintf(format, args...))
}
