package main

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/testkit/fakepaymentkit"
)

func TestReportsAreListedAndSentAgain(t *testing.T) {
	t.Parallel()
	h := newHub(t, "AIGNE_HUB_BILLING=on", "BLOCKLET_APP_ASK="+fakepaymentkit.AppKey, "BLOCKLET_COMPONENT_DID=zHub", "AIGNE_HUB_PAYMENT_KIT_URL=http://127.0.0.1:1")
	h.ok("user", "create", "a@example.com", "--role", "member")
	const did = "z1UX2Y2cdTR85knvpkemSTPizXfimNyM88S"
	u := decode[userView](h, "user", "set-did", "a@example.com", "--did", "did:abt:"+did)
	assert.Equal(t, did, u.DID)
	assert.Equal(t, 1, h.run("", "user", "set-did", "a@example.com", "--did", did[:34]+"T").code, "it stays")
	assert.Equal(t, 2, h.run("", "user", "set-did", "a@example.com").code)

	s, err := store.Open(t.Context(), store.Options{URL: "file:" + filepath.Join(h.data, "hub.db")})
	require.NoError(t, err)
	die := func() {
		t.Helper()
		ctx := t.Context()
		s.ReportUsage(true)
		user, err := s.UserByEmail(ctx, "a@example.com")
		require.NoError(t, err)
		require.NoError(t, s.OpenCustomer(ctx, user.ID, 0))
		require.NoError(t, s.Do(ctx, s.GrantUnit(store.Grant{ID: s.NewID(), AccountID: user.AccountID, Kind: "promotional", Amount: 100, Priority: 50})))
		lease, err := s.OpenLease(ctx)
		require.NoError(t, err)
		v, err := s.ConfigVersion(ctx)
		require.NoError(t, err)
		a := store.Admission{CallID: s.NewID(), Caller: hub.Caller{UserID: user.ID, AccountID: user.AccountID}, Type: hub.TypeChat, Dialect: "openai-chat",
			RequestedModel: "m", Owner: lease, ConfigVersion: v, RequestID: "r", Billing: true, OnAbort: "reported", OnFailure: "delivered", PlanJSON: "{}", Hold: 7}
		require.NoError(t, s.Do(ctx, s.AdmitUnit(a)))
		require.NoError(t, s.Do(ctx, s.SettleUnit(store.Settlement{CallID: a.CallID, Owner: lease, UserID: user.ID, AccountID: user.AccountID, Type: hub.TypeChat,
			Billing: true, Status: hub.StatusSuccess, Source: hub.UsageReported, Amount: 7})))
		require.NoError(t, s.Do(ctx, s.BatchUnit(store.PendingUsage{UserID: user.ID})))
		due, err := s.DueBatches(ctx, 10)
		require.NoError(t, err)
		for _, b := range due {
			require.NoError(t, s.BuryBatch(ctx, b.ID, "refused for a test"))
		}
	}
	die()
	require.NoError(t, s.Close())

	v := decode[outboxView](h, "outbox", "status")
	assert.True(t, v.On)
	assert.EqualValues(t, 1, v.Dead)
	assert.Equal(t, money.Credits(7), v.Unconfirmed)
	assert.Regexp(t, `(?m)^reports given up +1`, h.ok("outbox", "status"))
	list := decode[[]batchView](h, "outbox", "list")
	require.Len(t, list, 1)
	assert.Equal(t, "refused for a test", list[0].Error)
	assert.Regexp(t, `(?m)^ID +USER +APP`, h.ok("outbox", "list"))
	assert.Empty(t, decode[[]batchView](h, "outbox", "list", "--state", "pending"))
	assert.Equal(t, 2, h.run("", "outbox", "list", "--state", "lost").code)
	assert.Equal(t, 2, h.run("", "outbox", "resend").code)
	assert.Equal(t, 3, h.run("", "outbox", "resend", "nothing").code)
	h.ok("outbox", "resend", list[0].ID)
	assert.Equal(t, map[string]int{"resent": 0}, decode[map[string]int](h, "outbox", "resend", "--all"))
	assert.EqualValues(t, 1, decode[outboxView](h, "outbox", "status").Sent)
}
