package usage

import (
	"context"
	"encoding/json"
	"math"
	"net/http"

	"github.com/oklog/ulid/v2"

	"github.com/aigne-hub/aigne-hub/shared/calls"
	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// numberedPage is a page in the form of AIGNE Hub (GET /api/user/model-calls with
// page). Its count ends at calls.MaxCount, and so do its pages.
type numberedPage struct {
	Count      int        `json:"count"`
	CountExact bool       `json:"countExact"` // false: there can be more
	List       []oldCall  `json:"list"`
	Paging     pagingView `json:"paging"`
}

type pagingView struct {
	Page     int `json:"page"`
	PageSize int `json:"pageSize"`
	// AsOf is the newest call that was counted. Sent along as ?asOf= it keeps the
	// pages where they are while calls are added.
	AsOf string `json:"asOf"`
}

// oldCall is a call in AIGNE Hub's names and units: seconds with one decimal for
// durations, milliseconds for the first byte.
type oldCall struct {
	ID           string           `json:"id"`
	CallTime     int64            `json:"callTime"` // seconds since 1970
	CreatedAt    string           `json:"createdAt"`
	RequestID    string           `json:"requestId"`
	TraceID      string           `json:"traceId"`
	Model        string           `json:"model"`
	ProviderID   string           `json:"providerId"` // "" for one of the environment
	Type         hub.CallType     `json:"type"`
	Status       hub.CallStatus   `json:"status"`
	Duration     *float64         `json:"duration"`
	TotalUsage   int64            `json:"totalUsage"`
	UsageMetrics map[string]int64 `json:"usageMetrics"`
	Credits      json.Number      `json:"credits"`
	ErrorReason  string           `json:"errorReason"`
	AppDID       string           `json:"appDid"`
	UserDID      string           `json:"userDid"`
	TTFB         *int64           `json:"ttfb"`
	ProviderTTFB *int64           `json:"providerTtfb"`
	Provider     oldProvider      `json:"provider"`
	AppInfo      *oldApp          `json:"appInfo,omitempty"`
	UserInfo     *oldUser         `json:"userInfo,omitempty"`
}

type oldProvider struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	DisplayName string `json:"displayName"`
}

type oldApp struct {
	AppDID  string `json:"appDid"`
	AppName string `json:"appName"`
}

type oldUser struct {
	DID   string `json:"did"`
	Email string `json:"email"`
}

// numberedPage answers ?page=. Further than calls.MaxCount it does not leaf: by
// cursor there is no end.
func (h *handler) numberedPage(w http.ResponseWriter, r *http.Request, f store.CallFilter, p httpkit.Paging) error {
	v, err := h.numbered(r, f, p)
	if err != nil {
		return err
	}
	return httpkit.WriteJSON(w, http.StatusOK, v)
}

func (h *handler) numbered(r *http.Request, f store.CallFilter, p httpkit.Paging) (v numberedPage, err error) {
	ctx := r.Context()
	v = numberedPage{List: []oldCall{}, Paging: pagingView{Page: p.Page, PageSize: p.Size}}
	if p.Offset()+p.Size > calls.MaxCount {
		return v, hub.Invalid("page", "page and pageSize lead beyond %d calls; go on with before=<the last id> in place of page.", calls.MaxCount)
	}
	if v.Paging.AsOf = r.URL.Query().Get("asOf"); v.Paging.AsOf == "" {
		if v.Paging.AsOf, err = h.newest(ctx, f); err != nil {
			return v, err
		}
	} else if _, err := ulid.ParseStrict(v.Paging.AsOf); err != nil {
		return v, hub.Invalid("asOf", "asOf must be what an answer had in paging.")
	}
	if v.Paging.AsOf != "" {
		f.Before = v.Paging.AsOf + "~" // that one too
	}
	if v.Count, v.CountExact, err = h.log().Count(ctx, f); err != nil {
		return v, err
	}
	before, ok, err := h.log().Skip(ctx, f, p.Offset())
	if err != nil || !ok {
		return v, err
	}
	f.Before = before
	found, _, err := h.page(ctx, f, p.Size)
	if err != nil {
		return v, err
	}
	v.List, err = h.oldCalls(ctx, found)
	return v, err
}

