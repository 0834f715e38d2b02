// Package admin lets owners and admins set the hub up: providers, their
// credentials, rates, users, keys and webhooks, and shows how it fares. Every act goes through the operator's
// desk, which checks and audits it; no secret ever comes back out.
package admin

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/capture"
	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/reseal"
	"github.com/aigne-hub/aigne-hub/shared/routing"
	"github.com/aigne-hub/aigne-hub/shared/schedule"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/upstream"
)

// Deps is what the function needs.
type Deps struct {
	httpkit.Deps // who calls, the clock, the log, the limit of bodies

	Store  *store.Store
	Desk   *operator.Desk
	Routes func() *routing.Snapshot // knows the providers of the environment
	// Probe asks a provider what costs nothing under a credential.
	Probe   func(ctx context.Context, p *routing.Provider, secret hub.Secret) upstream.Probe
	Capture *capture.Recorder // counts; nil: no bodies are kept
	// Settings are what the process was started with, without secrets.
	Settings []boot.Effective
	// Upstream knows which credentials rest.
	Upstream *upstream.Client
	// Streams: answers can go on for ever. Otherwise, on Lambda, a stream of events
	// ends with what there is, and the console comes back.
	Streams bool
	Billing bool // calls are charged
	// System tells what runs; what the database and the runtime know is added.
	System  func(context.Context) (systemView, error)
	Rotator func() *reseal.Rotator  // of the keys that seal secrets
	Runner  func() *schedule.Runner // of this process's jobs; nil: there are none
	// Ping is the silence on a stream before a comment is sent; 0: 15 s.
	Ping time.Duration
	// Leaving ends when streams must end. nil: never.
	Leaving context.Context
}

type handler struct {
	Deps
	feed feed
}

// New returns the function's handler.
func New(d Deps) http.Handler {
	if d.Leaving == nil {
		d.Leaving = context.Background()
	}
	if d.Ping == 0 {
		d.Ping = pingEvery
	}
	h := &handler{Deps: d}
	return httpkit.Mux(h.routes(), d.Deps)
}

// Routes is everything the function serves, and who may call it. The handlers in
// it are not fit to be called.
func Routes() []httpkit.Route { return httpkit.Describe((&handler{}).routes(), docs()) }

func (h *handler) routes() []httpkit.Route {
	const (
		providers   = "/api/admin/providers"
		credentials = providers + "/{name}/credentials"
	)
	admin := func(method, pattern string, as httpkit.CallerHandler) httpkit.Route {
		return httpkit.Route{Method: method, Pattern: pattern, Who: httpkit.Admin, As: as, Scope: hub.ScopeAdmin, Data: httpkit.All}
	}
	return slices.Concat(h.rateRoutes(admin), h.catalogueRoutes(admin), h.aigneRateRoutes(admin), h.peopleRoutes(admin), h.archiveRoutes(admin), h.oauthRoutes(admin), h.systemRoutes(admin), []httpkit.Route{
		admin("GET", "/api/admin/provider-kinds", h.listKinds),
		admin("GET", providers, h.listProviders),
		admin("POST", providers, h.addProvider),
		admin("PATCH", providers+"/{name}", h.changeProvider),
		admin("DELETE", providers+"/{name}", h.removeProvider),
		admin("POST", providers+"/{name}/test", h.testProvider),
		admin("GET", credentials, h.listCredentials),
		admin("POST", credentials, h.addCredential),
		admin("PATCH", credentials+"/{credential}", h.changeCredential),
		admin("DELETE", credentials+"/{credential}", h.removeCredential),
		admin("GET", "/api/admin/aliases", h.listAliases),
		admin("PUT", "/api/admin/aliases", h.setAlias),
		admin("DELETE", "/api/admin/aliases/{name...}", h.removeAlias),
		admin("GET", "/api/admin/capture", h.capture),
		admin("POST", "/api/admin/capture/rules", h.addCaptureRule),
		admin("DELETE", "/api/admin/capture/rules/{id}", h.removeCaptureRule),
		admin("GET", "/api/admin/limits", h.listLimits),
		admin("PUT", "/api/admin/limits", h.setLimit),
		admin("DELETE", "/api/admin/limits/{id}", h.removeLimit),
		admin("GET", "/api/admin/audit", h.listActs),
		admin("GET", "/api/admin/audit/export", h.exportActs),
		admin("GET", "/api/admin/audit/verify", h.verifyActs),
		admin("GET", "/api/admin/settings", h.listSettings),
		admin("GET", "/api/admin/events", h.events),
		admin("GET", "/api/admin/alerts", h.listAlerts),
		admin("POST", "/api/admin/alerts/{id}/acknowledge", h.acknowledgeAlert),
		admin("GET", "/api/admin/alerts/rules", h.alertRules),
		admin("PUT", "/api/admin/alerts/rules", h.setAlertRules),
		admin("GET", "/api/admin/notifications", h.listNotifications),
		admin("POST", "/api/admin/notifications/{id}/resend", h.resendNotification),
		admin("GET", "/api/admin/notifications/email", h.mailKinds),
		admin("PUT", "/api/admin/notifications/email", h.setMailKinds),
		admin("GET", "/api/admin/notifications/low-balance", h.lowBalance),
		admin("PUT", "/api/admin/notifications/low-balance", h.setLowBalance),
		admin("GET", "/api/admin/webhooks", h.listWebhooks),
		admin("POST", "/api/admin/webhooks", h.addWebhook),
		admin("DELETE", "/api/admin/webhooks/{id}", h.removeWebhook),
		admin("POST", "/api/admin/webhooks/{id}/test", h.testWebhook),
		admin("GET", "/api/admin/probes", h.listProbes),
		admin("GET", "/api/ai-providers/health", h.health),
		admin("GET", "/api/ai/health", h.health),
		admin("GET", "/api/admin/users", h.listUsers),
		admin("POST", "/api/admin/users", h.createUser),
		admin("GET", "/api/admin/users/{email}", h.getUser),
		admin("PUT", "/api/admin/users/{email}/groups", h.setGroups),
		admin("PUT", "/api/admin/users/{email}/did", h.setDID),
		admin("GET", "/api/admin/keys", h.listKeys),
		admin("POST", "/api/admin/keys", h.createKey),
		admin("GET", "/api/admin/keys/{id}", h.getKey),
		admin("PATCH", "/api/admin/keys/{id}", h.changeKey),
		admin("POST", "/api/admin/keys/{id}/rotate", h.rotateKey),
		admin("DELETE", "/api/admin/keys/{id}", h.revokeKey),
		admin("GET", "/api/admin/apps", h.listApps),
		admin("GET", "/api/admin/apps/{id...}", h.getApp),
		admin("PATCH", "/api/admin/apps/{id...}", h.setApp),
	})
}

// administered makes a route for admins.
type administered func(method, pattern string, as httpkit.CallerHandler) httpkit.Route
