package boot

import (
	"errors"
	"fmt"
	"math"
	"net"
	"net/netip"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/telemetry/meter"
)

// Telemetry says where traces and figures go by OTLP. The zero value: nowhere.
type Telemetry struct {
	Endpoint        string // base URL; "" when unset
	Traces, Metrics string // whole URLs; "": not sent
	Headers         map[string]hub.Secret
	Timeout         time.Duration // of one batch
	Interval        time.Duration // between figures
	Sampler         string        // a name of OTEL_TRACES_SAMPLER
	SampleRatio     float64       // of the samplers that have one
	Resource        []meter.Attr  // service.name first
}

// On reports whether anything is sent.
func (t *Telemetry) On() bool { return t.Traces != "" || t.Metrics != "" }

// defaultProfiles is where profiles are served that no address was given for.
const defaultProfiles = "127.0.0.1:6060"

func observeSettings() []Setting {
	return []Setting{
		{
			Name: "AIGNE_HUB_METRICS_LISTEN", Flag: "metrics-listen",
			Doc:   "address, host:port, on which /metrics needs no key; without it, it is on the hub's own for keys of admins",
			parse: address(func(c *Config) *string { return &c.MetricsListen }),
		},
		{
			Name: "AIGNE_HUB_PPROF", Flag: "pprof", Default: "off",
			Doc:   "profiles under /debug/pprof/ on a listener of their own: off, on for " + defaultProfiles + ", or another loopback address",
			parse: parseProfiles,
		},
		{
			Name: "AIGNE_HUB_OTLP_ENDPOINT", Flag: "otlp-endpoint", Default: "$OTEL_EXPORTER_OTLP_ENDPOINT",
			Doc:   "base URL of an OpenTelemetry collector (OTLP/HTTP) that gets traces and figures; unset: none are sent",
			parse: parseOTLP, derive: func(e Env) string { return e.get("OTEL_EXPORTER_OTLP_ENDPOINT") },
		},
		{
			Name: "AIGNE_HUB_TRACE_PROPAGATE", Flag: "trace-propagate", Default: "off",
			Doc:   "on: providers get the traceparent header of the call",
			parse: onOff(func(c *Config) *bool { return &c.TracePropagate }),
		},
		{
			Name: "AIGNE_HUB_ACCESS_LOG", Flag: "access-log", Default: "on",
			Doc: "which requests get a line in the log: on for all, errors for those answered 500 and more, off",
			parse: choice(func(c *Config) *string { return (*string)(&c.AccessLog) },
				string(httpkit.AccessAll), string(httpkit.AccessErrors), string(httpkit.AccessOff)),
		},
	}
}

// parseProfiles: whoever reads a profile reads what is in memory, so it is served to
// the machine itself only.
func parseProfiles(c *Config, v string) error {
	switch v {
	case "off", "false", "0":
		c.Profiles = ""
		return nil
	case "on", "true", "1":
		c.Profiles = defaultProfiles
		return nil
	}
	host, port, err := net.SplitHostPort(v)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	ip, perr := netip.ParseAddr(host)
	if err != nil || (host != "localhost" && (perr != nil || !ip.IsLoopback())) {
		return fmt.Errorf("must be on, off or a loopback address such as %s, not %q", defaultProfiles, v)
	}
	c.Profiles = v
	return nil
}

func parseOTLP(c *Config, v string) error {
	if err := collectorURL(v); err != nil {
		return err
	}
	c.Telemetry.Endpoint = strings.TrimRight(v, "/")
	return nil
}

func collectorURL(v string) error {
	u, err := url.Parse(v)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil {
		return errors.New("must be an http or https URL without a password, such as http://127.0.0.1:4318; credentials go into OTEL_EXPORTER_OTLP_HEADERS")
	}
	return nil
}

