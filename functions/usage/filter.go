package usage

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

const (
	latest   = 1 << 36 // bounds times in queries, in seconds since 1970
	mostText = 200     // characters of a name or id in a query
	mostFind = 100     // characters of a search
)

// asked reads a filter of calls out of a query, noting the first fault.
type asked struct {
	q   url.Values
	err error
}

func (a *asked) fault(err error) {
	if a.err == nil {
		a.err = err
	}
}

// text is a bounded text by the first of its names that is there.
func (a *asked) text(most int, names ...string) string {
	for _, name := range names {
		if v := a.q.Get(name); v != "" {
			if len(v) > most || strings.ContainsFunc(v, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\ufffd' }) {
				a.fault(hub.Invalid(name, "%s must be at most %d characters of plain text.", name, most))
			}
			return v
		}
	}
	return ""
}

func (a *asked) seconds(name string) (t time.Time) {
	if text := a.q.Get(name); text != "" {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 0 || n > latest {
			a.fault(hub.Invalid(name, "%s must be seconds since 1970.", name))
		}
		t = time.Unix(n, 0)
	}
	return t
}

func (a *asked) slow() time.Duration {
	const most = 24 * 60 * 60
	if text := a.q.Get("minDurationSeconds"); text != "" {
		n, err := strconv.ParseFloat(text, 64)
		if err != nil || !(n >= 0 && n <= most) {
			a.fault(hub.Invalid("minDurationSeconds", "minDurationSeconds must be a number from 0 to %d.", most))
			return 0
		}
		return time.Duration(n * float64(time.Second))
	}
	return 0
}

func (a *asked) amount(name string) money.Credits {
	text := a.q.Get(name)
	if text == "" {
		return 0
	}
	n, err := money.ParseCredits(text)
	if err != nil || n < 0 {
		a.fault(hub.Invalid(name, "%s must be a decimal with at most 9 digits behind the point.", name))
	}
	return n
}

var statuses = []hub.CallStatus{hub.StatusProcessing, hub.StatusSuccess, hub.StatusFailed, hub.StatusAborted, hub.StatusInterrupted}

