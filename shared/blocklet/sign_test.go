package blocklet

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// recorded are requests of the public npm client, see the file's comment.
type recorded struct {
	Key       string
	Component string
	Calls     []struct {
		Name, Method, URL, Body, Sig, Signed string
		Iat, Exp                             int64
	}
}

func readRecorded(t *testing.T) (recorded, *Key) {
	t.Helper()
	text, err := os.ReadFile("testdata/component_calls.json")
	require.NoError(t, err)
	var r recorded
	require.NoError(t, json.Unmarshal(text, &r))
	require.Len(t, r.Calls, 21)
	k, err := ParseKey(hub.Secret(r.Key))
	require.NoError(t, err)
	return r, k
}

func TestEveryCallIsSignedAsThePublicClientSignsIt(t *testing.T) {
	t.Parallel()
	r, key := readRecorded(t)
	for _, c := range r.Calls {
		req := httptest.NewRequest(c.Method, c.URL, http.NoBody)
		signed, err := signedObject(c.Method, req.URL.Path, req.URL.Query(), []byte(c.Body), c.Iat, c.Exp)
		require.NoError(t, err, c.Name)
		assert.Equal(t, c.Signed, string(signed), c.Name)
		require.NoError(t, key.Sign(req, []byte(c.Body), r.Component, time.Unix(c.Iat, 0)), c.Name)
		assert.Equal(t, c.Sig, req.Header.Get("x-component-sig"), c.Name)
		assert.Equal(t, strconv.FormatInt(c.Exp, 10), req.Header.Get("x-component-sig-exp"), c.Name)
		did, err := key.Verify(req, []byte(c.Body), time.Unix(c.Exp, 0))
		require.NoError(t, err, c.Name)
		assert.Equal(t, r.Component, did)
	}
}

func TestACallThatWasChangedOrIsOldIsRefused(t *testing.T) {
	t.Parallel()
	_, key := readRecorded(t)
	now := time.Unix(1_800_000_000, 0)
	body := []byte(`{"value":"1"}`)
	call := func(method, url string) *http.Request {
		r := httptest.NewRequest(method, url, http.NoBody)
		require.NoError(t, key.Sign(r, body, "zDID", now))
		return r
	}
	move := func(to *http.Request, from *http.Request) *http.Request {
		to.Header = from.Header
		return to
	}
	good := call("POST", "/api/x?a=1")
	_, err := key.Verify(good, body, now)
	require.NoError(t, err)
	other, err := ParseKey(hub.Secret(otherKey(t)))
	require.NoError(t, err)
	for name, try := range map[string]func() error{
		"body":     func() error { _, err := key.Verify(good, []byte(`{"value":"2"}`), now); return err },
		"no body":  func() error { _, err := key.Verify(good, nil, now); return err },
		"not JSON": func() error { _, err := key.Verify(good, []byte(`{`), now); return err },
		"query": func() error {
			_, err := key.Verify(move(httptest.NewRequest(http.MethodPost, "/api/x?a=2", nil), good), body, now)
			return err
		},
		"path": func() error {
			_, err := key.Verify(move(httptest.NewRequest(http.MethodPost, "/api/y?a=1", nil), good), body, now)
			return err
		},
		"method": func() error {
			_, err := key.Verify(move(httptest.NewRequest(http.MethodPut, "/api/x?a=1", nil), good), body, now)
			return err
		},
		"too late":  func() error { _, err := key.Verify(good, body, now.Add(301*time.Second)); return err },
		"other key": func() error { _, err := other.Verify(good, body, now); return err },
		"unsigned": func() error {
			_, err := key.Verify(httptest.NewRequest(http.MethodPost, "/api/x?a=1", nil), body, now)
			return err
		},
	} {
		require.ErrorIs(t, try(), ErrSignature, name)
	}
}

func otherKey(t *testing.T) string {
	t.Helper()
	return "0x9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60" + "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
}

