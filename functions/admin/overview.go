package admin

import (
	"net/http"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/ledger"
	"github.com/aigne-hub/aigne-hub/shared/money"
)

const (
	nowMinutes = 5    // how far "now" goes back for calls
	nowCalls   = 5000 // of which at most so many are looked at
)

// overviewView is how the hub fares at this moment.
type overviewView struct {
	At      time.Time `json:"at"`
	Billing bool      `json:"billing"` // calls are charged

	Calls       callsNow        `json:"calls"`
	Backlog     backlogView     `json:"backlog"`
	Books       *booksView      `json:"books"` // null: they were never checked
	Alerts      []alertView     `json:"alerts"`
	Credentials []troubledKey   `json:"credentials"` // that rest or are not in use
	Failing     []troubledModel `json:"failing"`     // models that this process asks last because calls fail
	Jobs        []jobView       `json:"jobs"`        // whose last run failed
}

type callsNow struct {
	Open    int64         `json:"open"` // being answered, jobs at providers included
	Held    money.Credits `json:"held"` // credits, for them
	Oldest  int64         `json:"oldest_seconds"`
	Recent  int64         `json:"recent"` // begun in the last minutes
	Failed  int64         `json:"failed"` // of them, for which no caller is to blame
	Minutes int64         `json:"minutes"`
	More    bool          `json:"more"` // there were more calls than were looked at
}

type backlogView struct {
	UsagePending int64 `json:"usage_pending"` // calls whose usage is to be confirmed outside
	UsageDead    int64 `json:"usage_dead"`    // and was refused there
	OldestUsage  int64 `json:"oldest_usage_seconds"`
	Notices      int64 `json:"notices"` // deliveries of notices that are due
	OldestNotice int64 `json:"oldest_notice_seconds"`
	SweeperLag   int64 `json:"sweeper_lag_seconds"` // calls of a process that died wait so long
}

type booksView struct {
	At         time.Time `json:"at"`
	Violations int       `json:"violations"`
	First      string    `json:"first"`
}

type troubledKey struct {
	Provider   string     `json:"provider"`
	Credential string     `json:"credential"`
	State      string     `json:"state"` // cooling or disabled
	Reason     string     `json:"reason"`
	Until      *time.Time `json:"until"`
	Left       int64      `json:"left"` // credentials of the provider that work
}

type troubledModel struct {
	Provider string `json:"provider"`
	Model    string `json:"model"`
}

// overview shows how the hub fares now.
func (h *handler) overview(w http.ResponseWriter, r *http.Request, _ hub.Caller) error {
	ctx := r.Context()
	v := overviewView{At: h.Now().UTC(), Billing: h.Billing, Alerts: []alertView{}, Failing: []troubledModel{}, Jobs: []jobView{}}
	b, err := h.Store.Backlog(ctx)
	if err != nil {
		return err
	}
	v.Calls = callsNow{Open: b.OpenCalls, Held: b.Held, Oldest: seconds(b.OldestCall), Minutes: nowMinutes}
	v.Calls.Recent, v.Calls.Failed, err = h.Store.Failing(ctx, h.Now().Add(-nowMinutes*time.Minute), nowCalls)
	if err != nil {
		return err
	}
	v.Calls.More = v.Calls.Recent >= nowCalls
	v.Backlog = backlogView{UsagePending: b.UsagePending, UsageDead: b.UsageDead, OldestUsage: seconds(b.OldestUsage),
		Notices: b.Notices, OldestNotice: seconds(b.OldestNotice), SweeperLag: seconds(b.SweeperLag)}
	books, ok, err := ledger.LastVerified(ctx, h.Store)
	if err != nil {
		return err
	}
	if ok {
		v.Books = &booksView{At: books.At, Violations: books.Violations, First: books.First}
	}
	open, err := h.Store.OpenAlerts(ctx)
	if err != nil {
		return err
	}
	for _, a := range open {
		v.Alerts = append(v.Alerts, viewAlert(a))
	}
	if v.Credentials, err = h.troubled(r); err != nil {
		return err
	}
	for _, m := range h.Upstream.OpenBreakers() {
		v.Failing = append(v.Failing, troubledModel{m[0], m[1]})
	}
	jobs, err := h.jobsNow(ctx)
	if err != nil {
		return err
	}
	for _, j := range jobs {
		if j.Failures > 0 {
			v.Jobs = append(v.Jobs, j)
		}
	}
	return httpkit.WriteJSON(w, http.StatusOK, v)
}

// troubled lists credentials that rest or are not in use. Those of a provider that
// an operator switched off are not among them.
func (h *handler) troubled(r *http.Request) ([]troubledKey, error) {
	out := []troubledKey{}
	for _, p := range h.Routes().Providers() {
		left, from := int64(0), len(out)
		for _, c := range p.Credentials {
			until := h.Upstream.RestsUntil(p, c)
			if until.IsZero() {
				left++
				continue
			}
			out = append(out, troubledKey{Provider: p.Name, Credential: c.Name, State: cooling, Until: &until})
		}
		for i := from; i < len(out); i++ {
			out[i].Left = left
		}
	}
	off, err := h.Store.DisabledCredentials(r.Context())
	if err != nil {
		return nil, err
	}
	for _, d := range off {
		out = append(out, troubledKey{Provider: d.Provider, Credential: d.Name, State: disabled, Reason: d.Reason, Left: d.Left})
	}
	return out, nil
}

func seconds(d time.Duration) int64 { return int64(d / time.Second) }
