package archive_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/archive"
	"github.com/aigne-hub/aigne-hub/shared/blob"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/testkit/fakes3"
)

// exporter is a hub on a libSQL server that archives into a bucket.
func exporter(t *testing.T) (*world, *fakes3.Store) {
	t.Helper()
	w := remoteWorld(t)
	s3 := fakes3.New(t)
	w.keeper = &archive.Keeper{Store: w.Store, Settings: archive.Settings{After: 3 * month, Cache: 1e9}, Now: w.clock.now, Log: slog.New(slog.DiscardHandler),
		Place: &blob.S3{Endpoint: s3.URL, Bucket: s3.Bucket, Prefix: "hub/", Region: fakes3.Region, KeyID: fakes3.KeyID, Secret: fakes3.Secret, Now: time.Now}}
	t.Cleanup(func() { _ = w.keeper.Close() })
	return w, s3
}

// exportedCalls are the calls in a bucket, as they were written, by their ids.
func exportedCalls(t *testing.T, s3 *fakes3.Store) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, name := range s3.Names() {
		if !strings.HasSuffix(name, ".ndjson.gz") {
			var m archive.Manifest
			require.NoError(t, json.Unmarshal(s3.Object(name), &m))
			assert.Equal(t, "hub/"+m.File+".json", name)
			assert.EqualValues(t, len(s3.Object("hub/"+m.File)), m.Bytes)
			continue
		}
		zip, err := gzip.NewReader(bytes.NewReader(s3.Object(name)))
		require.NoError(t, err)
		text, err := io.ReadAll(zip)
		require.NoError(t, err)
		for line := range bytes.Lines(text) {
			var l struct {
				Table string
				Row   map[string]any
			}
			require.NoError(t, json.Unmarshal(line, &l))
			if id, _ := l.Row["id"].(string); l.Table == "model_calls" {
				out[id] = string(line)
			}
		}
	}
	return out
}

func TestCallsOfAServerAreExportedBeforeTheyAreDeleted(t *testing.T) {
	t.Parallel()
	w, s3 := exporter(t)
	due := w.fill(60)
	before := w.history(nil)
	plan, err := w.keeper.Rehearse(t.Context())
	require.NoError(t, err)
	assert.EqualValues(t, due, plan.Calls)
	assert.Empty(t, s3.Names())

	r := w.run(w.keeper)
	assert.EqualValues(t, due, r.Calls)
	left := w.history(nil)
	assert.Len(t, left, 60-due)
	exported := exportedCalls(t, s3)
	assert.Len(t, exported, due)
	for id := range before {
		assert.NotEqual(t, left[id] != "", exported[id] != "", "each call is in one place: %s", id)
	}
	w.requireCleanBooks()
	assert.EqualValues(t, due, w.requireSoundArchives(w.keeper))
	assert.Equal(t, before, w.history(w.keeper), "every call is there, once and unchanged")

	files, err := w.ArchiveFiles(t.Context(), "2026Q2", "", 10)
	require.NoError(t, err)
	require.NotEmpty(t, files)
	whole := s3.Object("hub/" + files[0].Name)
	for name, data := range map[string][]byte{"damaged": append([]byte{0}, whole[1:]...), "gone": nil} {
		s3.Set("hub/"+files[0].Name, data)
		v, err := w.keeper.Verify(t.Context(), "2026Q2")
		require.NoError(t, err)
		assert.False(t, v.OK, name)
	}
}

func TestAnExportThatDiesLosesNothing(t *testing.T) {
	t.Parallel()
	w, s3 := exporter(t)
	due := w.fill(40)
	before := w.history(nil)
	for _, at := range []string{"announce", "copy", "copied", "delete", "deleted"} {
		w.keeper.Step = func(step string) error {
			if step == at {
				return errKilled
			}
			return nil
		}
		_, err := w.keeper.Run(t.Context(), "test")
		require.ErrorIs(t, err, errKilled)
		left, exported := w.history(nil), exportedCalls(t, s3)
		for id := range before {
			assert.True(t, left[id] != "" || exported[id] != "", "a call is lost: %s", id)
		}
	}
	w.keeper.Step = nil
	for status, method := range map[int]string{500: http.MethodPut, 403: http.MethodGet} { // the store is in trouble
		s3.Fail = func(m, _ string) int {
			if m == method {
				return status
			}
			return 0
		}
		left := w.history(nil)
		_, err := w.keeper.Run(t.Context(), "test")
		require.Error(t, err)
		assert.Equal(t, left, w.history(nil))
	}
	s3.Fail = nil
	w.run(w.keeper)
	assert.Len(t, exportedCalls(t, s3), due)
	assert.EqualValues(t, due, w.requireSoundArchives(w.keeper))
	w.requireCleanBooks()
}

func TestExportsGoToAFolderAndEndWithTheirRetention(t *testing.T) {
	t.Parallel()
	w, _ := exporter(t)
	folder := t.TempDir()
	w.keeper.Place, w.keeper.Disk = blob.Folder{Path: folder}, folder
	due := w.fill(40)
	w.run(w.keeper)
	assert.EqualValues(t, due, w.requireSoundArchives(w.keeper))
	files := func() int {
		t.Helper()
		found, err := filepath.Glob(filepath.Join(folder, "*", "*"))
		require.NoError(t, err)
		return len(found)
	}
	assert.Equal(t, 8, files(), "four quarters, each a file and its manifest")
	w.keeper.Settings.Keep = 200 * 24 * time.Hour
	w.keeper.Step = func(step string) error {
		if step == "removed" {
			return errKilled
		}
		return nil
	}
	_, err := w.keeper.Run(t.Context(), "test")
	require.ErrorIs(t, err, errKilled)
	w.keeper.Step = nil
	w.run(w.keeper)
	assert.Equal(t, 4, files())
	w.requireCleanBooks()
}

func TestWithoutAPlaceNothingMoves(t *testing.T) {
	t.Parallel()
	w, _ := exporter(t)
	w.keeper.Place = nil
	w.fill(10)
	before := w.history(nil)
	assert.False(t, w.keeper.Ready())
	_, err := w.keeper.Run(t.Context(), "test")
	require.ErrorContains(t, err, "AIGNE_HUB_ARCHIVE_URL")
	_, err = w.keeper.Rehearse(t.Context())
	require.Error(t, err)
	assert.Equal(t, before, w.history(nil))
}

func TestALostAnswerMovesNothingTwice(t *testing.T) {
	t.Parallel()
	w, s3 := exporter(t)
	due := w.fill(20)
	// The unit that deletes arrives, its answer does not.
	lost := false
	w.keeper.Step = func(step string) error {
		if step == "delete" && !lost {
			lost = true
			w.server.Plan(dropOnce)
		}
		return nil
	}
	r, err := w.keeper.Run(t.Context(), "test")
	require.NoError(t, err)
	assert.Equal(t, store.RunDone, r.State)
	assert.Positive(t, w.server.Stats().Dropped)
	assert.Len(t, exportedCalls(t, s3), due)
	assert.EqualValues(t, due, w.requireSoundArchives(w.keeper))
	w.requireCleanBooks()
	runs, err := w.ArchiveRuns(context.Background(), "", 1)
	require.NoError(t, err)
	assert.EqualValues(t, due, runs[0].Calls, "the run counts what was moved, answered or not")
}
