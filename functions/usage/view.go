package usage

import (
	"time"

	"github.com/aigne-hub/aigne-hub/shared/calls"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/routing"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// callView is a call as its user sees it. Amounts are credits as decimal text.
type callView struct {
	ID             string           `json:"id"`
	CreatedAt      time.Time        `json:"created_at"`
	FinishedAt     *time.Time       `json:"finished_at"`
	UserID         string           `json:"user_id"`
	APIKeyID       string           `json:"api_key_id"`
	AppID          string           `json:"app_id"`
	RequestID      string           `json:"request_id"`
	Type           hub.CallType     `json:"type"`
	Dialect        string           `json:"dialect"`
	RequestedModel string           `json:"requested_model"`
	Why            string           `json:"why,omitempty"` // how an alias, a wish or the cache led there
	Provider       string           `json:"provider"`
	Model          string           `json:"model"`
	Stream         bool             `json:"stream"`
	Status         hub.CallStatus   `json:"status"`
	HTTPStatus     int              `json:"http_status"`
	ErrorCategory  string           `json:"error_category"`
	Error          string           `json:"error"`
	Usage          map[string]int64 `json:"usage"` // by bucket, without zeroes
	UsageSource    hub.UsageSource  `json:"usage_source"`
	Variant        string           `json:"variant,omitempty"` // quality/size that priced pictures or seconds
	Billed         bool             `json:"billed"`
	Hold           money.Credits    `json:"hold"`
	Credits        money.Credits    `json:"credits"`
	ChargePolicy   hub.ChargePolicy `json:"charge_policy,omitempty"` // the rule that decided what it costs; none: what was used
	RateID         string           `json:"rate_id"`
	RateVersion    int64            `json:"rate_version"`
	Attempts       int              `json:"attempts"`
	DurationMS     *int64           `json:"duration_ms"`
	TTFBMS         *int64           `json:"ttfb_ms"`
	ProviderTTFBMS *int64           `json:"provider_ttfb_ms"`

	*operatorView
}

// operatorView is what only those see who run the hub: which of their keys was
// used and what they pay.
type operatorView struct {
	Credential string         `json:"credential"`
	CostUSD    *money.Credits `json:"cost_usd"`  // null: unknown
	Shortfall  money.Credits  `json:"shortfall"` // what the wallet did not cover
}

func viewCall(c *store.Call, viewer hub.Caller) callView {
	v := callView{
		ID: c.ID, CreatedAt: c.CreatedAt, FinishedAt: c.FinishedAt, UserID: c.UserID, APIKeyID: c.APIKeyID, AppID: c.AppID,
		RequestID: c.RequestID, Type: c.Type, Dialect: c.Dialect, RequestedModel: c.RequestedModel, Why: c.Why(), Provider: c.Provider, Model: c.Model,
		Stream: c.Stream, Status: c.Status, HTTPStatus: c.HTTPStatus, ErrorCategory: c.ErrorCategory, Error: c.Error,
		Usage: map[string]int64{}, UsageSource: c.Source, Variant: c.Variant, Billed: c.Billing, Hold: c.Hold, Credits: c.Credits, ChargePolicy: c.ChargePolicy,
		RateID: c.RateID, RateVersion: c.RateVersion, Attempts: c.Attempts,
		DurationMS: c.DurationMS, TTFBMS: c.TTFBMS, ProviderTTFBMS: c.ProviderTTFBMS,
	}
	for b, n := range c.Usage {
		if n != 0 {
			v.Usage[hub.Bucket(b).String()] = n
		}
	}
	if viewer.All {
		v.operatorView = &operatorView{Credential: c.Credential, CostUSD: c.Cost, Shortfall: c.Shortfall}
	}
	return v
}

type detailView struct {
	callView
	FailedAttempts []attemptView      `json:"failed_attempts"`
	Plan           routing.Record     `json:"plan"`
	Explanation    *calls.Explanation `json:"explanation"`
}

// attemptView is a try that failed. Its error speaks of the operator's keys and
// quotas, so only administrators see it.
type attemptView struct {
	Provider   string `json:"provider"`
	Model      string `json:"model"`
	HTTPStatus int    `json:"http_status"`
	Category   string `json:"category"`
	DurationMS int64  `json:"duration_ms"`

	*operatorAttempt
}

type operatorAttempt struct {
	Credential string         `json:"credential"`
	Error      string         `json:"error"`
	CostUSD    *money.Credits `json:"cost_usd"`
}

func viewDetail(e *calls.Explanation, viewer hub.Caller) detailView {
	admin := viewer.All
	d := detailView{callView: viewCall(&e.Call, viewer), FailedAttempts: make([]attemptView, len(e.Failed)), Plan: e.Plan, Explanation: e}
	d.Plan.Hold = nil // the explanation has it
	if !admin {
		d.Plan.Refused = nil // why other targets were out speaks of the operator's set-up
	}
	for i, a := range e.Failed {
		v := attemptView{Provider: a.Provider, Model: a.Model, HTTPStatus: a.HTTPStatus, Category: a.Category, DurationMS: a.Duration.Milliseconds()}
		if admin {
			v.operatorAttempt = &operatorAttempt{Credential: a.Credential, Error: a.Error, CostUSD: a.Cost}
		}
		d.FailedAttempts[i] = v
	}
	return d
}
