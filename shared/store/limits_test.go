package store

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWindowExpressionsAgreeWithEachOther(t *testing.T) {
	t.Parallel()
	for period := range windowEnds {
		assert.NotEmpty(t, windowStarts[period], period)
	}
	assert.Len(t, windowStarts, len(windowEnds)+1)
	require.NotEmpty(t, windowStarts["now"])
}
