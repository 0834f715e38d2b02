package main

import (
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAHubThatStartsIsSeenHoweverOftenOthersLook(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	stop := make(chan struct{})
	var looking sync.WaitGroup
	for range 3 {
		looking.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					_, err := present(data)
					assert.NoError(t, err)
				}
			}
		})
	}
	for range 500 {
		p, err := announce(data, "127.0.0.1:3030")
		require.NoError(t, err)
		all, err := present(data)
		require.NoError(t, err)
		require.Len(t, all, 1)
		require.Equal(t, os.Getpid(), all[0].PID)
		require.NoError(t, p.leave())
	}
	close(stop)
	looking.Wait()
}

func TestWhatAKilledHubLeftBehindGoesAway(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	dead := filepath.Join(data, "serve-1.json")
	require.NoError(t, os.WriteFile(dead, []byte(`{"pid":1}`), 0o600))
	all, err := present(data)
	require.NoError(t, err)
	assert.Empty(t, all)
	assert.NoFileExists(t, dead)
}
