package admission_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/admission"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/ledger"
)

// purse gives what it has when it is asked.
type purse struct {
	w     *world
	gives bool
	err   error
	asked int
}

func (p *purse) Refill(ctx context.Context, accountID string) (bool, error) {
	p.asked++
	if !p.gives {
		return false, p.err
	}
	_, err := p.w.book.Grant(ctx, ledger.Gift{AccountID: accountID, Amount: 1_000_000_000})
	return err == nil, err
}

func (p *purse) Link(context.Context, string) string { return "https://buy.example/me" }

func TestAnEmptyWalletIsRefilledBeforeACallIsRefused(t *testing.T) {
	t.Parallel()
	w := open(t, file(t), 0)
	p := &purse{w: w, gives: true}
	w.gate.Funds = p
	ticket, err := w.gate.Admit(t.Context(), w.request())
	require.NoError(t, err)
	assert.Zero(t, ticket.LowerTo, "nothing is lowered when the money is there")
	assert.Equal(t, 1, p.asked)
	_, err = w.gate.Admit(t.Context(), w.request())
	require.NoError(t, err)
	assert.Equal(t, 1, p.asked, "a full wallet asks nobody")
	other := w.request()
	other.Plan.Version--
	_, err = w.gate.Admit(t.Context(), other)
	require.ErrorIs(t, err, admission.ErrStale, "other refusals are no matter of money")
}

func TestWhereNothingIsFoundTheRefusalSaysWhereToBuy(t *testing.T) {
	t.Parallel()
	for name, p := range map[string]*purse{"nothing": {}, "an error": {err: errors.New("away")}} {
		w := open(t, file(t), 0)
		w.gate.Funds = p
		_, err := w.gate.Admit(t.Context(), w.request())
		refusal := hub.AsError(err)
		assert.Equal(t, hub.CodeInsufficientCredits, refusal.Code, name)
		assert.Equal(t, "https://buy.example/me", refusal.Link, name)
		assert.Equal(t, 1, p.asked, name)
		w.clean(t)
	}
}
