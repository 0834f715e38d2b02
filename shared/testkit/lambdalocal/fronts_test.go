package lambdalocal_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/testkit/lambdalocal"
)

func testFronts(t *testing.T, bootstrap string) {
	for _, stream := range []bool{false, true} {
		a := start(t, bootstrap, lambdalocal.Config{Max: 8}, stream)
		for name, front := range a.fronts {
			t.Run(name+" hands on the request and the answer", func(t *testing.T) {
				t.Parallel()
				checkEcho(t, front.URL, name == "a load balancer with single values")
			})
			t.Run(name+" keeps binary bodies", func(t *testing.T) {
				t.Parallel()
				binary := []byte{0, 0xff, 0xfe, '\n', 0x80}
				res, err := http.Post(front.URL+"/raw", "image/png", bytes.NewReader(binary))
				require.NoError(t, err)
				defer res.Body.Close()
				got, err := io.ReadAll(res.Body)
				require.NoError(t, err)
				assert.Equal(t, binary, got)
			})
			t.Run(name+" answers 200 for an empty handler", func(t *testing.T) {
				t.Parallel()
				res, body := get(t, front.URL+"/empty")
				assert.Equal(t, http.StatusOK, res.StatusCode)
				assert.Empty(t, body)
			})
			t.Run(name+" hands on HEAD", func(t *testing.T) {
				t.Parallel()
				res, err := http.Head(front.URL + "/echo")
				require.NoError(t, err)
				require.NoError(t, res.Body.Close())
				assert.Equal(t, http.StatusCreated, res.StatusCode)
			})
		}
	}
	for _, stream := range []bool{false, true} {
		a := start(t, bootstrap, lambdalocal.Config{Max: 1}, stream)
		for name, front := range a.fronts {
			t.Run(name+" answers 500 for a panic and the process lives", func(t *testing.T) {
				before := pid(t, front.URL)
				res, body := get(t, front.URL+"/panic")
				assert.Equal(t, http.StatusInternalServerError, res.StatusCode)
				assert.Contains(t, body, `"code":"internal"`)
				assert.NotContains(t, body, "secret")
				assert.Equal(t, before, pid(t, front.URL))
				assert.Equal(t, 1, a.Started())
			})
		}
	}
}

type echo struct {
	PID                                   int
	Method, Host, Path, URI, Body, Remote string
	Query                                 map[string][]string
	Header                                http.Header
	Length                                int64
}

func pid(t *testing.T, url string) int {
	t.Helper()
	_, body := get(t, url+"/echo")
	var e echo
	require.NoError(t, json.Unmarshal([]byte(body), &e))
	require.NotZero(t, e.PID)
	return e.PID
}

func checkEcho(t *testing.T, url string, single bool) {
	t.Helper()
	req, err := http.NewRequest(http.MethodPut, url+"/echo?a=1&a=2&b=x%20%26y&%C3%BC=1", strings.NewReader(`{"x":"é"}`))
	require.NoError(t, err)
	req.Host = "hub.example.com"
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Config", `{"a":1, "b":[1,2]}`)
	req.Header.Set("If-Modified-Since", "Mon, 02 Nov 2026 10:00:00 GMT")
	req.Header.Set("Cookie", "session=s1; theme=dark")
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer res.Body.Close()
	require.Equal(t, http.StatusCreated, res.StatusCode, res.Header)
	assert.Equal(t, []string{"one=1; Path=/; HttpOnly", "two=2; Expires=Mon, 02 Nov 2026 10:00:00 GMT"}, sorted(res.Header.Values("Set-Cookie")))
	assert.Equal(t, []string{`{"a":1, "b":[1,2]}`}, res.Header.Values("X-Answer"))
	assert.Equal(t, "application/json", res.Header.Get("Content-Type"))
	var e echo
	require.NoError(t, json.NewDecoder(res.Body).Decode(&e))
	assert.Equal(t, "PUT", e.Method)
	assert.Equal(t, "hub.example.com", e.Host)
	assert.Equal(t, "/echo", e.Path)
	assert.JSONEq(t, `{"x":"é"}`, e.Body)
	assert.EqualValues(t, len(e.Body), e.Length)
	assert.Equal(t, "127.0.0.1:0", e.Remote)
	want := map[string][]string{"a": {"1", "2"}, "b": {"x &y"}, "ü": {"1"}}
	if single {
		want["a"] = []string{"2"}
	}
	assert.Equal(t, want, e.Query)
	assert.Equal(t, []string{`{"a":1, "b":[1,2]}`}, e.Header["X-Config"])
	assert.Equal(t, []string{"Mon, 02 Nov 2026 10:00:00 GMT"}, e.Header["If-Modified-Since"])
	assert.Equal(t, []string{"session=s1; theme=dark"}, e.Header["Cookie"])
	assert.Equal(t, []string{"https"}, e.Header["X-Forwarded-Proto"])
}

func sorted(s []string) []string {
	if len(s) == 2 && s[0] > s[1] {
		s[0], s[1] = s[1], s[0]
	}
	return s
}

func testLargeStream(t *testing.T, bootstrap string) {
	a := start(t, bootstrap, lambdalocal.Config{}, true)
	res, body := get(t, a.stream()+"/big?n=6291456")
	assert.Equal(t, http.StatusOK, res.StatusCode)
	assert.Len(t, body, 6<<20)
	_, body = get(t, a.stream()+"/big?n=20000000")
	assert.Len(t, body, 20_000_000, "streams may be larger than 6 MB")
}

func testTooLarge(t *testing.T, bootstrap string) {
	a := start(t, bootstrap, lambdalocal.Config{Max: 1}, false)
	for name, front := range a.fronts {
		small, large := "6000000", "6291456"
		if strings.HasPrefix(name, "a load balancer") {
			small, large = "1000000", "1048576"
		}
		res, body := get(t, front.URL+"/big?n="+small)
		assert.Equal(t, http.StatusOK, res.StatusCode, name)
		assert.Equal(t, small, strconv.Itoa(len(body)), name)
		res, body = get(t, front.URL+"/big?n="+large)
		assert.Equal(t, http.StatusInternalServerError, res.StatusCode, name)
		assert.Contains(t, body, "MB that this endpoint can return", name)

		in, err := http.Post(front.URL+"/raw", "text/plain", strings.NewReader(strings.Repeat("x", 6<<20+1)))
		require.NoError(t, err)
		require.NoError(t, in.Body.Close())
		assert.Equal(t, http.StatusRequestEntityTooLarge, in.StatusCode, name)
	}
	assert.Equal(t, 1, a.Started())
}
