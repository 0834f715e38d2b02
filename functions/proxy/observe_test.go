package proxy_test

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	tracepb "go.opentelemetry.io/proto/slim/otlp/trace/v1"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/telemetry/meter"
	"github.com/aigne-hub/aigne-hub/shared/testkit/fakecollector"
	"github.com/aigne-hub/aigne-hub/shared/testkit/fakeprovider"
)

// sample is a line of Prometheus's text format.
var sample = regexp.MustCompile(`^([a-z][a-z0-9_]*(?:\{[a-z_]+="(?:[^"\\\n]|\\["\\n])*"(?:,[a-z_]+="(?:[^"\\\n]|\\["\\n])*")*\})?) (-?[0-9.]+)$`)

// scrape reads all figures by their names and labels, as they are written.
func (h *testHub) scrape() map[string]string {
	h.t.Helper()
	out := map[string]string{}
	for _, line := range strings.Split(strings.TrimSuffix(string(meter.Prometheus(nil, h.app.Observe.Registry.Read(h.t.Context()))), "\n"), "\n") {
		if strings.HasPrefix(line, "# HELP ") || strings.HasPrefix(line, "# TYPE ") {
			continue
		}
		m := sample.FindStringSubmatch(line)
		require.NotNil(h.t, m, line)
		require.NotContains(h.t, out, m[1], "a figure is there twice")
		out[m[1]] = m[2]
	}
	return out
}

// whole is a figure that is a whole number.
func whole(t *testing.T, figures map[string]string, name string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(figures[name], 10, 64)
	require.NoError(t, err, "%s: %q", name, figures[name])
	return n
}

// books are the calls on record.
func (h *testHub) books() []store.Call {
	h.t.Helper()
	calls, err := h.app.Store.Calls(h.t.Context(), store.CallFilter{Limit: 100})
	require.NoError(h.t, err)
	return calls
}

func TestFiguresEqualTheBooks(t *testing.T) {
	t.Parallel()
	h := start(t, map[string]string{"AIGNE_HUB_BILLING": "on", "AIGNE_HUB_ATTEMPTS": "1"})
	fake := h.provider(fakeprovider.OpenAI)
	cost := func(n *operator.NewRate) { n.Costs = map[hub.Bucket]string{hub.Input: "2", hub.Output: "8"} }
	h.rate("openai", "gpt-fake", "3", "15", cost)
	h.grant("10")
	for range 3 {
		res, body := h.send("/v1/chat/completions", fmt.Sprintf(ask, "openai/gpt-fake", false))
		require.Equal(t, 200, res.StatusCode, body)
	}
	res, body := h.send("/v1/chat/completions", fmt.Sprintf(ask, "openai/gpt-fake", true))
	require.Equal(t, 200, res.StatusCode, body)
	fake.Script("gpt-fake", fakeprovider.Answer{Status: 500})
	res, _ = h.send("/v1/chat/completions", fmt.Sprintf(ask, "openai/gpt-fake", false))
	require.Equal(t, 502, res.StatusCode)

	var usage hub.Usage
	var credits, spent money.Credits
	for _, c := range h.books() {
		for b, n := range c.Usage {
			usage[b] += n
		}
		credits += c.Credits
		if c.Cost != nil {
			spent += *c.Cost
		}
	}
	require.Positive(t, usage[hub.Output])
	require.Positive(t, int64(credits))
	got := h.scrape()
	const at = `{provider="openai",model="gpt-fake"`
	for b, n := range usage {
		if n > 0 && hub.Bucket(b) < hub.Images {
			assert.Equal(t, n, whole(t, got, `aigne_hub_tokens_total`+at+`,bucket="`+hub.Bucket(b).String()+`"}`), hub.Bucket(b))
		}
	}
	assert.Equal(t, credits.String(), got[`aigne_hub_credits_total`+at+`}`])
	assert.Equal(t, spent.String(), got[`aigne_hub_cost_dollars_total`+at+`}`])
	assert.EqualValues(t, 4, whole(t, got, `aigne_hub_calls_total`+at+`,type="chatCompletion",status="success"}`))
	assert.EqualValues(t, 1, whole(t, got, `aigne_hub_calls_total`+at+`,type="chatCompletion",status="failed"}`))
	assert.EqualValues(t, 5, whole(t, got, `aigne_hub_call_duration_seconds_count`+at+`,type="chatCompletion"}`))
	assert.EqualValues(t, 1, whole(t, got, `aigne_hub_time_to_first_token_seconds_count`+at+`}`), "of the stream only")
	assert.EqualValues(t, 1, whole(t, got, `aigne_hub_time_per_output_token_seconds_count`+at+`}`))
	assert.Equal(t, usage.Prompt(), whole(t, got, `aigne_hub_call_tokens_sum`+at+`,type="input"}`))
	assert.Equal(t, usage.Completion(), whole(t, got, `aigne_hub_call_tokens_sum`+at+`,type="output"}`))
	assert.EqualValues(t, 4, whole(t, got, `aigne_hub_provider_attempts_total{provider="openai",outcome="ok"}`))
	assert.EqualValues(t, 1, whole(t, got, `aigne_hub_call_errors_total{provider="openai",category="upstream_error"}`), got)
	assert.EqualValues(t, 4, whole(t, got, `aigne_hub_http_requests_total{route="POST /v1/chat/completions",status="200"}`))
	assert.EqualValues(t, 1, whole(t, got, `aigne_hub_http_requests_total{route="POST /v1/chat/completions",status="502"}`))
	assert.Equal(t, "0", got["aigne_hub_open_calls"])
	assert.Equal(t, "0", got["aigne_hub_held_credits"])
	assert.Equal(t, "0", got["aigne_hub_http_requests_in_flight"])
	assert.Positive(t, whole(t, got, "aigne_hub_db_units_total"))
	assert.Contains(t, got, `aigne_hub_credential_rest_seconds{provider="openai",credential="default"}`)
	assert.NotContains(t, fmt.Sprint(got), h.key.Reveal())
}

