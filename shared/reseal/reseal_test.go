package reseal_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/identity"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/reseal"
	"github.com/aigne-hub/aigne-hub/shared/selling"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/testkit/hrana"
	"github.com/aigne-hub/aigne-hub/shared/vault"
)

// each runs a test over a file and over a server.
func each(t *testing.T, test func(t *testing.T, a *boot.App)) {
	for name, env := range map[string]func(t *testing.T) map[string]string{
		"file": func(*testing.T) map[string]string { return nil },
		"server": func(t *testing.T) map[string]string {
			s := hrana.New(t, hrana.Options{})
			return map[string]string{"AIGNE_HUB_DATABASE": s.URL, "AIGNE_HUB_DATABASE_TOKEN": s.Token}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, openHub(t, env(t)))
		})
	}
}

func openHub(t *testing.T, env map[string]string) *boot.App {
	t.Helper()
	all := map[string]string{"AIGNE_HUB_DATA": filepath.Join(t.TempDir(), "data")}
	for k, v := range env {
		all[k] = v
	}
	lookup := func(name string) (string, bool) { v, ok := all[name]; return v, ok }
	cfg, err := boot.Load(lookup, nil, nil)
	require.NoError(t, err)
	a, err := boot.Open(t.Context(), cfg, boot.Options{Log: slog.New(slog.DiscardHandler), Env: lookup, Migrate: true})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, a.Close(context.Background())) })
	return a
}

// seed puts something sealed into every table.
func seed(t *testing.T, a *boot.App) (codes []selling.Code) {
	t.Helper()
	ctx := t.Context()
	_, err := a.Desk.AddProvider(ctx, "test", operator.NewProvider{Kind: "openai", Credential: "sk-0123456789abcdef"})
	require.NoError(t, err)
	_, _, err = a.Desk.AddWebhook(ctx, "test", "https://hooks.example.com/x", nil)
	require.NoError(t, err)
	codes, err = a.Desk.CreateCodes(ctx, "test", selling.NewCodes{Count: 120, Amount: money.Credit, Batch: "b"})
	require.NoError(t, err)
	u, err := a.Desk.CreateUser(ctx, "test", "member@example.com", hub.RoleMember, "")
	require.NoError(t, err)
	_, err = a.SignIn.Enrol(ctx, u)
	require.NoError(t, err)
	ring, err := a.Vault(ctx)
	require.NoError(t, err)
	unit := &store.Unit{}
	for i := range 70 {
		r := store.StoredResponse{UserID: u.ID, ID: fmt.Sprintf("resp_%03d", i), CallID: "c", Provider: "p", Model: "m"}
		r.Sealed, r.KeyID, err = ring.Seal("responses/"+u.ID+"/"+r.ID+"/sealed", "an answer")
		require.NoError(t, err)
		unit.Stmts = append(unit.Stmts, a.Store.PutResponse(r, time.Hour))
	}
	unit.Stmts = append(unit.Stmts, a.Store.PutResponse(store.StoredResponse{UserID: u.ID, ID: "elsewhere", CallID: "c", Provider: "p", Model: "m"}, time.Hour))
	require.NoError(t, a.Store.Do(ctx, unit))
	body := store.Payload{CallID: "call", UserID: u.ID, ExpiresAt: time.Now().Add(time.Hour)}
	body.Sealed, body.KeyID, err = ring.Seal("payloads/call/sealed", "a body")
	require.NoError(t, err)
	require.NoError(t, a.Store.PutPayloads(ctx, []store.Payload{body}))
	export := store.CallExport{ID: "export", UserID: u.ID, State: store.ExportDone, Asked: "{}"}
	require.NoError(t, a.Store.AddCallExport(ctx, export, 1))
	export.Sealed, export.KeyID, err = ring.Seal("call_exports/export/sealed", "names")
	require.NoError(t, err)
	require.NoError(t, a.Store.SaveCallExport(ctx, export, ""))
	kept := store.CachedAnswer{UserID: u.ID, Key: "k", CallID: "c"}
	kept.Sealed, kept.KeyID, err = ring.Seal("answer_cache/"+u.ID+"/k/sealed", "an answer")
	require.NoError(t, err)
	require.NoError(t, a.Store.KeepAnswer(ctx, kept, time.Hour, 1<<20))
	sealed, _, err := ring.Seal("settings/cache_hash_key/value", "a key")
	require.NoError(t, err)
	require.NoError(t, a.Store.SetSetting(ctx, "cache_hash_key", sealed))
	return codes
}

