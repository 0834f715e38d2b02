package fakestripe

import (
	"strings"
)

// sessionID is the id in a Checkout address.
func sessionID(address string) string { return address[strings.LastIndex(address, "/")+1:] }

// Pay pays at a Checkout address and returns the payment intent's id. A card that
// is to be kept is.
func (f *Stripe) Pay(address string) (intent string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.complete(address)
	s["payment_status"] = "paid"
	f.succeed(f.objects[s["payment_intent"].(string)])
	f.emit("checkout.session.completed", s)
	return s["payment_intent"].(string)
}

// PayLater completes a session whose money comes later, if it comes.
func (f *Stripe) PayLater(address string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.emit("checkout.session.completed", f.complete(address))
}

// Arrive ends what PayLater began: with the money or without it.
func (f *Stripe) Arrive(address string, paid bool) (intent string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.objects[sessionID(address)]
	if !paid {
		f.emit("checkout.session.async_payment_failed", s)
		return s["payment_intent"].(string)
	}
	s["payment_status"] = "paid"
	f.succeed(f.objects[s["payment_intent"].(string)])
	f.emit("checkout.session.async_payment_succeeded", s)
	return s["payment_intent"].(string)
}

// Expire ends a session that nobody paid.
func (f *Stripe) Expire(address string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.objects[sessionID(address)]
	s["status"] = "expired"
	f.emit("checkout.session.expired", s)
}

func (f *Stripe) complete(address string) object {
	s := f.objects[sessionID(address)]
	if s == nil || s["status"] != "open" {
		f.t.Fatalf("there is no open session at %s", address)
	}
	customer := s["customer"].(string)
	metadata, _ := s["intent_metadata"].(object)
	intent := f.newIntent(s["amount_total"].(int64), s["currency"].(string), customer, metadata)
	if s["save"] == true {
		f.cards[customer] = append([]Card{{ID: f.id("pm")}}, f.cards[customer]...)
	}
	s["status"], s["payment_intent"] = "complete", intent["id"]
	s["customer_details"] = object{"name": "Ada <Buyer>", "email": "ada@example.com", "tax_ids": []object{{"type": "eu_vat", "value": "DE123456789"}},
		"address": object{"line1": "1 Main St", "line2": nil, "postal_code": "12345", "city": "Town", "state": nil, "country": "DE"}}
	return s
}

// Session returns a session's object, for tests that change what Stripe says.
func (f *Stripe) Session(address string) map[string]any {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.objects[sessionID(address)]
}

func (f *Stripe) charge(intent string) object {
	return f.objects[f.objects[intent]["latest_charge"].(string)]
}

// Refund gives back some of a payment; more than is left fails the test.
func (f *Stripe) Refund(intent string, amount int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	c := f.charge(intent)
	sum := c["amount_refunded"].(int64) + amount
	if sum > c["amount"].(int64) {
		f.t.Fatalf("a refund of %d is more than is left of %v", amount, c)
	}
	c["amount_refunded"], c["refunded"] = sum, sum == c["amount"].(int64)
	f.emit("charge.refunded", c)
}

// Dispute opens a dispute over some of a payment, or, as an inquiry, only asks.
func (f *Stripe) Dispute(intent string, amount int64, inquiry bool) (dispute string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	id := f.id("dp")
	o := object{"id": id, "object": "dispute", "amount": amount, "currency": f.objects[intent]["currency"], "charge": f.charge(intent)["id"], "payment_intent": intent,
		"status": "needs_response", "reason": "fraudulent"}
	f.objects[id] = o
	if inquiry {
		o["status"] = "warning_needs_response"
		f.emit("charge.dispute.created", o)
		return id
	}
	f.emit("charge.dispute.created", o)
	f.emit("charge.dispute.funds_withdrawn", o)
	return id
}

// Close ends a dispute; one that is won gives the money back.
func (f *Stripe) Close(dispute string, won bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	o := f.objects[dispute]
	switch {
	case o["status"] == "warning_needs_response":
		o["status"] = "warning_closed"
	case won:
		o["status"] = "won"
		f.emit("charge.dispute.funds_reinstated", o)
	default:
		o["status"] = "lost"
	}
	f.emit("charge.dispute.closed", o)
}

// SetDecline makes a customer's kept cards fail with an error code; "" heals them.
func (f *Stripe) SetDecline(code string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, cards := range f.cards {
		for i := range cards {
			cards[i].Decline = code
		}
	}
}

// Charged is the sum of successful charges, in the currency's smallest unit, and
// how many there were.
func (f *Stripe) Charged() (sum int64, n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, id := range f.order {
		if o := f.objects[id]; o["status"] == "succeeded" {
			sum += o["amount"].(int64)
			n++
		}
	}
	return sum, n
}
