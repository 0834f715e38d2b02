package main

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestUsageIsSummedUpShownAndMadeAgain(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	_, key := h.withProvider()
	s := h.serve()
	for range 3 {
		status, _, answer, err := s.call(t.Context(), key, hello)
		require.NoError(t, err)
		require.Equal(t, 200, status, answer)
	}
	sum := decode[map[string]any](h, "usage", "summary", "--zone", "Asia/Tokyo")
	assert.Equal(t, "Asia/Tokyo", sum["zone"])
	now := sum["current"].(map[string]any)
	assert.EqualValues(t, 3, now["calls"])
	assert.Equal(t, map[string]any{"success": 3., "failed": 0., "aborted": 0., "interrupted": 0.}, now["statuses"])
	assert.EqualValues(t, 0, sum["previous"].(map[string]any)["calls"])
	points := decode[map[string]any](h, "usage", "trends", "--granularity", "week")["trends"].([]any)
	assert.EqualValues(t, 3, points[len(points)-1].(map[string]any)["calls"])
	parts := decode[map[string]any](h, "usage", "breakdown", "--by", "user")
	assert.EqualValues(t, 1, parts["total"])
	first := parts["data"].([]any)[0].(map[string]any)
	assert.EqualValues(t, 3, first["calls"])
	assert.Equal(t, "member@example.com", first["email"])
	assert.Contains(t, h.ok("usage", "breakdown", "--sort", "cost"), "gpt-fake")

	day := time.Now().UTC().Format(time.DateOnly)
	assert.Contains(t, h.ok("usage", "rebuild", "--from", day), "Made ")
	assert.Contains(t, h.ok("usage", "status"), "month")
	assert.Contains(t, h.ok("audit", "list", "--action", "usage.rebuild"), "usage.rebuild")
	for _, args := range [][]string{{"rebuild"}, {"summary", "--from", "soon"}, {"summary", "--zone", "Mars"}, {"trends", "--granularity", "minute"},
		{"breakdown", "--by", "weather"}, {"breakdown", "--sort", "luck"}, {"breakdown", "--limit", "0"}, {"summary", "--from", "2099-01-01"}} {
		assert.Equal(t, 2, h.run("", append([]string{"usage"}, args...)...).code, fmt.Sprint(args))
	}
	assert.Equal(t, 3, h.run("", "usage", "summary", "--user", "nobody@example.com").code)
}
