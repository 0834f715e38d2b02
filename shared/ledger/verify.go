package ledger

import (
	"context"

	"github.com/aigne-hub/aigne-hub/shared/store"
)

// Report is the outcome of a verification.
type Report struct {
	Operations int64             `json:"operations"`
	Violations []store.Violation `json:"violations"`
}

// Verify proves the books since their last seals. What a first look finds wrong is looked at again,
// since a mismatch counts only when it stays.
func (b *Book) Verify(ctx context.Context) (Report, error) { return b.verify(ctx, false) }

// VerifyAll proves them from their beginning, seals included.
func (b *Book) VerifyAll(ctx context.Context) (Report, error) { return b.verify(ctx, true) }

func (b *Book) verify(ctx context.Context, all bool) (Report, error) {
	found, n, err := b.Store.VerifyLedger(ctx, all)
	if err != nil || len(found) == 0 {
		return Report{Operations: n, Violations: []store.Violation{}}, err
	}
	again, n, err := b.Store.VerifyLedger(ctx, all)
	if err != nil {
		return Report{}, err
	}
	first := map[store.Violation]bool{}
	for _, v := range found {
		first[v] = true
	}
	r := Report{Operations: n, Violations: []store.Violation{}}
	for _, v := range again {
		if first[v] {
			r.Violations = append(r.Violations, v)
		}
	}
	return r, nil
}
