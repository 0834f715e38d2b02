package outbox_test

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/blocklet"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/outbox"
	"github.com/aigne-hub/aigne-hub/shared/paymentkit"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/testkit/fakepaymentkit"
)

// The environment of a process that only reports, until it is killed.
const (
	reporterDB    = "OUTBOX_TEST_DB"
	reporterKit   = "OUTBOX_TEST_KIT"
	reporterEpoch = "OUTBOX_TEST_EPOCH"
)

func TestMain(m *testing.M) {
	if url := os.Getenv(reporterDB); url != "" {
		if err := report(url, os.Getenv(reporterKit), os.Getenv(reporterEpoch)); err != nil {
			slog.Error("reporter", "error", err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// hurried is a clock that runs 600 times as fast since an epoch, the same in every
// process: pauses of ten seconds pass in a blink.
func hurried(epoch time.Time) func() time.Time {
	const speed = 600
	return func() time.Time { return epoch.Add(speed * time.Since(epoch)) }
}

// report reports for ever.
func report(url, kit, epoch string) error {
	nano, err := strconv.ParseInt(epoch, 10, 64)
	if err != nil {
		return err
	}
	now := hurried(time.Unix(0, nano))
	s, err := store.Open(context.Background(), store.Options{URL: url, Now: now})
	if err != nil {
		return err
	}
	key, err := blocklet.ParseKey(hub.Secret(fakepaymentkit.AppKey))
	if err != nil {
		return err
	}
	// Half a second of the machine's is the whole life of a signature by this clock:
	// they are dated by the machine's own, so that a pause does not make one expire.
	client := &paymentkit.Client{Base: func() (string, error) { return kit, nil }, Live: true,
		Sign: func(r *http.Request, body []byte) error { return key.Sign(r, body, "zHub", time.Now()) }}
	shop := &paymentkit.Shop{Client: client, HubDID: "zHub", CreditPrice: "1", Now: now}
	r := &outbox.Reporter{Store: s, Kit: client, Ready: shop.Meter, Log: slog.New(slog.DiscardHandler), Now: now}
	for {
		_ = r.Run(context.Background()) // what fails is tried again
		time.Sleep(time.Millisecond)
	}
}

func TestReportersThatAreKilledReportEachCreditOnce(t *testing.T) {
	t.Parallel()
	url := file(t)
	w := newWorld(t, url, "", 2)
	epoch := time.Now()
	w.kit.Lock()
	w.kit.Now, w.kit.Wall = hurried(epoch), time.Now
	w.kit.Unlock()
	w.kit.Break(func(r *http.Request) fakepaymentkit.Fault {
		if r.Method != http.MethodPost {
			return fakepaymentkit.None
		}
		return []fakepaymentkit.Fault{fakepaymentkit.None, fakepaymentkit.None, fakepaymentkit.Lose, fakepaymentkit.Fail}[rand.IntN(4)]
	})
	start := func() *exec.Cmd {
		cmd := exec.CommandContext(t.Context(), os.Args[0])
		cmd.Env = append(os.Environ(), reporterDB+"="+url, reporterKit+"="+w.kit.URL, reporterEpoch+"="+strconv.FormatInt(epoch.UnixNano(), 10))
		cmd.Stderr = os.Stderr
		require.NoError(t, cmd.Start())
		return cmd
	}
	owed := map[string]money.Credits{}
	kills := 0
	a, b := start(), start()
	for until := time.Now().Add(6 * time.Second); time.Now().Before(until); {
		for range 5 {
			u := w.users[rand.IntN(2)]
			amount := money.Credits(rand.IntN(1_000_000))
			w.charge(u, "zApp", amount)
			owed[u.DID] += amount
		}
		if rand.IntN(10) == 0 {
			require.NoError(t, a.Process.Kill())
			_ = a.Wait() // killed
			a, b = b, start()
			kills++
		}
		time.Sleep(5 * time.Millisecond)
	}
	for _, cmd := range []*exec.Cmd{a, b} {
		require.NoError(t, cmd.Process.Kill())
		_ = cmd.Wait() // killed
	}
	w.kit.Break(nil)
	w.kit.Lock()
	w.kit.Now, w.kit.Wall = w.clock.now, nil
	w.kit.Unlock()
	w.clock.pass(100 * time.Hour)
	for range 20 {
		require.NoError(t, w.run(w.reporter()))
		w.clock.pass(20 * time.Minute)
	}
	assert.Equal(t, store.Outbox{}, w.outbox())
	for _, u := range w.users {
		assert.Equal(t, owed[u.DID], w.kit.Reported(u.DID))
	}
	assert.Empty(t, w.kit.Bad)
	assert.Greater(t, kills, 5)
	t.Logf("%d kills, %d reports", kills, len(w.kit.Events))
}
