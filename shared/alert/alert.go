// Package alert watches the hub by rules: what is wrong is put on record once, told
// once, and told once more when it has been right again for a while. It tells by
// package notify and repairs nothing. Every figure comes from the database, so that
// any process may look, and no roll-up is needed.
package alert

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/notify"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// Watcher evaluates the rules. Run is meant for one process at a time, but two that run
// at once raise and tell everything once all the same.
type Watcher struct {
	Store *store.Store
	Tell  func(context.Context, notify.Event) error
	Log   *slog.Logger
	Now   hub.Now
	// Room is how many bytes are free where the database lies, and of how many; nil or
	// 0 of 0: nobody knows.
	Room func() (free, all uint64, err error)
}

// finding is what a rule found about one thing.
type finding struct {
	rule, subject, severity, title string
	data                           map[string]any
	// hold: it is not bad enough to raise an alert, and too bad to resolve one.
	hold bool
}

// look is what one rule finds.
type look func(ctx context.Context, r *Rules) ([]finding, error)

// Run looks at everything once. A rule that cannot look leaves its alerts as they are.
func (w *Watcher) Run(ctx context.Context) error {
	rules, err := Load(ctx, w.Store)
	if err != nil {
		return err
	}
	var faults []error
	seen, blind := map[[2]string]finding{}, map[string]bool{}
	for name, look := range w.rules() {
		found, err := look(ctx, &rules)
		if err != nil {
			faults = append(faults, err)
			blind[name] = true
			continue
		}
		for _, f := range found {
			f.rule = name
			if !f.hold { // for whoever watches logs and nothing else
				w.Log.WarnContext(ctx, "an alert stands", "rule", name, "subject", f.subject, "severity", f.severity, "title", f.title)
			}
			seen[[2]string{name, f.subject}] = f
		}
	}
	return errors.Join(append(faults, w.compare(ctx, &rules, seen, blind), w.tell(ctx))...)
}

func (w *Watcher) rules() map[string]look {
	return map[string]look{"error_rate": w.errorRate, "spend": w.spend, "credential": w.credentials, "outbox": w.outbox, "notices": w.notices,
		"ledger": w.ledger, "sweeper": w.sweeper, "disk": w.disk}
}

// compare brings what is on record into line with what was seen.
func (w *Watcher) compare(ctx context.Context, r *Rules, seen map[[2]string]finding, blind map[string]bool) error {
	open, err := w.Store.OpenAlerts(ctx)
	if err != nil {
		return err
	}
	now := w.Now().UTC()
	var faults []error
	for i := range open {
		a := &open[i]
		f, bad := seen[[2]string{a.Rule, a.Subject}]
		delete(seen, [2]string{a.Rule, a.Subject})
		switch {
		case blind[a.Rule]:
		case bad:
			faults = append(faults, w.Store.HoldAlert(ctx, a.ID, f.title, f.text(), now))
		default:
			faults = append(faults, w.Store.CalmAlert(ctx, a.ID, now, now.Add(-time.Duration(r.CalmMinutes)*time.Minute)))
		}
	}
	for _, f := range seen {
		if !f.hold {
			faults = append(faults, w.Store.RaiseAlert(ctx, store.Alert{Rule: f.rule, Subject: f.subject, Severity: f.severity, Title: f.title, Data: f.text(), RaisedAt: now}))
		}
	}
	return errors.Join(faults...)
}

// text is what is known beside the title.
func (f *finding) text() string {
	b, err := json.Marshal(f.data)
	if err != nil || f.data == nil {
		return "{}"
	}
	return string(b)
}

// tell tells what is due. The events' ids are made of the alerts', so that none is
// told twice, whoever tells it and however often.
func (w *Watcher) tell(ctx context.Context) error {
	const batch = 100
	due, err := w.Store.DueAlerts(ctx, batch)
	if err != nil {
		return err
	}
	for i := range due {
		a := &due[i]
		data := map[string]any{}
		_ = json.Unmarshal([]byte(a.Data), &data) // the hub's own writing
		data["rule"], data["subject"], data["alert"] = a.Rule, a.Subject, a.ID
		data["raised_at"] = a.RaisedAt.Format(time.RFC3339)
		if err := w.Tell(ctx, notify.Event{ID: string(notify.AlertRaised) + ":" + a.ID, Kind: notify.AlertRaised, Severity: a.Severity, Title: a.Title, Data: data}); err != nil {
			return err
		}
		if a.ResolvedAt != nil {
			data["resolved_at"] = a.ResolvedAt.Format(time.RFC3339)
			if err := w.Tell(ctx, notify.Event{ID: string(notify.AlertResolved) + ":" + a.ID, Kind: notify.AlertResolved, Severity: notify.Info,
				Title: "Over: " + a.Title, Data: data}); err != nil {
				return err
			}
		}
		if err := w.Store.AlertTold(ctx, *a); err != nil {
			return err
		}
	}
	return nil
}
