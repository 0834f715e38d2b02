package responses

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

func seed(f *testing.F, pattern string) {
	files, err := filepath.Glob(filepath.Join("testdata", pattern))
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range files {
		body, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
}

// FuzzDecode reads requests: what is accepted can be encoded, stored and gone on
// from, or is refused with a reason.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(asking))
	f.Add([]byte(`{"model":"m","input":[{"role":"user","content":[{"type":"input_text","text":"x"}]},{"type":"function_call","call_id":"c","name":"f","arguments":"{}"}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		v, err := server.View(nil, body)
		if err != nil {
			assert.Equal(t, hub.CodeInvalid, hub.CodeOf(err))
			return
		}
		if spliced, err := client.Splice(v, dialect.Target{Model: "m", LowerTo: 5}); assert.NoError(t, err) {
			_, err = wire.Parse(spliced.Body)
			assert.NoError(t, err)
		}
		if kept, err := Keep(v, []byte(`{"output":[]}`)); err == nil {
			next, err := kept.Continue(v)
			assert.NoError(t, err)
			_, err = wire.Parse(next)
			assert.NoError(t, err)
		}
		req, err := server.Decode(v)
		if err != nil {
			assert.Equal(t, hub.CodeInvalid, hub.CodeOf(err))
			return
		}
		enc, err := client.Encode(req, dialect.Target{Model: "m"})
		if err != nil {
			assert.Equal(t, hub.CodeInvalid, hub.CodeOf(err))
			return
		}
		_, err = wire.Parse(enc.Body)
		assert.NoError(t, err, "%s", enc.Body)
	})
}

// FuzzDecoder reads streams with the decoder and the meter and writes what was
// read: all survive anything, and usage is never negative.
func FuzzDecoder(f *testing.F) {
	seed(f, "*.sse")
	seed(f, "*.json")
	f.Fuzz(func(t *testing.T, stream []byte) {
		v, err := server.View(nil, []byte(asking))
		assert.NoError(t, err)
		d, m, enc := client.Decoder(dialect.Quirks{}), client.Meter(nil, dialect.Quirks{}), server.Stream(v)
		var out []byte
		frames := wire.NewFrames(bytes.NewReader(stream))
		for {
			frame, err := frames.Next()
			if err != nil {
				break
			}
			m.Frame(frame)
			evs, err := d.Frame(frame)
			for _, ev := range evs {
				out = enc.Event(out, ev)
			}
			if err != nil {
				break
			}
		}
		if d.End() {
			readStrictly(t, enc.Close(out, dialect.Closing{}))
		}
		whole := client.Meter(nil, dialect.Quirks{})
		if whole.Whole(stream) == nil {
			_, err := client.Decode(stream, dialect.Quirks{})
			assert.NoError(t, err)
		}
		for _, r := range []dialect.Report{m.Report(), whole.Report()} {
			for b, n := range r.Usage {
				assert.GreaterOrEqual(t, n, int64(0), hub.Bucket(b).String())
			}
			assert.GreaterOrEqual(t, r.TextBytes, int64(0))
		}
	})
}
