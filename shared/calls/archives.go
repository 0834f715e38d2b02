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
}