// projectPage is a page of an application's calls in AIGNE Hub's form (GET
// /api/usage/projects/calls).
type projectPage struct {
	List     []oldCall `json:"list"`
	Count    int       `json:"count"`
	Page     int       `json:"page"`
	PageSize int       `json:"pageSize"`
}

// projectCalls lists the calls of an application: ?appDid=.
func (h *handler) projectCalls(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	p, err := httpkit.ParsePaging(r)
	if err != nil {
		return err
	}
	f, err := h.filterOf(r, c)
	if err != nil {
		return err
	}
	if f.AppID == "" {
		return hub.Invalid("appDid", "appDid must name an application.")
	}
	v, err := h.numbered(r, f, p)
	if err != nil {
		return err
	}
	return httpkit.WriteJSON(w, http.StatusOK, projectPage{v.List, v.Count, p.Page, p.Size})
}

// newest is the newest call that a filter selects, so that what is counted and what
// is shown are of the same calls.
func (h *handler) newest(ctx context.Context, f store.CallFilter) (id string, err error) {
	found, _, err := h.page(ctx, f, 1)
	if err != nil || len(found) == 0 {
		return "", err
	}
	return found[0].ID, nil
}

func (h *handler) oldCalls(ctx context.Context, found []store.Call) ([]oldCall, error) {
	out := make([]oldCall, len(found))
	var users, apps []string
	for i := range found {
		users, apps = append(users, found[i].UserID), append(apps, found[i].AppID)
	}
	people, err := h.Store.UserNames(ctx, users)
	if err != nil {
		return nil, err
	}
	names, err := h.Store.AppNames(ctx, apps)
	if err != nil {
		return nil, err
	}
	all, err := h.Store.Providers(ctx)
	if err != nil {
		return nil, err
	}
	providers := map[string]oldProvider{}
	for _, p := range all {
		providers[p.Name] = oldProvider{p.ID, p.Name, p.DisplayName}
	}
	for i := range found {
		c := &found[i]
		v := viewOldCall(c)
		var ok bool
		if v.Provider, ok = providers[c.Provider]; !ok {
			v.Provider = oldProvider{Name: c.Provider, DisplayName: c.Provider}
		}
		v.ProviderID = v.Provider.ID
		if c.AppID != "" {
			v.AppInfo = &oldApp{c.AppID, names[c.AppID].Name}
		}
		if user, ok := people[c.UserID]; ok {
			v.UserInfo = &oldUser{c.UserID, user.Email}
		}
		out[i] = v
	}
	return out, nil
}

func viewOldCall(c *store.Call) oldCall {
	v := oldCall{ID: c.ID, CallTime: c.CreatedAt.Unix(), CreatedAt: c.CreatedAt.UTC().Format("2006-01-02T15:04:05.000Z"), RequestID: c.RequestID,
		TraceID: c.TraceID, Model: c.Model, Type: c.Type, Status: c.Status, UsageMetrics: map[string]int64{}, Credits: number(c.Credits),
		ErrorReason: c.Error, AppDID: c.AppID, UserDID: c.UserID, TTFB: c.TTFBMS, ProviderTTFB: c.ProviderTTFBMS}
	if v.Model == "" {
		v.Model = c.RequestedModel
	}
	if c.DurationMS != nil {
		v.Duration = new(math.Round(float64(*c.DurationMS)/100) / 10)
	}
	u := &c.Usage
	prompt := u.Prompt()
	for name, n := range map[string]int64{"inputTokens": prompt, "outputTokens": u.Completion(), "totalTokens": prompt + u.Completion(),
		"cacheReadInputTokens": u[hub.CacheRead], "cacheCreationInputTokens": u[hub.CacheWrite5m] + u[hub.CacheWrite1h],
		"numberOfImageGeneration": u[hub.Images], "mediaDuration": u[hub.Seconds]} {
		if n != 0 {
			v.UsageMetrics[name] = n
		}
	}
	if v.TotalUsage = prompt + u.Completion(); v.TotalUsage == 0 {
		v.TotalUsage = u[hub.Images] + u[hub.Seconds]
	}
	return v
}
