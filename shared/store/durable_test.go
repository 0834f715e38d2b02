package store

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestDurableWaitsForTheLogAndNotForEver(t *testing.T) {
	t.Parallel()
	s, err := Open(t.Context(), Options{URL: "file:" + filepath.Join(t.TempDir(), "hub.db")})
	require.NoError(t, err)
	defer s.Close()
	_, err = s.Migrate(t.Context())
	require.NoError(t, err)
	require.NoError(t, s.Durable(t.Context()))

	reader, err := s.read.Conn(t.Context())
	require.NoError(t, err)
	defer reader.Close()
	_, err = reader.ExecContext(t.Context(), "BEGIN")
	require.NoError(t, err)
	var n int
	require.NoError(t, reader.QueryRowContext(t.Context(), "SELECT count(*) FROM settings").Scan(&n))
	require.NoError(t, s.SetSetting(t.Context(), "x", "1"))
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	require.Error(t, s.Durable(ctx), "a reader keeps the log: nobody knows what is on the disk")

	done := make(chan error, 1)
	go func() { done <- s.Durable(context.Background()) }()
	select {
	case err := <-done:
		assert.Fail(t, "too early", "%v", err)
	case <-time.After(100 * time.Millisecond):
	}
	_, err = reader.ExecContext(t.Context(), "ROLLBACK")
	require.NoError(t, err)
	require.NoError(t, <-done)
}
