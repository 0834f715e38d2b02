package dialecttest

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/task"
)

// Encoder is what asks for pictures or films.
type Encoder interface {
	Encode(req *task.Request, t dialect.Target) (dialect.TaskEncoded, error)
}

// Encoding is one request and what must become of it: a body, or a refusal that
// names a parameter.
type Encoding struct {
	Name    string
	Model   string
	Request *task.Request
	Path    string
	Body    string // JSON; "" when Refuses is set or the body is a form
	Refuses string
	Dropped []string
}

// RunEncodings proves a table of encodings.
func RunEncodings(t *testing.T, c Encoder, table []Encoding) {
	t.Helper()
	for _, tt := range table {
		t.Run(tt.Name, func(t *testing.T) {
			t.Parallel()
			before, err := json.Marshal(tt.Request)
			require.NoError(t, err)
			enc, err := c.Encode(tt.Request, dialect.Target{Model: tt.Model})
			after, merr := json.Marshal(tt.Request)
			require.NoError(t, merr)
			assert.Equal(t, string(before), string(after), "the request is shared and must not change")
			if tt.Refuses != "" {
				require.Error(t, err)
				assert.Equal(t, hub.CodeInvalid, hub.CodeOf(err))
				assert.Equal(t, tt.Refuses, hub.AsError(err).Param)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, tt.Path, enc.Path)
			assert.Equal(t, tt.Dropped, enc.Dropped)
			if tt.Body != "" {
				assert.JSONEq(t, tt.Body, string(enc.Body))
			}
		})
	}
}

// EachParameter are all parameters of pictures, one request each, by their names:
// a client side must take or refuse every one of them.
func EachParameter() map[string]*task.Request {
	image := func(set func(*task.Image)) *task.Request {
		i := &task.Image{Prompt: "p", N: 1}
		set(i)
		return &task.Request{Kind: task.ImageGeneration, Model: "m", Image: i}
	}
	return map[string]*task.Request{
		"size":               image(func(i *task.Image) { i.Size = "1024x1024" }),
		"aspect_ratio":       image(func(i *task.Image) { i.AspectRatio = "16:9" }),
		"quality":            image(func(i *task.Image) { i.Quality = "high" }),
		"style":              image(func(i *task.Image) { i.Style = "vivid" }),
		"background":         image(func(i *task.Image) { i.Background = "transparent" }),
		"moderation":         image(func(i *task.Image) { i.Moderation = "low" }),
		"output_format":      image(func(i *task.Image) { i.OutputFormat = "jpeg" }),
		"output_compression": image(func(i *task.Image) { i.Compression = new(int64(7)) }),
		"seed":               image(func(i *task.Image) { i.Seed = new(int64(424242)) }),
		"negative_prompt":    image(func(i *task.Image) { i.Negative = "no dogs" }),
		"input_fidelity":     image(func(i *task.Image) { i.InputFidelity = "high" }),
		"safety_level":       image(func(i *task.Image) { i.SafetyLevel = "BLOCK_NONE" }),
		"person_generation":  image(func(i *task.Image) { i.PersonsAllowed = "ALLOW_ADULT" }),
		"strength":           image(func(i *task.Image) { i.Strength = new(0.31) }),
		"unheard_of":         {Kind: task.ImageGeneration, Model: "m", Image: &task.Image{Prompt: "p", N: 1}, Extra: map[string]json.RawMessage{"unheard_of": []byte("1")}},
	}
}

// RunNothingIsLost proves that no parameter vanishes: it changes the body, is
// refused by its name, or is listed as dropped.
func RunNothingIsLost(t *testing.T, c Encoder, models ...string) {
	t.Helper()
	for _, model := range models {
		plain, err := c.Encode(&task.Request{Kind: task.ImageGeneration, Model: "m", Image: &task.Image{Prompt: "p", N: 1}}, dialect.Target{Model: model})
		require.NoError(t, err)
		for name, req := range EachParameter() {
			enc, err := c.Encode(req, dialect.Target{Model: model})
			if err != nil {
				assert.Equal(t, hub.CodeInvalid, hub.CodeOf(err), "%s: %s", model, name)
				assert.Equal(t, name, hub.AsError(err).Param, model)
				continue
			}
			if len(enc.Dropped) == 0 {
				assert.NotEqual(t, len(plain.Body), len(enc.Body), "%s: %s is lost", model, name)
			}
		}
	}
}
