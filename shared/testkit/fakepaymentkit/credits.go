package fakepaymentkit

import (
	"cmp"
	"math"
	"math/big"
	"net/http"
	"slices"
	"strconv"

	"github.com/aigne-hub/aigne-hub/shared/money"
)

// units writes an amount as a whole number of the currency's smallest unit.
func (s *Server) units(c money.Credits) string {
	n := big.NewInt(int64(c))
	ten := big.NewInt(10)
	for range s.Decimal - 9 {
		n.Mul(n, ten)
	}
	for range 9 - s.Decimal {
		n.Div(n, ten)
	}
	return n.String()
}

func (s *Server) currency(id string) map[string]any {
	return map[string]any{"id": id, "name": "Credits", "symbol": "CR", "decimal": s.Decimal, "type": "credit"}
}

func (s *Server) meter(name string) *Meter {
	for _, m := range s.Meters {
		if m.ID == name || m.EventName == name {
			return m
		}
	}
	return nil
}

func (s *Server) meters(r *http.Request, parts []string, in map[string]any) (int, any) {
	if r.Method == http.MethodPost {
		name := text(in, "event_name")
		if s.meter(name) != nil {
			return bad("event_name already exists")
		}
		if d := number(in, "decimal"); d > 0 {
			s.Decimal = int(d)
		}
		s.Meters[name] = &Meter{ID: s.id("mtr"), EventName: name, Unit: text(in, "unit"), CurrencyID: s.id("pc")}
		return s.meterView(s.Meters[name])
	}
	if len(parts) != 2 {
		return missing("meter")
	}
	m := s.meter(parts[1])
	if m == nil {
		return missing("meter not found")
	}
	if r.Method == http.MethodPut {
		m.Unit = cmp.Or(text(in, "unit"), m.Unit)
	}
	return s.meterView(m)
}

func (s *Server) meterView(m *Meter) (int, any) {
	return http.StatusOK, map[string]any{"id": m.ID, "event_name": m.EventName, "unit": m.Unit, "currency_id": m.CurrencyID, "status": "active",
		"paymentCurrency": s.currency(m.CurrencyID)}
}

// customer finds a customer by DID or id.
func (s *Server) customer(name string) *Customer {
	for _, c := range s.Customers {
		if c.ID == name || c.DID == name {
			return c
		}
	}
	return nil
}

func (s *Server) customers(r *http.Request, parts []string, in map[string]any) (int, any) {
	if len(parts) != 2 || r.Method != http.MethodGet {
		return missing("customer")
	}
	c := s.customer(parts[1])
	create, _ := in["create"].(bool)
	if c == nil && (create || r.URL.Query().Get("create") == "true") {
		c = &Customer{ID: s.id("cus"), DID: parts[1]}
		s.Customers[c.DID] = c
	}
	if c == nil {
		return missing("customer not found")
	}
	return http.StatusOK, map[string]any{"id": c.ID, "did": c.DID}
}

func (s *Server) meterEvents(r *http.Request, parts []string, in map[string]any) (int, any) {
	if len(parts) == 2 && parts[1] == "pending-amount" {
		out := map[string]any{}
		if c := s.customer(r.URL.Query().Get("customer_id")); c != nil && c.Pending > 0 {
			for _, m := range s.Meters {
				out[m.CurrencyID] = s.units(c.Pending)
			}
		}
		return http.StatusOK, out
	}
	if r.Method != http.MethodPost {
		return missing("meter event")
	}
	payload, _ := in["payload"].(map[string]any)
	id := text(in, "identifier")
	value, err := money.ParseCredits(text(payload, "value"))
	switch {
	case s.meter(text(in, "event_name")) == nil:
		return bad("meter not found")
	case err != nil || value <= 0:
		return bad("payload.value must be a positive decimal")
	case id == "":
		return bad("identifier is required")
	case number(in, "timestamp") <= 0 || number(in, "timestamp") > s.Now().Unix()+300:
		return bad("timestamp")
	}
	if _, had := s.Events[id]; had {
		if s.Refuses {
			return http.StatusConflict, map[string]any{"error": "identifier already exists"}
		}
		return http.StatusOK, map[string]any{"id": "mev", "identifier": id}
	}
	c := s.customer(text(payload, "customer_id"))
	if c == nil {
		return bad("customer not found")
	}
	s.Events[id] = Event{Customer: c.DID, Identifier: id, EventName: text(in, "event_name"), Value: value}
	c.Pending += value
	s.settle(c)
	return http.StatusOK, map[string]any{"id": s.id("mev"), "identifier": id}
}

// settle pays a customer's pending use from its grants: by priority, then nearest
// expiry.
func (s *Server) settle(c *Customer) {
	var own []*Grant
	for _, g := range s.Grants {
		if g.Customer == c.ID && g.Status == "granted" {
			own = append(own, g)
		}
	}
	slices.SortStableFunc(own, func(a, b *Grant) int {
		return cmp.Or(cmp.Compare(a.Priority, b.Priority), cmp.Compare(expiry(a), expiry(b)))
	})
	for _, g := range own {
		take := min(g.Remaining, c.Pending)
		g.Remaining -= take
		c.Pending -= take
		if g.Remaining == 0 {
			g.Status = "depleted"
		}
	}
}

func expiry(g *Grant) int64 {
	if g.ExpiresAt == 0 {
		return math.MaxInt64
	}
	return g.ExpiresAt
}

