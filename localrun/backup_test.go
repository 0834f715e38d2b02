package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/backup"
	"github.com/aigne-hub/aigne-hub/shared/blob"
	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/telemetry"
	"github.com/aigne-hub/aigne-hub/shared/testkit/fakes3"
)

// states are the doctor's findings that are not ok, by check.
func states(all []finding) map[string]string {
	out := map[string]string{}
	for _, f := range all {
		if f.State != fine {
			out[f.Check] = f.State + ": " + f.Detail
		}
	}
	return out
}

func TestAHubIsBackedUpWhileItServesAndComesBackOnAnotherMachine(t *testing.T) {
	t.Parallel()
	s3 := fakes3.New(t)
	h := newHub(t, "AIGNE_HUB_BILLING=on", "AIGNE_HUB_BACKUP_URL=s3://"+s3.Bucket+"/hubs/one?region="+fakes3.Region+"&endpoint="+s3.URL,
		"AIGNE_HUB_BLOB_ACCESS_KEY_ID="+fakes3.KeyID, "AIGNE_HUB_BLOB_SECRET_ACCESS_KEY="+fakes3.Secret)
	_, key := h.withProvider()
	h.ok("rate", "set", "--provider", "openai", "--model", "gpt-fake", "--input", "1", "--output", "2")
	h.ok("credits", "grant", "--user", "member@example.com", "--amount", "10")
	s := h.serve()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan int)
	go func() { // calls go on while the backup is taken
		n := 0
		for ctx.Err() == nil {
			if status, _, _, err := s.call(context.WithoutCancel(ctx), key, hello); err == nil && status == 200 {
				n++
			}
		}
		ended <- n
	}()
	time.Sleep(200 * time.Millisecond)
	v := decode[backupView](h, "backup", "--include-key")
	stop()
	require.Positive(t, <-ended)
	for _, name := range s3.Names() {
		assert.True(t, strings.HasPrefix(name, "hubs/one/"+v.Name+"/"), name)
	}
	list := decode[[]backupView](h, "backup", "list")
	require.Len(t, list, 1)
	assert.Equal(t, v.Name, list[0].Name)
	assert.Contains(t, h.ok("backup", "verify"), "Whole: "+v.Name)
	o := h.run("", "restore", "--replace")
	assert.Equal(t, 1, o.code)
	assert.Contains(t, o.stderr, "in use")
	s.kill()

	other := newHub(t, h.env...) // an empty data folder
	assert.Equal(t, 3, other.run("", "restore", "20200101T000000Z").code)
	assert.Contains(t, other.ok("restore"), "Put back "+v.Name)
	assert.Equal(t, 2, other.run("", "restore").code, "what is there is not replaced unasked")
	other.ok("ledger", "verify", "--all")
	assert.Equal(t, map[string]string{"owner": "look: there is no owner; `aigne-hub setup-token` prints how to become it"},
		states(decode[[]finding](other, "doctor", "--deep", "--ask-providers")))
	status, _, answer, err := other.serve().call(t.Context(), key, hello)
	require.NoError(t, err)
	assert.Equal(t, 200, status, answer)
}

func TestTheDoctorNamesWhatIsBroken(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	o := h.run("", "doctor")
	assert.Equal(t, 1, o.code)
	assert.Contains(t, o.stdout, "there is none at")
	assert.NoDirExists(t, h.data, "looking makes nothing")

	h.withProvider()
	found := states(decode[[]finding](h, "doctor"))
	assert.Equal(t, map[string]string{
		"owner":   "look: there is no owner; `aigne-hub setup-token` prints how to become it",
		"backups": "look: there is none; `aigne-hub backup` takes one, AIGNE_HUB_BACKUP_EVERY lets the hub take them",
	}, found)

	h.tamper("UPDATE accounts SET balance_nano = balance_nano + 5 WHERE user_id IS NOT NULL")
	require.NoError(t, os.Remove(filepath.Join(h.data, "master.key")))
	require.NoError(t, os.Chmod(h.data, 0o755))
	o = h.run("", "doctor")
	assert.Equal(t, 1, o.code)
	for _, want := range []string{"master key is not here", "violation", "can be read by others", "3 thing(s) are broken"} {
		assert.Contains(t, o.stdout+o.stderr, want)
	}
	o = h.run("", "backup")
	assert.Equal(t, 1, o.code, "a copy whose books do not balance is none")
	assert.Empty(t, decode[[]backupView](h, "backup", "list"))

	h.env = append(h.env, "AIGNE_HUB_BILLING=perhaps")
	assert.Contains(t, h.run("", "doctor").stdout, "AIGNE_HUB_BILLING")
}

func TestABackupWithoutTheMasterKeyNeedsIt(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.withProvider()
	assert.Contains(t, h.ok("backup"), "does not hold the master key")
	h.env = append(h.env, "AIGNE_HUB_BACKUP_URL="+filepath.Join(h.data, "backups"))
	other := newHub(t, h.env...)
	other.ok("restore")
	o := other.run("", "doctor")
	assert.Equal(t, 1, o.code)
	assert.Contains(t, o.stdout, "master key is not here")
	key, err := os.ReadFile(filepath.Join(h.data, "master.key"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(other.data, "master.key"), key, 0o600))
	other.ok("doctor")
}

func TestAHubTakesBackupsByItself(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	require.Equal(t, 0, h.run("", "migrate").code)
	dir := filepath.Join(t.TempDir(), "backups")
	settings := map[string]string{"AIGNE_HUB_DATA": h.data, "AIGNE_HUB_BACKUP_URL": dir, "AIGNE_HUB_BACKUP_EVERY": "24h", "AIGNE_HUB_BACKUP_KEEP": "2"}
	cfg, err := boot.Load(func(name string) (string, bool) { v, ok := settings[name]; return v, ok }, nil, nil)
	require.NoError(t, err)
	now := time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)
	a, err := boot.Open(t.Context(), cfg, boot.Options{Log: telemetry.NewLogger(t.Output(), cfg.LogFormat, cfg.LogLevel), Now: func() time.Time { return now }})
	require.NoError(t, err)
	t.Cleanup(func() { _ = a.Close(context.Background()) })
	jobs := backupJobs(a)
	require.Len(t, jobs, 1)
	for range 8 {
		require.NoError(t, jobs[0].Run(t.Context()))
		now = now.Add(12 * time.Hour)
	}
	all, err := backup.List(t.Context(), blob.Folder{Path: dir})
	require.NoError(t, err)
	require.Len(t, all, 2, "older ones are removed")
	assert.Equal(t, []string{"20260704T000000Z", "20260703T000000Z"}, []string{all[0].Name, all[1].Name}, "one a day")
	cfg.Backup.Every = 0
	assert.Empty(t, backupJobs(&boot.App{Config: cfg}))
}

func TestTheBinaryTellsWhatItIs(t *testing.T) {
	t.Parallel()
	v := decode[buildView](newHub(t), "version")
	assert.NotEmpty(t, v.Schema)
	assert.Contains(t, v.Platform, "/")
	assert.Positive(t, v.Modules)
}
