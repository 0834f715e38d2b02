package pricing

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // the catalogue's data
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

//go:embed catalogue.json.gz
var embedded []byte

// kindCompatible is the provider kind behind which any vendor may stand.
const kindCompatible = "openai-compatible"

// Model is what the catalogue knows of one model. Limits of 0, nil modalities
// and nil flags mean unknown.
type Model struct {
	Provider string // the catalogue's provider: the kind, or a vendor's name for openai-compatible
	ID       string // the name asked for
	Entry    string // the price entry that covers the name; "" when the price is the model's own

	Context   int64 // tokens of prompt and answer together; the largest any source says
	MaxOutput int64 // tokens of one answer

	// Cost is dollars per unit at the time of the look-up; empty when unknown,
	// which is not free. Peak is the dearest of that day, and differs from Cost
	// only where the provider's price depends on the hour.
	Cost Prices
	Peak Prices

	InputModalities  []string // text, image, audio, video, pdf
	OutputModalities []string
	Reasoning        *bool
	Tools            *bool
}

// Source names a package the catalogue was made from.
type Source struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Licence string `json:"licence"`
	URL     string `json:"url"`
	Holds   string `json:"holds"`
}

// Catalogue answers what models cost their operator and what they can do, from
// data fixed at build time (or read from a file). It is decoded at first use and
// safe for concurrent use. Slices of its answers must not be changed.
type Catalogue struct {
	now    hub.Now
	decode func() (*catalogueData, error)
	digest func() string
}

// OpenCatalogue returns the embedded catalogue. The clock chooses among dated
// prices. Nothing is decoded yet.
func OpenCatalogue(now hub.Now) *Catalogue {
	return &Catalogue{now: now, decode: sync.OnceValues(func() (*catalogueData, error) {
		return readCatalogue(bytes.NewReader(embedded))
	}), digest: embeddedDigest}
}

// Embedded is the content of the embedded catalogue, as ReadCatalogue takes it.
// It must not be changed.
func Embedded() []byte { return embedded }

var embeddedDigest = sync.OnceValue(func() string { return digest(embedded) })

func digest(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// Digest names the content: SHA-256 in hexadecimal.
func (c *Catalogue) Digest() string { return c.digest() }

// ReadCatalogue decodes another catalogue at once: a gzipped file as
// infra/catalogue writes it.
func ReadCatalogue(r io.Reader, now hub.Now) (*Catalogue, error) {
	content, err := io.ReadAll(io.LimitReader(r, maxCatalogue+1))
	if err != nil {
		return nil, fmt.Errorf("catalogue: %w", err)
	}
	data, err := readCatalogue(bytes.NewReader(content))
	if err != nil {
		return nil, err
	}
	sum := digest(content)
	c := &Catalogue{now: now, decode: func() (*catalogueData, error) { return data, nil }, digest: func() string { return sum }}
	if err := c.Err(); err != nil {
		return nil, err
	}
	return c, nil
}

// Err decodes everything and reports what of it cannot be used. Look-ups find
// nothing in parts that cannot be decoded.
func (c *Catalogue) Err() error {
	data, err := c.decode()
	if err != nil {
		return err
	}
	for i := range data.Providers {
		if _, err := data.Providers[i].open(); err != nil {
			return fmt.Errorf("%s: %w", data.Providers[i].id, err)
		}
	}
	return nil
}

// Sources lists what the catalogue was made from.
func (c *Catalogue) Sources() []Source {
	data, err := c.decode()
	if err != nil {
		return nil
	}
	return data.Sources
}

// Lookup finds a model of a provider kind by the provider's own name for it, with
// the dated names, aliases and region prefixes that the data spell out. For
// openai-compatible, which may be any vendor, only a name that exactly one
// vendor of the catalogue has is found. Kinds without data find nothing.
func (c *Catalogue) Lookup(kind, model string) (Model, bool) { return c.LookupAt(kind, model, c.now()) }

// LookupAt is Lookup with the prices of another time.
func (c *Catalogue) LookupAt(kind, model string, t time.Time) (Model, bool) {
	data, err := c.decode()
	model = strings.TrimSpace(model)
	if err != nil || model == "" {
		return Model{}, false
	}
	p := data.provider(kind)
	if kind == kindCompatible {
		p = data.only(strings.ToLower(model))
	}
	if p == nil {
		return Model{}, false
	}
	return p.lookup(model, t)
}

// Models lists what the catalogue knows of a kind, by name. Names that only
// stand for a family are left out.
func (c *Catalogue) Models(kind string) []Model {
	data, err := c.decode()
	if err != nil {
		return nil
	}
	p := data.provider(kind)
	if p == nil {
		return nil
	}
	names := make(map[string]bool, len(p.Entries)+len(p.Facts))
	for i := range p.Entries {
		names[p.Entries[i].ID] = true
	}
	for name := range p.Facts {
		names[name] = true
	}
	list := make([]Model, 0, len(names))
	for name := range names {
		if m, ok := p.lookup(name, c.now()); ok {
			list = append(list, m)
		}
	}
	slices.SortFunc(list, func(a, b Model) int { return strings.Compare(a.ID, b.ID) })
	return list
}
