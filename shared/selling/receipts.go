package selling

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/stripe"
)

// receiptData is what a receipt keeps of seller and buyer as they were.
type receiptData struct {
	Seller []string `json:"seller"`
	Buyer  []string `json:"buyer"` // lines of name and address
	Email  string   `json:"email"`
	TaxIDs []string `json:"tax_ids"`
}

func (s *Shop) receiptData(b stripe.Buyer) receiptData {
	d := receiptData{Seller: s.Seller, Email: b.Email}
	a := b.Address
	town := strings.TrimSpace(strings.Join([]string{a.PostalCode, a.City}, " "))
	for _, line := range []string{b.Name, a.Line1, a.Line2, town, a.State, a.Country} {
		if line = strings.TrimSpace(line); line != "" {
			d.Buyer = append(d.Buyer, line)
		}
	}
	for _, id := range b.TaxIDs {
		d.TaxIDs = append(d.TaxIDs, id.Value)
	}
	return d
}

// Receipt is the receipt of a payment. Money is decimal text in the currency's
// main unit.
type Receipt struct {
	Number    string        `json:"number"`
	IssuedAt  time.Time     `json:"issued_at"`
	PaymentID string        `json:"payment_id"`
	Kind      string        `json:"kind"` // checkout or topup
	Seller    []string      `json:"seller"`
	Buyer     []string      `json:"buyer"`
	Email     string        `json:"email"`
	TaxIDs    []string      `json:"tax_ids"`
	Credits   money.Credits `json:"credits"`
	Currency  string        `json:"currency"`
	Net       string        `json:"net"` // the price without tax
	Tax       string        `json:"tax"`
	Total     string        `json:"total"` // what was paid
	Refunded  string        `json:"refunded"`
	Disputed  string        `json:"disputed"` // of disputes that are open or lost
	Reversed  money.Credits `json:"reversed"` // credits taken back
	// Key goes on behind this receipt in a list.
	Key int64 `json:"-"`
}

// number is how a receipt's number is written.
func number(n int64) string { return fmt.Sprintf("%06d", n) }

func viewReceipt(r store.Receipt) (Receipt, error) {
	var d receiptData
	if err := json.Unmarshal([]byte(r.Data), &d); err != nil {
		return Receipt{}, fmt.Errorf("receipt %d: %w", r.Number, err)
	}
	p := r.Payment
	out := Receipt{Number: number(r.Number), IssuedAt: r.CreatedAt, PaymentID: p.ID, Kind: p.Kind, Seller: d.Seller, Buyer: d.Buyer, Email: d.Email, TaxIDs: d.TaxIDs,
		Credits: p.Credits, Currency: strings.ToUpper(p.Currency), Net: Decimal(p.Total-p.Tax, p.Currency), Tax: Decimal(p.Tax, p.Currency),
		Total: Decimal(p.Total, p.Currency), Refunded: Decimal(r.Backs.Refunded, p.Currency), Disputed: Decimal(r.Backs.Disputed, p.Currency),
		Reversed: r.Backs.Reversed, Key: r.Number}
	if out.Email == "" {
		out.Email = r.Email
	}
	for _, list := range []*[]string{&out.Seller, &out.Buyer, &out.TaxIDs} {
		if *list == nil {
			*list = []string{}
		}
	}
	return out, nil
}

// Receipts lists up to limit receipts, newest first, with numbers below before
// (0: from the newest): a user's, or everybody's for "".
func (s *Shop) Receipts(ctx context.Context, userID string, before int64, limit int) ([]Receipt, error) {
	rows, err := s.Store.Receipts(ctx, userID, before, limit)
	if err != nil {
		return nil, err
	}
	out := make([]Receipt, len(rows))
	for i, r := range rows {
		if out[i], err = viewReceipt(r); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Receipt finds a receipt by its number. store.ErrNotFound: there is none, or not
// for this user; "" finds everybody's.
func (s *Shop) Receipt(ctx context.Context, userID string, n int64) (Receipt, error) {
	rows, err := s.Store.Receipts(ctx, userID, n+1, 1)
	if err != nil {
		return Receipt{}, err
	}
	if len(rows) == 0 || rows[0].Number != n {
		return Receipt{}, store.ErrNotFound
	}
	return viewReceipt(rows[0])
}

// ReceiptHead are the columns of Row.
func ReceiptHead() []string {
	return []string{"number", "issued_at", "buyer", "email", "tax_ids", "credits", "currency", "net", "tax", "total", "refunded", "disputed", "reversed_credits", "payment_id", "kind"}
}

// Row is the receipt as cells of CSV, safe for spreadsheets.
func (r Receipt) Row() []string {
	return SafeCells(r.Number, r.IssuedAt.Format(time.RFC3339), strings.Join(r.Buyer, ", "), r.Email, strings.Join(r.TaxIDs, " "), r.Credits.String(),
		r.Currency, r.Net, r.Tax, r.Total, r.Refunded, r.Disputed, r.Reversed.String(), r.PaymentID, r.Kind)
}
