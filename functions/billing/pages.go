package billing

import (
	"crypto/sha256"
	_ "embed" // the pages
	"encoding/base64"
	"html"
	"net/http"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/selling"
)

//go:embed pages/buy.html
var buyHTML []byte

//go:embed pages/buy.js
var buyJS []byte

//go:embed pages/page.css
var pageCSS []byte

//go:embed pages/receipt.css
var receiptCSS string

// buyPolicy lets the page load its own script and style, and ask this hub.
const buyPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// buyPage is where credits are bought and codes redeemed until the console is.
func (h *handler) buyPage(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Security-Policy", buyPolicy)
	return send(w, "text/html; charset=utf-8", buyHTML)
}

func (h *handler) buyScript(w http.ResponseWriter, _ *http.Request) error {
	return send(w, "text/javascript; charset=utf-8", buyJS)
}

func (h *handler) pageStyle(w http.ResponseWriter, _ *http.Request) error {
	return send(w, "text/css; charset=utf-8", pageCSS)
}

func send(w http.ResponseWriter, kind string, body []byte) error {
	w.Header().Set("Content-Type", kind)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Referrer-Policy", "no-referrer")
	w.Header().Set("Cache-Control", "no-cache")
	_, _ = w.Write(body) // nobody is left to tell
	return nil
}

// receiptPage is a receipt for printing. It holds all it needs, so that it can be
// saved; templates are not used because their reflection keeps every method of the
// program in the binary.
func receiptPage(r selling.Receipt) []byte {
	var b strings.Builder
	put := func(parts ...string) { // markup and text in turns; text is escaped
		for i, p := range parts {
			if i%2 == 1 {
				p = html.EscapeString(p)
			}
			b.WriteString(p)
		}
	}
	put(`<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Receipt `, r.Number,
		`</title><style>`)
	b.WriteString(receiptCSS)
	put(`</style></head><body><main><h1>Receipt `, r.Number, `</h1><p>`, r.IssuedAt.Format("2 January 2006"), `</p><div class="parties">`)
	party := func(title string, lines []string) {
		put(`<section><h2>`, title, `</h2><address>`)
		for i, line := range lines {
			if i > 0 {
				b.WriteString("<br>")
			}
			put("", line)
		}
		b.WriteString(`</address></section>`)
	}
	party("Seller", r.Seller)
	buyer := append([]string{}, r.Buyer...)
	buyer = append(append(buyer, r.Email), r.TaxIDs...)
	party("Buyer", buyer)
	row := func(name, amount string) {
		put(`<tr><th scope="row">`, name, `</th><td>`, amount+" "+r.Currency, `</td></tr>`)
	}
	put(`</div><table><thead><tr><th scope="col">Item</th><th scope="col">Amount</th></tr></thead><tbody><tr><td>`, r.Credits.String()+" credits", `</td><td>`,
		r.Net+" "+r.Currency, `</td></tr></tbody><tfoot>`)
	if !zero(r.Tax) {
		row("Tax", r.Tax)
	}
	row("Total paid", r.Total)
	if !zero(r.Refunded) {
		row("Refunded", "−"+r.Refunded)
	}
	if !zero(r.Disputed) {
		row("Taken back by the bank", "−"+r.Disputed)
	}
	put(`</tfoot></table><p class="note">Paid by card. Payment `, r.PaymentID, `.`)
	if r.Reversed > 0 {
		put(` Credits taken back: `, r.Reversed.String(), `.`)
	}
	b.WriteString(`</p></main></body></html>`)
	return []byte(b.String())
}

// zero reports whether decimal text is 0.
func zero(s string) bool { return strings.Trim(s, "0.") == "" }

// receiptPolicy lets a receipt use its own style and nothing else.
func receiptPolicy() string {
	sum := sha256.Sum256([]byte(receiptCSS))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}
