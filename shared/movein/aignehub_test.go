package movein

import (
	"database/sql"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
)

func database(t *testing.T, statements ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a folder with % and #", "db ?.db")
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
	db, err := sql.Open("sqlite", fileURL(path, ""))
	require.NoError(t, err)
	defer db.Close()
	for _, s := range statements {
		_, err := db.Exec(s)
		require.NoError(t, err, s)
	}
	return path
}

func TestAnOlderDatabaseWithFewerColumnsIsReadToo(t *testing.T) {
	t.Parallel()
	path := database(t,
		`CREATE TABLE AiProviders (id TEXT PRIMARY KEY, name TEXT, baseUrl TEXT, enabled INTEGER)`,
		`CREATE TABLE AiCredentials (id TEXT PRIMARY KEY, providerId TEXT, name TEXT, credentialValue JSON, credentialType TEXT, active INTEGER)`,
		`CREATE TABLE AiModelRates (id TEXT PRIMARY KEY, providerId TEXT, model TEXT, type TEXT, inputRate DECIMAL(20,10), outputRate DECIMAL(20,10))`,
		`CREATE TABLE ModelCalls (id TEXT PRIMARY KEY, providerId TEXT, model TEXT, type TEXT, totalUsage INTEGER, credits DECIMAL(20,8), status TEXT, duration DECIMAL(10,1), userDid TEXT, callTime INTEGER, createdAt DATETIME)`,
		`INSERT INTO AiProviders VALUES ('1', 'openai', 'http://127.0.0.1:4000', 1), ('2', 'unheard-of', NULL, 1)`,
		`INSERT INTO AiCredentials VALUES ('1', '1', 'Plain', '"{\"api_key\":\"sk-plain-value-1\"}"', 'api_key', 1), ('2', '2', 'x', '{}', 'api_key', 1)`,
		`INSERT INTO AiModelRates VALUES ('1', '1', 'a', 'chatCompletion', 0.1, -1), ('2', '1', 'b', 'video', 0, 0.1)`,
		`INSERT INTO ModelCalls VALUES ('1', '1', 'b', 'video', 8, 0.8, 'success', 61.25, 'z1', 1767225600, NULL), ('2', '1', 'a', 'custom', 5, -1, 'success', NULL, 'z1', 1767225601, NULL),
 ('3', '9', 'a', 'custom', 5, NULL, 'processing', NULL, '', 0, '2026-01-02 03:04:05.006 +00:00'), ('4', '1', 'a', '', 5, 0, 'success', NULL, '', 0, 'never')`,
	)
	a, err := OpenAIGNEHub(t.Context(), AIGNEOptions{Database: path})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, a.Close()) })
	s, err := a.Read(t.Context())
	require.NoError(t, err)
	require.Len(t, s.Providers, 1)
	assert.Equal(t, "http://127.0.0.1:4000", s.Providers[0].BaseURL)
	assert.Equal(t, hub.Secret("sk-plain-value-1"), s.Providers[0].Credentials[0].Value, "never sealed, and JSON in JSON")
	require.Len(t, s.Rates, 1, "a price below 0 is none")
	assert.Equal(t, map[string]string{"input": "0", "seconds": "100000"}, s.Rates[0].Prices)

	all := a.Histories()
	require.Len(t, all, 1)
	calls, last, left, err := all[0].Read(t.Context(), "")
	require.NoError(t, err)
	assert.Equal(t, "4", last)
	assert.Equal(t, 2, left, "below 0, and without a time")
	require.Len(t, calls, 2)
	assert.EqualValues(t, 8, calls[0].Usage[hub.Seconds])
	assert.EqualValues(t, 61250, *calls[0].DurationMS)
	assert.Equal(t, money.Credit*8/10, calls[0].Credits)
	assert.Equal(t, NobodyDID, calls[1].User)
	assert.Equal(t, hub.StatusInterrupted, calls[1].Status)
	assert.EqualValues(t, 1767323045006, calls[1].CreatedAt)
	again, _, _, err := all[0].Read(t.Context(), "")
	require.NoError(t, err)
	assert.Equal(t, calls[0].ID, again[0].ID, "the same call has the same id")
	assert.NotEqual(t, calls[0].ID, calls[1].ID)
	_, last, _, err = all[0].Read(t.Context(), "4")
	require.NoError(t, err)
	assert.Empty(t, last)
	unreported := a.Unreported()
	_, last, _, err = unreported.Read(t.Context(), "")
	require.NoError(t, err)
	assert.Empty(t, last, "there is no such table")
	_, err = OpenAIGNEHub(t.Context(), AIGNEOptions{Database: database(t, `CREATE TABLE x (a)`)})
	assert.Equal(t, hub.CodeInvalid, hub.CodeOf(err))
}

func TestPricesFollowTheRatiosExactly(t *testing.T) {
	t.Parallel()
	unit, _ := decimal("500000")
	p, err := readRatios(map[string]string{
		"ModelRatio": `{"m":0.075,"m(33)":1e-1,"e":0.01,"third":0.3333333333333333}`, "CompletionRatio": `{"m":4}`, "GroupRatio": `{"default":1,"half":0.5,"same":0.5}`,
		"CacheRatio": `{"m":0.25}`, "ModelPrice": `{"each":0.02}`,
	}, "half", "1.5", unit)
	require.NoError(t, err)
	assert.Equal(t, []string{"default × 1"}, p.others)
	for _, tt := range []struct {
		model   string
		kind    hub.CallType
		channel int64
		want    map[string]string
		exact   bool
	}{
		{"m", hub.TypeChat, 1, map[string]string{"input": "0.075", "output": "0.3", "cache_read": "0.01875"}, true},
		{"m", hub.TypeChat, 33, map[string]string{"input": "0.1", "output": "0.4", "cache_read": "0.025"}, true},
		{"e", hub.TypeEmbedding, 1, map[string]string{"input": "0.01"}, true},
		{"third", hub.TypeChat, 1, map[string]string{"input": "0.333333", "output": "0.5"}, false},
		{"each", hub.TypeChat, 1, map[string]string{"input": "0", "output": "0", "requests": "10000"}, true},
		{"each", hub.TypeImage, 1, map[string]string{"images": "10000"}, true},
		{"each", hub.TypeAudio, 1, nil, false},
		{"m", hub.TypeImage, 1, nil, false},
		{"unknown", hub.TypeChat, 1, nil, false},
	} {
		got, exact, why := p.prices(tt.model, tt.kind, tt.channel)
		assert.Equal(t, tt.want, got, tt.model)
		assert.Equal(t, tt.exact, exact, tt.model)
		assert.Equal(t, tt.want == nil, why != "", tt.model)
	}
	for _, bad := range []map[string]string{{"ModelRatio": "[1]"}, {"GroupRatio": `{"half":"x"}`}, {"billing_setting.billing_mode": "1"}} {
		_, err := readRatios(bad, usual, "", unit)
		assert.Error(t, err, bad)
	}
	_, err = readRatios(nil, usual, "-1", unit)
	assert.Error(t, err)
}
