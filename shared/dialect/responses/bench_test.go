package responses

import (
	"testing"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
)

// BenchmarkMeter is what the native lane costs for a chunk of a stream.
func BenchmarkMeter(b *testing.B) {
	frame := []byte("event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"sequence_number\":4,\"item_id\":\"msg_01830d662ab3856501693c321405c88190be3ab04d5782d5f9\",\"output_index\":0,\"content_index\":0,\"delta\":\" multiply\",\"logprobs\":[],\"obfuscation\":\"2ajSAGID\"}\n\n")
	m := client.Meter(nil, dialect.Quirks{})
	b.ReportAllocs()
	for b.Loop() {
		m.Frame(frame)
	}
}

// BenchmarkEncoder is what translation costs for a chunk of a stream.
func BenchmarkEncoder(b *testing.B) {
	enc := server.Stream(see(b, asking))
	dst := make([]byte, 0, 1<<10)
	b.ReportAllocs()
	for b.Loop() {
		dst = enc.Event(dst[:0], chat.Event{Kind: chat.EventText, Text: " multiply"})
	}
}
