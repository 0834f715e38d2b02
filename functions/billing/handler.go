// Package billing shows credits and gives them: balances, grants, operations,
// the check of the books, and the jobs that keep them right. Calls are charged
// by the proxy, in the unit that settles them, not here.
package billing

import (
	"net/http"
	"slices"

	"github.com/aigne-hub/aigne-hub/shared/blocklet"
	"github.com/aigne-hub/aigne-hub/shared/httpkit"
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
func Routes() []httpkit.Route { return (&handler{}).routes() }

func (h *handler) routes() []httpkit.Route {
	return slices.Concat(h.creditRoutes(), h.codeRoutes(), h.shopRoutes(), h.receiptRoutes())
}

func (h *handler) creditRoutes() []httpkit.Route {
	return []httpkit.Route{
		{Method: "GET", Pattern: "/api/user/credit/balance", Who: httpkit.AnyUser, As: h.balance},
		{Method: "GET", Pattern: "/api/user/credit/grants", Who: httpkit.AnyUser, As: h.listGrants},
		{Method: "GET", Pattern: "/api/user/credit/transactions", Who: httpkit.AnyUser, As: h.listTransactions},
		{Method: "GET", Pattern: "/api/user/credit/payment-link", Who: httpkit.Optional, As: h.paymentLink},
		{Method: "GET", Pattern: "/api/user/credit/notices", Who: httpkit.AnyUser, As: h.notices},
		{Method: "PUT", Pattern: "/api/user/credit/notices", Who: httpkit.AnyUser, As: h.setNotices},
		{Method: "GET", Pattern: "/api/user/info", Who: httpkit.AnyUser, As: h.info},
		{Method: "POST", Pattern: "/api/user/admin/user-info", Who: httpkit.Admin, As: h.userInfo},
		{Method: "POST", Pattern: "/api/user/credit/transfer", Who: httpkit.AnyUser, As: h.ownTransfer},
		{Method: "GET", Pattern: "/api/user/wallets", Who: httpkit.AnyUser, As: h.ownWallets},
		{Method: "GET", Pattern: "/api/user/wallets/{name}/members", Who: httpkit.AnyUser, As: h.listMembers},
		{Method: "PUT", Pattern: "/api/user/wallets/{name}/members/{email}", Who: httpkit.AnyUser, As: h.setMember},
		{Method: "DELETE", Pattern: "/api/user/wallets/{name}/members/{email}", Who: httpkit.AnyUser, As: h.removeMember},
		{Method: "GET", Pattern: "/api/billing/wallets", Who: httpkit.Admin, As: h.listWallets},
		{Method: "POST", Pattern: "/api/billing/wallets", Who: httpkit.Admin, As: h.createWallet},
		{Method: "DELETE", Pattern: "/api/billing/wallets/{name}", Who: httpkit.Admin, As: h.closeWallet},
		{Method: "POST", Pattern: "/api/billing/grants", Who: httpkit.Admin, As: h.grant},
		{Method: "POST", Pattern: "/api/billing/adjustments", Who: httpkit.Admin, As: h.adjust},
		{Method: "POST", Pattern: "/api/billing/reversals", Who: httpkit.Admin, As: h.reverse},
		{Method: "POST", Pattern: "/api/billing/transfers", Who: httpkit.Admin, As: h.transfer},
		{Method: "GET", Pattern: "/api/billing/outbox", Who: httpkit.Admin, As: h.outbox},
		{Method: "POST", Pattern: "/api/billing/outbox/resend", Who: httpkit.Admin, As: h.resend},
		{Method: "POST", Pattern: "/api/payment/callback", Who: httpkit.Anonymous, Handler: h.paymentNotice},
		{Method: "GET", Pattern: "/api/billing/ledger/verify", Who: httpkit.Admin, As: h.verify},
		{Method: "GET", Pattern: "/api/billing/reconcile", Who: httpkit.Admin, As: h.reportBills},
		{Method: "GET", Pattern: "/api/billing/reconcile/calls", Who: httpkit.Admin, As: h.billedCalls},
		{Method: "GET", Pattern: "/api/billing/reconcile/imports", Who: httpkit.Admin, As: h.listBills},
		{Method: "POST", Pattern: "/api/billing/reconcile/imports", Who: httpkit.Admin, As: h.importBill},
		{Method: "PUT", Pattern: "/api/billing/reconcile/keys", Who: httpkit.Admin, As: h.mapBillKey},
	}
}