// requireAllOpen opens everything that seed sealed.
func requireAllOpen(t *testing.T, a *boot.App, codes []selling.Code) {
	t.Helper()
	ctx := t.Context()
	ring, err := a.Vault(ctx)
	require.NoError(t, err)
	creds, err := a.Store.Credentials(ctx)
	require.NoError(t, err)
	require.Len(t, creds, 1)
	plain, err := ring.Open(operator.CredentialAAD(creds[0].ID), creds[0].Sealed)
	require.NoError(t, err)
	assert.Equal(t, "sk-0123456789abcdef", plain.Reveal())
	var texts []string
	for _, c := range codes {
		texts = append(texts, c.Text.Reveal())
	}
	var got []string
	exported, err := a.Codes.Export(ctx, "b", "", 1000)
	require.NoError(t, err)
	for _, c := range exported {
		got = append(got, c.Text.Reveal())
	}
	assert.ElementsMatch(t, texts, got)
	u, err := a.Store.UserByEmail(ctx, "member@example.com")
	require.NoError(t, err)
	for i := range 70 {
		r, err := a.Store.Response(ctx, u.ID, fmt.Sprintf("resp_%03d", i))
		require.NoError(t, err)
		plain, err := ring.Open("responses/"+u.ID+"/"+r.ID+"/sealed", r.Sealed)
		require.NoError(t, err)
		assert.Equal(t, "an answer", plain.Reveal())
	}
	body, err := a.Store.Payload(ctx, "call")
	require.NoError(t, err)
	_, err = ring.Open("payloads/call/sealed", body.Sealed)
	require.NoError(t, err)
	export, err := a.Store.CallExport(ctx, "export")
	require.NoError(t, err)
	_, err = ring.Open("call_exports/export/sealed", export.Sealed)
	require.NoError(t, err)
	factor, err := a.Store.UserTOTP(ctx, u.ID)
	require.NoError(t, err)
	_, err = ring.Open(identity.TOTPAAD(u.ID), factor.Sealed)
	require.NoError(t, err)
	setting, err := a.Store.Setting(ctx, "cache_hash_key")
	require.NoError(t, err)
	_, err = ring.Open("settings/cache_hash_key/value", setting)
	require.NoError(t, err)
}

func rotator(a *boot.App) *reseal.Rotator {
	r := a.Rotator()
	r.Settle = 0
	return r
}

func TestARotationSealsEveryTableAnew(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *boot.App) {
		codes := seed(t, a)
		for range 2 {
			out, err := rotator(a).Rotate(t.Context())
			require.NoError(t, err)
			assert.Equal(t, map[string]int64{"ai_credentials": 1, "webhook_endpoints": 1, "redeem_codes": 120, "responses": 70, "settings": 1, "payloads": 1, "call_exports": 1, "user_totp": 1}, out.Resealed)
			assert.Len(t, out.Retired, 1)
			requireAllOpen(t, a, codes)
			status, err := rotator(a).Status(t.Context())
			require.NoError(t, err)
			last := status[len(status)-1]
			assert.Equal(t, out.Active, last.ID)
			assert.EqualValues(t, 196, last.Total())
			for _, k := range status[:len(status)-1] {
				assert.Equal(t, "retired", k.State)
				assert.Zero(t, k.Total())
			}
		}
	})
}

func TestEveryInterruptionIsTakenUpAgain(t *testing.T) {
	t.Parallel()
	died := errors.New("died")
	for n := range 8 { // the vault is asked for in each step; the context ends after n pages
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			a := openHub(t, nil)
			codes := seed(t, a)
			r := rotator(a)
			ctx, cancel := context.WithCancelCause(t.Context())
			r.Settle = time.Duration(n%2) * time.Millisecond
			keys := r.Vault
			r.Vault = func(ctx context.Context) (*vault.Keyring, error) {
				if n < 2 {
					cancel(died)
				}
				return keys(ctx)
			}
			make := r.NewKey
			r.NewKey = func(ctx context.Context) (vault.WrappedKey, error) {
				if n == 7 {
					defer cancel(died)
				}
				return make(ctx)
			}
			go func() {
				time.Sleep(time.Duration(n*4) * time.Millisecond)
				cancel(died)
			}()
			_, _ = r.Rotate(ctx) // it may have been faster
			requireAllOpen(t, a, codes)
			_, err := rotator(a).Rotate(t.Context())
			require.NoError(t, err)
			requireAllOpen(t, a, codes)
			status, err := rotator(a).Status(t.Context())
			require.NoError(t, err)
			for _, k := range status[:len(status)-1] {
				assert.Zero(t, k.Total(), k)
				assert.Equal(t, "retired", k.State)
			}
		})
	}
}

