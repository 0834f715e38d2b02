package fakestripe

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// check refuses unknown fields, missing ones and empty ones. Names that end in [
// allow any key below.
func check(form url.Values, needed, allowed []string) *wrong {
	for name, values := range form {
		known := slices.Contains(needed, name) || slices.ContainsFunc(allowed, func(a string) bool {
			return a == name || strings.HasSuffix(a, "[") && strings.HasPrefix(name, a)
		})
		if !known {
			return invalid("parameter_unknown", "Received unknown parameter: %s", name)
		}
		if len(values) != 1 || values[0] == "" {
			return invalid("parameter_invalid_empty", "You passed an empty string for '%s'.", name)
		}
	}
	for _, name := range needed {
		if !form.Has(name) {
			return invalid("parameter_missing", "Missing required param: %s.", name)
		}
	}
	return nil
}

func (f *Stripe) createCustomer(form url.Values) (object, *wrong) {
	if e := check(form, nil, []string{"email", "name", "metadata["}); e != nil {
		return nil, e
	}
	if !strings.Contains(form.Get("email"), "@") {
		return nil, invalid("email_invalid", "Invalid email address: %s", form.Get("email"))
	}
	id := f.id("cus")
	f.objects[id] = object{"id": id, "object": "customer", "email": form.Get("email")}
	return f.objects[id], nil
}

// least is Stripe's smallest charge, of the currencies that tests use.
func least(currency string) int64 {
	return map[string]int64{"usd": 50, "eur": 50, "jpy": 50}[currency]
}

func amountOf(form url.Values, amountField, currencyField string) (int64, string, *wrong) {
	n, err := strconv.ParseInt(form.Get(amountField), 10, 64)
	if err != nil || n < 1 {
		return 0, "", invalid("parameter_invalid_integer", "Invalid integer: %s", form.Get(amountField))
	}
	currency := form.Get(currencyField)
	switch low := least(currency); {
	case low == 0:
		return 0, "", invalid("", "Invalid currency: %s.", currency)
	case n < low:
		return 0, "", invalid("amount_too_small", "Amount must be at least %d", low)
	case n > 99_999_999:
		return 0, "", invalid("amount_too_large", "Amount must be no more than 99999999")
	}
	return n, currency, nil
}

func (f *Stripe) createSession(form url.Values) (object, *wrong) {
	const item = "line_items[0]"
	needed := []string{"mode", "customer", "success_url", "cancel_url", item + "[quantity]", item + "[price_data][currency]", item + "[price_data][unit_amount]",
		item + "[price_data][product_data][name]"}
	allowed := []string{"client_reference_id", "adaptive_pricing[enabled]", "metadata[", "payment_intent_data[metadata][", "payment_intent_data[description]",
		"payment_intent_data[setup_future_usage]", "automatic_tax[enabled]", "tax_id_collection[enabled]", "billing_address_collection",
		"customer_update[address]", "customer_update[name]", item + "[price_data][tax_behavior]"}
	if e := check(form, needed, allowed); e != nil {
		return nil, e
	}
	amount, currency, e := amountOf(form, item+"[price_data][unit_amount]", item+"[price_data][currency]")
	if e != nil {
		return nil, e
	}
	taxed := form.Get("automatic_tax[enabled]") == "true"
	future := form.Get("payment_intent_data[setup_future_usage]")
	switch {
	case form.Get("mode") != "payment" || form.Get(item+"[quantity]") != "1":
		return nil, invalid("", "this fake sells one thing in mode payment")
	case f.objects[form.Get("customer")] == nil:
		return nil, invalid("resource_missing", "No such customer: '%s'", form.Get("customer"))
	case !strings.HasPrefix(form.Get("success_url"), "http") || !strings.HasPrefix(form.Get("cancel_url"), "http"):
		return nil, invalid("url_invalid", "Not a valid URL")
	case future != "" && future != "off_session" && future != "on_session":
		return nil, invalid("", "Invalid setup_future_usage")
	case len(form.Get("client_reference_id")) > 200:
		return nil, invalid("", "client_reference_id is too long")
	case taxed && form.Get("customer_update[address]") != "auto":
		return nil, invalid("customer_tax_location_invalid", "Automatic tax calculation in Checkout requires a valid address on the Customer.")
	case form.Get("tax_id_collection[enabled]") == "true" && form.Get("customer_update[name]") != "auto":
		return nil, invalid("", "Tax ID collection requires updating business name on the customer.")
	}
	id := f.id("cs")
	var tax int64
	if taxed {
		tax = amount / 10
	}
	f.objects[id] = object{"id": id, "object": "checkout.session", "url": "https://checkout.example/c/" + id, "mode": "payment", "status": "open",
		"payment_status": "unpaid", "amount_subtotal": amount, "amount_total": amount + tax, "currency": currency, "customer": form.Get("customer"),
		"client_reference_id": form.Get("client_reference_id"), "success_url": form.Get("success_url"), "cancel_url": form.Get("cancel_url"), "payment_intent": nil, "customer_details": nil, "created": time.Now().Unix(),
		"total_details": object{"amount_discount": 0, "amount_shipping": 0, "amount_tax": tax}, "metadata": group(form, "metadata"),
		"save": future != "", "intent_metadata": group(form, "payment_intent_data[metadata]")}
	return f.objects[id], nil
}

