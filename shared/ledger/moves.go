package ledger

import (
	"context"
	"errors"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// Why credits are reversed.
const (
	Refund     = "refund"
	Dispute    = "dispute"
	Correction = "correction"
)

// Reversal takes credits back; see store.Reversal.
type Reversal = store.Reversal

// Reversed is what a reversal came to.
type Reversed = store.Reversed

// Reverse takes min(amount, what is free) of an account now. The rest becomes a
// debt: until it is collected, from money that comes free and from later
// purchases, new calls are refused. The same ID reverses once.
func (b *Book) Reverse(ctx context.Context, r Reversal) (Reversed, error) {
	if err := b.prepare(ctx, r.AccountID, r.Amount, r.Reason); err != nil {
		return Reversed{}, err
	}
	switch r.Cause {
	case Refund, Dispute, Correction:
	default:
		return Reversed{}, hub.Invalid("cause", "Credits are reversed for a refund, a dispute or a correction.")
	}
	if r.ID == "" {
		r.ID = b.Store.NewID()
	}
	var done Reversed
	err := b.Store.Tx(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		done, err = b.Store.ReverseIn(ctx, tx, r)
		return err
	})
	return done, noAccount(err)
}

// prepare checks what all moves have in common and expires what is due.
func (b *Book) prepare(ctx context.Context, accountID string, amount money.Credits, reason string) error {
	const longest = 500
	switch {
	case amount <= 0:
		return hub.Invalid("amount", "The amount must be greater than 0 credits.")
	case reason == "":
		return hub.Invalid("reason", "Credits are taken or moved with a reason.")
	case len(reason) > longest:
		return hub.Invalid("reason", "The reason has more than %d bytes.", longest)
	}
	_, err := b.Balance(ctx, accountID)
	return noAccount(err)
}

func noAccount(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return hub.Errorf(hub.CodeNotFound, "There is no such wallet.")
	}
	return err
}

// Adjustment corrects a balance by hand.
type Adjustment struct {
	ID        string // the same id adjusts once; "" makes a new one
	AccountID string
	Amount    money.Credits // below 0: taken
	Actor     string
	Reason    string
	ExpiresAt *time.Time // of what is given
}

// Adjust gives credits or takes them, whole or not at all: what is held for
// running calls and what is not there cannot be taken.
func (b *Book) Adjust(ctx context.Context, a Adjustment) error {
	amount := a.Amount
	if amount < 0 {
		if amount = -amount; amount < 0 {
			return hub.Invalid("amount", "The amount is beyond all bounds.")
		}
	}
	if err := b.prepare(ctx, a.AccountID, amount, a.Reason); err != nil {
		return err
	}
	if a.ExpiresAt != nil && (a.Amount < 0 || !a.ExpiresAt.After(b.Now())) {
		return hub.Invalid("expires_at", "An expiry belongs to credits that are given, and lies in the future.")
	}
	if a.ID == "" {
		a.ID = b.Store.NewID()
	}
	err := b.Store.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		if a.Amount > 0 {
			return b.Store.GiveIn(ctx, tx, store.Grant{ID: a.ID, AccountID: a.AccountID, Kind: Promotional, Name: "Adjustment", Amount: amount,
				Priority: defaultPriority, ExpiresAt: a.ExpiresAt, Actor: a.Actor, Reason: a.Reason, Cause: "adjust"})
		}
		return b.Store.TakeIn(ctx, tx, store.Reversal{ID: a.ID, AccountID: a.AccountID, Cause: "adjust", Amount: amount, Actor: a.Actor, Reason: a.Reason})
	})
	switch {
	case errors.Is(err, store.ErrExists), errors.Is(err, store.ErrConflict):
		return nil
	case errors.Is(err, store.ErrInsufficient):
		return hub.Invalid("amount", "That much is not free on the wallet; a reversal takes what there is and leaves the rest as a debt.")
	}
	return noAccount(err)
}

// Transfer moves credits between wallets; see store.Transfer.
type Transfer = store.Transfer

