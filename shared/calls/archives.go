package calls

import (
	"context"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/store"
)

// Archives gives the databases that older calls were moved to.
type Archives interface {
	// Of returns the archives that can hold calls admitted from from (inclusive) to to
	// (exclusive), newest first, open for reading; nil when there are none. They stay
	// open: callers do not close them.
	Of(ctx context.Context, from, to time.Time) ([]*store.Store, error)
	// Newest is Of for who reads from the newest call on and may stop: it can leave out
	// what takes long to read. Then the archives are complete from the id floor on,
	// and older calls are asked for with a to before it; floor "" says that nothing
	// is left out.
	Newest(ctx context.Context, from, to time.Time) (archives []*store.Store, floor string, err error)
	// First is when the oldest archived call was admitted; ok is false when there is
	// none.
	First(ctx context.Context) (at time.Time, ok bool, err error)
}