func TestTargetsThatFailAndCredentialsThatRestAreShown(t *testing.T) {
	t.Parallel()
	h := start(t, map[string]string{"AIGNE_HUB_ATTEMPTS": "1", "AIGNE_HUB_COOLDOWN": "1m"})
	fake := h.provider(fakeprovider.OpenAI)
	h.rate("openai", "gpt-fake", "3", "15")
	fake.Always("gpt-fake", fakeprovider.Answer{Status: 500})
	for range 5 {
		_, _ = h.send("/v1/chat/completions", fmt.Sprintf(ask, "openai/gpt-fake", false))
	}
	got := h.scrape()
	assert.Equal(t, "1", got[`aigne_hub_breakers_open{provider="openai",model="gpt-fake"}`])
	rest, err := strconv.ParseFloat(got[`aigne_hub_credential_rest_seconds{provider="openai",credential="default"}`], 64)
	require.NoError(t, err)
	assert.Positive(t, rest)
	assert.LessOrEqual(t, rest, 60.0)
}

func TestOpenCallsShowWhatTheyHold(t *testing.T) {
	t.Parallel()
	h := start(t, map[string]string{"AIGNE_HUB_BILLING": "on", "AIGNE_HUB_BILLING_ON_ABORT": "delivered"})
	h.provider(fakeprovider.OpenAI)
	h.rate("openai", "gpt-fake", "3", "15")
	h.grant("10")
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	res, err := h.post(ctx, "/v1/chat/completions", `{"model":"openai/gpt-fake","stream":true,"messages":[{"role":"user","content":"please stall"}]}`)
	require.NoError(t, err)
	defer res.Body.Close()
	got := h.scrape()
	assert.Equal(t, "1", got["aigne_hub_open_calls"])
	assert.Equal(t, h.account().Held.String(), got["aigne_hub_held_credits"])
	assert.NotEqual(t, "0", got["aigne_hub_held_credits"])
	assert.Equal(t, "1", got["aigne_hub_http_requests_in_flight"])
	leave()
	h.settledCall()
}

