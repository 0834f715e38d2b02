package fakeprovider_test

import (
	"bytes"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/testkit/fakeprovider"
)

func ask(t *testing.T, url, contentType, body string, header ...string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("Content-Type", contentType)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return res.StatusCode, string(text)
}

func listenForm(t *testing.T, filename string, fields ...string) (body, contentType string) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	if filename != "" {
		f, err := w.CreateFormFile("file", filename)
		require.NoError(t, err)
		_, err = f.Write(make([]byte, 2*fakeprovider.BytesPerSecond))
		require.NoError(t, err)
	}
	for i := 0; i+1 < len(fields); i += 2 {
		require.NoError(t, w.WriteField(fields[i], fields[i+1]))
	}
	require.NoError(t, w.Close())
	return b.String(), w.FormDataContentType()
}

func TestWorkBesideChatIsAsStrictAsTheRealOne(t *testing.T) {
	t.Parallel()
	p := fakeprovider.Start(t, fakeprovider.OpenAI, fakeprovider.Options{})
	key := []string{"Authorization", "Bearer " + fakeprovider.DefaultKey}
	for _, tt := range []struct {
		path, body string
		status     int
		text       string
	}{
		{"embeddings", `{"model":"text-embedding-fake","input":"a"}`, 200, `"prompt_tokens":1`},
		{"embeddings", `{"model":"text-embedding-fake","input":"a","input_type":"query"}`, 400, "Unknown parameter: 'input_type'"},
		{"embeddings", `{"model":"text-embedding-fake","input":[""]}`, 400, "input"},
		{"embeddings", `{"model":"nobody","input":"a"}`, 404, "does not exist"},
		{"moderations", `{"model":"omni-moderation-latest","input":["a","harm"]}`, 200, `"flagged":true`},
		{"moderations", `{"input":"a"}`, 400, "model"},
		{"audio/speech", `{"model":"tts-fake","input":"a"}`, 400, "voice"},
		{"audio/speech", `{"model":"tts-fake","input":"a","voice":"alloy","stream_format":"sse"}`, 400, "stream_format"},
		{"audio/speech", `{"model":"tts-fake","input":"` + strings.Repeat("a", 4097) + `","voice":"alloy"}`, 400, "too long"},
		{"audio/transcriptions", `{}`, 400, "multipart/form-data"},
		{"rerank", `{"model":"rerank-fake","query":"a","documents":["b"]}`, 200, "relevance_score"},
	} {
		status, text := ask(t, p.URL+"/v1/"+tt.path, "application/json", tt.body, key...)
		assert.Equal(t, tt.status, status, "%s %s: %s", tt.path, tt.body, text)
		assert.Contains(t, text, tt.text, tt.path)
	}
	for _, tt := range []struct {
		file   string
		fields []string
		status int
		text   string
	}{
		{"a.mp3", []string{"model", "whisper-fake"}, 200, `"seconds":2`},
		{"a.mp3", []string{"model", "whisper-fake", "voice", "x"}, 400, "Unknown parameter"},
		{"a", []string{"model", "whisper-fake"}, 400, "Unrecognized file format"},
		{"", []string{"model", "whisper-fake"}, 400, "file"},
		{"a.mp3", []string{"model", "gpt-transcribe-fake", "response_format", "srt"}, 400, "not compatible"},
	} {
		body, contentType := listenForm(t, tt.file, tt.fields...)
		status, text := ask(t, p.URL+"/v1/audio/transcriptions", contentType, body, key...)
		assert.Equal(t, tt.status, status, text)
		assert.Contains(t, text, tt.text)
	}
	status, _ := ask(t, p.URL+"/v1/embeddings", "application/json", `{}`)
	assert.Equal(t, http.StatusUnauthorized, status)
}

func TestGeminisWorkIsAsStrictAsTheRealOne(t *testing.T) {
	t.Parallel()
	p := fakeprovider.Start(t, fakeprovider.Gemini, fakeprovider.Options{})
	for _, tt := range []struct {
		call, body string
		status     int
		text       string
	}{
		{"gemini-embedding-fake:embedContent", `{"content":{"parts":[{"text":"a"}]},"outputDimensionality":2}`, 200, `{"embedding":{"values":[0,0.015625]}}`},
		{"gemini-embedding-fake:batchEmbedContents", `{"requests":[{"model":"models/other","content":{"parts":[{"text":"a"}]}}]}`, 400, "model must match"},
		{"gemini-embedding-fake:embedContent", `{"content":{"parts":[{"text":"a"}]},"encoding":"x"}`, 400, "Cannot find field"},
		{"gemini-tts-fake:generateContent", `{"contents":[{"parts":[{"text":"a"}]}]}`, 400, "AUDIO only"},
		{"gemini-tts-fake:generateContent", `{"contents":[{"parts":[{"text":"a"}]}],"generationConfig":{"responseModalities":["AUDIO"]}}`, 200, "rate=24000"},
		{"nobody:embedContent", `{}`, 404, "not found"},
	} {
		status, text := ask(t, p.URL+"/v1beta/models/"+tt.call, "application/json", tt.body, "X-Goog-Api-Key", fakeprovider.DefaultKey)
		assert.Equal(t, tt.status, status, "%s: %s", tt.call, text)
		assert.Contains(t, text, tt.text)
	}
	assert.Equal(t, hub.Usage{hub.Input: 1, hub.OutputAudio: 1}, p.Reported())
}
