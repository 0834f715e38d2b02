package usage

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/rollup"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// mostFilter bounds the texts that statistics are filtered by.
const mostFilter = 256

// question reads what every statistic takes: ?startTime= and ?endTime= (seconds; the
// end is now at the latest) or ?timeRange= (days, 30); ?timezone= (IANA) or
// ?timezoneOffset= (minutes, as JavaScript's getTimezoneOffset gives them);
// ?granularity=; ?allUsers=true, ?user= for operators; and filters.
func (h *handler) question(r *http.Request, c hub.Caller) (rollup.Question, error) {
	var q rollup.Question
	within, err := statSpan(r, h.Now())
	if err != nil {
		return q, err
	}
	q.From, q.Until = within.From, within.Until
	if q.Zone, err = statZone(r); err != nil {
		return q, err
	}
	if q.Step, err = statStep(r, within); err != nil {
		return q, err
	}
	return q, h.only(r, c, &q.Only)
}

// statSpan reads the range. Unlike the quota's it may be as long as the hub is old.
func statSpan(r *http.Request, now time.Time) (store.Span, error) {
	s := store.Span{Until: now}
	days := int64(defaultRange)
	const mostDays = 100 * mostRange
	for _, p := range []struct {
		name string
		most int64
		into func(n int64)
	}{
		{"endTime", latest, func(n int64) {
			if end := time.Unix(n, 0); end.Before(now) {
				s.Until = end
			}
		}},
		{"timeRange", mostDays, func(n int64) { days = n }},
		{"startTime", latest, func(n int64) { s.From = time.Unix(n, 0) }},
	} {
		text := r.URL.Query().Get(p.name)
		if text == "" {
			continue
		}
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 1 || n > p.most {
			return s, hub.Invalid(p.name, "%s must be a whole number from 1 to %d.", p.name, p.most)
		}
		p.into(n)
	}
	if s.From.IsZero() {
		s.From = s.Until.Add(-time.Duration(days) * day)
	}
	if !s.From.Before(s.Until) {
		return s, hub.Invalid("startTime", "startTime must lie before endTime, and before now.")
	}
	return s, nil
}

// statZone reads the time zone.
func statZone(r *http.Request) (*time.Location, error) {
	q := r.URL.Query()
	name, offset := q.Get("timezone"), q.Get("timezoneOffset")
	if name != "" || offset == "" {
		return rollup.Zone(name)
	}
	const east, west, hour = -14 * 60, 12 * 60, 60
	n, err := strconv.Atoi(offset)
	if err != nil || n < east || n > west {
		return nil, hub.Invalid("timezoneOffset", "timezoneOffset must be minutes from %d to %d, those that UTC is ahead.", east, west)
	}
	if n == 0 {
		return time.UTC, nil
	}
	sign, minutes := '-', n
	if n < 0 {
		sign, minutes = '+', -n
	}
	return time.FixedZone(fmt.Sprintf("UTC%c%02d:%02d", sign, minutes/hour, minutes%hour), -n*hour), nil
}

// statStep reads how long the points of a trend are: hours of up to a day, else
// days, unless it says otherwise.
func statStep(r *http.Request, within store.Span) (rollup.Step, error) {
	switch s := rollup.Step(r.URL.Query().Get("granularity")); {
	case s == "" && within.Until.Sub(within.From) <= day:
		return rollup.ByHour, nil
	case s == "":
		return rollup.ByDay, nil
	case slices.Contains(rollup.Steps(), s):
		return s, nil
	}
	return "", hub.Invalid("granularity", "granularity must be hour, day, week or month.")
}

