package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/pricing"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

func catalogueSpecs() []spec {
	file := text("file", "`FILE` of another catalogue, - for standard input; the one that came with this version unless given")
	only := &cli.StringSliceFlag{Name: "only", Usage: "`PROVIDER/MODEL` to decide about (may be repeated); all unless given"}
	return []spec{
		{name: "show", usage: "show what the catalogue knows of a model, or of a kind of provider", run: catalogueShow, needs: []string{"kind"}, arg: "kind",
			about: "KIND is a kind of provider such as openai, or with a model, openai/gpt-4o. Costs are US dollars per million units.",
			flags: []cli.Flag{text("kind", "`KIND` or KIND/MODEL")}},
		{name: "sources", usage: "show which catalogue is in force, and the data sets it was made from", run: catalogueSources},
		{name: "diff", usage: "compare a catalogue with the hub's rates; what differs is kept for review", run: catalogueDiff, arg: "file", flags: []cli.Flag{file},
			about: "Nothing but the list of proposals changes. cost: a rate's model costs something else. new: a model that was not known\n" +
				"before, at a provider that is set up. gone: a rate's model that the catalogue does not know any more."},
		{name: "apply", usage: "review a catalogue, carry out what it proposes, and put it in force", run: catalogueApply, arg: "file",
			about: "Prices stay as you set them unless --margin is given: a percentage, or keep for the margin that each rate was computed\n" +
				"with. New models get a rate only with a margin, or with AIGNE_HUB_DEFAULT_MARGIN; --skip-new leaves them out.",
			flags: []cli.Flag{file, only, text("margin", "`PERCENT` on the costs, or keep"),
				toggle("skip-new", "make no rates for new models"), toggle("own-costs", "bring the costs that rates keep up to date too; they are yours, so they stay unless named with --only"), toggle("rows-only", "change rates and leave the catalogue in force as it is"),
				toggle("dry-run", "show what would change"), reasonFlag()}},
		{name: "dismiss", usage: "say no to proposals; they come back when the catalogue says something else", run: catalogueDismiss, flags: []cli.Flag{only, reasonFlag()}},
		{name: "history", usage: "list what was decided, or with --state the proposals of a state", run: catalogueHistory,
			flags: []cli.Flag{text("state", "open, applied (default), dismissed or superseded"), number("limit", "at most this many; 100 unless given")}},
	}
}

// modelView is what the catalogue knows of a model.
type modelView struct {
	Model     string     `json:"model"`
	Provider  string     `json:"catalogue_provider"`
	Cost      *priceView `json:"cost"` // dollars; null: unknown
	Peak      *priceView `json:"peak,omitempty"`
	Context   int64      `json:"context"` // tokens; 0: unknown
	MaxOutput int64      `json:"max_output"`
	Input     []string   `json:"input,omitempty"`
	Output    []string   `json:"output,omitempty"`
}

func viewModel(m *pricing.Model) modelView {
	v := modelView{Model: m.ID, Provider: m.Provider, Context: m.Context, MaxOutput: m.MaxOutput, Input: m.InputModalities, Output: m.OutputModalities}
	if !m.Cost.Empty() {
		v.Cost = viewPrices(&m.Cost)
		if len(pricing.Diff(&m.Cost, &m.Peak, 0)) > 0 {
			v.Peak = viewPrices(&m.Peak)
		}
	}
	return v
}

func catalogueShow(j *job) error {
	return j.withHub(func(a *boot.App) error {
		if err := a.AdoptCatalogue(j.ctx); err != nil {
			return err
		}
		kind, model, one := strings.Cut(j.text("kind"), "/")
		var models []pricing.Model
		if one {
			m, ok := a.Catalogue().Lookup(kind, model)
			if !ok {
				return hub.Errorf(hub.CodeNotFound, "the catalogue does not know %s", j.text("kind"))
			}
			models = append(models, m)
		} else if models = a.Catalogue().Models(kind); len(models) == 0 {
			return hub.Errorf(hub.CodeNotFound, "the catalogue knows no models of the kind %s", kind)
		}
		views, lines := make([]modelView, 0, len(models)), make([][]string, 0, len(models))
		for i := range models {
			v := viewModel(&models[i])
			views = append(views, v)
			lines = append(lines, []string{v.Model, v.Cost.words(), fmt.Sprint(v.Context), fmt.Sprint(v.MaxOutput), orDash(strings.Join(v.Output, ","))})
		}
		return j.show(views, table("MODEL COST-USD/1M CONTEXT MAX-OUTPUT OUTPUT", lines))
	})
}

