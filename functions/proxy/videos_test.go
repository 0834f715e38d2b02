package proxy_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/functions/proxy"
	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/ledger"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/telemetry"
	"github.com/aigne-hub/aigne-hub/shared/testkit/fakeprovider"
)

// do sends a request without a body under a key.
func do(t *testing.T, method, url string, key hub.Secret, header ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, http.NoBody)
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+key.Reveal())
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return res, string(body)
}

// follow runs the scheduled job as if every job were due.
func (h *testHub) follow() {
	h.t.Helper()
	u := &store.Unit{}
	u.Add("UPDATE jobs SET next_poll_at = 0 WHERE finished_at IS NULL")
	require.NoError(h.t, h.app.Store.Do(h.t.Context(), u))
	require.NoError(h.t, h.app.Jobs.Follow(h.t.Context()))
}

func (h *testHub) createVideo(body string) string {
	h.t.Helper()
	res, text := h.send("/v1/videos", body)
	require.Equal(h.t, 200, res.StatusCode, text)
	return decode(h.t, text)["id"].(string)
}

const bySecond = `{"seconds":"0.1","variants":[{"bucket":"seconds","size":"1792x1024","rate":"0.5"},{"bucket":"seconds","size":"720p","rate":"0.2"}]}`

func TestAVideoIsChargedOnceWhenItIsDone(t *testing.T) {
	t.Parallel()
	vendors := []struct {
		kind          fakeprovider.MediaKind
		model, prices string
		body, cost    string
	}{
		{fakeprovider.OpenAIMedia, "sora-2", bySecond, `"seconds":"8","size":"1792x1024"`, "4"},
		{fakeprovider.OpenAIMedia, "sora-2", bySecond, `"size":"720x1280"`, "0.4"},
		{fakeprovider.GoogleMedia, "veo-3.1-generate-preview", bySecond, `"seconds":"4","size":"1280x720"`, "0.4"},
		{fakeprovider.GoogleMedia, "veo-3.1-generate-preview", bySecond, `"seconds":4,"resolution":"720p"`, "0.8"},
		{fakeprovider.XAIMedia, "grok-imagine-video", bySecond, `"seconds":"6","aspect_ratio":"16:9"`, "0.6"},
		{fakeprovider.ArkMedia, "doubao-seedance-1-0-pro", `{"output":"0.000001"}`, `"seconds":"5"`, "0.5"},
	}
	for i, tt := range vendors {
		t.Run(fmt.Sprint(tt.kind, i), func(t *testing.T) {
			t.Parallel()
			h := start(t, mediaEnv())
			h.media(tt.kind, fakeprovider.MediaOptions{Polls: 1})
			h.price(string(tt.kind), tt.model, hub.TypeVideo, tt.prices)
			h.grant("100")
			id := h.createVideo(`{"model":"` + string(tt.kind) + "/" + tt.model + `","prompt":"a cat",` + tt.body + `}`)
			assert.Positive(t, h.account().Held, "held before the id is shown")
			assert.Equal(t, hub.StatusProcessing, h.lastCall().Status)

			res, text := do(t, "GET", h.url+"/v1/videos/"+id+"/content", h.key)
			assert.Equal(t, 409, res.StatusCode, text)
			_, text = do(t, "GET", h.url+"/v1/videos/"+id, h.key)
			for range 3 { // as often as it is asked
				_, text = do(t, "GET", h.url+"/v1/videos/"+id, h.key)
			}
			out := decode(t, text)
			assert.Equal(t, "completed", out["status"], text)
			assert.InDelta(t, 100, out["progress"], 0)
			assert.Equal(t, tt.cost, h.spent())
			assert.Equal(t, hub.StatusSuccess, h.lastCall().Status)

			res, text = do(t, "GET", h.url+"/v1/videos/"+id+"/content", h.key)
			require.Equal(t, 200, res.StatusCode, text)
			assert.Equal(t, string(fakeprovider.Film()), text)
			assert.Equal(t, "video/mp4", res.Header.Get("Content-Type"))
			res, text = do(t, "GET", h.url+"/v1/videos/"+id+"/content", h.key, "Range", "bytes=4-7")
			assert.Equal(t, 206, res.StatusCode)
			assert.Equal(t, "ftyp", text)
			assert.Equal(t, tt.cost, h.spent(), "downloads are free")
		})
	}
}

