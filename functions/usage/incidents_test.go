package usage

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

func TestIncidentsAreRunsOfHoursInWhichManyAttemptsFailed(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 5, 4, 12, 30, 0, 0, time.UTC)
	at := func(hour int, model string, ok, failed int64) store.StatusHour {
		return store.StatusHour{Hour: time.Date(2026, 5, 4, hour, 0, 0, 0, time.UTC), Model: model, Type: hub.TypeChat, OK: ok, Failed: failed}
	}
	got := incidentsOf([]store.StatusHour{ // as the store gives them: the newest first
		at(12, "a", 1, 9),
		at(11, "a", 0, 10),
		at(11, "b", 95, 5), // of so many calls a few may fail
		at(10, "hidden", 0, 50),
		at(8, "a", 5, 5),
		at(7, "b", 0, 4),
	}, now, func(k modelKey) bool { return k.model != "hidden" })
	require.Len(t, got, 3)
	assert.Equal(t, "a", got[0].Model)
	assert.Equal(t, 11, got[0].From.Hour())
	assert.Nil(t, got[0].Until, "the current hour is part of it")
	assert.Equal(t, new(0.05), got[0].SuccessRate)
	assert.Equal(t, 8, got[1].From.Hour(), "a good hour between ends an incident")
	assert.Equal(t, 9, got[1].Until.Hour())
	assert.Equal(t, "b", got[2].Model)
	assert.Equal(t, new(0.0), got[2].SuccessRate)
}

func TestAPageWithoutIncidentsListsNone(t *testing.T) {
	t.Parallel()
	assert.NotNil(t, incidentsOf(nil, time.Now(), func(modelKey) bool { return true }), "clients loop over a list")
}
