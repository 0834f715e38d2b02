package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/movein"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// historyView is what came of one table of calls or usage.
type historyView struct {
	Name    string        `json:"name"`
	Added   int64         `json:"added"`
	Present int64         `json:"present"` // there already
	Left    int64         `json:"left"`    // cannot be taken over
	Credits money.Credits `json:"credits"` // of all that was read; charged there, not here
}

// historian takes over calls page by page.
type historian struct {
	*importer
	old    *movein.AIGNEHub
	dry    bool
	report bool
	ids    map[string]string // of users by their DIDs
}

func (h *historian) run(ctx context.Context) ([]historyView, error) {
	if err := h.knowUsers(ctx); err != nil {
		return nil, err
	}
	all := h.old.Histories()
	if h.report {
		all = append(all, h.old.Unreported())
	}
	views := []historyView{}
	for _, one := range all {
		v, err := h.take(ctx, one)
		if err != nil {
			return views, fmt.Errorf("%s, after %d calls; the import goes on there when it is run again: %w", one.Name, v.Added, err)
		}
		views = append(views, v)
	}
	if h.report {
		return views, nil
	}
	rows, sum, err := h.old.CountUnreported(ctx)
	if err == nil && rows > 0 {
		h.leave("usage", fmt.Sprintf("%d rows", rows), "usage of "+sum+" credits was not reported to Payment Kit, or may not have been; --report-usage takes it over, if the old hub will not report it any more")
	}
	return views, err
}

// knowUsers reads the ids of users, who have been made by now.
func (h *historian) knowUsers(ctx context.Context) error {
	all, err := allUsers(ctx, h.app)
	if err != nil {
		return err
	}
	byEmail := map[string]string{}
	h.ids = map[string]string{}
	for _, u := range all {
		byEmail[u.Email] = u.ID
		if u.DID != "" {
			h.ids[u.DID] = u.ID
		}
	}
	for _, u := range h.src.Users {
		if id := byEmail[h.emails[u.Email]]; id != "" && h.ids[u.DID] == "" {
			h.ids[u.DID] = id
		}
	}
	h.ids[movein.NobodyDID] = byEmail[nobody]
	return nil
}

// nobody is the user of calls that name none.
const nobody = "nobody@aigne-hub.invalid"

func (h *historian) take(ctx context.Context, one movein.History) (v historyView, err error) {
	v.Name = one.Name
	setting := "import/" + h.name + "/" + one.Name
	after, err := h.app.Store.Setting(ctx, setting)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return v, err
	}
	for {
		calls, last, left, err := one.Read(ctx, after)
		if err != nil || last == "" {
			return v, err
		}
		v.Left += int64(left)
		calls, sum, err := h.place(ctx, calls, &v)
		if err != nil {
			return v, err
		}
		v.Credits += sum
		if err := h.put(ctx, calls, setting, last, &v); err != nil {
			return v, err
		}
		after = last
	}
}

// place finds whose calls are.
func (h *historian) place(ctx context.Context, calls []store.PastCall, v *historyView) (kept []store.PastCall, sum money.Credits, err error) {
	for _, c := range calls {
		c.Provider = cmp.Or(h.renamed[c.Provider], c.Provider)
		if c.UserID = h.ids[c.User]; c.UserID == "" && c.User == movein.NobodyDID && !h.dry {
			if err := h.makeNobody(ctx); err != nil {
				return nil, 0, err
			}
			c.UserID = h.ids[c.User]
		}
		if c.UserID == "" && !h.dry {
			v.Left++
			continue
		}
		total, err := money.Add(c.Credits, c.Reported.Credits)
		if err == nil {
			sum, err = money.Add(sum, total)
		}
		if err != nil {
			return nil, 0, err
		}
		kept = append(kept, c)
	}
	return kept, sum, nil
}

func (h *historian) makeNobody(ctx context.Context) error {
	now := h.app.Now()
	u, err := h.app.Desk.TakeUser(ctx, actor, store.User{Email: nobody, Name: "nobody", Role: hub.RoleGuest, DisabledAt: &now}, h.name)
	if err == nil {
		h.ids[movein.NobodyDID] = u.ID
	}
	return err
}

func (h *historian) put(ctx context.Context, calls []store.PastCall, setting, mark string, v *historyView) error {
	if !h.dry {
		added, err := h.app.Store.AddPastCalls(ctx, calls, setting, mark)
		v.Added += added
		v.Present += int64(len(calls)) - added
		return err
	}
	ids := make([]string, len(calls))
	for i := range calls {
		ids[i] = calls[i].ID
	}
	present, err := h.app.Store.HasCalls(ctx, ids)
	v.Present += present
	v.Added += int64(len(calls)) - present
	return err
}
