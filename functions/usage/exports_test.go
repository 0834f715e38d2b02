package usage_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/functions/usage"
	"github.com/aigne-hub/aigne-hub/shared/schedule"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// table reads an export as CSV.
func table(t *testing.T, text string) (heading []string, rows []map[string]string) {
	t.Helper()
	text, marked := strings.CutPrefix(text, "\ufeff")
	require.True(t, marked, "the mark by which spreadsheets tell UTF-8")
	all, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	require.NoError(t, err)
	for _, cells := range all[1:] {
		row := map[string]string{}
		for i, c := range cells {
			row[all[0][i]] = c
		}
		rows = append(rows, row)
	}
	return all[0], rows
}

func TestAnExportIsTheListInEveryForm(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	old := d.archive()
	d.deps.Archives = shelf{old}
	for i := range 700 {
		s := d.app.Store
		if i < 300 {
			s = old
		}
		d.add(s, call{at: past.Add(time.Duration(i) * time.Minute), model: fmt.Sprintf("m-%d", i%2), key: d.key.ID, durationMS: int64(i)})
	}
	d.add(d.app.Store, call{at: past, model: "m-1", user: d.admin.ID})
	for _, query := range []string{"", "model=m-1", "model=m-1&minDurationSeconds=0.2", "model=none", fmt.Sprintf("startTime=%d&endTime=%d", past.Unix()+100, past.Unix()+20_000)} {
		want := d.list("member", query+"&pageSize=100")
		_, rows := table(t, d.get("member", "/api/user/model-calls/export?"+query).Body.String())
		var got []string
		for _, r := range rows {
			got = append(got, r["Call ID"])
		}
		assert.Equal(t, want, got, query)
		got = nil
		for line := range strings.Lines(d.get("member", "/api/user/model-calls/export?format=ndjson&"+query).Body.String()) {
			var row map[string]any
			require.NoError(t, json.Unmarshal([]byte(line), &row))
			got = append(got, row["call_id"].(string))
		}
		assert.Equal(t, want, got, query)
	}
	_, rows := table(t, d.get("admin", "/api/user/model-calls/export?scope=all").Body.String())
	assert.Len(t, rows, 701)
	assert.Equal(t, "hush", rows[0]["Credential"])
	acts, err := d.app.Store.Acts(t.Context(), store.ActFilter{Action: "calls.export"}, store.ActCursor{}, 10)
	require.NoError(t, err)
	assert.Len(t, acts, 1, "who takes everybody's calls away is on record")
	heading, _ := table(t, d.get("member", "/api/user/model-calls/export?model=none").Body.String())
	for _, not := range []string{"Credential", "Cost (USD)", "Shortfall"} {
		assert.NotContains(t, heading, not)
	}
	assert.Equal(t, 403, d.send("member", "GET", "/api/user/model-calls/export?scope=all").Code)
	assert.Equal(t, 400, d.send("member", "GET", "/api/user/model-calls/export?format=xlsx").Code)
	assert.Equal(t, 400, d.send("member", "GET", "/api/user/model-calls/export?tz=Mars/Olympus").Code)
}

func TestCellsOfAnExportAreNoFormulas(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.add(d.app.Store, call{at: past, model: `=HYPERLINK("http://x.test","y")`, app: "@SUM(1)", request: "+1", error: "\t=1+1", key: d.key.ID},
		call{at: past.Add(time.Second), model: "-2+3", app: "  =1", request: "＝1", error: "a, \"quoted\"\r\nline"})
	_, rows := table(t, d.get("member", "/api/user/model-calls/export").Body.String())
	require.Len(t, rows, 2)
	first, second := rows[1], rows[0]
	assert.Equal(t, `'=HYPERLINK("http://x.test","y")`, first["Model"])
	assert.Equal(t, "'@SUM(1)", first["Application ID"])
	assert.Equal(t, "'+1", first["Request ID"])
	assert.Equal(t, "'\t=1+1", first["Error"])
	assert.Equal(t, "'=cmd|' /c calc'!A1", first["API key"])
	assert.Equal(t, "'-2+3", second["Model"])
	assert.Equal(t, "'  =1", second["Application ID"])
	assert.Equal(t, "'＝1", second["Request ID"])
	assert.Equal(t, "a, \"quoted\"\nline", second["Error"], "as encoding/csv reads line ends")
	for _, r := range rows {
		for name, c := range r {
			assert.NotContains(t, "=+-@", c[:min(1, len(c))]+"\x00", "%s: %q", name, c)
		}
	}
}

