package proxy_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/ledger"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/testkit/fakeprovider"
	"github.com/aigne-hub/aigne-hub/shared/tokens"
)

const (
	endsWallets = 20
	endsEach    = 10   // streams at once on each
	endsText    = 3000 // bytes of an answer at most
	inputPico   = 170_001
	outputPico  = 1_300_007
)

// smallWallet is a user whose money will not last.
type smallWallet struct {
	user     store.User
	key      hub.Secret
	given    money.Credits
	reversed money.Credits
}

// stream is one stream and what its client got.
type stream struct {
	wallet *smallWallet
	lang   *streamed
	kind   fakeprovider.Kind
	text   string // the whole answer
	leaves bool   // its client leaves some time
	torn   bool   // its provider's connection is torn in the middle
	status int
	callID string
	body   string
	err    error
}

// endsWanted is how many wallets there are: 20, or AIGNE_HUB_TEST_ENDS.
func endsWanted(t *testing.T) int {
	raw := os.Getenv("AIGNE_HUB_TEST_ENDS")
	if raw == "" {
		return endsWallets
	}
	n, err := strconv.Atoi(raw)
	require.NoError(t, err, "AIGNE_HUB_TEST_ENDS")
	return n
}

// TestSuddenEndsOfMoney opens ten streams at once on each of many small wallets, in
// every language and from every provider. While all of them are open, some wallets
// lose money to a refund; some clients leave, and some providers break off. No
// wallet may be overdrawn, each stream must end as its language wants it, and what
// was charged must be what was delivered, to the nano-credit.
func TestSuddenEndsOfMoney(t *testing.T) {
	t.Parallel()
	h := start(t, map[string]string{"AIGNE_HUB_BILLING": "on", "AIGNE_HUB_BILLING_SLICE": "128", "AIGNE_HUB_LOG_LEVEL": "error"})
	gate := fakeprovider.NewGate()
	fill := map[string]fakeprovider.Answer{} // by the word that asks for them
	var all []*stream
	wallets := h.smallWallets(endsWanted(t))
	list := []fakeprovider.Kind{fakeprovider.OpenAI, fakeprovider.Anthropic, fakeprovider.Gemini, fakeprovider.Bedrock}
	for i, w := range wallets {
		for j := range endsEach {
			s := &stream{wallet: w, lang: &streamedLanguages[(i+j)%len(streamedLanguages)], kind: list[(i*endsEach+j)/3%len(list)]}
			s.text = fakeprovider.Words(300 + rand.IntN(endsText-300))
			s.leaves, s.torn = rand.IntN(10) == 0, rand.IntN(20) == 0
			answer := fakeprovider.Answer{Text: s.text, Frames: 40, Middle: gate}
			if s.torn {
				answer.Break = fakeprovider.Cut
			}
			fill[s.word(len(all))] = answer
			all = append(all, s)
		}
	}
	for kind, model := range openModels {
		h.provider(kind).Handle(model, func(r fakeprovider.Request) fakeprovider.Answer {
			return fill[asked(r.Body)]
		})
		h.rate(kinds[kind].kind, model, "0.170001", "1.300007")
	}
	leaving, leave := context.WithCancel(t.Context())
	defer leave()
	var clients sync.WaitGroup
	for i, s := range all {
		clients.Go(func() { h.open(leaving, s, i) })
	}
	h.whileAllAreOpen(all, gate, wallets)
	leave()
	gate.Release()
	clients.Wait()
	h.checkEnds(all, wallets)
}

// word is what asks for a stream's answer.
func (*stream) word(i int) string { return fmt.Sprintf("tale-%05d", i) }

// asked finds the word in a provider's request.
func asked(body []byte) string {
	const size = len("tale-00000")
	i := bytes.Index(body, []byte("tale-"))
	if i < 0 || i+size > len(body) {
		return ""
	}
	return string(body[i : i+size])
}

func (h *testHub) smallWallets(n int) []*smallWallet {
	h.t.Helper()
	out := make([]*smallWallet, n)
	for i := range out {
		w := &smallWallet{}
		var err error
		email := fmt.Sprintf("small-%d@example.com", i)
		w.user, err = h.app.Desk.CreateUser(h.t.Context(), "test", email, hub.RoleMember, "")
		require.NoError(h.t, err)
		w.key, _, err = h.app.Desk.CreateKey(h.t.Context(), "test", email, "test", nil)
		require.NoError(h.t, err)
		// Two grants, so that charges are split: between them enough for some of
		// the ten answers. The first wallet always has too little for all of them,
		// the second always enough.
		for range 2 {
			amount := money.Credits(1_000_000 + rand.Int64N(4_000_000))
			switch i {
			case 0:
				amount = 1_000_000
			case 1:
				amount = 100_000_000
			}
			_, err = h.app.Book.Grant(h.t.Context(), ledger.Gift{AccountID: w.user.AccountID, Amount: amount})
			require.NoError(h.t, err)
			w.given += amount
		}
		out[i] = w
	}
	return out
}

// open carries one stream; like the SDKs it tries again when the hub is too busy to
// admit. Some clients leave when leaving ends.
func (h *testHub) open(leaving context.Context, s *stream, i int) {
	path, body := s.lang.ask(kinds[s.kind].kind, openModels[s.kind])
	body = string(bytes.Replace([]byte(body), []byte("Tell."), []byte(s.word(i)), 1))
	ctx := context.Background()
	if s.leaves {
		ctx = leaving
	}
	for {
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, h.url+path, bytes.NewReader([]byte(body)))
		if err != nil {
			s.err = err
			return
		}
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Bearer "+s.wallet.key.Reveal())
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			s.err = err
			return
		}
		text, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		s.status, s.callID, s.body, s.err = res.StatusCode, res.Header.Get("x-aigne-hub-call-id"), string(text), err
		if s.status != http.StatusServiceUnavailable {
			return
		}
	}
}

