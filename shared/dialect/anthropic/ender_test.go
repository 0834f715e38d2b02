package anthropic

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
)

func TestANativeStreamIsEndedWithItsOpenBlockClosed(t *testing.T) {
	t.Parallel()
	begin := func(index string) string {
		return "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":" + index + ",\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n"
	}
	const (
		text = "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"content_block_stop\"}}\n\n"
		stop = "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n"
		end  = `event: message_delta
data: {"type":"message_delta","delta":{"stop_reason":"max_tokens","stop_sequence":null},"usage":{"input_tokens":3,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":4`
	)
	for name, tt := range map[string]struct {
		seen   []string
		closes string
	}{
		"before anything":     {nil, ""},
		"in a text":           {[]string{begin("0"), text}, `{"type":"content_block_stop","index":0}`},
		"in the second block": {[]string{begin("0"), stop, begin("1")}, `{"type":"content_block_stop","index":1}`},
		"between blocks":      {[]string{begin("0"), text, stop}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := Server{}.Ender(&dialect.View{Model: "m"})
			for _, f := range tt.seen {
				e.Saw([]byte(f))
			}
			got := string(e.End(nil, dialect.Closing{Usage: hub.Usage{hub.Input: 3, hub.Output: 4}}))
			if tt.closes != "" {
				assert.True(t, strings.HasPrefix(got, "event: content_block_stop\ndata: "+tt.closes+"\n\n"), got)
			} else {
				assert.NotContains(t, got, "content_block_stop")
			}
			assert.Contains(t, got, end)
			assert.True(t, strings.HasSuffix(got, "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"), got)
		})
	}
}
