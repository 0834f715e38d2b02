package main

import (
	"encoding/json"
	"strconv"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/calls"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

func callSpecs() []spec {
	return []spec{
		{
			name: "list", usage: "list calls, newest first", run: callsList,
			flags: append(callFilterFlags(), number("limit", "at most so many; 50 when not given"),
				text("before", "only calls older than the one with this `ID`: the last one of the page before")),
		},
		{
			name: "export", usage: "print all calls, newest first, as CSV or NDJSON", run: callsExport,
			about: "However many there are: they are not gathered first. Cells of CSV that a spreadsheet could take for a formula\n" +
				"begin with an apostrophe.",
			flags: append(callFilterFlags(), text("format", "`FORM`: csv (default) or ndjson"),
				text("lang", "`LANGUAGE` of the heading: en (default), zh, zh-TW or ja"), text("tz", "`ZONE` of times, such as Asia/Tokyo (UTC)")),
		},
		{
			name: "payload", usage: "show what was kept of the bodies of a call; that is put on record", run: callsPayload, needs: []string{"id"}, arg: "id",
			flags: []cli.Flag{text("id", "`ID` of the call")},
		},
	}
}

// callView is a call as it is shown.
type callView struct {
	ID             string           `json:"id"`
	CreatedAt      time.Time        `json:"created_at"`
	FinishedAt     *time.Time       `json:"finished_at"`
	User           string           `json:"user"`
	UserID         string           `json:"user_id"`
	KeyID          string           `json:"key_id"`
	AppID          string           `json:"app_id"`
	Type           hub.CallType     `json:"type"`
	Dialect        string           `json:"dialect"`
	RequestedModel string           `json:"requested_model"`
	Provider       string           `json:"provider"`
	Model          string           `json:"model"`
	Credential     string           `json:"credential"`
	Stream         bool             `json:"stream"`
	Status         hub.CallStatus   `json:"status"`
	HTTPStatus     int              `json:"http_status"`
	ErrorCategory  string           `json:"error_category"`
	Error          string           `json:"error"`
	Attempts       int              `json:"attempts"`
	Usage          map[string]int64 `json:"usage"`
	UsageSource    hub.UsageSource  `json:"usage_source"`
	Billing        bool             `json:"billing"`
	Credits        money.Credits    `json:"credits"`
	ChargePolicy   hub.ChargePolicy `json:"charge_policy,omitempty"` // the rule that decided what it costs; none: what was used
	Hold           money.Credits    `json:"hold"`
	Shortfall      money.Credits    `json:"shortfall"`
	Cost           *money.Credits   `json:"cost"` // US dollars; null: unknown
	RateID         string           `json:"rate_id"`
	RateVersion    int64            `json:"rate_version"`
	DurationMS     *int64           `json:"duration_ms"`
	TTFBMS         *int64           `json:"ttfb_ms"`
	ProviderTTFBMS *int64           `json:"provider_ttfb_ms"`
	RequestID      string           `json:"request_id"`
	Why            string           `json:"why"` // how an alias, a wish or the cache led there; "" for a plain name
	Plan           json.RawMessage  `json:"plan"`
}

func viewCall(c store.Call, email string) callView {
	v := callView{
		ID: c.ID, CreatedAt: c.CreatedAt, FinishedAt: c.FinishedAt, User: email, UserID: c.UserID, KeyID: c.APIKeyID, AppID: c.AppID,
		Type: c.Type, Dialect: c.Dialect, RequestedModel: c.RequestedModel, Provider: c.Provider, Model: c.Model, Credential: c.Credential,
		Stream: c.Stream, Status: c.Status, HTTPStatus: c.HTTPStatus, ErrorCategory: c.ErrorCategory, Error: c.Error, Attempts: c.Attempts,
		Usage: map[string]int64{}, UsageSource: c.Source, Billing: c.Billing, Credits: c.Credits, ChargePolicy: c.ChargePolicy, Hold: c.Hold, Shortfall: c.Shortfall,
		Cost: c.Cost, RateID: c.RateID, RateVersion: c.RateVersion, DurationMS: c.DurationMS, TTFBMS: c.TTFBMS,
		ProviderTTFBMS: c.ProviderTTFBMS, RequestID: c.RequestID, Why: c.Why(), Plan: c.Plan,
	}
	// The buckets of text are always there; of the others, those that count.
	for b := range hub.NumBuckets {
		if c.Usage[b] != 0 || b <= hub.Reasoning {
			v.Usage[b.String()] = c.Usage[b]
		}
	}
	return v
}

func callsList(j *job) error {
	limit := 50
	if j.c.IsSet("limit") {
		n := j.c.Int64("limit")
		if n < 1 || n > 1_000_000 {
			return hub.Invalid("limit", "--limit must be 1 to 1000000")
		}
		limit = int(n)
	}
	return j.withHub(func(a *boot.App) error {
		found, err := j.calls(a, limit)
		if err != nil {
			return err
		}
		mails := emails{store: a.Store}
		views, rows := make([]callView, 0, len(found)), make([][]string, 0, len(found))
		for _, c := range found {
			email, err := mails.of(j.ctx, c.UserID)
			if err != nil {
				return err
			}
			v := viewCall(c, email)
			views = append(views, v)
			rows = append(rows, []string{v.ID, timeOrDash(&v.CreatedAt), v.User, orDash(v.Provider), v.RequestedModel, string(v.Status),
				strconv.FormatInt(c.Usage.Prompt(), 10), strconv.FormatInt(c.Usage.Completion(), 10), v.Credits.String(), creditsOrDash(v.Cost),
				strconv.Itoa(v.HTTPStatus), orDash(v.Why), orDash(v.Error)})
		}
		return j.show(views, table("ID TIME USER PROVIDER MODEL STATUS IN OUT CREDITS COST-USD HTTP WHY ERROR", rows))
	})
}

func (j *job) calls(a *boot.App, limit int) ([]store.Call, error) {
	f, err := j.callFilter(a)
	if err != nil {
		return nil, err
	}
	f.Before = j.text("before")
	log := calls.Log{Store: a.Store, Archives: a.Archive}
	var all []store.Call
	for len(all) < limit {
		f.Limit = min(limit-len(all), page)
		p, err := log.Page(j.ctx, f)
		if err != nil {
			return nil, err
		}
		all = append(all, p.Calls...)
		if p.Floor == "" {
			break
		}
		f.Before = p.Floor
	}
	return all, nil
}