func TestNamesThatCallersMakeUpBecomeNoLabels(t *testing.T) {
	t.Parallel()
	h := start(t, map[string]string{"AIGNE_HUB_ATTEMPTS": "1"})
	h.provider(fakeprovider.OpenAI)
	h.rate("openai", "gpt-fake", "3", "15")
	for i := range 20 {
		_, _ = h.send("/v1/chat/completions", fmt.Sprintf(ask, fmt.Sprintf("openai/made-up-%d", i), false))
		_, _ = h.send(fmt.Sprintf("/v1/none/of-that-%d", i), "{}")
	}
	got := h.scrape()
	for name := range got {
		assert.NotContains(t, name, "made-up")
		assert.NotContains(t, name, "of-that")
		assert.NotContains(t, name, h.email)
	}
	assert.EqualValues(t, 20, whole(t, got, `aigne_hub_calls_total{provider="openai",model="other",type="chatCompletion",status="failed"}`))
	assert.EqualValues(t, 20, whole(t, got, `aigne_hub_http_requests_total{route="none",status="404"}`))
}

const (
	callersTrace  = "4bf92f3577b34da6a3ce929d0e0e4736"
	callersParent = "00-" + callersTrace + "-00f067aa0ba902b7-01"
)

// traced is a hub that sends what it sees to a collector.
func traced(t *testing.T, env map[string]string) (*testHub, *fakecollector.Collector) {
	t.Helper()
	c := fakecollector.Start(t)
	all := map[string]string{"AIGNE_HUB_OTLP_ENDPOINT": c.URL, "AIGNE_HUB_BILLING": "on", "OTEL_EXPORTER_OTLP_HEADERS": "x-tenant=a%20b"}
	for name, v := range env {
		all[name] = v
	}
	h := start(t, all)
	h.rate("openai", "gpt-fake", "3", "15")
	h.grant("10")
	return h, c
}

// spans sends what is finished and gives the spans by name; each name is there once.
func (h *testHub) spans(c *fakecollector.Collector) map[string]fakecollector.Span {
	h.t.Helper()
	h.app.Observe.Flush(h.t.Context(), 5*time.Second)
	out := map[string]fakecollector.Span{}
	for _, s := range c.Spans() {
		name := s.Name
		if code, ok := s.Attributes["http.response.status_code"]; ok && name == "POST" {
			name = fmt.Sprintf("POST %v", code)
		}
		require.NotContains(h.t, out, name)
		out[name] = s
	}
	return out
}

func TestATraceTellsRequestCallAndAttempts(t *testing.T) {
	t.Parallel()
	h, c := traced(t, nil)
	fake := h.provider(fakeprovider.OpenAI)
	fake.Script("gpt-fake", fakeprovider.Answer{Status: 500})
	res, body := h.send("/v1/chat/completions", `{"model":"openai/gpt-fake","max_tokens":64,"stream":true,"messages":[{"role":"user","content":"my-deepest-thought"}]}`, "traceparent", callersParent, "tracestate", "a=b")
	require.Equal(t, 200, res.StatusCode, body)
	call := h.lastCall()
	all := h.spans(c)
	require.Len(t, all, 4)
	request, model, bad, good := all["POST /v1/chat/completions"], all["chat openai/gpt-fake"], all["POST 500"], all["POST 200"]
	for name, s := range all {
		assert.Equal(t, callersTrace, s.TraceID, name)
		assert.Equal(t, "aigne-hub", s.Resource["service.name"], name)
	}
	assert.Equal(t, callersTrace, call.TraceID)
	assert.Equal(t, "00f067aa0ba902b7", request.Parent)
	assert.Equal(t, request.ID, model.Parent)
	assert.Equal(t, model.ID, bad.Parent)
	assert.Equal(t, model.ID, good.Parent)
	assert.Equal(t, tracepb.Span_SPAN_KIND_SERVER, request.Kind)
	assert.Equal(t, tracepb.Span_SPAN_KIND_CLIENT, model.Kind)
	assert.Equal(t, tracepb.Span_SPAN_KIND_CLIENT, good.Kind)
	assert.False(t, good.Start.Before(bad.End))
	assert.False(t, model.Start.Before(request.Start))

	assert.Equal(t, map[string]any{"http.request.method": "POST", "http.route": "/v1/chat/completions", "http.response.status_code": int64(200),
		"http.response.body.size": request.Attributes["http.response.body.size"], "aigne_hub.call.id": call.ID}, request.Attributes)
	assert.Positive(t, model.Attributes["gen_ai.response.time_to_first_chunk"])
	delete(model.Attributes, "gen_ai.response.time_to_first_chunk")
	assert.Equal(t, map[string]any{"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "openai/gpt-fake", "gen_ai.request.stream": true,
		"gen_ai.request.max_tokens": int64(64), "gen_ai.response.model": "gpt-fake", "gen_ai.usage.input_tokens": call.Usage.Prompt(), "gen_ai.usage.output_tokens": call.Usage.Completion(),
		"aigne_hub.call.id": call.ID, "aigne_hub.dialect": "openai-chat", "aigne_hub.status": "success", "aigne_hub.attempts": int64(2), "aigne_hub.usage.source": "reported",
		"aigne_hub.provider": "openai", "aigne_hub.credits": call.Credits.String()}, model.Attributes)
	host, port, _ := strings.Cut(strings.TrimPrefix(fake.URL, "http://"), ":")
	n, err := strconv.ParseInt(port, 10, 64)
	require.NoError(t, err)
	assert.Equal(t, map[string]any{"http.request.method": "POST", "server.address": host, "server.port": n, "http.response.status_code": int64(500), "error.type": "upstream_error",
		"aigne_hub.provider": "openai", "aigne_hub.model": "gpt-fake", "aigne_hub.credential": "default"}, bad.Attributes)
	assert.Equal(t, "upstream_error", bad.Error)
	assert.Empty(t, model.Error)
	assert.Equal(t, "a b", c.Headers().Get("x-tenant"))
	assert.Empty(t, fake.Last().Header.Get("traceparent"), "providers hear nothing of it unless the operator says so")

	for _, secret := range []string{"my-deepest-thought", h.key.Reveal(), fakeprovider.DefaultKey, h.email} {
		assert.NotContains(t, c.Raw(), secret)
	}
	assert.Contains(t, body, "thought", "the search is for what both said")
}

