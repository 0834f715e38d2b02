package usage

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/blob"
	"github.com/aigne-hub/aigne-hub/shared/calls"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/testkit/blank"
	"github.com/aigne-hub/aigne-hub/shared/vault"
)

// shaky fails every other time, after it has kept what it was given.
type shaky struct {
	blob.Place
	n int
}

func (s *shaky) Put(ctx context.Context, id string, data []byte) error {
	err := s.Place.Put(ctx, id, data)
	if s.n++; s.n%2 == 1 {
		return errors.New("the connection broke")
	}
	return err
}

func TestAnExportGoesOnBehindItsLastPart(t *testing.T) {
	t.Parallel()
	url := "file:" + filepath.Join(t.TempDir(), "hub.db")
	blank.At(t, url)
	s, err := store.Open(t.Context(), store.Options{URL: url})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	u, err := s.CreateUser(t.Context(), store.User{Email: "a@example.com", Role: hub.RoleMember})
	require.NoError(t, err)
	unit := &store.Unit{}
	for i := range 1700 {
		id := ulid.MustNew(ulid.Timestamp(time.Unix(int64(1_700_000_000+i), 0)), ulid.DefaultEntropy())
		unit.Add(`INSERT INTO model_calls (id, created_at, user_id, api_key_id, account_id, type, dialect, requested_model, stream, status, owner,
  config_version, request_id, billing, on_abort, on_failure, plan_json) VALUES (?1, 1, ?2, '', ?3, 'chatCompletion', 'openai', ?4, 0, 'success', 'o', 1, '', 0, '', '', '{}')`,
			id.String(), u.ID, u.AccountID, fmt.Sprint("m-", i))
	}
	require.NoError(t, s.Do(t.Context(), unit))
	master, err := vault.ParseMaster(vault.GenerateMaster())
	require.NoError(t, err)
	key, err := vault.NewDataKey(master, time.Now())
	require.NoError(t, err)
	ring, err := vault.New(master, []vault.WrappedKey{key})
	require.NoError(t, err)
	x := &exportWriter{log: &calls.Log{Store: s}, now: time.Now, slog: slog.New(slog.DiscardHandler), part: 1, // a batch each
		vault: func(context.Context) (*vault.Keyring, error) { return ring, nil },
		blobs: &blob.Keeper{Place: &shaky{Place: blob.Dir{Path: t.TempDir()}}, Store: s, Life: time.Hour, Now: time.Now}}
	asked, err := json.Marshal(exportAsked{store.CallFilter{UserID: u.ID}, calls.Form{Format: calls.CSV, Language: "ja", Zone: "Asia/Tokyo"}})
	require.NoError(t, err)
	require.NoError(t, s.AddCallExport(t.Context(), store.CallExport{ID: "1", UserID: u.ID, CreatedAt: time.Now(), Asked: string(asked)}, 1))
	require.NoError(t, s.AddCallExport(t.Context(), store.CallExport{ID: "2", UserID: u.ID, CreatedAt: time.Now(), Asked: `{"form":{"zone":"no/where"}}`}, 2))
	runs := 0
	for err = errors.New("not yet"); err != nil; runs++ {
		require.Less(t, runs, 20)
		err = x.run(t.Context())
	}
	assert.Greater(t, runs, 3, "it broke off and went on")
	bad, err := s.CallExport(t.Context(), "2")
	require.NoError(t, err)
	assert.Equal(t, store.ExportFailed, bad.State, "what cannot be written keeps nobody waiting")
	e, err := s.CallExport(t.Context(), "1")
	require.NoError(t, err)
	assert.Equal(t, store.ExportDone, e.State)
	assert.EqualValues(t, 1700, e.Rows)
	names, err := x.names(t.Context(), e)
	require.NoError(t, err)
	require.Len(t, names, 4, "1,700 calls in batches of 500")
	n := 1700
	for _, name := range names {
		f, err := x.blobs.Open(t.Context(), name)
		require.NoError(t, err)
		b, err := io.ReadAll(f)
		require.NoError(t, err)
		rows, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(b, []byte("\ufeff")))).ReadAll()
		require.NoError(t, err)
		assert.Equal(t, "日時", rows[0][0], "each part has the heading")
		for _, r := range rows[1:] {
			n--
			require.Equal(t, fmt.Sprint("m-", n), r[10])
		}
	}
	assert.Zero(t, n, "each call once")
}
