package store

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

func TestAnAnswerIsFoundByItsUserUntilItExpires(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s, err := Open(ctx, Options{URL: "file:" + filepath.Join(t.TempDir(), "hub.db")})
	require.NoError(t, err)
	defer s.Close()
	_, err = s.Migrate(ctx)
	require.NoError(t, err)
	var ids []string
	for _, email := range []string{"a@example.com", "b@example.com"} {
		user, err := s.CreateUser(ctx, User{Email: email, Role: hub.RoleMember})
		require.NoError(t, err)
		ids = append(ids, user.ID)
	}
	put := func(r StoredResponse, life time.Duration) {
		u := &Unit{}
		u.Stmts = append(u.Stmts, s.PutResponse(r, life))
		require.NoError(t, s.Do(ctx, u))
	}
	r := StoredResponse{UserID: ids[0], ID: "resp_1", CallID: "c", Provider: "p", Model: "m", CredentialID: "k", Credential: "default", Sealed: "v1.x", KeyID: "d"}
	put(r, time.Hour)
	got, err := s.Response(ctx, ids[0], "resp_1")
	require.NoError(t, err)
	assert.Equal(t, r, got)
	_, err = s.Response(ctx, ids[1], "resp_1")
	require.ErrorIs(t, err, ErrNotFound, "another user's id tells nothing")

	r.Sealed, r.KeyID = "", ""
	put(r, time.Hour) // the same unit, sent again
	got, err = s.Response(ctx, ids[0], "resp_1")
	require.NoError(t, err)
	assert.Empty(t, got.Sealed)

	require.ErrorIs(t, s.DeleteResponse(ctx, ids[1], "resp_1"), ErrNotFound)
	require.NoError(t, s.DeleteResponse(ctx, ids[0], "resp_1"))
	_, err = s.Response(ctx, ids[0], "resp_1")
	require.ErrorIs(t, err, ErrNotFound)

	put(r, -time.Second)
	_, err = s.Response(ctx, ids[0], "resp_1")
	require.ErrorIs(t, err, ErrNotFound, "what has expired is gone before the sweeper comes")
	require.NoError(t, s.ForgetResponses(ctx))
	var left int
	require.NoError(t, s.read.QueryRowContext(ctx, "SELECT count(*) FROM responses").Scan(&left))
	assert.Zero(t, left)
}
