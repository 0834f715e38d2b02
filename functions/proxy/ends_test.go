package proxy_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
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
// lose money to a refund. None may be overdrawn, each stream must end as its
// language wants it, and what was charged must be what was delivered, to the
// nano-credit.
func TestSuddenEndsOfMoney(t *testing.T) {
	t.Parallel()
	h := start(t, map[string]string{"AIGNE_HUB_BILLING": "on", "AIGNE_HUB_BILLING_SLICE": "128", "AIGNE_HUB_LOG_LEVEL": "error"})
	gate := fakeprovider.NewGate()
	fill := map[string]string{} // answers by the word that asks for them
	var all []*stream
	wallets := h.smallWallets(endsWanted(t))
	list := []fakeprovider.Kind{fakeprovider.OpenAI, fakeprovider.Anthropic, fakeprovider.Gemini, fakeprovider.Bedrock}
	for i, w := range wallets {
		for j := range endsEach {
			s := &stream{wallet: w, lang: &streamedLanguages[(i+j)%len(streamedLanguages)], kind: list[(i*endsEach+j)/3%len(list)]}
			s.text = fakeprovider.Words(300 + rand.IntN(endsText-300))
			fill[s.word(len(all))] = s.text
			all = append(all, s)
		}
	}
	for kind, model := range openModels {
		h.provider(kind).Handle(model, func(r fakeprovider.Request) fakeprovider.Answer {
			return fakeprovider.Answer{Text: fill[asked(r.Body)], Frames: 40, Middle: gate}
		})
		h.rate(kinds[kind].kind, model, "0.170001", "1.300007")
	}
	var clients sync.WaitGroup
	for i, s := range all {
		clients.Go(func() { h.open(s, i) })
	}
	h.whileAllAreOpen(all, gate, wallets)
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
		// the ten answers.
		for range 2 {
			amount := money.Credits(1_000_000 + rand.Int64N(4_000_000))
			_, err = h.app.Book.Grant(h.t.Context(), ledger.Gift{AccountID: w.user.AccountID, Amount: amount})
			require.NoError(h.t, err)
			w.given += amount
		}
		out[i] = w
	}
	return out
}

// open carries one stream; like the SDKs it tries again when the hub is too busy to
// admit.
func (h *testHub) open(s *stream, i int) {
	path, body := s.lang.ask(kinds[s.kind].kind, openModels[s.kind])
	body = string(bytes.Replace([]byte(body), []byte("Tell."), []byte(s.word(i)), 1))
	for {
		r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, h.url+path, bytes.NewReader([]byte(body)))
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

// whileAllAreOpen waits until the streams stand at the gate, takes money from every
// third wallet, and lets them go on.
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
	gate.Release()
}

func (h *testHub) checkEnds(all []*stream, wallets []*smallWallet) {
	t := h.t
	t.Helper()
	charged := map[*smallWallet]money.Credits{}
	ended := map[string]int{}
	var counter tokens.Counter
	for i, s := range all {
		require.NoError(t, s.err)
		if s.status == http.StatusPaymentRequired {
			ended["refused"]++
			continue
		}
		require.Equal(t, http.StatusOK, s.status, s.body)
		c, err := h.app.Store.CallByID(t.Context(), s.callID)
		require.NoError(t, err)
		name := fmt.Sprintf("stream %d, %s from %s, ended by %q", i, s.lang.name, s.kind, c.ChargePolicy)
		said := s.lang.text(t, s.body)
		require.True(t, len(said) <= len(s.text) && s.text[:len(said)] == said, name)
		assert.Equal(t, hub.StatusSuccess, c.Status, name)
		assert.Equal(t, money.Credits((c.Usage[hub.Input]*inputPico+c.Usage[hub.Output]*outputPico+500)/1000), c.Credits, name)
		assert.Zero(t, c.Shortfall, name)
		if c.ChargePolicy == "" {
			ended["whole"]++
			if said != s.text { // lowered before it began
				ended["lowered"]++
				ended["whole"]--
				assert.True(t, s.lang.atLimit(t, s.body), name)
			}
			assert.Equal(t, fakeprovider.Tokens(len(said)), c.Usage[hub.Output], name)
		} else {
			ended[string(c.ChargePolicy)]++
			assert.Equal(t, hub.MoneyEnded, c.ChargePolicy, name)
			assert.True(t, s.lang.atLimit(t, s.body), "%s\n%s", name, s.body[max(0, len(s.body)-1000):])
			assert.Contains(t, []int64{
				counter.Scale(int64(len(said)), said[:min(len(said), 2<<10)]), counter.Scale(int64(len(said)), ""), // by what was said, or by its length
				fakeprovider.Tokens(len(said)), // Gemini tells as it goes
			}, c.Usage[hub.Output], name)
		}
		charged[s.wallet] += c.Credits
	}
	for _, w := range wallets {
		a, err := h.app.Store.AccountByID(t.Context(), w.user.AccountID)
		require.NoError(t, err)
		assert.Zero(t, a.Held)
		assert.GreaterOrEqual(t, a.Balance, money.Credits(0))
		assert.Equal(t, w.given-charged[w]-(w.reversed-a.Debt), a.Balance, "what was delivered, and taken back, is what the wallet lost")
	}
	t.Logf("%d streams on %d wallets: %v", len(all), len(wallets), ended)
	assert.Positive(t, ended[string(hub.MoneyEnded)])
	assert.Positive(t, ended["whole"])
}