// completeTelemetry reads the standard variables of OpenTelemetry
// (opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables), which
// are not the hub's own and therefore no settings.
func (c *Config) completeTelemetry(e Env, blame func(name, format string, args ...any)) {
	t := &c.Telemetry
	if strings.EqualFold(e.get("OTEL_SDK_DISABLED"), "true") {
		*t = Telemetry{}
		return
	}
	t.Traces = t.signal(e, "TRACES", "/v1/traces", blame)
	t.Metrics = t.signal(e, "METRICS", "/v1/metrics", blame)
	if !t.On() {
		*t = Telemetry{}
		return
	}
	if p := e.get("OTEL_EXPORTER_OTLP_PROTOCOL"); p != "" && p != "http/protobuf" {
		blame("OTEL_EXPORTER_OTLP_PROTOCOL", "must be http/protobuf, not %q", p)
	}
	t.Headers = map[string]hub.Secret{}
	for _, pair := range pairs(e.get("OTEL_EXPORTER_OTLP_HEADERS")) {
		t.Headers[pair.Key] = hub.Secret(pair.Value)
	}
	t.Timeout = millis(e, "OTEL_EXPORTER_OTLP_TIMEOUT", 10*time.Second, blame)
	t.Interval = millis(e, "OTEL_METRIC_EXPORT_INTERVAL", time.Minute, blame)
	t.sampling(e, blame)
	name := e.get("OTEL_SERVICE_NAME")
	var rest []meter.Attr
	for _, pair := range pairs(e.get("OTEL_RESOURCE_ATTRIBUTES")) {
		switch {
		case pair.Key != "service.name":
			rest = append(rest, pair)
		case name == "":
			name = pair.Value
		}
	}
	if name == "" {
		name = "aigne-hub"
	}
	t.Resource = append([]meter.Attr{{Key: "service.name", Value: name}}, rest...)
}

// signal is where one signal goes.
func (t *Telemetry) signal(e Env, signal, path string, blame func(name, format string, args ...any)) string {
	if strings.EqualFold(e.get("OTEL_"+signal+"_EXPORTER"), "none") {
		return ""
	}
	name := "OTEL_EXPORTER_OTLP_" + signal + "_ENDPOINT"
	if own := e.get(name); own != "" {
		if err := collectorURL(own); err != nil {
			blame(name, "%v", err)
		}
		return own
	}
	if t.Endpoint == "" {
		return ""
	}
	return t.Endpoint + path
}

func (t *Telemetry) sampling(e Env, blame func(name, format string, args ...any)) {
	t.Sampler, t.SampleRatio = "parentbased_always_on", 1
	if s := e.get("OTEL_TRACES_SAMPLER"); s != "" {
		t.Sampler = s
	}
	switch t.Sampler {
	case "always_on", "always_off", "parentbased_always_on", "parentbased_always_off":
	case "traceidratio", "parentbased_traceidratio":
		if arg := e.get("OTEL_TRACES_SAMPLER_ARG"); arg != "" {
			r, err := strconv.ParseFloat(arg, 64)
			if err != nil || math.IsNaN(r) || r < 0 || r > 1 {
				blame("OTEL_TRACES_SAMPLER_ARG", "must be a number from 0 to 1, not %q", arg)
			}
			t.SampleRatio = r
		}
	default:
		blame("OTEL_TRACES_SAMPLER", "must be always_on, always_off or traceidratio, or one of these behind parentbased_, not %q", t.Sampler)
	}
}

// pairs reads key=value,key=value with values as in URLs.
func pairs(text string) (out []meter.Attr) {
	for _, part := range strings.Split(text, ",") {
		key, value, ok := strings.Cut(part, "=")
		if key = strings.TrimSpace(key); !ok || key == "" {
			continue
		}
		value = strings.TrimSpace(value)
		if plain, err := url.PathUnescape(value); err == nil {
			value = plain
		}
		out = append(out, meter.Attr{Key: key, Value: value})
	}
	return out
}

// millis reads a time that is given in milliseconds.
func millis(e Env, name string, otherwise time.Duration, blame func(name, format string, args ...any)) time.Duration {
	text := e.get(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil || n < 1 {
		blame(name, "must be a number of milliseconds, not %q", text)
		return otherwise
	}
	return time.Duration(n) * time.Millisecond
}

// hostName is the machine's name, "" where it has none.
func hostName() string {
	name, err := os.Hostname()
	if err != nil {
		return ""
	}
	return name
}