func catalogueSources(j *job) error {
	return j.withHub(func(a *boot.App) error {
		if err := a.AdoptCatalogue(j.ctx); err != nil {
			return err
		}
		own := pricing.OpenCatalogue(a.Now).Digest()
		files, err := a.Store.CatalogueFiles(j.ctx)
		if err != nil {
			return err
		}
		inForce := a.Catalogue().Digest()
		type fileView struct {
			Digest   string     `json:"digest"`
			Origin   string     `json:"origin"`
			ActiveAt *time.Time `json:"active_at"`
			ActiveBy string     `json:"active_by"`
		}
		kept := make([]fileView, 0, len(files))
		for _, f := range files {
			kept = append(kept, fileView{f.Digest, f.Origin, f.ActiveAt, f.ActiveBy})
		}
		var lines [][]string
		for _, s := range a.Catalogue().Sources() {
			lines = append(lines, []string{s.Name, s.Version, s.Licence, s.URL, s.Holds})
		}
		return j.show(map[string]any{"in_force": inForce, "embedded": own, "sources": a.Catalogue().Sources(), "kept": kept},
			fmt.Sprintf("In force: %s\nCame with this version: %s\n\n", inForce, own)+table("PACKAGE VERSION LICENCE URL HOLDS", lines))
	})
}

// review reads the catalogue that is meant and reviews it.
func (j *job) review(a *boot.App) (digest string, open []store.Proposal, err error) {
	if err := a.Reload(j.ctx); err != nil { // the providers of the environment count too
		return "", nil, err
	}
	var content []byte
	name := j.text("file")
	switch name {
	case "":
	case dash:
		content, err = io.ReadAll(io.LimitReader(j.stdin, operator.MaxCatalogueFile+1))
	default:
		content, err = os.ReadFile(name)
	}
	if err != nil {
		return "", nil, err
	}
	if name != "" && len(content) == 0 {
		return "", nil, hub.Invalid("file", "the file is empty")
	}
	if digest, err = a.Desk.ReviewCatalogue(j.ctx, actor, name, content); err != nil {
		return "", nil, err
	}
	open, err = a.Store.Proposals(j.ctx, store.ProposalOpen, "", maxListed)
	return digest, open, err
}

const maxListed = 5000

// proposalView is a proposal as it is shown.
type proposalView struct {
	ID        string       `json:"id"`
	Kind      string       `json:"kind"`
	Provider  string       `json:"provider"`
	Model     string       `json:"model"`
	Type      hub.CallType `json:"type"`
	Before    *priceView   `json:"before"` // dollars; null: none
	After     *priceView   `json:"after"`
	State     string       `json:"state"`
	DecidedBy string       `json:"decided_by,omitempty"`
	DecidedAt *time.Time   `json:"decided_at,omitempty"`
	Reason    string       `json:"reason,omitempty"`
	OldPrice  *priceView   `json:"old_price,omitempty"` // credits
	NewPrice  *priceView   `json:"new_price,omitempty"`
	Skipped   string       `json:"skipped,omitempty"`
}

func viewProposal(p store.Proposal) (proposalView, error) {
	v := proposalView{ID: p.ID, Kind: p.Kind, Provider: p.Provider, Model: p.Model, Type: p.Type, State: p.State, DecidedBy: p.DecidedBy, DecidedAt: p.DecidedAt, Reason: p.Reason}
	for _, side := range []struct {
		text string
		into **priceView
	}{{p.Before, &v.Before}, {p.After, &v.After}} {
		if side.text == "" {
			continue
		}
		var prices pricing.Prices
		if err := prices.UnmarshalJSON([]byte(side.text)); err != nil {
			return v, err
		}
		*side.into = viewPrices(&prices)
	}
	return v, nil
}

func (v *proposalView) cells() []string {
	return []string{v.Kind, v.Provider + "/" + v.Model, string(v.Type), v.Before.words(), v.After.words()}
}

func catalogueDiff(j *job) error {
	return j.withHub(func(a *boot.App) error {
		digest, open, err := j.review(a)
		if err != nil {
			return err
		}
		views, lines := make([]proposalView, 0, len(open)), make([][]string, 0, len(open))
		for _, p := range open {
			v, err := viewProposal(p)
			if err != nil {
				return err
			}
			views, lines = append(views, v), append(lines, v.cells())
		}
		inForce := a.Catalogue().Digest() == digest
		human := table("KIND MODEL TYPE COST-NOW/1M COST-THEN/1M", lines)
		if len(open) == 0 {
			human = "Nothing differs.\n"
		}
		if !inForce {
			human += "This catalogue is not in force; aigne-hub catalogue apply puts it there.\n"
		}
		return j.show(map[string]any{"digest": digest, "in_force": inForce, "proposals": views}, human)
	})
}