func TestAVideoThatNobodyAsksAfterIsSettledByTheScheduledJob(t *testing.T) {
	t.Parallel()
	h := start(t, mediaEnv())
	fake := h.media(fakeprovider.OpenAIMedia, fakeprovider.MediaOptions{})
	h.price("openai", "sora-2", hub.TypeVideo, bySecond)
	h.grant("100")
	h.createVideo(`{"model":"sora-2","prompt":"a cat"}`)
	fake.FailFilms("moderation_blocked")
	h.createVideo(`{"model":"sora-2","prompt":"a dog"}`)
	h.follow()
	assert.Equal(t, "0.4", h.spent(), "what failed costs nothing")
	_, text := do(t, "GET", h.url+"/v1/videos?order=asc", h.key)
	list := decode(t, text)["data"].([]any)
	require.Len(t, list, 2)
	assert.Equal(t, "completed", list[0].(map[string]any)["status"])
	assert.Equal(t, "failed", list[1].(map[string]any)["status"])
	assert.Equal(t, "moderation_blocked", list[1].(map[string]any)["error"].(map[string]any)["message"])
	_, text = do(t, "GET", h.url+"/v1/videos?limit=1", h.key)
	page := decode(t, text)
	assert.Equal(t, true, page["has_more"])
	_, text = do(t, "GET", h.url+"/v1/videos?limit=1&after="+page["last_id"].(string), h.key)
	assert.Equal(t, false, decode(t, text)["has_more"])
}

func TestAJobsOwnerIsNeverSwept(t *testing.T) {
	t.Parallel()
	h := start(t, mediaEnv())
	fake := h.media(fakeprovider.OpenAIMedia, fakeprovider.MediaOptions{})
	h.price("openai", "sora-2", hub.TypeVideo, bySecond)
	h.grant("100")
	fake.HoldFilms(true)
	h.createVideo(`{"model":"sora-2","prompt":"a cat"}`)
	require.NoError(t, h.app.Gate.Lease.Close(t.Context())) // the process is gone
	sweeper := &ledger.Sweeper{Store: h.app.Store, Log: slog.New(slog.DiscardHandler), After: time.Millisecond}
	for range 3 {
		require.NoError(t, sweeper.Sweep(t.Context()))
		time.Sleep(5 * time.Millisecond)
	}
	assert.Equal(t, hub.StatusProcessing, h.lastCall().Status)
	fake.HoldFilms(false)
	h.follow()
	assert.Equal(t, "0.4", h.spent())
}

func TestJobsEndAtTheirDeadlineAndCostNothing(t *testing.T) {
	t.Parallel()
	h := start(t, mediaEnv())
	fake := h.media(fakeprovider.OpenAIMedia, fakeprovider.MediaOptions{})
	h.price("openai", "sora-2", hub.TypeVideo, bySecond)
	h.grant("100")
	fake.HoldFilms(true)
	h.createVideo(`{"model":"sora-2","prompt":"a cat"}`)
	h.createVideo(`{"model":"sora-2","prompt":"a dog"}`)
	u := &store.Unit{}
	u.Add("UPDATE jobs SET deadline_at = 0 WHERE finished_at IS NULL")
	require.NoError(t, h.app.Store.Do(t.Context(), u))
	h.follow()
	assert.Equal(t, "0", h.spent())
	assert.Equal(t, hub.StatusFailed, h.lastCall().Status)

	id := h.createVideo(`{"model":"sora-2","prompt":"a bird"}`)
	fake.LoseFilms()
	_, text := do(t, "GET", h.url+"/v1/videos/"+id, h.key)
	assert.Equal(t, "queued", decode(t, text)["status"], "a provider may not know a young job yet")
	u = &store.Unit{}
	u.Add("UPDATE jobs SET created_at = 0 WHERE finished_at IS NULL")
	require.NoError(t, h.app.Store.Do(t.Context(), u))
	_, text = do(t, "GET", h.url+"/v1/videos/"+id, h.key)
	assert.Equal(t, "failed", decode(t, text)["status"])
	assert.Equal(t, "0", h.spent())
}

