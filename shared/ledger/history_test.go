package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/ledger"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/testkit/hrana"
)

// history plays random acts on a few wallets: what is certain of each act is
// checked at once, the books as a whole every now and then.
type history struct {
	t     *testing.T
	s     *store.Store
	book  *ledger.Book
	users []store.User // the last one stands for a shared wallet
	leap  *time.Duration

	mu    sync.Mutex
	lease string
	open  []openCall
	acts  []string
}

type openCall struct {
	store.Admission
	slices    int64
	delivered money.Credits // by the last slice
}

func newHistory(t *testing.T, o store.Options) *history {
	t.Helper()
	h := &history{t: t, leap: new(time.Duration)}
	o.Now = func() time.Time { h.mu.Lock(); defer h.mu.Unlock(); return time.Now().Add(*h.leap) }
	var err error
	h.s, err = store.Open(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() { _ = h.s.Close() })
	_, err = h.s.Migrate(t.Context())
	require.NoError(t, err)
	h.book = &ledger.Book{Store: h.s, Now: time.Now, WelcomeGift: ledger.WelcomeGift{Amount: 30}}
	for i := range 3 {
		u, err := h.s.CreateUser(t.Context(), store.User{Email: fmt.Sprintf("u%d@example.com", i), Role: hub.RoleMember})
		require.NoError(t, err)
		h.users = append(h.users, u)
	}
	w, err := h.s.CreateWallet(t.Context(), store.Wallet{Name: "Team", Kind: "team"})
	require.NoError(t, err)
	h.users[2].AccountID = w.AccountID
	h.lease, err = h.s.OpenLease(t.Context())
	require.NoError(t, err)
	return h
}

// expected reports an error that is no refusal which the rules of the books
// foresee.
func expected(err error) bool {
	for _, known := range []error{store.ErrInsufficient, store.ErrDebt, store.ErrGrantsDue, store.ErrLeaseLost} {
		if errors.Is(err, known) {
			return true
		}
	}
	code := hub.CodeOf(err)
	return err == nil || code == hub.CodeInvalid || code == hub.CodeConflict
}