func TestAPrefixThatTheRouterTookOffIsPutBack(t *testing.T) {
	t.Parallel()
	_, key := readRecorded(t)
	now := time.Unix(1_800_000_000, 0)
	sent := httptest.NewRequest(http.MethodGet, "/hub/api/x", http.NoBody)
	require.NoError(t, key.Sign(sent, nil, "zDID", now))
	arrived := httptest.NewRequest(http.MethodGet, "/api/x", http.NoBody)
	arrived.Header = sent.Header.Clone()
	_, err := key.Verify(arrived, nil, now)
	require.ErrorIs(t, err, ErrSignature)
	arrived.Header.Set("X-Path-Prefix", "/hub")
	_, err = key.Verify(arrived, nil, now)
	require.NoError(t, err)
}

func TestAKeyThatIsNoneIsRefusedWithoutRepeatingIt(t *testing.T) {
	t.Parallel()
	good := otherKey(t)
	for _, bad := range []string{"", "0x", "0x12", good[:len(good)-1] + "b", strings.Replace(good, "9d", "zz", 1)} {
		_, err := ParseKey(hub.Secret(bad))
		require.Error(t, err)
		if len(bad) > 4 {
			assert.NotContains(t, err.Error(), bad[2:])
		}
	}
}

func TestCanonicalFormIsJavaScripts(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`{"b":1,"a":[true,null,{"d":2,"c":"x"}]}`:                `{"a":[true,null,{"c":"x","d":2}],"b":1}`,
		`[1.0, 1e21, 1E-7, 0.1, -0, 100, 123456789012345680000]`: `[1,1e+21,1e-7,0.1,0,100,123456789012345680000]`,
		`"<b>&\u2028\u0007\u00e9\/"`:                             "\"<b>&\u2028\\u0007é/\"",
		`{"\uffff":1,"\ud83d\ude00":2}`:                          "{\"😀\":2,\"\uffff\":1}",
		` {} `:                                                   `{}`,
	} {
		got, err := Canonical([]byte(in))
		require.NoError(t, err, in)
		assert.Equal(t, want, string(got), in)
	}
	for _, bad := range []string{"", "{", "{} {}", "1e999", strings.Repeat("[", 100) + strings.Repeat("]", 100)} {
		_, err := Canonical([]byte(bad))
		require.Error(t, err, bad)
	}
}

func TestComponentsAreFoundWhereTheServerWritesThem(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	vars := map[string]string{"BLOCKLET_APP_ASK": otherKey(t), "BLOCKLET_COMPONENT_DID": "zHub", "BLOCKLET_APP_PID": "zApp",
		"BLOCKLET_APP_URL": "https://app.example/", "BLOCKLET_APP_DATA_DIR": dir,
		"BLOCKLET_MOUNT_POINTS": `[{"did":"zPay","mountPoint":"/pay","status":5,"port":1}]`}
	e, ok, err := ReadEnvironment(func(n string) (string, bool) { v, ok := vars[n]; return v, ok })
	require.NoError(t, err)
	require.True(t, ok)
	c, err := e.Component("zPay")
	require.NoError(t, err)
	assert.False(t, c.Running())
	require.NoError(t, os.Mkdir(filepath.Join(dir, ".config"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(dir, ".config", "config.json"),
		[]byte(`{"env":{},"components":[{"did":"zPay","mountPoint":"/payment","status":6,"port":4711}]}`), 0o600))
	c, err = e.Component("zPay")
	require.NoError(t, err)
	assert.True(t, c.Running())
	assert.Equal(t, "http://127.0.0.1:4711", e.Base(c))
	assert.Equal(t, "https://app.example/payment", e.Page(c))
	_, err = e.Component("zNobody")
	require.ErrorIs(t, err, ErrNoComponent)

	_, ok, err = ReadEnvironment(func(string) (string, bool) { return "", false })
	require.NoError(t, err)
	assert.False(t, ok, "standing alone")
	vars["BLOCKLET_APP_ASK"] = "0x12"
	_, _, err = ReadEnvironment(func(n string) (string, bool) { v, ok := vars[n]; return v, ok })
	require.ErrorContains(t, err, "BLOCKLET_APP_ASK")
}
