package operator

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/notify"
	"github.com/aigne-hub/aigne-hub/shared/pricing"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// The kinds of proposals.
const (
	ProposeCost = "cost" // a rate's model costs something else
	ProposeNew  = "new"  // a model that was not known before, at a provider that is set up
	ProposeGone = "gone" // a rate's model that is not known any more
)

const (
	embeddedOrigin = "embedded"
	maxProposals   = 5000
	// MaxCatalogueFile bounds the file of a catalogue, in bytes.
	MaxCatalogueFile = 4 << 20
)

// ReviewCatalogue compares a catalogue with the hub and keeps what it says
// differently as proposals, to be applied or dismissed; nothing else changes. An
// empty content is the catalogue that came with this version. Proposals that
// nobody decided about are replaced. It returns the catalogue's digest.
func (d *Desk) ReviewCatalogue(ctx context.Context, actor, origin string, content []byte) (string, error) {
	if len(content) == 0 {
		content, origin = pricing.Embedded(), embeddedOrigin
	}
	if len(content) > MaxCatalogueFile {
		return "", hub.Invalid("file", "The catalogue has more than %d bytes.", MaxCatalogueFile)
	}
	c, err := pricing.ReadCatalogue(bytes.NewReader(content), d.Now)
	if err != nil {
		return "", hub.Invalid("file", "The file is no catalogue as infra/catalogue writes it: %v.", err)
	}
	if err := d.Store.KeepCatalogue(ctx, store.CatalogueFile{Digest: c.Digest(), Origin: clipped(origin), Actor: actor}, content); err != nil {
		return "", err
	}
	rows, err := d.proposals(ctx, c)
	if err != nil {
		return "", err
	}
	if err := d.Store.Propose(ctx, c.Digest(), rows); err != nil {
		return "", err
	}
	return c.Digest(), d.audit(ctx, actor, "catalogue.review", origin, nil, map[string]any{"digest": c.Digest(), "differences": len(rows)})
}

func clipped(origin string) string {
	const most = 200
	return strings.ToValidUTF8(origin[:min(len(origin), most)], "")
}

// proposals lists what a catalogue says differently.
func (d *Desk) proposals(ctx context.Context, c *pricing.Catalogue) ([]store.Proposal, error) {
	now, err := d.costs(ctx, nil)
	if err != nil {
		return nil, err
	}
	then, err := d.costs(ctx, c)
	if err != nil {
		return nil, err
	}
	rates, err := d.Store.Rates(ctx)
	if err != nil {
		return nil, err
	}
	var out []store.Proposal
	rated := map[string]bool{}
	for _, row := range rates {
		rated[strings.ToLower(row.Provider+"/"+row.Model)] = true
		if row.Retired {
			continue
		}
		p, differs, err := proposal(row, now, then)
		if err != nil {
			return nil, err
		}
		if differs {
			out = append(out, p)
		}
	}
	fresh, err := d.newModels(ctx, now, then, rated)
	if err != nil {
		return nil, err
	}
	out = append(out, fresh...)
	if len(out) > maxProposals {
		return nil, hub.Invalid("file", "The catalogue differs in more than %d places.", maxProposals)
	}
	return out, nil
}

// proposal compares what a rate's model costs now with what a catalogue says.
func proposal(row store.Rate, now, then *costs) (p store.Proposal, differs bool, err error) {
	p = store.Proposal{Kind: ProposeCost, Provider: row.Provider, Model: row.Model, Type: row.Type}
	cost, _, err := now.of(row)
	if err != nil {
		return p, false, err
	}
	if cost != nil {
		if p.Before, err = encode(cost); err != nil {
			return p, false, err
		}
	}
	was, is := now.listed(row.Provider, row.Model), then.listed(row.Provider, row.Model)
	switch {
	case is == nil && was != nil && row.Deprecated == nil:
		p.Kind = ProposeGone
	case is == nil || is.Cost.Empty():
		return p, false, nil
	default:
		if cost == nil {
			cost = &pricing.Prices{}
		}
		if len(pricing.Drift(cost, &is.Cost, 0)) == 0 {
			return p, false, nil
		}
		if p.After, err = encode(is.Cost); err != nil {
			return p, false, err
		}
	}
	p.ValueHash = valueHash(p.After)
	return p, true, nil
}

func valueHash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:16])
}