// snapshot is what an act without effect must leave as it was: all operations
// but expiries, which time brings about, and what is owed.
func (h *history) snapshot() (out [3]int64) {
	err := h.s.Tx(h.t.Context(), func(ctx context.Context, tx *store.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT count(*), sum(amount_nano), (SELECT coalesce(sum(open_nano), 0) FROM account_debts)
FROM ledger_operations WHERE kind <> 'expire'`).Scan(&out[0], &out[1], &out[2])
	})
	require.NoError(h.t, err)
	return out
}

// act does one random thing. alone says that nobody else acts meanwhile, so that
// repeats can be checked to change nothing.
func (h *history) act(r *rand.Rand, alone bool) {
	ctx := h.t.Context()
	i := r.IntN(len(h.users))
	u := h.users[i]
	amount := money.Credits(1 + r.IntN(100))
	id := h.s.NewID()
	var err error
	var again func() error
	note := ""
	switch n := r.IntN(100); {
	case n < 15:
		kinds := []string{ledger.Promotional, ledger.Purchased, ledger.Purchased, ledger.Welcome}
		g := store.Grant{ID: id, AccountID: u.AccountID, Kind: kinds[r.IntN(len(kinds))], Amount: amount, Priority: int64(r.IntN(3))}
		if r.IntN(2) == 0 {
			end := time.Now().Add(time.Duration(r.IntN(40)-5) * time.Millisecond)
			g.ExpiresAt = &end
		}
		again = func() error {
			if err := h.s.Do(ctx, h.s.GrantUnit(g)); !errors.Is(err, store.ErrConflict) && !errors.Is(err, store.ErrExists) {
				return err
			}
			return nil
		}
		note = "grant " + g.Kind
	case n < 45:
		note = "call"
		err = h.call(i, amount)
	case n < 64:
		note = "settle"
		err = h.settle(r)
	case n < 70:
		note = "slice"
		err = h.slice(r)
	case n < 75:
		again = func() error {
			_, err := h.book.Reverse(ctx, ledger.Reversal{ID: id, AccountID: u.AccountID, Cause: ledger.Refund, Amount: amount, Reason: "random"})
			return err
		}
		note = "reverse"
	case n < 80:
		signed := amount
		if r.IntN(2) == 0 {
			signed = -amount
		}
		again = func() error {
			return h.book.Adjust(ctx, ledger.Adjustment{ID: id, AccountID: u.AccountID, Amount: signed, Reason: "random"})
		}
		note = "adjust"
	case n < 86:
		again = func() error {
			return h.book.Transfer(ctx, ledger.Transfer{ID: id, From: u.AccountID, To: h.users[(i+1)%len(h.users)].AccountID, Amount: amount, Reason: "random"})
		}
		note = "transfer"
	case n < 89:
		_, err = h.book.Lend(ctx, u.AccountID, amount, "random")
		note = "lend"
	case n < 91:
		again = func() error { _, err := h.book.Welcome(ctx, h.users[i%2].ID, h.users[i%2].AccountID); return err }
		note = "welcome"
	case n < 94:
		err = h.book.ExpireDue(ctx)
		note = "expire"
	case n < 95:
		err = h.s.CollectDebts(ctx)
		note = "collect"
	case n < 96:
		_, err = h.s.SealAccount(ctx, u.AccountID, time.Duration(r.IntN(200))*time.Millisecond, int64(r.IntN(10)))
		note = "seal"
	case n < 98:
		h.mu.Lock()
		*h.leap = time.Duration(r.Int64N(int64(200*time.Hour))) - 100*time.Hour
		h.mu.Unlock()
		note = "clock leaps"
	default:
		note = "crash"
		err = h.crash()
	}
	if again != nil {
		if err = again(); err == nil && alone {
			before := h.snapshot()
			// The same once more, as after a lost answer.
			require.NoError(h.t, again(), note)
			require.Equal(h.t, before, h.snapshot(), "a repeated %s", note)
		}
	}
	h.mu.Lock()
	h.acts = append(h.acts, note)
	h.mu.Unlock()
	require.True(h.t, expected(err), "%s: %v", note, err)
}

// call admits a call, as the gate does, with its dues expired before.
func (h *history) call(i int, hold money.Credits) error {
	ctx := h.t.Context()
	if _, err := h.book.Balance(ctx, h.users[i].AccountID); err != nil {
		return err
	}
	v, err := h.s.ConfigVersion(ctx)
	require.NoError(h.t, err)
	h.mu.Lock()
	lease := h.lease
	h.mu.Unlock()
	a := store.Admission{CallID: h.s.NewID(), Caller: hub.Caller{UserID: h.users[i].ID, AccountID: h.users[i].AccountID}, Type: hub.TypeChat,
		Dialect: "openai-chat", RequestedModel: "m", Owner: lease, ConfigVersion: v, RequestID: "r", Billing: true,
		OnAbort: "reported", OnFailure: "delivered", PlanJSON: "{}", Hold: hold}
	if err := h.s.Do(ctx, h.s.AdmitUnit(a)); err != nil {
		return err
	}
	again := h.s.Do(ctx, h.s.AdmitUnit(a))
	require.True(h.t, errors.Is(again, store.ErrExists) || errors.Is(again, store.ErrLeaseLost), "the same admission again: %v", again)
	h.mu.Lock()
	h.open = append(h.open, openCall{Admission: a})
	h.mu.Unlock()
	return nil
}

// take takes an open call out of those that are open.
func (h *history) take(r *rand.Rand) (c openCall, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.open) == 0 {
		return c, false
	}
	k := r.IntN(len(h.open))
	c = h.open[k]
	h.open = append(h.open[:k:k], h.open[k+1:]...)
	return c, true
}

// slice extends the hold of an open call and notes what was delivered.
func (h *history) slice(r *rand.Rand) error {
	ctx := h.t.Context()
	c, ok := h.take(r)
	if !ok {
		return nil
	}
	x := store.Slice{CallID: c.CallID, Number: c.slices + 1, AccountID: c.Caller.AccountID, Owner: c.Owner, Hold: c.Hold + money.Credits(1+r.IntN(50)),
		Amount: c.delivered + money.Credits(r.IntN(int(c.Hold-c.delivered)+1)), Source: hub.UsageEstimated, Provider: "p", Model: "m"}
	err := h.s.Do(ctx, h.s.SliceUnit(x))
	if err == nil {
		c.slices, c.Hold, c.delivered = x.Number, x.Hold, x.Amount
		again := h.s.Do(ctx, h.s.SliceUnit(x))
		require.True(h.t, errors.Is(again, store.ErrExists) || errors.Is(again, store.ErrNotOpen), "the same slice again: %v", again)
	}
	h.mu.Lock()
	h.open = append(h.open, c)
	h.mu.Unlock()
	if errors.Is(err, store.ErrNotOpen) { // swept meanwhile
		return nil
	}
	return err
}

// settle ends an open call, for less, as much or more than was held.
func (h *history) settle(r *rand.Rand) error {
	ctx := h.t.Context()
	c, ok := h.take(r)
	if !ok {
		return nil
	}
	x := store.Settlement{CallID: c.CallID, Owner: c.Owner, UserID: c.Caller.UserID, AccountID: c.Caller.AccountID, Type: hub.TypeChat, Billing: true,
		Status: hub.StatusSuccess, Amount: c.delivered + money.Credits(r.IntN(int(c.Hold-c.delivered)*3/2+1))}
	err := h.s.Do(ctx, h.s.SettleUnit(x))
	if errors.Is(err, store.ErrGrantSplit) {
		x.SplitGrants = true
		err = h.s.Do(ctx, h.s.SettleUnit(x))
	}
	if errors.Is(err, store.ErrExists) || errors.Is(err, store.ErrNotOpen) { // swept meanwhile
		err = h.s.Do(ctx, h.s.CorrectUnit(x))
		if errors.Is(err, store.ErrExists) {
			err = nil
		}
	} else if err == nil {
		again := h.s.Do(ctx, h.s.SettleUnit(x))
		require.True(h.t, errors.Is(again, store.ErrExists) || errors.Is(again, store.ErrNotOpen), "the same settlement again: %v", again)
	}
	if err != nil {
		return err
	}
	row, err := h.s.CallByID(ctx, c.CallID)
	require.NoError(h.t, err)
	require.LessOrEqual(h.t, row.Credits, x.Amount)
	require.Equal(h.t, x.Amount-row.Credits, row.Shortfall, "what is not charged is the operator's, on record")
	h.mu.Lock()
	lease := h.lease
	h.mu.Unlock()
	if x.Amount <= c.Hold && row.Status == hub.StatusSuccess && c.Owner == lease {
		require.Equal(h.t, x.Amount, row.Credits, "what was held is there to be charged")
	}
	return nil
}

// crash ends the process: its calls stay open until a sweeper finds them.
func (h *history) crash() error {
	ctx := h.t.Context()
	fresh, err := h.s.OpenLease(ctx)
	if err != nil {
		return err
	}
	h.mu.Lock() // of two who crash at once each ends another lease, and none is left alive
	old := h.lease
	h.lease = fresh
	h.mu.Unlock()
	if err := h.s.Exec(ctx, "UPDATE leases SET dead = 1 WHERE id = ?1", old); err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	sweeper := ledger.Sweeper{Store: h.s, Log: slog.New(slog.DiscardHandler), After: time.Hour}
	return sweeper.Sweep(ctx)
}

func (h *history) verify() {
	h.t.Helper()
	for _, verify := range []func(context.Context) (ledger.Report, error){h.book.Verify, h.book.VerifyAll} {
		r, err := verify(h.t.Context())
		require.NoError(h.t, err)
		require.Empty(h.t, r.Violations, "after %v", h.acts)
	}
}

// eachPlace runs a test over an embedded file and a libSQL server.
func eachPlace(t *testing.T, test func(t *testing.T, o store.Options, remote bool)) {
	t.Helper()
	t.Run("embedded file", func(t *testing.T) {
		t.Parallel()
		test(t, store.Options{URL: "file:" + filepath.Join(t.TempDir(), "hub.db")}, false)
	})
	t.Run("libSQL server", func(t *testing.T) {
		t.Parallel()
		url, token := hrana.Start(t)
		test(t, store.Options{URL: url, Token: hub.Secret(token)}, true)
	})
}

func TestTheBooksHoldOverRandomHistories(t *testing.T) {
	t.Parallel()
	eachPlace(t, func(t *testing.T, o store.Options, remote bool) {
		acts := 1500
		if remote {
			acts = 300
		}
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		r := rand.New(rand.NewPCG(seed, 1))
		h := newHistory(t, o)
		for i := range acts {
			h.act(r, true)
			if i%25 == 0 {
				h.verify()
			}
		}
		h.verify()
		seen := map[string]bool{}
		for _, a := range h.acts {
			seen[a] = true
		}
		assert.Greater(t, len(seen), 14, "every kind of act happened")
	})
}

func TestTheBooksHoldWhenManyActAtOnce(t *testing.T) {
	t.Parallel()
	eachPlace(t, func(t *testing.T, o store.Options, remote bool) {
		h := newHistory(t, o)
		acts := 200
		if remote {
			acts = 40
		}
		var wg sync.WaitGroup
		for g := range 8 {
			r := rand.New(rand.NewPCG(rand.Uint64(), uint64(g)))
			wg.Go(func() {
				for range acts {
					h.act(r, false)
				}
			})
		}
		wg.Wait()
		h.verify()
		require.NoError(t, h.crash())
		h.verify()
		for _, u := range h.users {
			a, err := h.s.AccountByID(t.Context(), u.AccountID)
			require.NoError(t, err)
			assert.Zero(t, a.Held, "once the sweeper was there nothing is held")
		}
	})
}
