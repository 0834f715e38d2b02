package pricing

import (
	"fmt"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
)

// Bill is a charge line by line: the lines add up to Sum, exactly, and Amount is
// Sum rounded once.
type Bill struct {
	Lines  []BillLine
	Sum    money.Sum
	Amount money.Credits
	// Left out are units that these prices do not charge for, because the same
	// work is charged by another measure (see Measured).
	LeftOut []BillLine
}

// BillLine is one bucket of a Bill.
type BillLine struct {
	Line
	Variant string // the key of the variant's price that applied (see VariantPrice.Key), "" for none
	Amount  money.Sum
}

// Bill prices usage of one quality and size as a call is charged, and says how.
// It fails as Charge does; the lines that could be priced are there all the same.
func (p Prices) Bill(u hub.Usage, quality, size string) (Bill, error) {
	chosen := p.For(quality, size)
	measured := chosen.Measured(u)
	var bill Bill
	var failed error
	for _, l := range chosen.Explain(measured) {
		line := BillLine{Line: l}
		if price, ok := p.variant(l.From, quality, size, false); ok && price.Rate == l.Rate { // else the call's tier has a rate of its own
			line.Variant = p.variantKey(l.From, quality, size, price.Rate)
		}
		switch {
		case !l.Priced:
			failed = unpriced(l.Bucket)
		case failed == nil:
			if failed = line.Amount.Add(l.Units, l.Rate); failed == nil {
				failed = bill.Sum.Add(l.Units, l.Rate)
			}
			if failed != nil {
				failed = fmt.Errorf("%s: %w", l.Bucket, failed)
			}
		}
		bill.Lines = append(bill.Lines, line)
	}
	for b, units := range u {
		if units != 0 && measured[b] == 0 {
			bill.LeftOut = append(bill.LeftOut, BillLine{Line: Line{Bucket: hub.Bucket(b), Units: units}})
		}
	}
	amount, err := chosen.Charge(measured) // the charge itself, not a second opinion
	if err != nil {
		return bill, err
	}
	bill.Amount = amount
	return bill, failed
}

// variantKey names the variant whose rate For chooses for a bucket.
func (p *Prices) variantKey(b hub.Bucket, quality, size string, rate money.Rate) string {
	best, score := "", 0
	for i := range p.Variants {
		v := &p.Variants[i]
		if fits, n := v.fits(quality, size, false); v.Bucket == b && fits && n > score {
			best, score = v.Key(), n
		}
	}
	if best != "" || p.Buckets[b].Set {
		return best
	}
	for i := range p.Variants { // none fits: the dearest stands in
		if v := &p.Variants[i]; v.Bucket == b && v.Rate == rate {
			return v.Key()
		}
	}
	return ""
}
