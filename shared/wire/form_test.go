package wire

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const formType = `multipart/form-data; boundary="b d"`

func formBody(lines ...string) []byte { return []byte(strings.Join(lines, "\r\n")) }

var twoFields = formBody(
	"--b d", `Content-Disposition: form-data; name="model"`, "", "whisper-1",
	"--b d", `Content-Disposition: form-data; name="file"; filename="a b.wav"`, "Content-Type: audio/wav", "", "RIFF\r\n\x00\xff",
	"--b d--", "")

func TestAFormIsReadInItsOrder(t *testing.T) {
	t.Parallel()
	f, err := ParseForm(formType, twoFields)
	require.NoError(t, err)
	require.Len(t, f.Parts, 2)
	assert.Equal(t, "model", f.Parts[0].Name)
	assert.False(t, f.Parts[0].IsFile())
	file := f.Values("file")[0]
	assert.True(t, file.IsFile())
	assert.Equal(t, "a b.wav", file.Filename)
	assert.Equal(t, "audio/wav", file.Type())
	assert.Equal(t, "RIFF\r\n\x00\xff", string(file.Data))
	model, ok, err := f.Value("model")
	require.NoError(t, err)
	assert.True(t, ok)
	assert.Equal(t, "whisper-1", model)
}

func TestAFormIsSentOnWithOneValueChanged(t *testing.T) {
	t.Parallel()
	f, err := ParseForm(formType, twoFields)
	require.NoError(t, err)
	g := f.Clone()
	g.Set("model", "other")
	g.Add("language", "de")
	body, err := g.Bytes()
	require.NoError(t, err)
	back, err := ParseForm(g.ContentType(), body)
	require.NoError(t, err)
	require.Len(t, back.Parts, 3)
	assert.Equal(t, "other", string(back.Parts[0].Data))
	assert.Equal(t, f.Parts[1].Data, back.Parts[1].Data)
	assert.Equal(t, "de", string(back.Parts[2].Data))
	assert.Equal(t, "whisper-1", string(f.Parts[0].Data), "the original stays as it came")
	g.Delete("file")
	assert.Empty(t, g.Values("file"))
	assert.Len(t, f.Parts, 2)
}

func TestAFormIsBuilt(t *testing.T) {
	t.Parallel()
	f := NewForm()
	f.Add(`quo"te`, "line\r\nbreak")
	f.AddFile("image[]", `na"me.png`, "image/png", []byte("PNG"))
	f.AddFile("image[]", "2.png", "image/png", []byte("PNG2"))
	body, err := f.Bytes()
	require.NoError(t, err)
	back, err := ParseForm(f.ContentType(), body)
	require.NoError(t, err)
	assert.Len(t, back.Values("image"), 2, "image and image[] are one name")
	assert.Equal(t, "line\r\nbreak", string(back.Parts[0].Data))
	_, _, err = back.Value("image")
	require.Error(t, err, "a field that must be single is there twice")
}

func TestFormsThatAreRefused(t *testing.T) {
	t.Parallel()
	many := strings.Repeat("--b d\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n1\r\n", maxFormParts+1)
	for name, in := range map[string]struct{ kind, body string }{
		"JSON":               {"application/json", "{}"},
		"no boundary":        {"multipart/form-data", ""},
		"another multipart":  {"multipart/mixed; boundary=x", ""},
		"an open end":        {formType, "--b d\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\nhalf"},
		"no boundary inside": {formType, "hello"},
		"a part of no name":  {formType, "--b d\r\nContent-Type: text/plain\r\n\r\n1\r\n--b d--\r\n"},
		"too many parts":     {formType, many + "--b d--\r\n"},
	} {
		_, err := ParseForm(in.kind, []byte(in.body))
		assert.Error(t, err, name)
	}
}

func FuzzParseForm(f *testing.F) {
	f.Add(formType, twoFields)
	f.Add("multipart/form-data; boundary=x", []byte("--x--"))
	f.Fuzz(func(t *testing.T, kind string, body []byte) {
		form, err := ParseForm(kind, body)
		if err != nil {
			return
		}
		out, err := form.Bytes()
		if err != nil {
			return // a boundary that can be read but not written
		}
		back, err := ParseForm(form.ContentType(), out)
		require.NoError(t, err)
		require.Len(t, back.Parts, len(form.Parts))
		for i := range form.Parts {
			require.Equal(t, form.Parts[i].Name, back.Parts[i].Name)
			require.Equal(t, form.Parts[i].Data, back.Parts[i].Data)
		}
	})
}
