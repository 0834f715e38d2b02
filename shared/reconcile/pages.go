package reconcile

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// amount is what a result costs: an object with a value at OpenAI, a string at
// Anthropic. The value is kept as text, since it is money.
type amount struct{ value, currency string }

// UnmarshalJSON reads either.
func (a *amount) UnmarshalJSON(data []byte) error {
	var text string
	if json.Unmarshal(data, &text) == nil {
		a.value = text
		return nil
	}
	var object struct {
		Value    json.RawMessage `json:"value"`
		Currency string          `json:"currency"`
	}
	if err := json.Unmarshal(data, &object); err != nil {
		return err
	}
	a.value, a.currency = strings.Trim(string(object.Value), `"`), object.Currency
	return nil
}

// bucket is a span of time in a page of a report.
type bucket struct {
	StartTime  *int64   `json:"start_time"` // OpenAI: Unix seconds
	EndTime    *int64   `json:"end_time"`
	StartingAt string   `json:"starting_at"` // Anthropic: RFC 3339
	EndingAt   string   `json:"ending_at"`
	Results    []result `json:"results"`
	Result     []result `json:"result"` // OpenAI's documents show both names
}

// pages reads report pages: one after the other in a file, or in a list. A bucket
// is in memory at a time; of pages in a list, a page.
type pages struct {
	format Format
	dec    *json.Decoder
	open   []bool // what encloses the place: true for a page, false for a list
	number int
	rest   []dated
	more   bool // the last page says that there is another
	seen   bool
}

// dated is a result and when its bucket begins.
type dated struct {
	start  time.Time
	place  string
	result result
}

func newPages(f Format, r io.Reader) *pages { return &pages{format: f, dec: json.NewDecoder(r)} }

func (p *pages) next() (line, error) {
	for len(p.rest) == 0 {
		err := p.step()
		var known *hub.Error
		switch {
		case err == nil || errors.As(err, &known):
		case errors.Is(err, io.EOF):
			return line{}, p.end()
		default:
			return line{}, hub.Invalid("file", "The JSON cannot be read after bucket %d: %v.", p.number, err)
		}
		if err != nil {
			return line{}, err
		}
	}
	d := &p.rest[0]
	p.rest = p.rest[1:]
	if err := d.result.kindOf(p.format, d.place); err != nil {
		return line{}, err
	}
	return d.result.line(p.format, d.start, d.place)
}

// end is how a file ends: with all its pages, or not.
func (p *pages) end() error {
	switch {
	case len(p.open) > 0:
		return hub.Invalid("file", "The JSON is cut off after bucket %d.", p.number)
	case p.more:
		return hub.Invalid("file", "The last page says that there are more; fetch all pages and import them together.")
	case !p.seen:
		return hub.Invalid("file", "The file holds no page of a report.")
	}
	return io.EOF
}

// step reads on by one bucket, one member of a page, or one bracket.
func (p *pages) step() error {
	n := len(p.open)
	switch {
	case n == 0:
		token, err := p.dec.Token()
		if err != nil {
			return err
		}
		if token != json.Delim('[') && token != json.Delim('{') {
			return errors.New("neither a page nor a list of pages")
		}
		p.open, p.more = append(p.open, token == json.Delim('{')), false
		p.seen = p.seen || p.open[0]
		return nil
	case p.open[n-1]:
		return p.member()
	case p.dec.More():
		return p.element()
	}
	_, err := p.dec.Token() // the list's end
	p.open = p.open[:n-1]
	return err
}

// element reads what is next in a list: a bucket, or a page in a list of pages.
func (p *pages) element() error {
	var e struct {
		bucket
		Data []bucket `json:"data"`
		More bool     `json:"has_more"`
	}
	if err := p.dec.Decode(&e); err != nil {
		return err
	}
	p.seen = true
	buckets := []bucket{e.bucket}
	if e.Data != nil {
		buckets, p.more = e.Data, e.More
	}
	for i := range buckets {
		b := &buckets[i]
		p.number++
		place := fmt.Sprintf("bucket %d", p.number)
		start, err := b.start(place)
		if err != nil {
			return err
		}
		for _, r := range append(b.Results, b.Result...) {
			p.rest = append(p.rest, dated{start, place, r})
		}
	}
	return nil
}

// member reads one member of a page, or its end.
func (p *pages) member() error {
	token, err := p.dec.Token()
	if err != nil {
		return err
	}
	switch token {
	case json.Delim('}'):
		p.open = p.open[:len(p.open)-1]
		return nil
	case "has_more":
		return p.dec.Decode(&p.more)
	case "data":
		first, err := p.dec.Token()
		if err == nil && first != json.Delim('[') {
			err = errors.New("data is no list")
		}
		p.open = append(p.open, false)
		return err
	}
	var skipped json.RawMessage
	return p.dec.Decode(&skipped)
}

const longestBucket = 24 * time.Hour

// start is when the bucket begins. One of more than a day cannot be compared.
func (b *bucket) start(place string) (start time.Time, err error) {
	var end time.Time
	if b.StartTime != nil {
		start = time.Unix(*b.StartTime, 0)
		if b.EndTime != nil {
			end = time.Unix(*b.EndTime, 0)
		}
	} else {
		if start, err = time.Parse(time.RFC3339, b.StartingAt); err != nil {
			return start, fault(place, "it has no time at which it begins")
		}
		end, _ = time.Parse(time.RFC3339, b.EndingAt) // it may be left out
	}
	if !end.IsZero() && end.Sub(start) > longestBucket {
		return start, fault(place, "buckets of more than a day cannot be compared")
	}
	return start, nil
}
