package admin

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestNumbersOfClientsBecomeExactRates(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`1.5e-7`: "0.00000015", `"0.00000015"`: "0.00000015", `0`: "0", `"0"`: "0", `1E3`: "1000", `2.5e+1`: "25", `0.30000000000000004`: "0.3",
		`1.25e-7`: "0.000000125", `0.0000000000005`: "0.000000000001", `9.99999999999949`: "9.999999999999",
	} {
		var n number
		require.NoError(t, json.Unmarshal([]byte(text), &n), text)
		rate, err := n.rate()
		require.NoError(t, err, text)
		assert.Equal(t, want, rate.String(), text)
	}
	for _, text := range []string{`"1/3"`, `"1e999999999"`, `1e999999999`, `"x"`, `""`, `1e-13`, `0.0000000000004`, `"1e-31"`, `"Infinity"`, `99999999999999`} {
		var n number
		err := json.Unmarshal([]byte(text), &n)
		if err == nil {
			_, err = n.rate()
		}
		assert.Error(t, err, text)
	}
	var absent number
	require.NoError(t, json.Unmarshal([]byte(`null`), &absent))
	assert.Empty(t, absent)
}
