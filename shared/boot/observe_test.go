package boot

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/testkit/fakecollector"
)

// collected is a sleeper that sends to a collector.
func collected(t *testing.T, endpoint string) *sleeper {
	t.Helper()
	s := sleeping(t)
	s.migrate(t)
	s.cfg.Telemetry.Endpoint = endpoint
	s.cfg.completeTelemetry(Env(func(string) (string, bool) { return "", false }), func(name, format string, args ...any) {
		assert.Fail(t, name, format, args)
	})
	s.observe = NewObserver(s.cfg, "7", s.log, s.now)
	return s
}

func TestALambdaSendsWhatItSawBeforeItFreezes(t *testing.T) {
	t.Parallel()
	c := fakecollector.Start(t)
	s := collected(t, c.URL)
	require.Equal(t, 200, s.get("/version").Code)
	spans := c.Spans()
	require.Len(t, spans, 1, "sent when the invocation ends")
	assert.Equal(t, "7", spans[0].Resource["service.version"])
	assert.EqualValues(t, 200, spans[0].Attributes["http.response.status_code"])
	assert.NotNil(t, c.Metric("aigne_hub.http.requests"))
	asked := c.Asked()
	require.Equal(t, 200, s.get("/version").Code)
	assert.Equal(t, asked+1, c.Asked(), "spans each time, figures when they are due")
	for _, j := range s.proxies() {
		require.NoError(t, j.Run(t.Context()))
	}
	assert.Len(t, s.ran, 1)
}

func TestACollectorThatHangsHoldsAnInvocationForASecond(t *testing.T) {
	t.Parallel()
	hangs := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	}))
	t.Cleanup(hangs.Close)
	s := collected(t, hangs.URL)
	began := time.Now()
	require.Equal(t, 200, s.get("/version").Code)
	assert.Less(t, time.Since(began), 4*time.Second)
	assert.Contains(t, s.logs.String(), "telemetry not sent")
}
