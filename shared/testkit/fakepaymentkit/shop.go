package fakepaymentkit

import (
	"net/http"
	"strings"
)

// shop serves what is looked up by a key and made once: prices with their
// products, links, settings and the way in which credits are bought.
func (s *Server) shop(r *http.Request, parts []string, in map[string]any) (int, any) {
	switch {
	case parts[0] == "products" && r.Method == http.MethodPost:
		return s.product(in)
	case parts[0] == "payment-currencies" && len(parts) == 1:
		return http.StatusOK, []any{
			map[string]any{"id": "pc_usd", "name": "Dollar", "symbol": "USD", "decimal": 2, "type": "standard"},
			map[string]any{"id": "pc_abt", "name": "ABT", "symbol": "ABT", "decimal": 18, "type": "standard"},
		}
	case parts[0] == "payment-currencies" && len(parts) == 3:
		key := strings.Join(parts, "/")
		if r.Method == http.MethodPut {
			s.Objects[key] = in
		}
		v := s.currency(parts[1])
		if in := s.Objects[key]; in != nil {
			v["recharge_config"] = in
		}
		return http.StatusOK, v
	case parts[0] == "prices" || parts[0] == "payment-links" || parts[0] == "settings":
		return s.object(r, parts, in)
	}
	return missing("no such path")
}

func (s *Server) product(in map[string]any) (int, any) {
	prices, _ := in["prices"].([]any)
	for _, p := range prices {
		price, _ := p.(map[string]any)
		key := text(price, "lookup_key")
		if key == "" || text(price, "unit_amount") == "" {
			return bad("price")
		}
		price["id"] = s.id("price")
		s.Objects["prices/"+key] = price
	}
	return http.StatusOK, map[string]any{"id": s.id("prod"), "name": in["name"]}
}

func (s *Server) object(r *http.Request, parts []string, in map[string]any) (int, any) {
	if r.Method == http.MethodPost && len(parts) == 1 {
		key, prefix := text(in, "lookup_key"), "plink"
		if parts[0] == "settings" {
			key, prefix = text(in, "mountLocation"), "set"
		}
		if key == "" {
			return bad("no key")
		}
		if s.Objects[parts[0]+"/"+key] != nil {
			return bad("lookup_key already exists")
		}
		in["id"] = s.id(prefix)
		s.Objects[parts[0]+"/"+key] = in
		return http.StatusOK, in
	}
	if len(parts) == 2 {
		for key, o := range s.Objects {
			if strings.HasPrefix(key, parts[0]+"/") && (key == parts[0]+"/"+parts[1] || o["id"] == parts[1]) {
				return http.StatusOK, o
			}
		}
	}
	return missing("%s not found", parts[0])
}
