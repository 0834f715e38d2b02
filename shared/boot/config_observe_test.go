package boot_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/telemetry/meter"
)

func TestTheVariablesOfOpenTelemetryAreRead(t *testing.T) {
	t.Parallel()
	got, err := load(map[string]string{
		"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318/", "OTEL_EXPORTER_OTLP_HEADERS": "authorization=Bearer%20hush-hush, x-team = a",
		"OTEL_EXPORTER_OTLP_TIMEOUT": "2500", "OTEL_METRIC_EXPORT_INTERVAL": "15000", "OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.25",
		"OTEL_RESOURCE_ATTRIBUTES": "service.name=other,deployment.environment.name=prod", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
	}, nil)
	require.NoError(t, err)
	assert.Equal(t, boot.Telemetry{Endpoint: "http://collector:4318", Traces: "http://collector:4318/v1/traces", Metrics: "http://collector:4318/v1/metrics",
		Headers: map[string]hub.Secret{"authorization": "Bearer hush-hush", "x-team": "a"}, Timeout: 2500 * time.Millisecond, Interval: 15 * time.Second,
		Sampler: "parentbased_traceidratio", SampleRatio: 0.25,
		Resource: []meter.Attr{{Key: "service.name", Value: "other"}, {Key: "deployment.environment.name", Value: "prod"}}}, got.Telemetry)
	assert.NotContains(t, fmt.Sprintf("%v %+v %#v", got, got, got), "hush-hush")
}

func TestASignalCanGoElsewhereOrNowhere(t *testing.T) {
	t.Parallel()
	got, err := load(map[string]string{"AIGNE_HUB_OTLP_ENDPOINT": "https://x.test/otlp", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://not.this",
		"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://traces.test/in", "OTEL_METRICS_EXPORTER": "none", "OTEL_SERVICE_NAME": "hub-a"}, nil)
	require.NoError(t, err)
	assert.Equal(t, "http://traces.test/in", got.Telemetry.Traces)
	assert.Empty(t, got.Telemetry.Metrics)
	assert.Equal(t, []meter.Attr{{Key: "service.name", Value: "hub-a"}}, got.Telemetry.Resource)
	for _, off := range []map[string]string{{"OTEL_SDK_DISABLED": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"}, {"OTEL_TRACES_SAMPLER": "unheard-of"}} {
		got, err := load(off, nil)
		require.NoError(t, err, "nothing is sent, so nothing is checked")
		assert.Equal(t, boot.Telemetry{}, got.Telemetry)
	}
}

func TestFaultsInTheVariablesOfOpenTelemetryAreNamed(t *testing.T) {
	t.Parallel()
	for name, value := range map[string]string{"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc", "OTEL_EXPORTER_OTLP_TIMEOUT": "10s", "OTEL_METRIC_EXPORT_INTERVAL": "0",
		"OTEL_TRACES_SAMPLER": "sometimes", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "ftp://x"} {
		_, err := load(map[string]string{"AIGNE_HUB_OTLP_ENDPOINT": "http://c:4318", name: value}, nil)
		require.ErrorContains(t, err, name)
	}
	_, err := load(map[string]string{"AIGNE_HUB_OTLP_ENDPOINT": "http://c:4318", "OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "2"}, nil)
	require.ErrorContains(t, err, "from 0 to 1")
}