func TestAnExportSpeaksTheCallersLanguageAndTime(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.add(d.app.Store, call{at: past.Add(123 * time.Millisecond), model: "m"}, call{at: past.Add(time.Hour), model: "m"})
	for _, c := range []struct{ query, accept, heading string }{
		{"", "", "Time"}, {"", "fr, zh-TW;q=0.9", "時間"}, {"lang=zh", "ja", "时间"}, {"locale=zh", "", "时间"}, {"lang=zh-Hant-HK", "", "時間"}, {"", "ja-JP,en;q=0.5", "日時"}, {"lang=xx", "ja", "Time"},
	} {
		w := d.send("member", "GET", "/api/user/model-calls/export?"+c.query, "Accept-Language", c.accept)
		heading, _ := table(t, w.Body.String())
		assert.Equal(t, c.heading, heading[0], c)
	}
	for zone, want := range map[string][2]string{
		"UTC": {"2026-03-29T01:30:00.000Z", "2026-03-29T00:30:00.123Z"}, "Asia/Kolkata": {"2026-03-29T07:00:00.000+05:30", "2026-03-29T06:00:00.123+05:30"},
		"Europe/Berlin":      {"2026-03-29T03:30:00.000+02:00", "2026-03-29T01:30:00.123+01:00"}, // summer time begins in between
		"Pacific/Kiritimati": {"2026-03-29T15:30:00.000+14:00", "2026-03-29T14:30:00.123+14:00"},
	} {
		_, rows := table(t, d.get("member", "/api/user/model-calls/export?tz="+zone).Body.String())
		assert.Equal(t, want, [2]string{rows[0]["Time"], rows[1]["Time"]}, zone)
	}
	own := d.member
	own.Language, own.TimeZone = "ja", "Asia/Tokyo"
	require.NoError(t, d.app.Store.SetProfile(t.Context(), own))
	_, rows := table(t, d.send("member", "GET", "/api/user/model-calls/export", "Accept-Language", "zh").Body.String())
	assert.Equal(t, "2026-03-29T10:30:00.000+09:00", rows[0]["日時"], "what the caller chose")
	line := d.get("member", "/api/user/model-calls/export?format=ndjson&tz=Asia/Tokyo&endTime="+fmt.Sprint(past.Unix()+1)).Body.String()
	id := d.list("member", "")[1]
	assert.JSONEq(t, `{"time":"2026-03-29T09:30:00.123+09:00","call_id":"`+id+`","request_id":"","user_id":"`+d.member.ID+`","user_email":"member@example.com",
		"api_key_id":"","api_key":"","app_id":"","app":"","type":"chatCompletion","requested_model":"m","provider":"first-vendor","model":"m","stream":true,
		"status":"success","http_status":200,"error_category":"","error":"","input":10,"cache_read":0,"cache_write_5m":0,"cache_write_1h":0,"output":5,"reasoning":0,
		"other_units":"{\"images\":2}","usage_source":"","credits":"0","duration_ms":0,"ttfb_ms":null,"attempts":0,"finished":null}`, line)
}

// gauge is a client that takes an export and looks at the heap while it comes.
type gauge struct {
	header     http.Header
	lines      int
	bytes      int64
	base, most uint64
	looked     int64
}

func (g *gauge) Header() http.Header { return g.header }

func (*gauge) WriteHeader(int) {}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func (g *gauge) Write(p []byte) (int, error) {
	g.lines += bytes.Count(p, []byte("\r\n"))
	if g.bytes += int64(len(p)); g.bytes-g.looked > 1<<20 {
		g.looked = g.bytes
		g.most = max(g.most, heap())
	}
	return len(p), nil
}

