package anthropic

import (
	"bytes"
	"net/http"
	"net/http/httptest"
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

// FuzzDecode reads requests: what is accepted can be encoded or is refused with
// a reason, and the encoding is JSON.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(agentRequest))
	f.Add([]byte(asking))
	f.Fuzz(func(t *testing.T, body []byte) {
		v, err := Server{}.View(httptest.NewRequest(http.MethodPost, "/v1/messages", nil), body)
		if err != nil {
			assert.Equal(t, hub.CodeInvalid, hub.CodeOf(err))
			return
		}
		if spliced, err := (Client{}).Splice(v, dialect.Target{Model: "m", MaxOutput: 10, LowerTo: 5}); assert.NoError(t, err) {
			_, err = wire.Parse(spliced.Body)
			assert.NoError(t, err)
		}
		req, err := Server{}.Decode(v)
		if err != nil {
			assert.Equal(t, hub.CodeInvalid, hub.CodeOf(err))
			return
		}
		enc, err := Client{}.Encode(req, dialect.Target{Model: "m", MaxOutput: 4096})
		if err != nil {
			assert.Equal(t, hub.CodeInvalid, hub.CodeOf(err))
			return
		}
		_, err = wire.Parse(enc.Body)
		assert.NoError(t, err, "%s", enc.Body)
	})
}

func eachFrame(stream []byte, do func(frame []byte) bool) {
	frames := wire.NewFrames(bytes.NewReader(stream))
	for {
		frame, err := frames.Next()
		if err != nil || !do(frame) {
			return
		}
	}
}

func notNegative(t *testing.T, u hub.Usage) {
	for b, n := range u {
		assert.GreaterOrEqual(t, n, int64(0), hub.Bucket(b).String())
	}
	assert.GreaterOrEqual(t, u.Prompt(), int64(0))
}

// FuzzDecoder reads streams and writes what it read: both survive anything.
func FuzzDecoder(f *testing.F) {
	seed(f, "*.sse")
	f.Fuzz(func(t *testing.T, stream []byte) {
		d, enc := Client{}.Decoder(noQuirks), Server{}.Stream(see(t, asking))
		m := Client{}.Meter(nil, noQuirks)
		var out []byte
		eachFrame(stream, func(frame []byte) bool {
			m.Frame(frame)
			evs, err := d.Frame(frame)
			for _, ev := range evs {
				notNegative(t, ev.Usage)
				out = enc.Event(out, ev)
			}
			return err == nil
		})
		if d.End() {
			readStrictly(t, enc.Close(out, dialect.Closing{}))
		}
	})
}

// FuzzMeter reads streams and bodies: usage is never negative, and a stream's
// is what the decoder says.
func FuzzMeter(f *testing.F) {
	seed(f, "*.sse")
	seed(f, "*.json")
	f.Fuzz(func(t *testing.T, body []byte) {
		whole := Client{}.Meter(nil, noQuirks)
		if whole.Whole(body) == nil {
			notNegative(t, whole.Report().Usage)
		}
		m, d := Client{}.Meter(nil, noQuirks), Client{}.Decoder(noQuirks)
		eachFrame(body, func(frame []byte) bool {
			seen := m.Frame(frame)
			evs, err := d.Frame(frame)
			if err != nil {
				return false
			}
			for _, ev := range evs {
				if ev.Native != "" {
					assert.True(t, seen.Finish)
					assert.Equal(t, ev.Native, m.Report().Finish)
				}
			}
			return true
		})
		rep := m.Report()
		notNegative(t, rep.Usage)
		assert.GreaterOrEqual(t, rep.TextBytes, int64(0))
		assert.GreaterOrEqual(t, rep.HideBytes, int64(0))
	})
}