// picked are the proposals that --only leaves.
func (j *job) picked(open []store.Proposal) ([]string, error) {
	only := j.c.StringSlice("only")
	ids, found := []string{}, map[string]bool{}
	for _, p := range open {
		name := p.Provider + "/" + p.Model
		if len(only) > 0 && !slices.Contains(only, name) {
			continue
		}
		ids, found[name] = append(ids, p.ID), true
	}
	for _, name := range only {
		if !found[name] {
			return nil, hub.Errorf(hub.CodeNotFound, "nothing is proposed for %s", name)
		}
	}
	return ids, nil
}

func catalogueApply(j *job) error {
	return j.withHub(func(a *boot.App) error {
		digest, open, err := j.review(a)
		if err != nil {
			return err
		}
		c := operator.CatalogueChoice{SkipNew: j.c.Bool("skip-new"), OwnCosts: j.c.Bool("own-costs"), Digest: digest, Activate: !j.c.Bool("rows-only"), Margin: j.text("margin"),
			Reason: j.text("reason"), DryRun: j.c.Bool("dry-run")}
		if len(j.c.StringSlice("only")) > 0 {
			if c.IDs, err = j.picked(open); err != nil {
				return err
			}
		}
		done, err := a.Desk.ApplyCatalogue(j.ctx, actor, c)
		if err != nil {
			return err
		}
		views, lines := make([]proposalView, 0, len(done)), make([][]string, 0, len(done))
		for _, d := range done {
			v, err := viewProposal(d.Proposal)
			if err != nil {
				return err
			}
			outcome := "stays"
			if v.Skipped = d.Skipped; d.Skipped != "" {
				outcome = "stays: " + d.Skipped
			}
			if d.Old != nil {
				v.OldPrice = viewPrices(d.Old)
			}
			if d.New != nil {
				v.NewPrice = viewPrices(d.New)
				outcome = v.NewPrice.words()
			}
			views, lines = append(views, v), append(lines, append(v.cells(), outcome))
		}
		words := "Applied"
		if c.DryRun {
			words = "Would apply"
		}
		return j.show(map[string]any{"digest": digest, "dry_run": c.DryRun, "in_force": c.Activate, "applied": views},
			table("KIND MODEL TYPE COST-BEFORE/1M COST-AFTER/1M CREDITS/1M", lines)+fmt.Sprintf("%s %d of %d proposal(s).\n", words, len(done), len(open)))
	})
}

func catalogueDismiss(j *job) error {
	return j.withHub(func(a *boot.App) error {
		open, err := a.Store.Proposals(j.ctx, store.ProposalOpen, "", maxListed)
		if err != nil {
			return err
		}
		ids, err := j.picked(open)
		if err != nil {
			return err
		}
		if len(ids) == 0 {
			return errors.New("nothing is proposed; aigne-hub catalogue diff looks for differences")
		}
		if err := a.Desk.DismissProposals(j.ctx, actor, ids, j.text("reason")); err != nil {
			return err
		}
		return j.show(map[string]any{"dismissed": len(ids)}, fmt.Sprintf("Dismissed %d proposal(s).\n", len(ids)))
	})
}

func catalogueHistory(j *job) error {
	state, limit := j.text("state"), int(j.c.Int64("limit"))
	if state == "" {
		state = store.ProposalApplied
	}
	if limit == 0 {
		limit = 100
	}
	if limit < 1 || limit > maxListed {
		return hub.Invalid("limit", "--limit must be from 1 to %d", maxListed)
	}
	return j.withHub(func(a *boot.App) error {
		rows, err := a.Store.Proposals(j.ctx, state, "", limit)
		if err != nil {
			return err
		}
		views, lines := make([]proposalView, 0, len(rows)), make([][]string, 0, len(rows))
		for _, p := range rows {
			v, err := viewProposal(p)
			if err != nil {
				return err
			}
			views, lines = append(views, v), append(lines, append([]string{timeOrDash(p.DecidedAt), orDash(p.DecidedBy), orDash(p.Reason)}, v.cells()...))
		}
		return j.show(views, table("DECIDED BY WHY KIND MODEL TYPE COST-BEFORE/1M COST-AFTER/1M", lines))
	})
}
