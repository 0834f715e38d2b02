package proxy

import (
	"encoding/json"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestEventsBecomeOneArray(t *testing.T) {
	t.Parallel()
	for name, writes := range map[string][]string{
		"one by one":       {"data: {\"a\":1}\r\n\r\n", "data: {\"a\":2}\n\n"},
		"together":         {"data: {\"a\":1}\r\n\r\ndata: {\"a\":2}\n\n"},
		"beside a comment": {": hub\n\n", "data: {\"a\":1}\n\n: x\n\n", "data: {\"a\":2}"},
		"nothing":          {},
	} {
		a := &jsonArray{}
		var body []byte
		for i, w := range writes {
			if i == len(writes)-1 {
				body = append(body, a.end([]byte(w))...)
				continue
			}
			body = append(body, a.elements([]byte(w))...)
		}
		if len(writes) == 0 {
			body = a.end(nil)
		}
		var got []map[string]int
		require.NoError(t, json.Unmarshal(body, &got), "%s: %s", name, body)
		if len(writes) > 0 {
			assert.Equal(t, []map[string]int{{"a": 1}, {"a": 2}}, got, name)
		}
	}
}

func TestSilenceBeforeAnArrayIsWhiteSpace(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	s := newClientStream(w, 2*time.Millisecond, true)
	silence := func() {
		before := w.Body.Len()
		require.Eventually(t, func() bool {
			s.mu.Lock()
			defer s.mu.Unlock()
			return w.Body.Len() > before
		}, 5*time.Second, time.Millisecond)
	}
	silence()
	s.write([]byte("data: {\"a\":1}\r\n\r\n"), true)
	silence()
	s.end([]byte("data: {\"a\":2}\r\n\r\n"))
	var got []map[string]int
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &got), w.Body.String())
	assert.Equal(t, []map[string]int{{"a": 1}, {"a": 2}}, got)
	assert.Equal(t, "application/json; charset=utf-8", w.Header().Get("Content-Type"))
}
