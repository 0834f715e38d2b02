package movein

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestDecimalsAreReadExactly(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"0.00000025": "0.25", "2e-6": "2", "1.0E-05": "10", "2.5e-7": "0.25", "0": "0", "3": "3000000", ".5": "500000", "1.": "1000000"} {
		r, ok := decimal(text)
		require.True(t, ok, text)
		got, exact := perMillion(r)
		assert.True(t, exact, text)
		assert.Equal(t, want, got, text)
	}
	for _, bad := range []string{"", "x", "1e999999999", "1e100", "0x10", "1/3", "NaN", "Infinity", "1 2", "1_000", "--1", "1e-", "."} {
		_, ok := decimal(bad)
		assert.False(t, ok, bad)
	}
}

func TestWhatDoesNotFitIsRoundedHalfUpAndSaidSo(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"0.0000000000014": "0.000001", "0.0000000000015": "0.000002", "0.0000000000004": "0"} {
		r, _ := decimal(text)
		got, exact := perMillion(r)
		assert.False(t, exact, text)
		assert.Equal(t, want, got, text)
	}
}

func TestBinaryNumbersAreTheDecimalsTheyWere(t *testing.T) {
	t.Parallel()
	a, b := 0.1, 0.2
	r := record{"sum": a + b, "rate": 2.47e-08, "whole": int64(3), "text": "0.00150911", "none": nil, "inf": 1e308}
	for column, want := range map[string]string{"sum": "0.3", "rate": "0.0000000247", "whole": "3", "text": "0.00150911"} {
		d, ok := r.decimal(column, 10)
		require.True(t, ok, column)
		got, exact := plain(d, 12)
		assert.True(t, exact)
		assert.Equal(t, want, got, column)
	}
	for _, column := range []string{"none", "inf", "absent"} {
		_, ok := r.decimal(column, 10)
		assert.False(t, ok, column)
	}
}