func TestAVideoIsItsOwnersAlone(t *testing.T) {
	t.Parallel()
	h := start(t, mediaEnv())
	h.media(fakeprovider.OpenAIMedia, fakeprovider.MediaOptions{})
	h.price("openai", "sora-2", hub.TypeVideo, bySecond)
	h.grant("100")
	id := h.createVideo(`{"model":"sora-2","prompt":"a cat"}`)
	_, err := h.app.Desk.CreateUser(t.Context(), "test", "other@example.com", hub.RoleAdmin, "")
	require.NoError(t, err)
	other, _, err := h.app.Desk.CreateKey(t.Context(), "test", "other@example.com", "k", nil)
	require.NoError(t, err)
	for _, tt := range [][2]string{{"GET", ""}, {"GET", "/content"}, {"DELETE", ""}} {
		res, text := do(t, tt[0], h.url+"/v1/videos/"+id+tt[1], other)
		assert.Equal(t, 404, res.StatusCode, text)
	}
	_, text := do(t, "GET", h.url+"/v1/videos", other)
	assert.Empty(t, decode(t, text)["data"])
	for _, bad := range []string{"video_x", "x", "video_..%2f..%2fmodels"} {
		res, _ := do(t, "GET", h.url+"/v1/videos/"+bad, h.key)
		assert.Equal(t, 404, res.StatusCode)
	}
	h.follow()
}

func TestADeletedVideoIsGoneAndChargedWhenItWasMade(t *testing.T) {
	t.Parallel()
	h := start(t, mediaEnv())
	h.media(fakeprovider.ArkMedia, fakeprovider.MediaOptions{Polls: 2})
	h.media(fakeprovider.OpenAIMedia, fakeprovider.MediaOptions{Polls: 2})
	h.price("doubao", "doubao-seedance-1-0-pro", hub.TypeVideo, bySecond)
	h.price("openai", "sora-2", hub.TypeVideo, bySecond)
	h.grant("100")
	id := h.createVideo(`{"model":"doubao/doubao-seedance-1-0-pro","prompt":"a cat"}`)
	res, text := do(t, "DELETE", h.url+"/v1/videos/"+id, h.key)
	require.Equal(t, 200, res.StatusCode, text)
	assert.Equal(t, true, decode(t, text)["deleted"])
	assert.Equal(t, "0", h.spent(), "the provider stopped it")
	assert.Equal(t, hub.StatusFailed, h.lastCall().Status)

	id = h.createVideo(`{"model":"openai/sora-2","prompt":"a cat"}`)
	res, _ = do(t, "DELETE", h.url+"/v1/videos/"+id, h.key)
	require.Equal(t, 200, res.StatusCode)
	res, _ = do(t, "GET", h.url+"/v1/videos/"+id, h.key)
	assert.Equal(t, 404, res.StatusCode)
	for range 3 {
		h.follow()
	}
	assert.Equal(t, "0.4", h.spent(), "the provider made it, so it is charged")
}

func TestTheVideoProtocolWaitsForTheFilm(t *testing.T) {
	t.Parallel()
	h := start(t, mediaEnv())
	fake := h.media(fakeprovider.GoogleMedia, fakeprovider.MediaOptions{Polls: 1})
	h.price("google", "veo-3.1", hub.TypeVideo, bySecond)
	h.grant("100")
	picture := base64.StdEncoding.EncodeToString(fakeprovider.Picture())
	body := `{"input":{"prompt":"a cat","seconds":"6","image":{"type":"file","data":"` + picture + `","mimeType":"image/png"},
		"model":"google/veo-3.1","modelOptions":{"model":"google/veo-3.1","aspectRatio":"9:16"}%s},"options":{"streaming":false}}`
	res, text := h.send("/api/v2/video", fmt.Sprintf(body, ""))
	require.Equal(t, 200, res.StatusCode, text)
	out := decode(t, text)
	assert.Equal(t, map[string]any{"type": "file", "data": base64.StdEncoding.EncodeToString(fakeprovider.Film()), "mimeType": "video/mp4"}, out["videos"].([]any)[0])
	assert.InDelta(t, 6, out["seconds"], 0)
	assert.InDelta(t, 0.6, out["usage"].(map[string]any)["aigneHubCredits"], 1e-12)
	assert.Equal(t, "google/veo-3.1", out["modelWithProvider"])
	sent := fake.Requests()[0].JSON["instances"].([]any)[0].(map[string]any)
	assert.Equal(t, map[string]any{"bytesBase64Encoded": picture, "mimeType": "image/png"}, sent["image"])

	res, text = h.send("/api/v2/video", fmt.Sprintf(body, `,"outputFileType":"url"`))
	require.Equal(t, 200, res.StatusCode, text)
	link := decode(t, text)["videos"].([]any)[0].(map[string]any)["url"].(string)
	_, film := do(t, "GET", link, "")
	assert.Equal(t, string(fakeprovider.Film()), film)
	assert.Equal(t, "1.2", h.spent())

	fake.HoldFilms(true)
	ctx, leave := context.WithCancel(t.Context())
	time.AfterFunc(200*time.Millisecond, leave)
	gone, err := h.post(ctx, "/api/v2/video", fmt.Sprintf(body, ""))
	if err == nil {
		gone.Body.Close()
	}
	require.Eventually(t, func() bool { return h.lastCall().Status == hub.StatusProcessing && h.account().Held > 0 }, 5*time.Second, 10*time.Millisecond)
	fake.HoldFilms(false)
	require.Eventually(t, func() bool { h.follow(); return h.account().Held == 0 }, 10*time.Second, 50*time.Millisecond)
	assert.Equal(t, "1.8", h.spent(), "the client left, the film was made")
}

