// Package billing shows credits and gives them: balances, grants, operations,
// the check of the books, and the jobs that keep them right. Calls are charged
// by the proxy, in the unit that settles them, not here.
package billing

import (
	"net/http"
	"slices"

	"github.com/aigne-hub/aigne-hub/shared/blocklet"
	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/ledger"
	"github.com/aigne-hub/aigne-hub/shared/mirror"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/routing"
	"github.com/aigne-hub/aigne-hub/shared/selling"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// Deps is what the function needs.
type Deps struct {
	httpkit.Deps // who calls, the clock, the log, the limit of bodies

	Store       *store.Store
	Book        *ledger.Book
	Desk        *operator.Desk
	Codes       *selling.Codes
	Shop        *selling.Shop
	Billing     bool   // calls are charged
	PaymentLink string // where credits can be had; "" when nowhere
	PublicURL   string // where users reach the hub; "" when unknown
	// Routes are the models and their prices; anonymous callers see them where
	// PublicModels is set.
	Routes       func() *routing.Snapshot
	PublicModels bool

	// Mirror and Blocklet are set where a Payment Kit sells credits.
	Mirror   *mirror.Mirror
	Blocklet *blocklet.Environment
}

type handler struct{ Deps }

// New returns the function's handler.
func New(d Deps) http.Handler {
	h := &handler{d}
	return httpkit.Mux(h.routes(), d.Deps)
}

// Routes is everything the function serves, and who may call it. The handlers in
// it are not fit to be called.
func Routes() []httpkit.Route { return httpkit.Describe((&handler{}).routes(), docs()) }

func (h *handler) routes() []httpkit.Route {
	return slices.Concat(h.creditRoutes(), h.codeRoutes(), h.shopRoutes(), h.receiptRoutes(), h.accountRoutes())
}

func (h *handler) creditRoutes() []httpkit.Route {
	return []httpkit.Route{
		{Method: "GET", Pattern: "/api/user/credit/balance", Who: httpkit.AnyUser, As: h.balance, Scope: hub.ScopeBilling, Data: httpkit.Own},
		{Method: "GET", Pattern: "/api/user/credit/grants", Who: httpkit.AnyUser, As: h.listGrants, Scope: hub.ScopeBilling, Data: httpkit.Own},
		{Method: "GET", Pattern: "/api/user/credit/transactions", Who: httpkit.AnyUser, As: h.listTransactions, Scope: hub.ScopeBilling, Data: httpkit.Own},
		{Method: "GET", Pattern: "/api/user/credit/transactions/export", Who: httpkit.AnyUser, As: h.exportTransactions, Scope: hub.ScopeBilling, Data: httpkit.Own},
		{Method: "GET", Pattern: "/api/user/credit/payment-link", Who: httpkit.Optional, As: h.paymentLink, Scope: hub.ScopeBilling, Data: httpkit.Own},
		{Method: "GET", Pattern: "/api/user/credit/notices", Who: httpkit.AnyUser, As: h.notices, Scope: hub.ScopeBilling, Data: httpkit.Own},
		{Method: "PUT", Pattern: "/api/user/credit/notices", Who: httpkit.AnyUser, As: h.setNotices, Scope: hub.ScopeBilling, Data: httpkit.Own},
		{Method: "GET", Pattern: "/api/user/info", Who: httpkit.GuestsToo, As: h.info, Scope: hub.ScopeBilling, Data: httpkit.Own},
		{Method: "POST", Pattern: "/api/user/admin/user-info", Who: httpkit.Admin, As: h.userInfo, Scope: hub.ScopeAdmin, Data: httpkit.All},
		{Method: "POST", Pattern: "/api/user/credit/transfer", Who: httpkit.AnyUser, As: h.ownTransfer, Scope: hub.ScopeBilling, Data: httpkit.Own},
		{Method: "GET", Pattern: "/api/user/wallets", Who: httpkit.AnyUser, As: h.ownWallets, Scope: hub.ScopeBilling, Data: httpkit.Own},
		{Method: "GET", Pattern: "/api/user/wallets/{name}/members", Who: httpkit.AnyUser, As: h.listMembers, Scope: hub.ScopeBilling, Data: httpkit.OwnUnlessAdmin},
		{Method: "PUT", Pattern: "/api/user/wallets/{name}/members/{email}", Who: httpkit.AnyUser, As: h.setMember, Scope: hub.ScopeBilling, Data: httpkit.OwnUnlessAdmin},
		{Method: "DELETE", Pattern: "/api/user/wallets/{name}/members/{email}", Who: httpkit.AnyUser, As: h.removeMember, Scope: hub.ScopeBilling, Data: httpkit.OwnUnlessAdmin},
		{Method: "GET", Pattern: "/api/billing/wallets", Who: httpkit.Admin, As: h.listWallets, Scope: hub.ScopeAdmin, Data: httpkit.All},
		{Method: "POST", Pattern: "/api/billing/wallets", Who: httpkit.Admin, As: h.createWallet, Scope: hub.ScopeAdmin, Data: httpkit.All},
		{Method: "DELETE", Pattern: "/api/billing/wallets/{name}", Who: httpkit.Admin, As: h.closeWallet, Scope: hub.ScopeAdmin, Data: httpkit.All},
		{Method: "POST", Pattern: "/api/billing/grants", Who: httpkit.Admin, As: h.grant, Scope: hub.ScopeAdmin, Data: httpkit.All},
		{Method: "POST", Pattern: "/api/billing/adjustments", Who: httpkit.Admin, As: h.adjust, Scope: hub.ScopeAdmin, Data: httpkit.All},
		{Method: "POST", Pattern: "/api/billing/reversals", Who: httpkit.Admin, As: h.reverse, Scope: hub.ScopeAdmin, Data: httpkit.All},
		{Method: "POST", Pattern: "/api/billing/transfers", Who: httpkit.Admin, As: h.transfer, Scope: hub.ScopeAdmin, Data: httpkit.All},
		{Method: "GET", Pattern: "/api/billing/outbox", Who: httpkit.Admin, As: h.outbox, Scope: hub.ScopeAdmin, Data: httpkit.All},
		{Method: "POST", Pattern: "/api/billing/outbox/resend", Who: httpkit.Admin, As: h.resend, Scope: hub.ScopeAdmin, Data: httpkit.All},
		{Method: "POST", Pattern: "/api/billing/outbox/drop", Who: httpkit.Admin, As: h.drop, Scope: hub.ScopeAdmin, Data: httpkit.All},
		{Method: "POST", Pattern: "/api/payment/callback", Who: httpkit.Anonymous, Handler: h.paymentNotice, Data: httpkit.Common},
		{Method: "GET", Pattern: "/api/billing/ledger/verify", Who: httpkit.Admin, As: h.verify, Scope: hub.ScopeAdmin, Data: httpkit.All},
		{Method: "GET", Pattern: "/api/billing/reconcile", Who: httpkit.Admin, As: h.reportBills, Scope: hub.ScopeAdmin, Data: httpkit.All},
		{Method: "GET", Pattern: "/api/billing/reconcile/calls", Who: httpkit.Admin, As: h.billedCalls, Scope: hub.ScopeAdmin, Data: httpkit.All},
		{Method: "GET", Pattern: "/api/billing/reconcile/imports", Who: httpkit.Admin, As: h.listBills, Scope: hub.ScopeAdmin, Data: httpkit.All},
		{Method: "POST", Pattern: "/api/billing/reconcile/imports", Who: httpkit.Admin, As: h.importBill, Scope: hub.ScopeAdmin, Data: httpkit.All},
		{Method: "PUT", Pattern: "/api/billing/reconcile/keys", Who: httpkit.Admin, As: h.mapBillKey, Scope: hub.ScopeAdmin, Data: httpkit.All},
	}
}