// Give grants credits to a customer, as a purchase or an administrator does, and
// returns the grant's id.
func (s *Server) Give(did, category string, amount money.Credits, expiresAt int64) string {
	s.Lock()
	defer s.Unlock()
	c := s.customer(did)
	if c == nil {
		c = &Customer{ID: s.id("cus"), DID: did}
		s.Customers[did] = c
	}
	return s.give(&Grant{Customer: c.ID, Amount: amount, Category: category, Priority: 50, ExpiresAt: expiresAt}, c).ID
}

func (s *Server) give(g *Grant, c *Customer) *Grant {
	g.ID, g.Remaining, g.Status = s.id("cg"), g.Amount, "granted"
	s.Grants = append(s.Grants, g)
	s.settle(c)
	return g
}

// End gives a grant its last status: voided or expired.
func (s *Server) End(id, status string) {
	s.Lock()
	defer s.Unlock()
	for _, g := range s.Grants {
		if g.ID == id {
			g.Status = status
		}
	}
}

// Take changes what remains of a grant behind the hub's back.
func (s *Server) Take(id string, amount money.Credits) {
	s.Lock()
	defer s.Unlock()
	for _, g := range s.Grants {
		if g.ID == id {
			g.Remaining -= amount
		}
	}
}

// Reported is the sum of a customer's meter events.
func (s *Server) Reported(did string) (sum money.Credits) {
	s.Lock()
	defer s.Unlock()
	for _, e := range s.Events {
		if e.Customer == did {
			sum += e.Value
		}
	}
	return sum
}

func (s *Server) grants(r *http.Request, parts []string, in map[string]any) (int, any) {
	q := r.URL.Query()
	switch {
	case r.Method == http.MethodPost:
		c := s.customer(text(in, "customer_id"))
		amount, err := money.ParseCredits(text(in, "amount"))
		if c == nil || err != nil || amount <= 0 || (text(in, "category") != "paid" && text(in, "category") != "promotional") {
			return bad("credit grant")
		}
		meta, _ := in["metadata"].(map[string]any)
		return http.StatusOK, s.grantView(s.give(&Grant{Customer: c.ID, Amount: amount, Name: text(in, "name"), Category: text(in, "category"),
			Priority: max(number(in, "priority"), 50), ExpiresAt: number(in, "expires_at"), Metadata: meta}, c))
	case r.Method == http.MethodPut && len(parts) == 2:
		for _, g := range s.Grants {
			if g.ID == parts[1] {
				if ended, _ := in["expired"].(bool); ended {
					g.Status = "expired"
				}
				return http.StatusOK, s.grantView(g)
			}
		}
		return missing("grant not found")
	case len(parts) == 2 && parts[1] == "summary":
		return s.summary(q.Get("customer_id"))
	case len(parts) == 2 && parts[1] == "verify-availability":
		c := s.customer(q.Get("customer_id"))
		if c == nil || q.Get("currency_id") == "" {
			return bad("customer or currency")
		}
		if _, ok := new(big.Int).SetString(q.Get("pending_amount"), 10); !ok {
			return bad("pending_amount must be a whole number")
		}
		return http.StatusOK, map[string]any{"can_continue": s.AutoBuy[c.DID], "reason": ""}
	}
	return s.listGrants(q.Get("customer_id"), q.Get("page"), q.Get("pageSize"))
}

func (s *Server) summary(name string) (int, any) {
	c := s.customer(name)
	if c == nil {
		return missing("customer not found")
	}
	var total, left money.Credits
	n := 0
	for _, g := range s.Grants {
		if g.Customer == c.ID && (g.Status == "granted" || g.Status == "depleted") {
			total, left, n = total+g.Amount, left+g.Remaining, n+1
		}
	}
	out := map[string]any{}
	for _, m := range s.Meters {
		out[m.CurrencyID] = map[string]any{"paymentCurrency": s.currency(m.CurrencyID), "totalAmount": s.units(total),
			"remainingAmount": s.units(left), "grantCount": n}
	}
	return http.StatusOK, out
}

func (s *Server) listGrants(name, page, size string) (int, any) {
	var own []any
	if c := s.customer(name); c != nil {
		for _, g := range s.Grants {
			if g.Customer == c.ID {
				own = append(own, s.grantView(g))
			}
		}
	}
	p, _ := strconv.Atoi(page)
	n, _ := strconv.Atoi(size)
	p, n = max(p, 1), max(n, 1)
	from, to := min((p-1)*n, len(own)), min(p*n, len(own))
	return http.StatusOK, map[string]any{"count": len(own), "list": append([]any{}, own[from:to]...)}
}

func (s *Server) grantView(g *Grant) map[string]any {
	v := map[string]any{"id": g.ID, "customer_id": g.Customer, "name": g.Name, "amount": s.units(g.Amount), "remaining_amount": s.units(g.Remaining),
		"status": g.Status, "category": g.Category, "priority": g.Priority, "expires_at": nil, "metadata": g.Metadata}
	if g.ExpiresAt > 0 {
		v["expires_at"] = g.ExpiresAt
	}
	return v
}

func (s *Server) transactions(r *http.Request) (int, any) {
	out := []any{}
	c := s.customer(r.URL.Query().Get("customer_id"))
	for _, e := range s.Events {
		if c != nil && e.Customer == c.DID {
			out = append(out, map[string]any{"id": e.Identifier, "quantity": s.units(e.Value), "credit_amount": s.units(e.Value), "meter_event_name": e.EventName})
		}
	}
	return http.StatusOK, map[string]any{"count": len(out), "list": out}
}
