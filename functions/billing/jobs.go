package billing

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/blob"
	"github.com/aigne-hub/aigne-hub/shared/jobs"
	"github.com/aigne-hub/aigne-hub/shared/ledger"
	"github.com/aigne-hub/aigne-hub/shared/mirror"
	"github.com/aigne-hub/aigne-hub/shared/notify"
	"github.com/aigne-hub/aigne-hub/shared/outbox"
	"github.com/aigne-hub/aigne-hub/shared/paymentkit"
	"github.com/aigne-hub/aigne-hub/shared/schedule"
	"github.com/aigne-hub/aigne-hub/shared/selling"
)

// worker is what the jobs work with.
type worker struct {
	Sweeper *ledger.Sweeper
	Book    *ledger.Book
	Jobs    *jobs.Follower
	Blobs   *blob.Keeper
	Shop    *selling.Shop
	// CacheRoom is how many bytes of kept answers the job leaves.
	CacheRoom int64
	Fresh     func(context.Context) error // reads the configuration again if it has changed
	Log       *slog.Logger
	Tell      func(context.Context, notify.Event) error

	// The following are nil unless a Payment Kit sells credits.
	Kit    *paymentkit.Shop
	Mirror *mirror.Mirror
	Outbox *outbox.Reporter
}

// report brings usage to Payment Kit.
func (w worker) report(ctx context.Context) error {
	if w.Outbox == nil {
		return ctx.Err()
	}
	return w.Outbox.Run(ctx)
}

// customers makes sure of what is sold at Payment Kit and looks at those who buy it.
func (w worker) customers(ctx context.Context) error {
	if w.Mirror == nil {
		return ctx.Err()
	}
	return errors.Join(w.Kit.Ensure(ctx), w.Mirror.SyncDue(ctx))
}

// scheduled opens the worker when a job runs, not before.
func scheduled(open func() worker) []schedule.Job {
	return []schedule.Job{
		{Name: "billing.sweep", Every: 10 * time.Second, Run: func(ctx context.Context) error { return open().Sweeper.Sweep(ctx) }},
		{Name: "billing.expiry", Every: time.Minute, Run: func(ctx context.Context) error {
			w := open()
			s := w.Book.Store
			return errors.Join(w.Book.ExpireDue(ctx), s.CollectDebts(ctx), w.Book.WelcomeNew(ctx), s.ForgetIdempotencyKeys(ctx), s.ForgetResponses(ctx), s.ForgetWindows(ctx),
				s.ForgetTries(ctx), s.ForgetEvents(ctx),
				s.ForgetAnswers(ctx, w.CacheRoom))
		}},
		{Name: "billing.jobs", Every: 10 * time.Second, Timeout: 4 * time.Minute, Run: func(ctx context.Context) error {
			w := open()
			if err := w.Fresh(ctx); err != nil {
				return err
			}
			return w.Jobs.Follow(ctx)
		}},
		{Name: "billing.payments", Every: 10 * time.Second, Timeout: 4 * time.Minute, Run: func(ctx context.Context) error {
			shop := open().Shop
			return errors.Join(shop.Follow(ctx), shop.TopUp(ctx))
		}},
		{Name: "billing.outbox", Every: time.Minute, Timeout: 4 * time.Minute, Run: func(ctx context.Context) error { return open().report(ctx) }},
		{Name: "billing.customers", Every: time.Minute, Timeout: 4 * time.Minute, Run: func(ctx context.Context) error { return open().customers(ctx) }},
		{Name: "billing.files", Every: 10 * time.Minute, Run: func(ctx context.Context) error { return open().Blobs.Expire(ctx) }},
		{Name: "billing.ledger-seal", Every: 6 * time.Hour, Timeout: 10 * time.Minute, Run: func(ctx context.Context) error { return open().Book.Seal(ctx) }},
		{Name: "billing.ledger-verify", Every: time.Hour, Run: func(ctx context.Context) error { return open().verify(ctx) }},
	}
}

// shownViolations is how many violations the log names; the rest is counted.
const shownViolations = 10

// verify proves the books and fails when they are wrong.
func (w worker) verify(ctx context.Context) error {
	report, err := w.Book.Verify(ctx)
	if err != nil {
		return err
	}
	if err := w.Book.NoteVerified(ctx, report); err != nil {
		return err
	}
	n := len(report.Violations)
	if n == 0 {
		w.Log.InfoContext(ctx, "ledger verified", "operations", report.Operations)
		return nil
	}
	w.Log.ErrorContext(ctx, "the books do not balance", "violations", n, "operations", report.Operations,
		"first", report.Violations[:min(n, shownViolations)])
	first := report.Violations[0]
	told := w.Tell(ctx, notify.Event{ // once for each thing that is wrong, however often it is found
		ID: string(notify.LedgerWrong) + "/" + first.Rule + "/" + first.Subject, Kind: notify.LedgerWrong, Severity: notify.Failure,
		Title: "The books do not balance.", Data: map[string]any{"violations": n, "first": first}})
	return errors.Join(fmt.Errorf("the books do not balance: %d violations", n), told)
}