// newModels lists the models that a catalogue knows and the one in force does not,
// at providers that are set up and have no rate for them.
func (d *Desk) newModels(ctx context.Context, now, then *costs, rated map[string]bool) ([]store.Proposal, error) {
	if now.catalogue == nil || then.catalogue == nil || now.catalogue.Digest() == then.catalogue.Digest() {
		return nil, nil
	}
	names, err := d.providerNames(ctx)
	if err != nil {
		return nil, err
	}
	var out []store.Proposal
	for _, name := range names {
		kind := then.kind(name)
		for _, m := range then.catalogue.Models(kind) {
			if m.Cost.Empty() || rated[strings.ToLower(name+"/"+m.ID)] {
				continue
			}
			if _, known := now.catalogue.Lookup(kind, m.ID); known {
				continue
			}
			after, err := encode(m.Peak)
			if err != nil {
				return nil, err
			}
			out = append(out, store.Proposal{Kind: ProposeNew, Provider: name, Model: m.ID, Type: typeOf(&m), After: after, ValueHash: valueHash(after)})
		}
	}
	return out, nil
}

// providerNames lists the providers that are set up, stored or in the environment.
func (d *Desk) providerNames(ctx context.Context) ([]string, error) {
	stored, err := d.Store.Providers(ctx)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, p := range stored {
		names = append(names, p.Name)
	}
	if d.Routes != nil {
		for _, p := range d.Routes().Providers() {
			if !slices.Contains(names, p.Name) {
				names = append(names, p.Name)
			}
		}
	}
	slices.Sort(names)
	return names, nil
}

// typeOf guesses what a model is called for from what it puts out.
func typeOf(m *pricing.Model) hub.CallType {
	switch out := m.OutputModalities; {
	case slices.Contains(out, "text"):
		return hub.TypeChat
	case slices.Contains(out, "image"):
		return hub.TypeImage
	case slices.Contains(out, "video"):
		return hub.TypeVideo
	case slices.Contains(out, "audio"):
		return hub.TypeAudio
	}
	set := func(b hub.Bucket) bool { return m.Cost.Buckets[b].Set }
	has := func(b hub.Bucket) bool {
		return set(b) || slices.ContainsFunc(m.Cost.Variants, func(v pricing.VariantPrice) bool { return v.Bucket == b })
	}
	name := strings.ToLower(m.ID)
	switch {
	case strings.Contains(name, "embed"):
		return hub.TypeEmbedding
	case strings.Contains(name, "rerank"):
		return hub.TypeRerank
	case has(hub.Images) || set(hub.OutputImage):
		return hub.TypeImage
	case strings.Contains(name, "sora") || strings.Contains(name, "veo") || strings.Contains(name, "video"):
		return hub.TypeVideo
	case has(hub.Seconds) || set(hub.Characters):
		return hub.TypeAudio
	}
	return hub.TypeChat
}

// KeepWatchOnCatalogue puts the catalogue of this version in force where none was
// before. Where another one is, operators are told once that this version brought
// its own, and its differences are proposed.
func (d *Desk) KeepWatchOnCatalogue(ctx context.Context) error {
	const actor = "schedule"
	active, err := d.Store.ActiveCatalogue(ctx)
	if err != nil {
		return err
	}
	own := pricing.OpenCatalogue(d.Now).Digest()
	if active == own {
		return nil
	}
	if active == "" {
		if err := d.Store.KeepCatalogue(ctx, store.CatalogueFile{Digest: own, Origin: embeddedOrigin, Actor: actor}, pricing.Embedded()); err != nil {
			return err
		}
		if err := d.Store.AdoptCatalogue(ctx, own, actor); err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		return nil
	}
	files, err := d.Store.CatalogueFiles(ctx)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(files, func(f store.CatalogueFile) bool { return f.Digest == own }) {
		return nil // reviewed, or in force before
	}
	if _, err := d.ReviewCatalogue(ctx, actor, embeddedOrigin, nil); err != nil || d.Notify == nil {
		return err
	}
	return d.Notify.Tell(ctx, notify.Event{ID: fmt.Sprintf("%s/%s", notify.CatalogueNew, own), Kind: notify.CatalogueNew, Severity: notify.Info,
		Title: "This version brought another catalogue of costs; nothing changes until you apply it (aigne-hub catalogue diff).",
		Data:  map[string]any{"digest": own, "in_force": active}})
}
