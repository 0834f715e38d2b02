package task_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/aigne-hub/aigne-hub/shared/task"
)

func TestRatiosAreFound(t *testing.T) {
	t.Parallel()
	for asked, want := range map[string]string{
		"1024x1024": "1:1", "1792x1024": "16:9", "1024x1792": "9:16", "1536x1024": "3:2", "16:9": "16:9", "32:18": "16:9",
		"1000x100": "", "auto": "", "x": "", "0x0": "", "-1x2": "", "NaNxNaN": "", "InfxInf": "",
	} {
		got, ok := task.Ratio(asked, "1:1", "3:2", "16:9", "9:16")
		assert.Equal(t, want != "", ok, asked)
		if ok {
			assert.Equal(t, want, got, asked)
		}
	}
}

func TestAVariantIsWrittenAsOneWord(t *testing.T) {
	t.Parallel()
	assert.Empty(t, task.Variant{}.String())
	assert.Equal(t, "hd/1x1", task.Variant{Quality: "hd", Size: "1x1"}.String())
}

func TestMasksThatAreTooLargeAreNotUnpacked(t *testing.T) {
	t.Parallel()
	// A PNG header that claims 60,000 × 60,000 pixels.
	_, err := task.BlackMask([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\xea\x60\x00\x00\xea\x60\x08\x06\x00\x00\x00\x00\x00\x00\x00"))
	assert.Error(t, err)
}
