package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/aigne-hub/aigne-hub/shared/archive"
	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/operator"
)

func archiveSpecs() []spec {
	return []spec{
		{
			name: "run", usage: "move calls that are older than --archive-after to the archives, as a job does every hour", run: archiveRun,
			about: "Of a database file they move into a database for each quarter beside it, of a server into files. A call is\n" +
				"copied, the copy is compared, then the call is deleted; what an interrupted run left is finished by the next.\n" +
				"Calls that something waits for stay: open ones, usage not yet reported, unfinished videos, bills under way.",
			flags: []cli.Flag{toggle("dry-run", "say what would move, change nothing"), text("limit", "stop after this `TIME`, such as 10m")},
		},
		{name: "list", usage: "list the archives, newest first", run: archiveList},
		{
			name: "runs", usage: "list runs of the archiver, newest first", run: archiveRuns,
			flags: []cli.Flag{number("limit", "at most so many; 20 when not given")},
		},
		{
			name: "verify", usage: "prove that an archive, or every one, holds what was moved there", run: archiveVerify, arg: "name",
			about: "Reads the whole archive and compares counts, sums and a digest of every row with the hub's own record. Fails\n" +
				"when an archive is damaged or altered.",
			flags: []cli.Flag{text("name", "the archive's `NAME`, such as 2026Q3; every one when not given")},
		},
		{
			name: "compact", usage: "write the database file anew without its empty space; calls wait meanwhile", run: archiveCompact,
			about: "A database made by this version gives space back by itself after each run, a little at a time. One that is\n" +
				"older has to be compacted once. It takes about a second for 100 MB and as much free disk again.",
		},
	}
}

func (r archiveReport) words() string {
	var b strings.Builder
	verb := "moved"
	if r.DryRun {
		verb = "would move"
	}
	fmt.Fprintf(&b, "%d calls admitted before %s %s", r.Calls, r.Cutoff.Format(time.RFC3339), verb)
	if r.State != "" {
		fmt.Fprintf(&b, " (%s)", r.State)
	}
	b.WriteString(".\n")
	if r.Kept > 0 {
		fmt.Fprintf(&b, "%d older calls stay: something waits for them.\n", r.Kept)
	}
	if r.Freed > 0 {
		fmt.Fprintf(&b, "%.1f MB were given back.\n", float64(r.Freed)/1e6)
	}
	if len(r.Removed) > 0 {
		fmt.Fprintf(&b, "Archives whose time is over: %s.\n", strings.Join(r.Removed, ", "))
	}
	rows := make([][]string, len(r.Archives))
	for i, s := range r.Archives {
		rows[i] = []string{s.Name, strconv.FormatInt(s.Calls, 10), s.Credits.String()}
	}
	if len(rows) > 0 {
		b.WriteString(table("ARCHIVE CALLS CREDITS", rows))
	}
	return b.String()
}

type archiveReport struct{ archive.Report }

func archiveRun(j *job) error {
	var limit time.Duration
	if text := j.text("limit"); text != "" {
		var err error
		if limit, err = time.ParseDuration(text); err != nil || limit <= 0 {
			return hub.Invalid("limit", "--limit must be a time such as 10m, not %q", text)
		}
	}
	return j.withHub(func(a *boot.App) error {
		if j.c.Bool("dry-run") {
			r, err := a.Archive.Rehearse(j.ctx)
			if err != nil {
				return err
			}
			return j.show(r, archiveReport{r}.words())
		}
		ctx := j.ctx
		if limit > 0 {
			limited, cancel := context.WithTimeout(ctx, limit)
			defer cancel()
			ctx = limited
		}
		r, err := a.Desk.RunArchive(ctx, actor)
		if err != nil {
			return err
		}
		return j.show(r, archiveReport{r}.words())
	})
}

func archiveList(j *job) error {
	return j.withHub(func(a *boot.App) error {
		all, err := a.Desk.Archives(j.ctx)
		if err != nil {
			return err
		}
		rows := make([][]string, len(all))
		for i, v := range all {
			state := orDash(v.File)
			if v.RemovedAt != nil {
				state = "deleted " + v.RemovedAt.Format(time.DateOnly)
			}
			rows[i] = []string{v.Name, string(v.Kind), strconv.FormatInt(v.Calls, 10), v.Credits.String(), v.CostUSD.String(),
				v.ChangedAt.Format(time.RFC3339), timeOrDash(v.VerifiedAt), state}
		}
		return j.show(all, table("NAME KIND CALLS CREDITS COST CHANGED VERIFIED FILE", rows))
	})
}

func archiveRuns(j *job) error {
	limit := int64(20)
	if j.c.IsSet("limit") {
		if limit = j.c.Int64("limit"); limit < 1 || limit > mostRows {
			return hub.Invalid("limit", "--limit must be 1 to %d", mostRows)
		}
	}
	return j.withHub(func(a *boot.App) error {
		all, err := a.Store.ArchiveRuns(j.ctx, "", int(limit))
		if err != nil {
			return err
		}
		views, rows := make([]operator.ArchiveRunView, len(all)), make([][]string, len(all))
		for i, r := range all {
			views[i] = operator.ViewArchiveRun(r)
			rows[i] = []string{r.Started.Format(time.RFC3339), timeOrDash(r.Ended), r.Actor, string(r.State), strconv.FormatInt(r.Calls, 10),
				strconv.FormatInt(r.Kept, 10), orDash(r.Error)}
		}
		return j.show(views, table("STARTED ENDED ACTOR STATE CALLS KEPT ERROR", rows))
	})
}

func archiveVerify(j *job) error {
	return j.withHub(func(a *boot.App) error {
		names := []string{j.text("name")}
		if names[0] == "" {
			all, err := a.Store.Archives(j.ctx)
			if err != nil {
				return err
			}
			names = names[:0]
			for _, x := range all {
				if x.RemovedAt == nil {
					names = append(names, x.Name)
				}
			}
		}
		found, rows, wrong := make([]archive.Verification, len(names)), make([][]string, len(names)), 0
		for i, name := range names {
			v, err := a.Desk.VerifyArchive(j.ctx, name)
			if err != nil {
				return err
			}
			if !v.OK {
				wrong++
			}
			found[i] = v
			rows[i] = []string{v.Name, strconv.FormatInt(v.Moved.Calls, 10), strconv.FormatInt(v.Found.Calls, 10), yesNo(v.OK), orDash(v.Problem)}
		}
		if err := j.show(found, table("NAME MOVED FOUND OK PROBLEM", rows)); err != nil {
			return err
		}
		if wrong > 0 {
			return fmt.Errorf("%d of %d archives do not hold what was moved there", wrong, len(names))
		}
		return nil
	})
}

// compactView is how large the database was and is, in bytes.
type compactView struct {
	Before int64 `json:"before_bytes"`
	After  int64 `json:"after_bytes"`
}

func archiveCompact(j *job) error {
	return j.withHub(func(a *boot.App) error {
		if a.Store.Remote() {
			return hub.Invalid("database", "a database server looks after its own space")
		}
		var v compactView
		var err error
		if v.Before, _, err = a.Store.Space(j.ctx); err != nil {
			return err
		}
		if err = a.Desk.CompactStore(j.ctx, actor); err != nil {
			return err
		}
		if v.After, _, err = a.Store.Space(j.ctx); err != nil {
			return err
		}
		return j.show(v, fmt.Sprintf("%.1f MB before, %.1f MB now.\n", float64(v.Before)/1e6, float64(v.After)/1e6))
	})
}