// group collects name[key]=value.
func group(form url.Values, name string) object {
	out := object{}
	for k := range form {
		if rest, ok := strings.CutPrefix(k, name+"["); ok {
			out[strings.TrimSuffix(rest, "]")] = form.Get(k)
		}
	}
	return out
}

func (f *Stripe) createIntent(form url.Values) (object, *wrong) {
	needed := []string{"amount", "currency", "customer", "payment_method", "off_session", "confirm"}
	if e := check(form, needed, []string{"payment_method_types[0]", "description", "metadata["}); e != nil {
		return nil, e
	}
	amount, currency, e := amountOf(form, "amount", "currency")
	if e != nil {
		return nil, e
	}
	customer := form.Get("customer")
	at := slices.IndexFunc(f.cards[customer], func(c Card) bool { return c.ID == form.Get("payment_method") })
	switch {
	case form.Get("off_session") != "true" || form.Get("confirm") != "true":
		return nil, invalid("", "this fake charges off session, at once")
	case f.objects[customer] == nil:
		return nil, invalid("resource_missing", "No such customer: '%s'", customer)
	case at < 0:
		return nil, invalid("resource_missing", "No such PaymentMethod: '%s'", form.Get("payment_method"))
	}
	o := f.newIntent(amount, currency, customer, group(form, "metadata"))
	if code := f.cards[customer][at].Decline; code != "" {
		o["last_payment_error"] = object{"code": code, "type": "card_error", "message": "Your card was declined."}
		f.emit("payment_intent.payment_failed", o)
		return nil, &wrong{status: http.StatusPaymentRequired, kind: "card_error", code: code, message: "Your card was declined.", more: object{"payment_intent": o}}
	}
	f.succeed(o)
	return o, nil
}

func (f *Stripe) newIntent(amount int64, currency, customer string, metadata object) object {
	id := f.id("pi")
	o := object{"id": id, "object": "payment_intent", "amount": amount, "amount_received": 0, "currency": currency, "customer": customer, "metadata": metadata,
		"status": "requires_payment_method", "latest_charge": nil, "created": time.Now().Unix(), "last_payment_error": nil}
	f.objects[id] = o
	f.order = append(f.order, id)
	return o
}

// succeed charges an intent.
func (f *Stripe) succeed(o object) {
	charge := f.id("ch")
	f.objects[charge] = object{"id": charge, "object": "charge", "amount": o["amount"], "amount_captured": o["amount"], "amount_refunded": int64(0), "currency": o["currency"],
		"customer": o["customer"], "payment_intent": o["id"], "paid": true, "refunded": false, "status": "succeeded", "metadata": o["metadata"]}
	o["status"], o["amount_received"], o["latest_charge"] = "succeeded", o["amount"], charge
	f.emit("payment_intent.succeeded", o)
	f.emit("charge.succeeded", f.objects[charge])
}

func (f *Stripe) listIntents(form url.Values) (object, *wrong) {
	if e := check(form, nil, []string{"customer", "limit", "created["}); e != nil {
		return nil, e
	}
	data := []object{}
	for _, id := range slices.Backward(f.order) {
		if o := f.objects[id]; o["customer"] == form.Get("customer") {
			data = append(data, o)
		}
	}
	return object{"object": "list", "data": data, "has_more": false}, nil
}

func (f *Stripe) listCards(customer string, form url.Values) (object, *wrong) {
	if e := check(form, nil, []string{"type", "limit"}); e != nil {
		return nil, e
	}
	data := []object{}
	for _, c := range f.cards[customer] {
		data = append(data, object{"id": c.ID, "object": "payment_method", "type": "card", "card": object{"brand": "visa", "last4": "4242"}})
	}
	return object{"object": "list", "data": data, "has_more": false}, nil
}

func (f *Stripe) detach(id string, form url.Values) (object, *wrong) {
	if e := check(form, nil, nil); e != nil {
		return nil, e
	}
	for customer, cards := range f.cards {
		if at := slices.IndexFunc(cards, func(c Card) bool { return c.ID == id }); at >= 0 {
			f.cards[customer] = slices.Delete(slices.Clone(cards), at, at+1)
			return object{"id": id, "object": "payment_method", "customer": nil}, nil
		}
	}
	return nil, invalid("resource_missing", "No such PaymentMethod: '%s'", id)
}