//nolint:paralleltest // it looks at the heap of the process
func TestAnExportHasNoLimitAndTakesNoMemory(t *testing.T) {
	const n = 25_000
	d := newDesk(t)
	for from := 0; from < n; from += 1000 {
		calls := make([]call, 1000)
		for i := range calls {
			calls[i] = call{at: past.Add(time.Duration(from+i) * time.Second), model: "m", request: fmt.Sprintf("request-%d", from+i), error: strings.Repeat("long text ", 20)}
		}
		d.add(d.app.Store, calls...)
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/api/user/model-calls/export", nil)
	r.Header.Set("Authorization", "Bearer "+d.keys["member"].Reveal())
	h := usage.New(d.deps)
	g := &gauge{header: http.Header{}, base: heap()}
	h.ServeHTTP(g, r)
	assert.Equal(t, n+1, g.lines)
	require.Greater(t, g.bytes, int64(8<<20))
	require.Positive(t, g.most)
	grown := int64(g.most) - int64(g.base)
	t.Logf("%d calls, %d bytes; the heap grew by %d at most", n, g.bytes, grown)
	assert.Less(t, grown, int64(4<<20), "of %d bytes", g.bytes)
}

func TestALongAnswerWhereNothingStreamsBecomesAJobWithLinks(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	var calls []call
	for i := range 1200 {
		calls = append(calls, call{at: past.Add(time.Duration(i) * time.Second), model: "m"})
	}
	ids := reversed(d.add(d.app.Store, calls...))
	d.deps.MostAnswer = 100_000
	d.get("member", "/api/user/model-calls/export?endTime="+fmt.Sprint(past.Unix()+100)) // is short enough
	w := d.send("member", "GET", "/api/user/model-calls/export?format=ndjson")
	require.Equal(t, http.StatusAccepted, w.Code)
	type export struct {
		ID, State, Error string
		Calls, Bytes     int64
		Links            []string
	}
	e := read[export](t, w)
	assert.Equal(t, "waiting", e.State)
	assert.Equal(t, "/api/usage/exports/"+e.ID, w.Header().Get("Location"))
	later := d.add(d.app.Store, call{at: time.Now().Add(time.Minute), model: "m"})
	require.NoError(t, schedule.Run(t.Context(), usage.Jobs(d.app), "usage.exports"))
	e = read[export](t, d.get("member", "/api/usage/exports/"+e.ID))
	assert.Equal(t, "done", e.State)
	assert.EqualValues(t, 1200, e.Calls)
	require.Len(t, e.Links, 1)
	assert.Regexp(t, `^https://hub.test/media/[A-Z2-7]{26}\.ndjson$`, e.Links[0])
	f, err := d.app.Blobs.Open(t.Context(), strings.TrimPrefix(e.Links[0], "https://hub.test/media/"))
	require.NoError(t, err)
	b, err := io.ReadAll(f)
	require.NoError(t, err)
	require.NoError(t, f.Close())
	assert.EqualValues(t, len(b), e.Bytes)
	var got []string
	for line := range strings.Lines(string(b)) {
		var row struct {
			ID string `json:"call_id"`
		}
		require.NoError(t, json.Unmarshal([]byte(line), &row))
		got = append(got, row.ID)
	}
	assert.Equal(t, ids, got)
	assert.NotContains(t, got, later[0])
	row, err := d.app.Store.CallExport(t.Context(), e.ID)
	require.NoError(t, err)
	assert.NotContains(t, row.Sealed, e.Links[0][len("https://hub.test/media/"):][:20], "the database does not tell the link")

	assert.Equal(t, 404, d.send("admin", "GET", "/api/usage/exports/"+e.ID).Code, "links are their maker's alone")
	for range 3 {
		require.Equal(t, http.StatusAccepted, d.send("member", "POST", "/api/usage/exports").Code)
	}
	assert.Equal(t, http.StatusConflict, d.send("member", "POST", "/api/usage/exports").Code)
	assert.Len(t, read[struct{ Data []export }](t, d.get("member", "/api/usage/exports")).Data, 4)
	d.deps.Blobs = nil
	assert.Equal(t, http.StatusServiceUnavailable, d.send("admin", "POST", "/api/usage/exports").Code)
}