// only reads the filters. Without allUsers everybody sees what is their own.
func (h *handler) only(r *http.Request, c hub.Caller, k *store.StatKey) error {
	q := r.URL.Query()
	for _, f := range []struct {
		names []string
		into  func(string)
	}{
		{[]string{"model"}, func(v string) { k.Model = v }},
		{[]string{"provider"}, func(v string) { k.Provider = v }},
		{[]string{"app", "appDid"}, func(v string) { k.AppID = v }},
		{[]string{"keyId"}, func(v string) { k.KeyID = v }},
		{[]string{"type"}, func(v string) { k.Type = hub.CallType(v) }},
		{[]string{"status"}, func(v string) { k.Status = hub.CallStatus(v) }},
		{[]string{"category"}, func(v string) { k.Category = v }},
	} {
		for _, name := range f.names {
			if v := q.Get(name); len(v) > mostFilter {
				return hub.Invalid(name, "%s is longer than %d characters.", name, mostFilter)
			} else if v != "" {
				f.into(v)
			}
		}
	}
	if k.Type != "" && !k.Type.Valid() {
		return hub.Invalid("type", "There is no type %q of calls.", string(k.Type))
	}
	if s := k.Status; s != "" && s != hub.StatusSuccess && s != hub.StatusFailed && s != hub.StatusAborted && s != hub.StatusInterrupted {
		return hub.Invalid("status", "status must be success, failed, aborted or interrupted.")
	}
	return h.whose(r, c, k)
}

// whose decides whose calls are counted.
func (h *handler) whose(r *http.Request, c hub.Caller, k *store.StatKey) error {
	q := r.URL.Query()
	everybody := false
	for _, name := range []string{"allUsers", "allUser"} {
		switch v := q.Get(name); v {
		case "", "false", "0":
		case "true", "1":
			everybody = true
		default:
			return hub.Invalid(name, "%s must be true or false.", name)
		}
	}
	switch scope := q.Get("scope"); scope {
	case "", "own":
	case "all":
		everybody = true
	default:
		return hub.Invalid("scope", "scope must be own or all.")
	}
	user := q.Get("user")
	if (everybody || user != "") && !c.All {
		return hub.Errorf(hub.CodeForbidden, "Only owners and admins may see everybody's usage.")
	}
	switch {
	case user != "":
		return h.userByName(r, user, k)
	case everybody:
		return h.ownerOfKey(r, k)
	}
	k.UserID = c.UserID
	return nil
}

// userByName finds a user by id or e-mail address.
func (h *handler) userByName(r *http.Request, name string, k *store.StatKey) error {
	u, err := h.Store.UserByID(r.Context(), name)
	if isNotFound(err) {
		u, err = h.Store.UserByEmail(r.Context(), name)
	}
	if isNotFound(err) {
		return hub.Invalid("user", "There is no user with this id or e-mail address.")
	}
	k.UserID = u.ID
	return err
}

// ownerOfKey narrows what is read to the user of the key that is asked for.
func (h *handler) ownerOfKey(r *http.Request, k *store.StatKey) error {
	if k.KeyID == "" {
		return nil
	}
	key, err := h.Store.KeyByID(r.Context(), k.KeyID)
	if isNotFound(err) {
		return hub.Invalid("keyId", "There is no API key with this id.")
	}
	k.UserID = key.UserID
	return err
}

// price is the credit price for those who may see costs, else "".
func (h *handler) price(c hub.Caller) string {
	if c.All {
		return h.CreditPrice
	}
	return ""
}

// statParams describe what question reads.
func statParams(more ...httpkit.Param) []httpkit.Param {
	return append([]httpkit.Param{
		{Name: "startTime", Doc: "Seconds since 1970. Ends are moved outwards to quarter-hours.", Number: true},
		{Name: "endTime", Doc: "Seconds since 1970; now at the latest.", Number: true},
		{Name: "timeRange", Doc: "Days, in place of startTime; 30 unless given.", Number: true},
		httpkit.Query("timezone", "IANA name of the time zone of days, such as Asia/Kolkata; UTC unless given."),
		httpkit.Query("timezoneOffset", "Minutes that UTC is ahead, in place of timezone."),
		httpkit.Query("allUsers", "Everybody's calls are for owners and admins.", "true", "false", "1", "0"),
		httpkit.Query("scope", "The same in other words.", "own", "all"),
		httpkit.Query("user", "Id or e-mail address; for owners and admins."),
		httpkit.Query("model", "Only calls of this model."), httpkit.Query("provider", "Only calls of this provider."),
		httpkit.Query("app", "Only calls of this application; appDid is the same."), httpkit.Query("keyId", "Only calls of the API key with this id."),
		httpkit.Query("type", "Only calls of this type."), httpkit.Query("status", "Only calls that ended so.", "success", "failed", "aborted", "interrupted"),
		httpkit.Query("category", "Only calls with this error category."),
	}, more...)
}