func TestFiguresReachACollectorUnderTheirConventionalNames(t *testing.T) {
	t.Parallel()
	h, c := traced(t, nil)
	h.provider(fakeprovider.OpenAI)
	res, body := h.send("/v1/chat/completions", fmt.Sprintf(ask, "openai/gpt-fake", true))
	require.Equal(t, 200, res.StatusCode, body)
	call := h.lastCall()
	h.app.Observe.Flush(t.Context(), 5*time.Second)
	tokens := c.Metric("gen_ai.client.token.usage").GetHistogram().GetDataPoints()
	require.Len(t, tokens, 2)
	got := map[string]float64{}
	for _, p := range tokens {
		v := c.Values(p.Attributes)
		assert.Equal(t, "chat", v["gen_ai.operation.name"])
		assert.Equal(t, "openai", v["gen_ai.provider.name"])
		assert.Equal(t, "gpt-fake", v["gen_ai.request.model"])
		got[v["gen_ai.token.type"].(string)] = p.GetSum()
	}
	assert.Equal(t, map[string]float64{"input": float64(call.Usage.Prompt()), "output": float64(call.Usage.Completion())}, got)
	for _, name := range []string{"gen_ai.client.operation.duration", "gen_ai.server.time_to_first_token", "gen_ai.server.time_per_output_token"} {
		points := c.Metric(name).GetHistogram().GetDataPoints()
		require.Len(t, points, 1, name)
		assert.EqualValues(t, 1, points[0].Count)
		assert.Positive(t, points[0].GetSum())
		assert.Less(t, points[0].GetSum(), 60.0)
	}
	assert.True(t, c.Metric("aigne_hub.credits").GetSum().GetIsMonotonic())
	assert.InDelta(t, float64(call.Credits)/1e9, c.Metric("aigne_hub.credits").GetSum().GetDataPoints()[0].GetAsDouble(), 1e-12)
	assert.NotNil(t, c.Metric("aigne_hub.open.calls").GetGauge())
}

func TestTheOperatorDecidesWhatProvidersHearOfATrace(t *testing.T) {
	t.Parallel()
	h, c := traced(t, map[string]string{"AIGNE_HUB_TRACE_PROPAGATE": "on"})
	fake := h.provider(fakeprovider.OpenAI)
	_, _ = h.send("/v1/chat/completions", fmt.Sprintf(ask, "openai/gpt-fake", false), "traceparent", callersParent)
	assert.Equal(t, "00-"+callersTrace+"-"+h.spans(c)["POST 200"].ID+"-01", fake.Last().Header.Get("traceparent"))

	plain := start(t, map[string]string{"AIGNE_HUB_TRACE_PROPAGATE": "on"})
	fake = plain.provider(fakeprovider.OpenAI)
	_, _ = plain.send("/v1/chat/completions", fmt.Sprintf(ask, "openai/gpt-fake", false), "traceparent", callersParent)
	assert.Equal(t, callersParent, fake.Last().Header.Get("traceparent"), "without a collector the caller's own goes on")
	assert.Equal(t, callersTrace, plain.lastCall().TraceID)
}