// whileAllAreOpen waits until the streams stand at the gate and takes money from
// every third wallet.
func (h *testHub) whileAllAreOpen(all []*stream, gate *fakeprovider.Gate, wallets []*smallWallet) {
	h.t.Helper()
	waiting := 0
	for still := false; waiting < len(all) && !still; {
		select {
		case <-gate.Reached():
			waiting++
		case <-time.After(5 * time.Second): // the others had no money to begin with
			still = true
		}
	}
	h.t.Logf("%d of %d streams are open at once", waiting, len(all))
	for i, w := range wallets {
		if i%3 != 0 {
			continue
		}
		w.reversed = w.given / 2
		_, err := h.app.Book.Reverse(h.t.Context(), ledger.Reversal{ID: w.user.ID, AccountID: w.user.AccountID, Cause: ledger.Refund, Amount: w.reversed, Actor: "test", Reason: "test"})
		require.NoError(h.t, err)
	}
}

func (h *testHub) checkEnds(all []*stream, wallets []*smallWallet) {
	t := h.t
	t.Helper()
	ended := map[string]int{}
	for i, s := range all {
		h.checkEnd(s, fmt.Sprintf("stream %d, %s from %s", i, s.lang.name, s.kind), ended)
	}
	for _, w := range wallets {
		charged := h.checkCalls(w)
		a, err := h.app.Store.AccountByID(t.Context(), w.user.AccountID)
		require.NoError(t, err)
		assert.Zero(t, a.Held)
		assert.GreaterOrEqual(t, a.Balance, money.Credits(0))
		assert.Equal(t, w.given-charged-(w.reversed-a.Debt), a.Balance, "what was delivered, and taken back, is what the wallet lost")
	}
	t.Logf("%d streams on %d wallets: %v", len(all), len(wallets), ended)
	assert.Positive(t, ended[string(hub.MoneyEnded)])
	assert.Positive(t, ended["whole"])
}

// checkCalls waits until all calls of a wallet are settled, also those whose clients
// left, and adds up what they were charged.
func (h *testHub) checkCalls(w *smallWallet) (charged money.Credits) {
	t := h.t
	t.Helper()
	var calls []store.Call
	require.Eventually(t, func() bool {
		var err error
		calls, err = h.app.Store.Calls(t.Context(), store.CallFilter{UserID: w.user.ID, Limit: 1000})
		require.NoError(t, err)
		return !slices.ContainsFunc(calls, func(c store.Call) bool { return c.Status == hub.StatusProcessing })
	}, time.Minute, 20*time.Millisecond)
	for _, c := range calls {
		assert.Equal(t, money.Credits((c.Usage[hub.Input]*inputPico+c.Usage[hub.Output]*outputPico+500)/1000), c.Credits, c.ID)
		assert.Zero(t, c.Shortfall, c.ID)
		charged += c.Credits
	}
	return charged
}

// checkEnd compares what a client got with what its call was charged for.
func (h *testHub) checkEnd(s *stream, name string, ended map[string]int) {
	t := h.t
	t.Helper()
	if s.leaves && s.err != nil {
		ended["left"]++
		return
	}
	require.NoError(t, s.err)
	if s.status == http.StatusPaymentRequired {
		ended["refused"]++
		return
	}
	require.Equal(t, http.StatusOK, s.status, s.body)
	c, err := h.app.Store.CallByID(t.Context(), s.callID)
	require.NoError(t, err)
	name += fmt.Sprintf(", ended by %q %s", c.ChargePolicy, c.Error)
	if s.torn && c.Status == hub.StatusFailed {
		ended["torn"]++
		assert.Equal(t, hub.DeliveredOnFailure, c.ChargePolicy, name)
		return
	}
	if c.ErrorCategory == string(hub.CodeUnavailable) {
		ended["paused too long"]++ // on a machine that is overloaded
		assert.Equal(t, hub.DeliveredOnFailure, c.ChargePolicy, name)
		return
	}
	said := s.lang.text(t, s.body)
	require.True(t, len(said) <= len(s.text) && s.text[:len(said)] == said, name)
	assert.Equal(t, hub.StatusSuccess, c.Status, name)
	switch {
	case c.ChargePolicy == hub.MoneyEnded:
		ended[string(c.ChargePolicy)]++
		assert.True(t, s.lang.atLimit(t, s.body), "%s\n%s", name, s.body[max(0, len(s.body)-1000):])
		var counter tokens.Counter
		assert.Contains(t, []int64{
			counter.Scale(int64(len(said)), said[:min(len(said), 2<<10)]), counter.Scale(int64(len(said)), ""), // by what was said, or by its length
			fakeprovider.Tokens(len(said)), // Gemini tells as it goes
		}, c.Usage[hub.Output], name)
		return
	case said != s.text: // lowered before it began
		ended["lowered"]++
		assert.True(t, s.lang.atLimit(t, s.body), name)
	default:
		ended["whole"]++
	}
	assert.Empty(t, c.ChargePolicy, name)
	assert.Equal(t, fakeprovider.Tokens(len(said)), c.Usage[hub.Output], name)
}
