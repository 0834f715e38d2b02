package billing

import (
	"maps"
	"slices"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/reconcile"
	"github.com/aigne-hub/aigne-hub/shared/selling"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// docs describe the routes.
func docs() map[string]httpkit.Doc {
	all := ownDocs()
	for _, more := range []map[string]httpkit.Doc{shopDocs(), walletDocs(), operatorDocs(), reconcileDocs(), accountDocs()} {
		maps.Copy(all, more)
	}
	return all
}

func ownDocs() map[string]httpkit.Doc {
	span := []httpkit.Param{{Name: "start", Doc: "Seconds since 1970.", Number: true}, {Name: "end", Doc: "Seconds since 1970.", Number: true},
		httpkit.Query("wallet", "A shared wallet that the caller manages, in place of the own.")}
	kind := httpkit.Query("kind", "One of charge, correct, grant, expire, adjust and refund; all where it is left out.")
	return map[string]httpkit.Doc{
		"GET /api/user/credit/balance": {Summary: "Shows the wallet that pays for the caller's calls.", Response: balanceView{}},
		"GET /api/user/credit/grants":  {Summary: "Lists the grants of a wallet, oldest first.", Query: httpkit.Pages(span...), Response: grantPage{}},
		"GET /api/user/credit/transactions": {Summary: "Lists what moved a wallet, newest first.", Response: transactionPage{},
			Query: append(httpkit.Pages(span...), httpkit.Query("cursor", "The next_cursor of the answer before."), kind)},
		"GET /api/user/credit/transactions/export": {Summary: "Writes what moved a wallet as CSV, newest first; at most 10,000.", Query: append(slices.Clone(span), kind), Gives: "text/csv"},
		"GET /api/user/credit/payment-link":        {Summary: "Says where credits can be had; null where nowhere.", Response: (*string)(nil)},
		"GET /api/user/credit/notices":             {Summary: "Shows what the caller is told about the own wallet.", Response: noticesView{}},
		"PUT /api/user/credit/notices":             {Summary: "Chooses what the caller is told about the own wallet.", Request: noticeView{}, Response: noticesView{}},
		"GET /api/user/info":                       {Summary: "Shows the caller and the own credits as AIGNE's clients read them.", Response: infoView{}},
		"POST /api/user/admin/user-info":           {Summary: "Names users by their DIDs.", Request: askedUsers{}, Response: httpkit.Object{"users": []namedUser{}}},
		"POST /api/user/credit/transfer":           {Summary: "Moves credits from the caller's own wallet to a shared one.", Request: newOwnTransfer{}, Response: accountView{}},
		"POST /api/user/credit/redeem": {Summary: "Gives the caller a code's credits.", Request: httpkit.Object{"code": ""}, Status: 201,
			Response: httpkit.Object{"grant": grantView{}, "balance": money.Credits(0), "available": money.Credits(0)}},
		"GET /api/user/receipts": {Summary: "Lists the caller's receipts, newest first.", Query: httpkit.Cursors(), Response: httpkit.Listing[selling.Receipt]{}},
		"GET /api/user/receipts/{number}": {Summary: "Shows a receipt of the caller; with .html behind its number, as a page for printing.", Response: selling.Receipt{},
			Gives: "text/html"},
	}
}

func shopDocs() map[string]httpkit.Doc {
	return map[string]httpkit.Doc{
		"GET /api/billing/offer":    {Summary: "Says what credits cost by card.", Response: offerView{}},
		"GET /api/billing/buy":      {Summary: "The page where credits are bought and codes redeemed.", Gives: "text/html"},
		"GET /api/billing/buy.js":   {Summary: "The script of that page.", Gives: "text/javascript"},
		"GET /api/billing/page.css": {Summary: "The style of that page.", Gives: "text/css"},
		"GET /api/billing/prices": {Summary: "Lists what models cost, per unit.",
			Query: httpkit.Pages(httpkit.Query("type", "A kind of call."), httpkit.Query("provider", ""), httpkit.Query("q", "A part of the model's name."),
				httpkit.Query("capability", "What models must be known to do, by comma: "+needNames()+"."),
				httpkit.Param{Name: "minContext", Doc: "Tokens that prompt and answer may have at least.", Number: true},
				httpkit.Query("models", "Names as calls have them, by comma."),
				httpkit.Query("sort", "name unless given; those without it come last.", priceOrders()...), httpkit.Query("order", "", "asc", "desc")),
			Response: pricesView{}},
		"POST /api/billing/stripe/webhook": {Summary: "Takes in what Stripe tells; the signature is what counts.", Takes: "application/json",
			Response: httpkit.Object{"received": true}},
		"POST /api/payment/callback": {Summary: "Takes in what Payment Kit tells, signed by a component of the app.", Request: notice{}, Response: httpkit.Object{}},
		"POST /api/user/credit/checkout": {Summary: "Begins a purchase by card and says where to pay.", Request: newCheckout{}, Status: 201,
			Response: httpkit.Object{"payment_id": "", "url": "", "credits": money.Credits(0), "amount": "", "currency": ""}},
		"GET /api/user/credit/auto-topup":    {Summary: "Shows the caller's automatic top-up.", Response: topUpView{}},
		"PUT /api/user/credit/auto-topup":    {Summary: "Has credits bought by themselves with the caller's kept card.", Request: newTopUp{}, Response: topUpView{}},
		"DELETE /api/user/credit/auto-topup": {Summary: "Switches the caller's automatic top-up off."},
		"GET /api/user/credit/cards":         {Summary: "Says which card is kept for the caller, and what is bought with it by itself.", Response: cardsView{}},
		"DELETE /api/user/credit/cards":      {Summary: "Has the caller's kept cards forgotten, which ends automatic top-ups."},
	}
}

func walletDocs() map[string]httpkit.Doc {
	const members = "/api/user/wallets/{name}/members"
	return map[string]httpkit.Doc{
		"GET /api/user/wallets":              {Summary: "Lists the shared wallets that the caller is a member of.", Response: httpkit.Listing[ownWalletView]{}},
		"GET " + members:                     {Summary: "Lists the members of a shared wallet that the caller manages.", Query: httpkit.Cursors(), Response: httpkit.Listing[memberView]{}},
		"PUT " + members + "/{email}":        {Summary: "Takes a user into a shared wallet, or makes one a manager.", Request: newMember{}},
		"DELETE " + members + "/{email}":     {Summary: "Removes a member from a shared wallet."},
		"GET /api/billing/wallets":           {Summary: "Lists all shared wallets.", Query: httpkit.Cursors(), Response: httpkit.Listing[walletView]{}},
		"POST /api/billing/wallets":          {Summary: "Makes a shared wallet.", Request: newWallet{}, Status: 201, Response: walletView{}},
		"DELETE /api/billing/wallets/{name}": {Summary: "Closes a shared wallet."},
	}
}

func operatorDocs() map[string]httpkit.Doc {
	const codes = "/api/billing/codes"
	return map[string]httpkit.Doc{
		"POST /api/billing/grants":      {Summary: "Gives credits.", Request: newGrant{}, Status: 201, Response: grantView{}},
		"POST /api/billing/adjustments": {Summary: "Corrects a wallet up or down.", Request: newAdjustment{}, Response: accountView{}},
		"POST /api/billing/reversals": {Summary: "Takes back credits that were paid for.", Request: newReversal{},
			Response: httpkit.Object{"taken": money.Credits(0), "debt": money.Credits(0)}},
		"POST /api/billing/transfers": {Summary: "Moves credits between wallets.", Request: newTransfer{}, Response: accountView{}},
		"GET /api/billing/outbox": {Summary: "Shows usage on its way to Payment Kit.", Response: outboxView{},
			Query: httpkit.Cursors(httpkit.Query("state", "Reports in this state are listed.", "pending", "sent", "confirmed", "dead"))},
		"POST /api/billing/outbox/resend": {Summary: "Sends reports again that were given up.", Request: resendOrder{}, Response: httpkit.Object{"resent": 0}},
		"POST /api/billing/outbox/drop":   {Summary: "Gives a report up for good that Payment Kit refused: nobody is billed for it there.", Request: droppedReport{}},
		"GET /api/billing/ledger/verify": {Summary: "Proves the books; what is wrong with them is part of the answer.", Response: verifyView{},
			Query: []httpkit.Param{httpkit.Query("all", "From their beginning, not from their last seals.", "true", "false")}},
		"GET /api/billing/payments": {Summary: "Lists card payments, newest first.", Response: httpkit.Listing[paymentView]{},
			Query: httpkit.Cursors(httpkit.Query("state", "", "new", "open", "paid", "failed", "expired"), httpkit.Query("user", "An e-mail address."))},
		"GET " + codes: {Summary: "Lists redeem codes without their texts, oldest first.", Response: httpkit.Listing[codeView]{},
			Query: httpkit.Cursors(httpkit.Query("batch", ""), httpkit.Query("state", "", "active", "used", "expired", "disabled"))},
		"POST " + codes: {Summary: "Makes redeem codes; their texts are shown only here and in the export.", Request: newCodes{}, Status: 201,
			Response: httpkit.Object{"batch": "", "data": []codeView{}}},
		"GET " + codes + "/export":                   {Summary: "Writes a batch of codes with their texts.", Query: []httpkit.Param{{Name: "batch", Required: true}}, Gives: "text/csv"},
		"POST " + codes + "/{id}/disable":            {Summary: "Ends a code.", Takes: httpkit.NoBody, Response: httpkit.Object{"disabled": 0}},
		"POST " + codes + "/batches/{batch}/disable": {Summary: "Ends all codes of a batch.", Takes: httpkit.NoBody, Response: httpkit.Object{"disabled": 0}},
		"GET /api/billing/receipts":                  {Summary: "Lists everybody's receipts, newest first.", Query: httpkit.Cursors(), Response: httpkit.Listing[selling.Receipt]{}},
		"GET /api/billing/receipts/export":           {Summary: "Writes everybody's receipts, newest first.", Gives: "text/csv"},
		"GET /api/billing/receipts/{number}": {Summary: "Shows a receipt; with .html behind its number, as a page for printing.", Response: selling.Receipt{},
			Gives: "text/html"},
	}
}

func reconcileDocs() map[string]httpkit.Doc {
	const path = "/api/billing/reconcile"
	return map[string]httpkit.Doc{
		"GET " + path: {Summary: "Sets providers' bills against what was recorded.", Response: reportPage{}, Query: httpkit.Pages(httpkit.Query("provider", ""),
			httpkit.Query("from", "A day, such as 2026-03-01."), httpkit.Query("to", "The last day."), httpkit.Query("tolerance", "Percent."),
			httpkit.Query("min_cost", "Dollars."), httpkit.Query("over", "Only what is beyond the tolerance.", "true", "false"))},
		"GET " + path + "/calls": {Summary: "Lists the calls that a line of a bill is about.", Response: httpkit.Listing[billedCall]{},
			Query: httpkit.Cursors(httpkit.Query("provider", ""), httpkit.Query("model", ""), httpkit.Query("credential", ""), httpkit.Query("day", "Such as 2026-03-01."),
				httpkit.Query("until", "The last day."))},
		"GET " + path + "/imports": {Summary: "Lists the bills that were read in, newest first.", Query: httpkit.Cursors(), Response: httpkit.Listing[store.BillImport]{}},
		"POST " + path + "/imports": {Summary: "Reads in a provider's export; 200 when it was read in before.", Takes: "text/csv, application/json", Status: 201, Also: []int{200}, Response: reconcile.Imported{},
			Query: []httpkit.Param{{Name: "provider", Required: true}, httpkit.Query("format", ""), httpkit.Query("map", "Columns by name."),
				httpkit.Query("zone", "A time zone."), httpkit.Query("calls", "", "true", "false")}},
		"PUT " + path + "/keys": {Summary: "Says which credential a key in a provider's bill is.", Request: billKey{}},
	}
}