// Transfer moves credits from one wallet to another, whole or not at all. They
// keep their kind, priority and expiry. Welcome credits and credit lines cannot
// be given away, and nothing can while the giver owes. The same ID moves once.
func (b *Book) Transfer(ctx context.Context, t Transfer) error {
	if err := b.prepare(ctx, t.From, t.Amount, t.Reason); err != nil {
		return err
	}
	if t.From == t.To {
		return hub.Invalid("to", "The two wallets are one.")
	}
	if t.ID == "" {
		t.ID = b.Store.NewID()
	}
	err := b.Store.Tx(ctx, func(ctx context.Context, tx *store.Tx) error { return b.Store.TransferIn(ctx, tx, t) })
	switch {
	case errors.Is(err, store.ErrExists):
		return nil
	case errors.Is(err, store.ErrInsufficient):
		return hub.Invalid("amount", "That much cannot be moved from the wallet: welcome credits stay where they are, and what running calls hold is not free.")
	case errors.Is(err, store.ErrDebt):
		return hub.Errorf(hub.CodeConflict, "The wallet has an open debt from a reversed payment; nothing can be moved from it.")
	}
	return noAccount(err)
}

// WelcomeGift is what new users get.
type WelcomeGift struct {
	Amount money.Credits
	Life   time.Duration // 0: for ever
}

// Welcome gives a new user the welcome gift, once however often and by however
// many processes it is called. granted is false when there is none, or it was
// given before.
func (b *Book) Welcome(ctx context.Context, userID, accountID string) (granted bool, err error) {
	if b.WelcomeGift.Amount <= 0 {
		return false, nil
	}
	g := store.Grant{ID: welcomeID + userID, AccountID: accountID, Kind: Welcome, Name: "Welcome", Amount: b.WelcomeGift.Amount,
		Priority: welcomePriority, Reason: "welcome", Cause: "welcome"}
	if b.WelcomeGift.Life > 0 {
		end := b.Now().Add(b.WelcomeGift.Life).UTC()
		g.ExpiresAt = &end
	}
	err = b.Store.Do(ctx, b.Store.GrantUnit(g))
	if errors.Is(err, store.ErrConflict) || errors.Is(err, store.ErrExists) {
		return false, nil
	}
	return err == nil, err
}

// newFor is for how long a user counts as new.
const newFor = 24 * time.Hour

// WelcomeNew welcomes new users whom nobody has welcomed: whoever made them died
// before, or does not know of welcome gifts.
func (b *Book) WelcomeNew(ctx context.Context) error {
	const batch = 200
	if b.WelcomeGift.Amount <= 0 {
		return nil
	}
	users, err := b.Store.NewUsers(ctx, b.Now().Add(-newFor), welcomeID, batch)
	if err != nil {
		return err
	}
	for _, u := range users {
		if _, err := b.Welcome(ctx, u.ID, u.AccountID); err != nil {
			return err
		}
	}
	return nil
}

// welcomeID begins the id of a user's welcome grant; the user's id follows.
const welcomeID = "welcome/"

// Welcome credits are spent before others, credit lines after all of them.
const (
	welcomePriority = 10
	linePriority    = 1_000_000
)

// Lend makes sure that an account has credit lines of limit credits in all, what
// is spent of them and not yet paid back included, and says how much was added.
// The next purchases pay them back.
func (b *Book) Lend(ctx context.Context, accountID string, limit money.Credits, reason string) (added money.Credits, err error) {
	if err := b.prepare(ctx, accountID, limit, reason); err != nil {
		return 0, err
	}
	err = b.Store.Tx(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		added, err = b.Store.LendIn(ctx, tx, store.Grant{ID: b.Store.NewID(), AccountID: accountID, Kind: "credit_line", Name: "Credit line",
			Amount: limit, Priority: linePriority, Reason: reason, Cause: "lend"})
		return err
	})
	if errors.Is(err, store.ErrDebt) {
		return 0, hub.Errorf(hub.CodeConflict, "The wallet has an open debt; nothing is lent to it.")
	}
	return added, noAccount(err)
}
