package rollup

import (
	"strconv"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// Sums are what calls come to. Money is nano-credits and nano-dollars.
type Sums struct {
	Calls         int64
	Uncosted      int64 // calls whose cost is unknown
	Credits       int64
	CostedCredits int64 // of calls whose cost is known
	Cost          int64
	Measures
	Durations, TTFBs Histogram
}

// Measures are sums that a row keeps in its text.
type Measures struct {
	Units      hub.Usage
	Attempts   int64
	Shortfall  int64
	Timed      int64 // calls with a duration
	DurationMS int64
	Begun      int64 // calls with a first byte
	TTFBMS     int64
	LastAt     int64 // admission of the latest, Unix milliseconds
}

// The text (model_call_stats.more) is a row of entries: a capital letter and a
// number, which is a measure; two small letters and a count, which is left out
// when it is 1, that is a class of the durations' histogram; the same behind "!",
// of the times to the first byte. An entry that is there twice counts twice, but
// the latest admission of all is meant.
const (
	firstMeasure = 'A'
	latest       = 'Z'
	ofTTFB       = '!'
	letters      = 24 // of the second letter of a class, a to x; the first is a to p
)

const numMeasures = int(hub.NumBuckets) + 6

// numbers are the measures by their letters, from A.
func (m *Measures) numbers() (all [numMeasures]*int64) {
	for b := range m.Units {
		all[b] = &m.Units[b]
	}
	copy(all[hub.NumBuckets:], []*int64{&m.Attempts, &m.Shortfall, &m.Timed, &m.DurationMS, &m.Begun, &m.TTFBMS})
	return all
}

// text writes down what a row keeps as text, always the same of the same sums.
func (s *Sums) text() string {
	out := make([]byte, 0, 64)
	for i, n := range s.numbers() {
		if *n != 0 {
			out = strconv.AppendInt(append(out, byte(firstMeasure+i)), *n, 10)
		}
	}
	if s.LastAt != 0 {
		out = strconv.AppendInt(append(out, latest), s.LastAt, 10)
	}
	return string(s.TTFBs.append(s.Durations.append(out, 0), ofTTFB))
}

// addText adds what is written in a text. What is no such text is left out.
func (s *Sums) addText(text string) {
	numbers := s.numbers()
	for i := 0; i < len(text); {
		h, c := &s.Durations, text[i]
		if i++; c == ofTTFB && i < len(text) {
			h, c = &s.TTFBs, text[i]
			i++
		}
		class := -1
		if c >= 'a' && c <= 'p' && i < len(text) {
			class = int(c-'a')*letters + int(text[i]) - 'a'
			i++
		}
		n, digits := int64(0), i
		for ; i < len(text) && text[i] >= '0' && text[i] <= '9'; i++ {
			n = 10*n + int64(text[i]-'0')
		}
		switch {
		case class >= 0 && class < numClasses:
			if i == digits {
				n = 1
			}
			h.add(class, n)
		case c == latest:
			s.LastAt = max(s.LastAt, n)
		case c >= firstMeasure && int(c-firstMeasure) < len(numbers):
			*numbers[c-firstMeasure] += n
		}
	}
}

// add adds a row.
func (s *Sums) add(r *store.StatSums) {
	s.Calls += r.Calls
	s.Uncosted += r.Uncosted
	s.Credits += r.Credits
	s.CostedCredits += r.CostedCredits
	s.Cost += r.Cost
	s.addText(r.More)
}

// Add adds other sums.
func (s *Sums) Add(o *Sums) {
	s.Calls += o.Calls
	s.Uncosted += o.Uncosted
	s.Credits += o.Credits
	s.CostedCredits += o.CostedCredits
	s.Cost += o.Cost
	mine := s.numbers()
	for i, n := range o.numbers() {
		*mine[i] += *n
	}
	s.LastAt = max(s.LastAt, o.LastAt)
	s.Durations.merge(&o.Durations)
	s.TTFBs.merge(&o.TTFBs)
}

// stored is the row's form.
func (s *Sums) stored() store.StatSums {
	return store.StatSums{Calls: s.Calls, Uncosted: s.Uncosted, Credits: s.Credits, CostedCredits: s.CostedCredits, Cost: s.Cost, More: s.text()}
}

// call counts a call.
func (s *Sums) call(c *store.CountedCall) {
	s.Calls++
	s.Attempts += c.Attempts
	s.Credits += c.Credits
	s.Shortfall += c.Shortfall
	if c.Cost.Valid {
		s.Cost += c.Cost.Int64
		s.CostedCredits += c.Credits
	} else {
		s.Uncosted++
	}
	for b, n := range c.Usage {
		s.Units[b] += n
	}
	if c.DurationMS.Valid {
		s.Timed++
		s.DurationMS += c.DurationMS.Int64
		s.Durations.Add(c.DurationMS.Int64)
	}
	if c.TTFBMS.Valid {
		s.Begun++
		s.TTFBMS += c.TTFBMS.Int64
		s.TTFBs.Add(c.TTFBMS.Int64)
	}
	if at, ok := store.AdmittedAt(c.ID); ok {
		s.LastAt = max(s.LastAt, at.UnixMilli())
	}
}
