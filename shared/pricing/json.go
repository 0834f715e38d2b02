package pricing

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
)

// maxTiers bounds the tiers read from JSON; no vendor publishes more than a few.
const maxTiers = 16

// MarshalJSON writes the form kept in the database, for example
//
//	{"input":"0.0000025","cache_read":"0.00000125","tiers":[{"above":200000,"input":"0.000005"}]}
//
// and for pictures {"variants":[{"bucket":"images","quality":"hd","size":"1024x1024","rate":"0.08"}]},
// with rates as decimal strings per unit, buckets in their order, unset ones
// left out. Equal prices give equal bytes.
func (p Prices) MarshalJSON() ([]byte, error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	dst := appendTable([]byte{'{'}, &p.Buckets)
	if len(p.Tiers) > 0 {
		dst = append(separate(dst), `"tiers":[`...)
		for i := range p.Tiers {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(dst, `{"above":`...)
			dst = strconv.AppendInt(dst, p.Tiers[i].AbovePrompt, 10)
			dst = append(appendTable(dst, &p.Tiers[i].Buckets), '}')
		}
		dst = append(dst, ']')
	}
	if len(p.Variants) > 0 {
		dst = append(separate(dst), `"variants":`...)
		list, err := json.Marshal(variantsOut(p.Variants))
		if err != nil {
			return nil, err
		}
		dst = append(dst, list...)
	}
	return append(dst, '}'), nil
}

func appendTable(dst []byte, t *Table) []byte {
	for b, price := range t {
		if !price.Set {
			continue
		}
		dst = append(separate(dst), '"')
		dst = append(dst, hub.Bucket(b).String()...)
		dst = append(dst, `":"`...)
		dst = append(dst, price.Rate.String()...)
		dst = append(dst, '"')
	}
	return dst
}

func separate(dst []byte) []byte {
	if dst[len(dst)-1] == '{' {
		return dst
	}
	return append(dst, ',')
}

// UnmarshalJSON reads what MarshalJSON wrote, with tiers in any order. Unknown
// and repeated keys, numbers in place of strings, negative rates and tiers with
// equal thresholds are errors, so that no price is lost silently.
func (p *Prices) UnmarshalJSON(data []byte) error {
	if bytes.Equal(bytes.TrimSpace(data), []byte("null")) {
		return nil
	}
	var out Prices
	err := eachMember(data, func(key string, value json.RawMessage) error {
		switch key {
		case "tiers":
			return out.unmarshalTiers(value)
		case "variants":
			return out.unmarshalVariants(value)
		}
		return out.Buckets.set(key, value)
	})
	if err != nil {
		return fmt.Errorf("prices: %w", err)
	}
	if err := out.Check(); err != nil {
		return fmt.Errorf("prices: %w", err)
	}
	*p = out
	return nil
}

func (p *Prices) unmarshalTiers(data json.RawMessage) error {
	var raw []json.RawMessage
	if err := json.Unmarshal(data, &raw); err != nil {
		return fmt.Errorf("tiers: %w", err)
	}
	if len(raw) > maxTiers {
		return fmt.Errorf("tiers: %d are too many, %d is the most", len(raw), maxTiers)
	}
	for _, member := range raw {
		t := Tier{AbovePrompt: -1}
		err := eachMember(member, func(key string, value json.RawMessage) error {
			if key == "above" {
				return json.Unmarshal(value, &t.AbovePrompt)
			}
			return t.Buckets.set(key, value)
		})
		if err != nil {
			return fmt.Errorf("tiers: %w", err)
		}
		p.Tiers = append(p.Tiers, t)
	}
	slices.SortFunc(p.Tiers, func(a, b Tier) int { return cmp.Compare(a.AbovePrompt, b.AbovePrompt) })
	return nil
}

func (t *Table) set(key string, value json.RawMessage) error {
	b, ok := hub.ParseBucket(key)
	if !ok {
		return fmt.Errorf("%q is not a bucket", key)
	}
	var text string
	if err := json.Unmarshal(value, &text); err != nil {
		return fmt.Errorf("%s: the rate must be a string", key)
	}
	rate, err := money.ParseRate(text)
	if err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	t[b] = Price{Rate: rate, Set: true}
	return nil
}

// eachMember calls fn for the members of a JSON object and refuses repeated keys.
func eachMember(data []byte, fn func(key string, value json.RawMessage) error) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	if start, err := dec.Token(); err != nil || start != json.Delim('{') {
		return errors.New("not a JSON object")
	}
	seen := make(map[string]bool)
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			return err
		}
		key, _ := token.(string)
		if seen[key] {
			return fmt.Errorf("%q is there twice", key)
		}
		seen[key] = true
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		if err := fn(key, value); err != nil {
			return err
		}
	}
	if _, err := dec.Token(); err != nil {
		return err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("data after the JSON object")
	}
	return nil
}