func TestACallKnowsItsTraceWithoutACollector(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	fake := h.provider(fakeprovider.OpenAI)
	for parent, want := range map[string]string{callersParent: callersTrace, "": "", "nonsense": "", "00-" + strings.Repeat("0", 32) + "-00f067aa0ba902b7-01": "",
		"00-" + strings.Repeat("g", 32) + "-00f067aa0ba902b7-01": ""} {
		res, body := h.send("/v1/chat/completions", fmt.Sprintf(ask, "openai/gpt-fake", false), "traceparent", parent)
		require.Equal(t, 200, res.StatusCode, body)
		assert.Equal(t, want, h.lastCall().TraceID, parent)
		assert.Empty(t, fake.Last().Header.Get("traceparent"))
	}
}

func TestWhatIsNotSampledIsNotSent(t *testing.T) {
	t.Parallel()
	h, c := traced(t, map[string]string{"OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0"})
	h.provider(fakeprovider.OpenAI)
	_, _ = h.send("/v1/chat/completions", fmt.Sprintf(ask, "openai/gpt-fake", false))
	assert.Empty(t, h.spans(c))
	assert.NotEmpty(t, h.lastCall().TraceID, "it has a number all the same")
	_, _ = h.send("/v1/chat/completions", fmt.Sprintf(ask, "openai/gpt-fake", false), "traceparent", callersParent)
	assert.Len(t, h.spans(c), 3, "the caller's wish counts")
}

func TestACollectorThatIsAwayCostsNothingButALine(t *testing.T) {
	t.Parallel()
	h, c := traced(t, map[string]string{"OTEL_METRICS_EXPORTER": "none"})
	h.provider(fakeprovider.OpenAI)
	c.Refuse(http.StatusServiceUnavailable, http.StatusForbidden, http.StatusForbidden)
	for range 3 {
		res, _ := h.send("/v1/chat/completions", fmt.Sprintf(ask, "openai/gpt-fake", false))
		require.Equal(t, 200, res.StatusCode)
		h.app.Observe.Flush(t.Context(), 5*time.Second)
	}
	assert.Equal(t, 4, c.Asked(), "503 asks for a repetition, 403 does not")
	assert.Len(t, c.Spans(), 3)
	assert.Equal(t, 1, strings.Count(h.logs.String(), "telemetry not sent"))
}

func TestTheAccessLineNamesCallAndKey(t *testing.T) {
	t.Parallel()
	h := start(t, map[string]string{"AIGNE_HUB_ATTEMPTS": "1"})
	h.provider(fakeprovider.OpenAI)
	_, _ = h.send("/v1/chat/completions?token=hush-hush-hush", fmt.Sprintf(ask, "openai/gpt-fake", false))
	call := h.lastCall()
	line := regexp.MustCompile(`msg=request method=POST route="POST /v1/chat/completions" status=200 bytes=\d+ duration_ms=\S+ request_id=\S+ call_id=` + call.ID + ` user_id=` + call.UserID + ` key_id=` + call.APIKeyID)
	assert.Regexp(t, line, h.logs.String())
	assert.NotContains(t, h.logs.String(), "hush-hush")

	quiet := start(t, map[string]string{"AIGNE_HUB_ACCESS_LOG": "errors", "AIGNE_HUB_ATTEMPTS": "1"})
	fake := quiet.provider(fakeprovider.OpenAI)
	_, _ = quiet.send("/v1/chat/completions", fmt.Sprintf(ask, "openai/gpt-fake", false))
	assert.NotContains(t, quiet.logs.String(), "msg=request")
	fake.Script("gpt-fake", fakeprovider.Answer{Status: 500})
	_, _ = quiet.send("/v1/chat/completions", fmt.Sprintf(ask, "openai/gpt-fake", false))
	assert.Contains(t, quiet.logs.String(), "msg=request")
}