func (a *asked) statuses() (out []hub.CallStatus) {
	text := a.q.Get("status")
	if text == "" || text == "all" {
		return nil
	}
	for word := range strings.SplitSeq(text, ",") {
		s := hub.CallStatus(word)
		if !slices.Contains(statuses, s) {
			a.fault(hub.Invalid("status", "status must be all, or of processing, success, failed, aborted and interrupted those wanted, by comma."))
			return nil
		}
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// search reads ?search= and ?searchFields=. The names of fields are AIGNE Hub's.
func (a *asked) search() (s store.CallSearch) {
	s.Text = strings.TrimSpace(a.text(mostFind, "search"))
	defer func() {
		if s.Text == "" {
			s = store.CallSearch{}
		}
	}()
	fields := a.text(mostText, "searchFields")
	if fields == "" {
		s.ID, s.Request, s.Trace, s.Model, s.User = true, true, true, true, true
		return s
	}
	for word := range strings.SplitSeq(fields, ",") {
		switch strings.TrimSpace(word) {
		case "id":
			s.ID = true
		case "requestId":
			s.Request = true
		case "traceId":
			s.Trace, s.Request = true, true // AIGNE Hub has one id for both
		case "model":
			s.Model = true
		case "userDid", "userId":
			s.User = true
		default:
			a.fault(hub.Invalid("searchFields", "searchFields must be of id, requestId, traceId, model and userId those wanted, by comma."))
		}
	}
	return s
}

// requestTime is how long after a request's own id, where that tells the time, its
// calls are looked for.
const requestTime = time.Hour

// narrow uses what a search tells of time: the id of a call, or that of a request,
// unless its caller made it otherwise, is a ULID. The id of a user leads to that
// user's calls.
func (h *handler) narrow(ctx context.Context, f *store.CallFilter) error {
	id, err := ulid.ParseStrict(strings.ToUpper(f.Search.Text))
	if err != nil {
		return nil //nolint:nilerr // other texts tell nothing
	}
	if f.Search.User && f.UserID == "" {
		switch _, err := h.Store.UserByID(ctx, f.Search.Text); {
		case err == nil:
			f.UserID, f.Search = f.Search.Text, store.CallSearch{}
			return nil
		case !errors.Is(err, store.ErrNotFound):
			return err
		}
	}
	f.Search.Model, f.Search.User = false, false
	from := ulid.Time(id.Time())
	if until := from.Add(requestTime); f.Span.Until.IsZero() || until.Before(f.Span.Until) {
		f.Span.Until = until
	}
	if from.After(f.Span.From) {
		f.Span.From = from
	}
	return nil
}

// filterOf reads which calls a request asks for, of those that its caller may see.
func (h *handler) filterOf(r *http.Request, c hub.Caller) (store.CallFilter, error) {
	a := asked{q: r.URL.Query()}
	f := store.CallFilter{
		AppID: a.text(mostText, "appId", "appDid"), Provider: a.text(mostText, "provider"), Model: a.text(mostText, "model"),
		Type: hub.CallType(a.text(mostText, "type")), Statuses: a.statuses(), ErrorCategory: a.text(mostText, "errorCategory"),
		Slow: a.slow(), MinCredits: a.amount("minCredits"), MinCost: a.amount("minCost"), Search: a.search(),
		Span: store.Span{From: a.seconds("startTime"), Until: a.seconds("endTime")},
	}
	if f.Type != "" && !f.Type.Valid() {
		a.fault(hub.Invalid("type", "type must be one of %v.", hub.CallTypes()))
	}
	if a.err != nil {
		return f, a.err
	}
	if err := whose(&a, &f, c); err != nil {
		return f, err
	}
	if err := h.byEmail(r.Context(), &f); err != nil {
		return f, err
	}
	if err := h.byID(r.Context(), &a, &f, c); err != nil {
		return f, err
	}
	if f.Search.Text != "" {
		err := h.narrow(r.Context(), &f)
		return f, err
	}
	return f, nil
}

// whose decides whose calls are shown: the caller's own unless an operator asks
// for more.
func whose(a *asked, f *store.CallFilter, c hub.Caller) error {
	scope := a.q.Get("scope")
	if all := a.q.Get("allUsers"); scope == "" && (all == "true" || all == "1") {
		scope = "all"
	}
	user := a.text(mostText, "userId", "userDid")
	switch {
	case scope != "" && scope != "own" && scope != "all":
		return hub.Invalid("scope", "scope must be own or all.")
	case scope == "all" && !c.All, user != "" && user != c.UserID && !c.All:
		return hub.Errorf(hub.CodeForbidden, "Only owners and admins may see everybody's calls.")
	case f.MinCost > 0 && !c.All:
		return hub.Errorf(hub.CodeForbidden, "Only owners and admins may ask for what calls cost the hub; minCredits asks for charges.")
	case user != "":
		f.UserID = user
	case scope != "all":
		f.UserID = c.UserID
	}
	return a.err
}

// byEmail turns the e-mail address of a user into the id; only operators come here
// with one.
func (h *handler) byEmail(ctx context.Context, f *store.CallFilter) error {
	if !strings.Contains(f.UserID, "@") {
		return nil
	}
	u, err := h.Store.UserByEmail(ctx, f.UserID)
	if errors.Is(err, store.ErrNotFound) {
		return hub.Invalid("userId", "There is no user with this e-mail address.")
	}
	f.UserID = u.ID
	return err
}

// byID turns the ids of keys and providers into what calls are found by.
func (h *handler) byID(ctx context.Context, a *asked, f *store.CallFilter, c hub.Caller) error {
	if id := a.text(mostText, "providerId"); id != "" && f.Provider == "" && a.err == nil {
		all, err := h.Store.Providers(ctx)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(all, func(p store.Provider) bool { return p.ID == id })
		if i < 0 {
			return hub.Invalid("providerId", "There is no provider with this id.")
		}
		f.Provider = all[i].Name
	}
	f.KeyID = a.text(mostText, "keyId")
	if f.KeyID == "" || f.UserID == c.UserID || a.err != nil {
		return a.err
	}
	// A key's calls are found among its user's.
	key, err := h.Store.KeyByID(ctx, f.KeyID)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil // it may have made calls before it was deleted
	case err == nil && f.UserID == "":
		f.UserID = key.UserID
	}
	return err
}
