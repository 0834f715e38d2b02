package operator

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestAWalletsNameCanStandInAPath(t *testing.T) {
	t.Parallel()
	for name, good := range map[string]bool{
		"team": true, "R&D": false, "研究 2": true, "2nd_floor-a.b": true, "Ⅳ": true, "": false, " team": false, ".team": false, "a/b": false,
		"me@example.com": false, "a\x00": false, "a\xff": false, strings.Repeat("ö", 64): true, strings.Repeat("ö", 65): false,
	} {
		assert.Equal(t, good, isWalletName(name), "%q", name)
	}
}