func TestWhatComesLateUnderAClosedKeyIsSealedAnewByTheJob(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *boot.App) {
		codes := seed(t, a)
		ring, err := a.Vault(t.Context())
		require.NoError(t, err)
		stale := &vault.Keyring{}
		stale.Adopt(ring)
		_, err = rotator(a).Rotate(t.Context())
		require.NoError(t, err)
		out, err := rotator(a).Finish(t.Context())
		require.NoError(t, err)
		assert.Empty(t, out.Resealed, "nothing to do")
		sealed, id, err := stale.Seal("settings/cache_hash_key/value", "a late key")
		require.NoError(t, err)
		require.NoError(t, a.Store.SetSetting(t.Context(), "cache_hash_key", sealed))
		status, err := rotator(a).Status(t.Context())
		require.NoError(t, err)
		assert.Equal(t, id, status[0].ID)
		assert.Equal(t, "closed", status[0].State, "a retired key that is used again is kept")
		out, err = rotator(a).Finish(t.Context())
		require.NoError(t, err)
		assert.Equal(t, map[string]int64{"settings": 1}, out.Resealed)
		assert.Equal(t, []string{id}, out.Retired)
		requireAllOpen(t, a, codes)
	})
}

func TestAValueThatWasMovedKeepsItsKey(t *testing.T) {
	t.Parallel()
	a := openHub(t, nil)
	seed(t, a)
	require.NoError(t, a.Store.Exec(t.Context(), "UPDATE redeem_codes SET sealed = (SELECT sealed FROM redeem_codes ORDER BY id DESC LIMIT 1) WHERE id = (SELECT min(id) FROM redeem_codes)"))
	out, err := rotator(a).Rotate(t.Context())
	require.ErrorContains(t, err, "cannot be opened")
	assert.Equal(t, map[string]int64{"redeem_codes": 1}, out.Failed)
	assert.Empty(t, out.Retired)
	status, err := rotator(a).Status(t.Context())
	require.NoError(t, err)
	assert.EqualValues(t, 1, status[0].Total())
	assert.Equal(t, "closed", status[0].State)
}

func TestOnlyOneRotationRuns(t *testing.T) {
	t.Parallel()
	a := openHub(t, nil)
	seed(t, a)
	ok, err := a.Store.AcquireJob(t.Context(), "vault.rotate", "somebody", time.Minute)
	require.NoError(t, err)
	require.True(t, ok)
	_, err = rotator(a).Rotate(t.Context())
	assert.Equal(t, hub.CodeConflict, hub.CodeOf(err))
}

// TestNoSealedColumnIsForgotten: whoever adds a column of sealed values must
// tell store.SealedTables, and give its table the triggers that keep a data key
// which is used late.
func TestNoSealedColumnIsForgotten(t *testing.T) {
	t.Parallel()
	a := openHub(t, nil)
	require.NoError(t, a.Store.Tx(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		// What waits in connect_sessions is sealed by whom it waits for, not by the vault; its key_id is an API key's.
		rows, err := tx.QueryContext(ctx, `SELECT m.name, (SELECT count(*) FROM sqlite_schema t WHERE t.type = 'trigger' AND t.tbl_name = m.name AND t.sql LIKE '%UPDATE vault_keys SET late%')
FROM sqlite_schema m WHERE m.type = 'table' AND m.name <> 'connect_sessions' AND (m.name = 'settings' OR EXISTS (SELECT 1 FROM pragma_table_info(m.name) c WHERE c.name = 'key_id') AND EXISTS (SELECT 1 FROM pragma_table_info(m.name) c WHERE c.name = 'sealed'))`)
		if err != nil {
			return err
		}
		defer rows.Close()
		var names []string
		for rows.Next() {
			var name string
			var triggers int
			if err := rows.Scan(&name, &triggers); err != nil {
				return err
			}
			names = append(names, name)
			assert.Equal(t, 2, triggers, name)
		}
		assert.ElementsMatch(t, store.SealedTables(), names)
		return rows.Err()
	}))
}
