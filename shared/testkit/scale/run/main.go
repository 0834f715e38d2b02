// Command run fills a database with made-up calls and measures a hub on it:
//
//	go run ./shared/testkit/scale/run -calls 1000000
//
// What a query of a month takes depends on how many calls a day has: a million in
// -days 36 are as dense as ten million in a year.
//
// It needs 1.1 KB of disk for each call, 1.7 KB with -ledger. The database is
// deleted at the end unless -data names a folder, where it is used again.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/pprof"
	"strings"
	"syscall"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/archive"
	"github.com/aigne-hub/aigne-hub/shared/testkit/scale"
)

type flags struct {
	scale.Options
	days    int
	data    string
	only    string
	json    bool
	check   bool
	profile string
	archive bool
}

const year = 365

func main() {
	var f flags
	flag.IntVar(&f.Calls, "calls", 10_000_000, "how many calls")
	flag.IntVar(&f.days, "days", year, "over how many days")
	flag.IntVar(&f.Users, "users", 2000, "how many users")
	flag.Uint64Var(&f.Seed, "seed", 1, "the same seed makes the same calls")
	flag.BoolVar(&f.Ledger, "ledger", false, "bill the calls: settlements and entries too")
	flag.StringVar(&f.data, "data", "", "folder of the database, kept and used again; none: a temporary one")
	flag.StringVar(&f.only, "only", "", "only queries whose name contains this")
	flag.BoolVar(&f.json, "json", false, "print results as JSON")
	flag.BoolVar(&f.check, "check", false, "fail when a query is over its limit")
	flag.StringVar(&f.profile, "cpuprofile", "", "file for a profile of the queries")
	flag.BoolVar(&f.archive, "archive", false, "then archive the calls that are due, verify the archives and the books")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := f.run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "scale:", err)
		os.Exit(1)
	}
}

func (f *flags) run(ctx context.Context) error {
	if f.Calls < 1 || f.days < 1 {
		return errors.New("-calls and -days must be 1 at least")
	}
	dir := f.data
	if dir == "" {
		var err error
		if dir, err = os.MkdirTemp("", "aigne-hub-scale-"); err != nil {
			return err
		}
		defer os.RemoveAll(dir)
	}
	p, err := f.fill(ctx, dir)
	if err != nil {
		return err
	}
	h, err := scale.OpenHub(ctx, f.File, p)
	if err != nil {
		return err
	}
	defer func() { _ = h.Close(context.WithoutCancel(ctx)) }()
	if err := f.sumUp(ctx, h, dir); err != nil {
		return err
	}
	var queries []scale.Query
	for _, q := range scale.Queries() {
		if strings.Contains(q.Name, f.only) {
			queries = append(queries, q)
		}
	}
	results, err := f.measure(ctx, h, queries)
	if err == nil {
		err = f.print(results)
	}
	if err == nil && f.archive {
		err = archived(ctx, h)
	}
	return err
}

// made is what a folder remembers of how its database was filled.
type made struct {
	Calls, Users int
	Days         int
	Seed         uint64
	Ledger       bool
	Until        time.Time
}

// fill makes the database, or finds the one that an earlier run made.
func (f *flags) fill(ctx context.Context, dir string) (scale.Population, error) {
	f.File, f.Out = filepath.Join(dir, "hub.db"), os.Stderr
	note := filepath.Join(dir, "scale.json")
	want := made{Calls: f.Calls, Users: f.Users, Days: f.days, Seed: f.Seed, Ledger: f.Ledger, Until: time.Now().UTC().Truncate(time.Hour)}
	f.Span = time.Duration(f.days) * 24 * time.Hour
	if text, err := os.ReadFile(note); err == nil {
		var have made
		if err := json.Unmarshal(text, &have); err != nil {
			return scale.Population{}, err
		}
		want.Until = have.Until
		if have != want {
			return scale.Population{}, fmt.Errorf("%s holds another database: %s", dir, text)
		}
		f.Until = have.Until
		return scale.Describe(f.Options), nil
	}
	f.Until = want.Until
	if free, known, err := archive.FreeDisk(dir); err != nil || known && free < f.Needs() {
		return scale.Population{}, errors.Join(err, fmt.Errorf("%d calls need %d MB of disk, %d MB are free", f.Calls, f.Needs()/1e6, free/1e6))
	}
	p, err := scale.Fill(ctx, f.Options)
	if err != nil {
		return p, err
	}
	text, err := json.Marshal(want)
	if err != nil {
		return p, err
	}
	const private = 0o600
	return p, os.WriteFile(note, text, private)
}

func (f *flags) print(results []scale.Result) error {
	var err error
	if f.json {
		err = json.NewEncoder(os.Stdout).Encode(results)
	} else {
		err = scale.Print(os.Stdout, results)
	}
	over := 0
	for _, r := range results {
		if r.Over() {
			over++
		}
	}
	if err == nil && f.check && over > 0 {
		err = fmt.Errorf("%d queries are over their limits", over)
	}
	return err
}

// measure measures, with a profile of what takes time where one is wanted.
func (f *flags) measure(ctx context.Context, h *scale.Hub, queries []scale.Query) ([]scale.Result, error) {
	if f.profile == "" {
		return scale.Measure(ctx, h, queries)
	}
	file, err := os.Create(f.profile)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(file); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	results, err := scale.Measure(ctx, h, queries)
	pprof.StopCPUProfile()
	return results, errors.Join(err, file.Close())
}

// sumUp makes the roll-ups, unless an earlier run did, and says how fast.
func (f *flags) sumUp(ctx context.Context, h *scale.Hub, dir string) error {
	mark := filepath.Join(dir, "summed")
	if _, err := os.Stat(mark); err == nil {
		return nil
	}
	began := time.Now()
	r, err := h.SumUp(ctx)
	if err != nil {
		return err
	}
	took := time.Since(began)
	fmt.Fprintf(os.Stderr, "summed %d buckets in %s, of them %d new or changed\n", r.Made, took.Round(time.Second), r.Changed)
	const private = 0o600
	return os.WriteFile(mark, nil, private)
}

// archived moves what is due and proves that nothing is lost.
func archived(ctx context.Context, h *scale.Hub) error {
	began := time.Now()
	r, err := h.Archive.Run(ctx, "scale")
	if err != nil {
		return err
	}
	took := time.Since(began)
	fmt.Printf("archived %d calls in %s (%.0f a second), %.0f MB given back\n", r.Calls, took.Round(time.Second), float64(r.Calls)/took.Seconds(), float64(r.Freed)/1e6)
	for _, s := range r.Archives {
		began := time.Now()
		v, err := h.Archive.Verify(ctx, s.Name)
		if err != nil {
			return err
		}
		if !v.OK {
			return fmt.Errorf("archive %s: %s", s.Name, v.Problem)
		}
		fmt.Printf("archive %s: %d calls, verified in %s\n", s.Name, v.Found.Calls, time.Since(began).Round(time.Millisecond))
	}
	began = time.Now()
	report, err := h.Book.VerifyAll(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("books: %d operations, %d violations, %s\n", report.Operations, len(report.Violations), time.Since(began).Round(time.Second))
	if len(report.Violations) > 0 {
		return fmt.Errorf("the books do not balance: %v", report.Violations[0])
	}
	return nil
}
