package reconcile

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/store"
)

// places are the databases that can hold calls admitted between two times: the
// hub's own and then those of its archives.
func (b *Book) places(ctx context.Context, from, until time.Time) ([]*store.Store, error) {
	out := []*store.Store{b.Store}
	if b.Archives == nil {
		return out, nil
	}
	more, err := b.Archives.Of(ctx, from, until)
	return append(out, more...), err
}

// recorded sums what was recorded of a provider, archived calls included.
func (b *Book) recorded(ctx context.Context, provider string, from, until time.Time) ([]store.Recorded, error) {
	places, err := b.places(ctx, from, until)
	if err != nil {
		return nil, err
	}
	var out []store.Recorded
	for _, s := range places {
		more, err := s.Recorded(ctx, provider, from, until)
		if err != nil {
			return nil, err
		}
		for _, m := range more {
			i := slices.IndexFunc(out, func(r store.Recorded) bool { return r.Model == m.Model && r.Credential == m.Credential })
			if i < 0 {
				out = append(out, m)
				continue
			}
			out[i].Add(m)
		}
	}
	return out, nil
}

func (b *Book) interrupted(ctx context.Context, from, until time.Time) (n int64, err error) {
	places, err := b.places(ctx, from, until)
	for _, s := range places {
		var more int64
		if err == nil {
			more, err = s.Interrupted(ctx, from, until)
		}
		n += more
	}
	return n, err
}

// Calls lists the calls behind a figure of a report, oldest first, archived ones
// included.
func (b *Book) Calls(ctx context.Context, f store.BilledFilter) ([]store.Call, error) {
	places, err := b.places(ctx, f.From, f.Until)
	if err != nil {
		return nil, err
	}
	var out []store.Call
	for _, s := range places {
		more, err := s.BilledCalls(ctx, f)
		if err != nil {
			return nil, err
		}
		out = append(out, more...)
	}
	// The hub's own row comes first where a call is on its way to an archive.
	slices.SortStableFunc(out, func(x, y store.Call) int { return cmp.Compare(x.ID, y.ID) })
	out = slices.CompactFunc(out, func(x, y store.Call) bool { return x.ID == y.ID })
	return out[:min(len(out), f.Limit)], nil
}