// process is one hub process on a database that outlives it.
type process struct {
	app *boot.App
	url string
	end func()
}

func openProcess(t *testing.T, dir string) *process {
	t.Helper()
	env := mediaEnv()
	env["AIGNE_HUB_DATA"] = dir
	lookup := func(name string) (string, bool) { v, ok := env[name]; return v, ok }
	cfg, err := boot.Load(lookup, nil, nil)
	require.NoError(t, err)
	app, err := boot.Open(t.Context(), cfg, boot.Options{Log: telemetry.NewLogger(io.Discard, telemetry.FormatText, slog.LevelError), Env: lookup, Migrate: true})
	require.NoError(t, err)
	require.NoError(t, app.Reload(t.Context()))
	srv := httptest.NewServer(proxy.Wire(app))
	return &process{app: app, url: srv.URL, end: sync.OnceFunc(func() {
		srv.Close()
		require.NoError(t, app.Close(context.Background()))
	})}
}

func TestAVideoSurvivesARestartAndTwoProcessesChargeItOnce(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	fake := fakeprovider.StartMedia(t, fakeprovider.OpenAIMedia, fakeprovider.MediaOptions{})
	p := openProcess(t, dir)
	desk := p.app.Desk
	_, err := desk.CreateUser(t.Context(), "test", "m@example.com", hub.RoleMember, "")
	require.NoError(t, err)
	key, _, err := desk.CreateKey(t.Context(), "test", "m@example.com", "k", nil)
	require.NoError(t, err)
	_, err = desk.AddProvider(t.Context(), "test", operator.NewProvider{Kind: "openai", Name: "openai", BaseURL: fake.Base(), Credential: fakeprovider.DefaultKey})
	require.NoError(t, err)
	_, err = p.app.Store.SetRate(t.Context(), store.Rate{Provider: "openai", Model: "sora-2", Type: hub.TypeVideo, Prices: bySecond, Metadata: "{}"}, "test")
	require.NoError(t, err)
	require.NoError(t, p.app.Reload(t.Context()))
	_, err = desk.Grant(t.Context(), "test", "m@example.com", 100*money.Credit, nil, "test")
	require.NoError(t, err)

	fake.HoldFilms(true)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.url+"/v1/videos", strings.NewReader(`{"model":"sora-2","prompt":"a cat","seconds":"12"}`))
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+key.Reveal())
	r.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	text, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, 200, res.StatusCode, string(text))
	id := decode(t, string(text))["id"].(string)
	p.end()

	a, b := openProcess(t, dir), openProcess(t, dir)
	defer a.end()
	defer b.end()
	// The operator raises the price meanwhile: the job keeps the one it was admitted at.
	_, err = a.app.Store.SetRate(t.Context(), store.Rate{Provider: "openai", Model: "sora-2", Type: hub.TypeVideo, Prices: `{"seconds":"5"}`, Metadata: "{}"}, "test")
	require.NoError(t, err)
	fake.HoldFilms(false)
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			at := []*process{a, b}[i%2]
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, at.url+"/v1/videos/"+id, http.NoBody)
			assert.NoError(t, err)
			req.Header.Set("Authorization", "Bearer "+key.Reveal())
			res, err := http.DefaultClient.Do(req)
			if assert.NoError(t, err) {
				body, err := io.ReadAll(res.Body)
				assert.NoError(t, err)
				assert.NoError(t, res.Body.Close())
				assert.Contains(t, string(body), `"status":"completed"`)
			}
		})
	}
	all.Wait()
	now, err := b.app.Desk.Balance(t.Context(), "m@example.com")
	require.NoError(t, err)
	assert.Equal(t, 100*money.Credit-money.Credit*12/10, now.Balance)
	assert.Zero(t, now.Held)
	report, err := b.app.Book.Verify(t.Context())
	require.NoError(t, err)
	assert.Empty(t, report.Violations)
}
