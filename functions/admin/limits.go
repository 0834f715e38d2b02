package admin

import (
	"net/http"
	"strconv"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/limits"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// limitView is a limit. Amount is a number, or decimal credits.
type limitView struct {
	ID      string `json:"id"`
	Scope   string `json:"scope"`
	Subject string `json:"subject"` // an id, a model, or * for each
	Metric  string `json:"metric"`
	Period  string `json:"period"`
	Amount  string `json:"amount"`
	Managed string `json:"managed,omitempty"` // file: only the file that was applied may change it
}

func viewLimit(l store.Limit) limitView {
	v := limitView{ID: l.ID, Scope: l.Scope, Subject: l.Subject, Metric: l.Metric, Period: l.Period, Amount: money.Credits(l.Amount).String(), Managed: l.Managed}
	if l.Metric != limits.Credits {
		v.Amount = strconv.FormatInt(l.Amount, 10)
	}
	return v
}

// limitUseView is a limit with how much of it is used now, by whoever uses most.
type limitUseView struct {
	limitView
	Name    string     `json:"name"`    // of the key or application, the user's address; "" otherwise
	Owner   string     `json:"owner"`   // address of the key's user
	Used    string     `json:"used"`    // like amount
	UsedBy  string     `json:"used_by"` // an id or a model; "" where nobody uses any
	Counted int64      `json:"counted"` // how many are counted by themselves
	Ends    *time.Time `json:"ends"`    // when counting begins anew; null: never
}

// listLimits lists limits, of ?scope=, ?subject= and ?metric= if given.
func (h *handler) listLimits(w http.ResponseWriter, r *http.Request, _ hub.Caller) error {
	before, size, err := httpkit.CursorPage(r)
	if err != nil {
		return err
	}
	q := r.URL.Query()
	f := store.LimitFilter{Scope: q.Get("scope"), Subject: q.Get("subject"), Metric: q.Get("metric")}
	if f.Scope == limits.User && f.Subject != "" && f.Subject != limits.Each {
		u, err := h.Desk.User(r.Context(), f.Subject)
		if err != nil {
			return err
		}
		f.Subject = u.ID
	}
	rows, err := h.Store.LimitsPage(r.Context(), f, before, size+1)
	if err != nil {
		return err
	}
	uses := make(map[string]store.LimitUse, len(rows))
	for _, row := range rows {
		if uses[row.ID], err = h.Store.LimitUse(r.Context(), row.Limit); err != nil {
			return err
		}
	}
	return httpkit.WriteJSON(w, http.StatusOK, httpkit.Listed(rows, size, func(l store.LimitRow) string { return l.ID }, func(l store.LimitRow) limitUseView {
		return h.viewUse(l, uses[l.ID])
	}))
}

func (h *handler) viewUse(l store.LimitRow, u store.LimitUse) limitUseView {
	v := limitUseView{limitView: viewLimit(l.Limit), Name: l.Name, Owner: l.Owner, UsedBy: u.Counts, Counted: u.Counted, Used: strconv.FormatInt(u.Most, 10)}
	if l.Metric == limits.Credits {
		v.Used = money.Credits(u.Most).String()
	}
	if u.Ends > 0 {
		v.Ends = new(h.Now().UTC().Add(time.Duration(u.Ends) * time.Millisecond).Round(time.Second))
	}
	return v
}

func (h *handler) setLimit(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	n, err := httpkit.Decode[operator.NewLimit](r)
	if err != nil {
		return err
	}
	l, err := h.Desk.SetLimit(r.Context(), c.Email, n)
	if err != nil {
		return err
	}
	return httpkit.WriteJSON(w, http.StatusOK, viewLimit(l))
}

func (h *handler) removeLimit(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	if err := h.Desk.RemoveLimit(r.Context(), c.Email, r.PathValue("id")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
