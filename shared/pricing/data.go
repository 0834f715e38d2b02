package pricing

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
)

const (
	catalogueFormat = 1
	maxCatalogue    = 64 << 20 // bytes of JSON; the embedded one has less than 1 MB
)

type catalogueData struct {
	Format    int      `json:"format"`
	Sources   []Source `json:"sources"`
	Providers []shelf  `json:"providers"`
}

// A shelf is one provider's part of the file. It is decoded when first asked
// for, since a hub with one provider should not pay for all.
type shelf struct {
	id, kind string
	open     func() (*catalogueProvider, error)
}

// UnmarshalJSON keeps the provider's bytes for later.
func (s *shelf) UnmarshalJSON(data []byte) error {
	var head struct {
		ID   string `json:"id"`
		Kind string `json:"kind"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return err
	}
	data = bytes.Clone(data)
	*s = shelf{id: head.ID, kind: head.Kind, open: sync.OnceValues(func() (*catalogueProvider, error) {
		return decodeProvider(data)
	})}
	return nil
}

type catalogueProvider struct {
	ID      string           `json:"id"`
	Kind    string           `json:"kind"`
	Resells bool             `json:"resells"` // models whose names are other providers'
	Entries []entry          `json:"entries"`
	Facts   map[string]facts `json:"facts"`

	byLower  map[string]facts // Facts by name in lower case
	spelled  map[string]int   // name in lower case → the first entry that spells it out
	patterns []int            // entries that hold for names they do not spell out
}

func decodeProvider(data []byte) (*catalogueProvider, error) {
	p := new(catalogueProvider)
	if err := json.Unmarshal(data, p); err != nil {
		return nil, fmt.Errorf("catalogue: %w", err)
	}
	p.byLower = make(map[string]facts, len(p.Facts))
	for name, f := range p.Facts {
		p.byLower[strings.ToLower(name)] = f
	}
	p.spelled = make(map[string]int, len(p.Entries))
	for i := range p.Entries {
		names, all := p.Entries[i].Match.spelled(nil)
		for _, name := range names {
			if _, taken := p.spelled[name]; !taken {
				p.spelled[name] = i
			}
		}
		if !all {
			p.patterns = append(p.patterns, i)
		}
	}
	return p, nil
}

// An entry is a price and the model names it covers.
type entry struct {
	ID      string   `json:"id"`
	Match   matcher  `json:"match"`
	Context int64    `json:"context"`
	Prices  []period `json:"prices"`
}

// facts are what is known of one exact name.
type facts struct {
	Context   int64    `json:"context"`
	MaxOutput int64    `json:"max_output"`
	Input     []string `json:"input"`
	Output    []string `json:"output"`
	Reasoning *bool    `json:"reasoning"`
	Tools     *bool    `json:"tools"`
	Cost      *Prices  `json:"cost"`

	// Search is what one search of the provider's own tool costs, where the price
	// that holds says nothing of it.
	Search   *money.Rate        `json:"search"`
	Services map[string]*Prices `json:"services"`
}

func readCatalogue(r io.Reader) (*catalogueData, error) {
	unzipped, err := gzip.NewReader(r)
	if err != nil {
		return nil, fmt.Errorf("catalogue: %w", err)
	}
	text, err := io.ReadAll(io.LimitReader(unzipped, maxCatalogue+1))
	if err != nil {
		return nil, fmt.Errorf("catalogue: %w", err)
	}
	if len(text) > maxCatalogue {
		return nil, fmt.Errorf("catalogue: longer than %d bytes", maxCatalogue)
	}
	var data catalogueData
	if err := json.Unmarshal(text, &data); err != nil {
		return nil, fmt.Errorf("catalogue: %w", err)
	}
	if data.Format != catalogueFormat {
		return nil, fmt.Errorf("catalogue: format %d, want %d", data.Format, catalogueFormat)
	}
	return &data, nil
}

// provider opens the shelf of a kind; nil where there is none.
func (d *catalogueData) provider(kind string) *catalogueProvider {
	for i := range d.Providers {
		if d.Providers[i].kind == kind && kind != "" {
			p, err := d.Providers[i].open()
			if err != nil {
				return nil // Catalogue.Err tells
			}
			return p
		}
	}
	return nil
}

// only finds the one provider that spells out a name; resellers do not count.
func (d *catalogueData) only(lower string) *catalogueProvider {
	var found *catalogueProvider
	for i := range d.Providers {
		p, err := d.Providers[i].open()
		if err != nil || p.Resells || !p.names(lower) {
			continue
		}
		if found != nil {
			return nil
		}
		found = p
	}
	return found
}

func (p *catalogueProvider) names(lower string) bool {
	_, known := p.byLower[lower]
	_, priced := p.spelled[lower]
	return known || priced
}

func (p *catalogueProvider) lookup(model string, t time.Time) (Model, bool) {
	e := p.entry(model)
	f, exact := p.facts(model, e)
	if e == nil && !exact {
		return Model{}, false
	}
	m := Model{
		Provider: p.ID, ID: model, Context: f.Context, MaxOutput: f.MaxOutput,
		InputModalities: f.Input, OutputModalities: f.Output, Reasoning: f.Reasoning, Tools: f.Tools,
	}
	if e != nil {
		m.Context = max(m.Context, e.Context)
	}
	if !exact {
		f.Cost, f.Search, f.Services = nil, nil, nil // a price is never borrowed from a similar name
	}
	m.price(e, f.Cost, t)
	for _, p := range []*Prices{&m.Cost, &m.Peak} {
		if f.Search != nil && !p.Empty() && !p.Buckets[hub.WebSearches].Set {
			p.Set(hub.WebSearches, *f.Search)
		}
	}
	m.serve(f.Services)
	return m, true
}

// serve adds what other services cost as variants.
func (m *Model) serve(services map[string]*Prices) {
	var list []VariantPrice
	for _, name := range Services() {
		p := services[name]
		if p == nil {
			continue
		}
		for b, price := range p.Buckets {
			if price.Set && isToken(hub.Bucket(b)) {
				list = append(list, VariantPrice{Bucket: hub.Bucket(b), Quality: name, Rate: price.Rate})
			}
		}
	}
	for _, p := range []*Prices{&m.Cost, &m.Peak} {
		if !p.Empty() {
			p.Variants = slices.Concat(p.Variants, list)
		}
	}
}

// entry finds the first price entry that covers a name; a compact date in the
// name is tried with dashes too, since vendors write both.
func (p *catalogueProvider) entry(model string) *entry {
	if e := p.covers(model); e != nil {
		return e
	}
	if dashed := compactDate.ReplaceAllString(model, "-$1-$2-$3$4"); dashed != model {
		return p.covers(dashed)
	}
	return nil
}

func (p *catalogueProvider) covers(model string) *entry {
	lower := strings.ToLower(model)
	first, ok := p.spelled[lower]
	if !ok {
		first = len(p.Entries)
	}
	for _, i := range p.patterns {
		if i >= first {
			break
		}
		if p.Entries[i].Match.matches(model, lower) {
			return &p.Entries[i]
		}
	}
	if !ok {
		return nil
	}
	return &p.Entries[first]
}

var (
	compactDate = regexp.MustCompile(`-(20\d\d)(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(-|:|$)`)
	dateSuffix  = regexp.MustCompile(`-(?:20\d\d-\d\d-\d\d|20\d{6})$`)
	// Inference profiles of Amazon Bedrock put a geography before the model's id.
	geography = regexp.MustCompile(`^(?:us|us-gov|eu|apac|au|ca|in|jp|global)\.`)
)

// facts finds what is known of the name itself (exact), else of the name without
// its geography or date, else of the entry that prices it.
func (p *catalogueProvider) facts(model string, e *entry) (f facts, exact bool) {
	lower := strings.ToLower(model)
	if f, exact = p.byLower[lower]; exact || e == nil {
		return f, exact
	}
	near := []string{dateSuffix.ReplaceAllString(lower, "")}
	if p.Kind == "bedrock" {
		near = append(near, geography.ReplaceAllString(lower, ""))
	}
	for _, name := range append(near, strings.ToLower(e.ID)) {
		if f, ok := p.byLower[name]; ok {
			return f, false
		}
	}
	return facts{}, false
}

// price chooses between the entry that covers a name and the name's own price.
// The entry wins, having dates, tiers and fees, unless it covers the name only by
// a loose pattern, is not dated, and disagrees: then a newer sibling has slipped
// under an older model's pattern.
func (m *Model) price(e *entry, own *Prices, t time.Time) {
	switch {
	case e == nil && own != nil:
		m.Cost, m.Peak = *own, *own
	case e == nil:
	case own != nil && len(e.Prices) == 1 && !e.Match.means(strings.ToLower(m.ID)) && differ(own, &e.Prices[0].cost):
		m.Cost = complete(*own, &e.Prices[0].cost)
		m.Peak = m.Cost
	default:
		m.Entry = e.ID
		m.Cost = costAt(e.Prices, t)
		m.Peak = m.Cost
		if peak, ok := peakAt(e.Prices, t); ok {
			m.Peak = peak
		}
	}
}

// differ compares the buckets that every source publishes.
func differ(own, entry *Prices) bool {
	for _, b := range []hub.Bucket{hub.Input, hub.Output, hub.CacheRead} {
		if own.Buckets[b].Set && own.Buckets[b] != entry.Buckets[b] {
			return true
		}
	}
	return false
}

// complete adds to a model's own price what only the entry of its family has:
// fees per use, and the other buckets of a side whose main rate is the same.
func complete(own Prices, family *Prices) Prices {
	for i, price := range family.Buckets {
		b, main := hub.Bucket(i), hub.Bucket(i)
		for next, ok := Fallback(main); ok; next, ok = Fallback(main) {
			main = next
		}
		if own.Buckets[b].Set || (main != b && own.Buckets[main] != family.Buckets[main]) {
			continue
		}
		own.Buckets[b] = price
	}
	return own
}
