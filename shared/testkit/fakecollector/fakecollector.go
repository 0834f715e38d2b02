// Package fakecollector is a strict OpenTelemetry collector for tests: it takes
// OTLP/HTTP as the specification wants it, reads it with OpenTelemetry's own message
// types, and fails the test on what a real collector would refuse or misread.
package fakecollector

import (
	"compress/gzip"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	commonpb "go.opentelemetry.io/proto/slim/otlp/common/v1"
	metricspb "go.opentelemetry.io/proto/slim/otlp/metrics/v1"
	tracepb "go.opentelemetry.io/proto/slim/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Collector is a collector that listens.
type Collector struct {
	URL string

	t       *testing.T
	mu      sync.Mutex
	spans   []Span
	metrics map[string]*metricspb.Metric // the newest of each name
	raw     []byte                       // all that came, for searches
	headers http.Header
	refuse  []int // statuses of the next answers
	asked   int
}

// Span is a span that came.
type Span struct {
	TraceID, ID, Parent, Name string
	Kind                      tracepb.Span_SpanKind
	Start, End                time.Time
	Attributes                map[string]any
	Error                     string // of its status; "" when it is no error
	Resource                  map[string]any
}

// Start starts a collector.
func Start(t *testing.T) *Collector {
	t.Helper()
	c := &Collector{t: t, metrics: map[string]*metricspb.Metric{}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/traces", func(w http.ResponseWriter, r *http.Request) { c.take(w, r, c.addTraces) })
	mux.HandleFunc("POST /v1/metrics", func(w http.ResponseWriter, r *http.Request) { c.take(w, r, c.addMetrics) })
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	c.URL = srv.URL
	return c
}

// Refuse makes the next requests fail with these statuses.
func (c *Collector) Refuse(statuses ...int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refuse = statuses
}

// Asked is how many requests came.
func (c *Collector) Asked() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.asked
}

// Headers are those of the newest request.
func (c *Collector) Headers() http.Header {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.headers
}

// Raw is all that came, as it came.
func (c *Collector) Raw() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return string(c.raw)
}

// Spans are those that came.
func (c *Collector) Spans() []Span {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]Span{}, c.spans...)
}

// Metric is the newest state of a metric, nil for none.
func (c *Collector) Metric(name string) *metricspb.Metric {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.metrics[name]
}

func (c *Collector) take(w http.ResponseWriter, r *http.Request, add func([]byte)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked++
	c.headers = r.Header
	if len(c.refuse) > 0 {
		w.WriteHeader(c.refuse[0])
		c.refuse = c.refuse[1:]
		return
	}
	assert.Equal(c.t, "application/x-protobuf", r.Header.Get("Content-Type"))
	assert.Equal(c.t, "gzip", r.Header.Get("Content-Encoding"))
	z, err := gzip.NewReader(r.Body)
	if !assert.NoError(c.t, err) {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	body, err := io.ReadAll(z)
	assert.NoError(c.t, err)
	c.raw = append(c.raw, body...)
	add(body)
	w.Header().Set("Content-Type", "application/x-protobuf")
}

func (c *Collector) read(body []byte, into proto.Message) {
	require.NoError(c.t, proto.Unmarshal(body, into))
	c.strict(into.ProtoReflect())
}

// strict fails on fields that the messages do not have.
func (c *Collector) strict(m protoreflect.Message) {
	assert.Empty(c.t, m.GetUnknown(), "unknown fields in %s", m.Descriptor().FullName())
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case f.Kind() != protoreflect.MessageKind:
		case f.IsList():
			for i := range v.List().Len() {
				c.strict(v.List().Get(i).Message())
			}
		default:
			c.strict(v.Message())
		}
		return true
	})
}

func (c *Collector) addTraces(body []byte) {
	var data tracepb.TracesData // the same message as an export request
	c.read(body, &data)
	for _, group := range data.ResourceSpans {
		for _, scope := range group.ScopeSpans {
			assert.NotEmpty(c.t, scope.Scope.GetName())
			for _, s := range scope.Spans {
				assert.Len(c.t, s.TraceId, 16)
				assert.Len(c.t, s.SpanId, 8)
				assert.NotEmpty(c.t, s.Name)
				assert.NotZero(c.t, s.Kind)
				assert.LessOrEqual(c.t, s.StartTimeUnixNano, s.EndTimeUnixNano)
				if len(s.ParentSpanId) > 0 {
					assert.Len(c.t, s.ParentSpanId, 8)
				}
				out := Span{TraceID: hex.EncodeToString(s.TraceId), ID: hex.EncodeToString(s.SpanId), Parent: hex.EncodeToString(s.ParentSpanId), Name: s.Name, Kind: s.Kind,
					Start: time.Unix(0, int64(s.StartTimeUnixNano)), End: time.Unix(0, int64(s.EndTimeUnixNano)),
					Attributes: c.values(s.Attributes), Resource: c.values(group.Resource.GetAttributes())}
				if s.Status.GetCode() == tracepb.Status_STATUS_CODE_ERROR {
					out.Error = s.Status.Message
				}
				c.spans = append(c.spans, out)
			}
		}
	}
}

func (c *Collector) addMetrics(body []byte) {
	var data metricspb.MetricsData
	c.read(body, &data)
	for _, group := range data.ResourceMetrics {
		assert.NotEmpty(c.t, c.values(group.Resource.GetAttributes())["service.name"])
		for _, scope := range group.ScopeMetrics {
			seen := map[string]bool{}
			for _, m := range scope.Metrics {
				assert.False(c.t, seen[m.Name], "%s is there twice", m.Name)
				seen[m.Name] = true
				assert.NotNil(c.t, m.Data, m.Name)
				for _, p := range m.GetHistogram().GetDataPoints() {
					assert.Len(c.t, p.BucketCounts, len(p.ExplicitBounds)+1, m.Name)
					var sum uint64
					for _, n := range p.BucketCounts {
						sum += n
					}
					assert.Equal(c.t, p.Count, sum, m.Name)
					assert.Less(c.t, p.StartTimeUnixNano, p.TimeUnixNano, m.Name)
				}
				c.metrics[m.Name] = m
			}
		}
	}
}

func (c *Collector) values(list []*commonpb.KeyValue) map[string]any {
	out := map[string]any{}
	for _, kv := range list {
		assert.NotContains(c.t, out, kv.Key, "an attribute is there twice")
		switch v := kv.Value.GetValue().(type) {
		case *commonpb.AnyValue_StringValue:
			out[kv.Key] = v.StringValue
		case *commonpb.AnyValue_IntValue:
			out[kv.Key] = v.IntValue
		case *commonpb.AnyValue_BoolValue:
			out[kv.Key] = v.BoolValue
		case *commonpb.AnyValue_DoubleValue:
			out[kv.Key] = v.DoubleValue
		default:
			assert.Fail(c.t, "an attribute without a value", kv.Key)
		}
	}
	return out
}

// Values reads attributes, of a metric's point for example.
func (c *Collector) Values(list []*commonpb.KeyValue) map[string]any { return c.values(list) }
