package hub

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const hidden = "hunter2-plain"

func TestSecretsAreNeverPrintedByFmt(t *testing.T) {
	t.Parallel()
	s := Secret(hidden)
	type inner struct{ Key Secret }
	type outer struct {
		In   inner
		P    *Secret
		List []Secret
		Map  map[string]Secret
	}
	values := map[string]any{
		"itself": s, "a pointer": &s, "a list": []Secret{s}, "an array": [1]Secret{s}, "a map": map[string]Secret{"k": s},
		"a key": map[Secret]int{s: 1}, "a field": inner{s}, "a pointer to a struct": &inner{s}, "deep": outer{inner{s}, &s, []Secret{s}, map[string]Secret{"k": s}},
		"behind any": []any{s, &s},
	}
	for name, v := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "% x", "%#x", "%10s", "%.3s", "%-30v", "%d", "%t", "%f", "%c", "%U", "%z", "no verb", "%[2]v", "%*d"} {
			assert.NotContains(t, fmt.Sprintf(verb, v), "hunter", name+" "+verb)
			assert.NotContains(t, fmt.Sprintf(verb, v), fmt.Sprintf("%x", "hunter"), name+" "+verb)
		}
		assert.NotContains(t, fmt.Sprint(v)+fmt.Sprintln(v), "hunter", name)
		assert.NotContains(t, fmt.Errorf("wrapped: %v", v).Error(), "hunter", name)
	}
	assert.Equal(t, "***", s.String())
	assert.Equal(t, "***", fmt.Sprintf("%v", s))
	assert.Equal(t, "***", fmt.Sprintf("%#v", s))
	assert.Equal(t, hidden, s.Reveal())
}

func TestSecretsAreNeverLogged(t *testing.T) {
	t.Parallel()
	s := Secret(hidden)
	var out bytes.Buffer
	for _, h := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
		l := slog.New(h).With("with", s)
		l.Info("attribute", "key", s, "pointer", &s, "struct", struct{ Key Secret }{s}, "list", []Secret{s})
		l.Info("group", slog.Group("g", slog.Any("key", s)))
		l.Info("message " + fmt.Sprint(s))
	}
	assert.NotContains(t, out.String(), "hunter")
	assert.Contains(t, out.String(), "***")
}

func TestSecretsAreNeverEncoded(t *testing.T) {
	t.Parallel()
	s := Secret(hidden)
	b, err := json.Marshal(map[string]any{"a": s, "b": &s, "c": []Secret{s}, "d": struct{ Key Secret }{s}})
	require.NoError(t, err)
	assert.JSONEq(t, `{"a":"***","b":"***","c":["***"],"d":{"Key":"***"}}`, string(b))
	text, err := s.MarshalText()
	require.NoError(t, err)
	assert.Equal(t, "***", string(text))
}

func TestUsageAddsUpEachSideOnce(t *testing.T) {
	t.Parallel()
	var u Usage
	assert.True(t, u.IsZero())
	for b := range NumBuckets {
		u[b] = 1 << b
	}
	assert.False(t, u.IsZero())
	side := func(buckets ...Bucket) (n int64) {
		for _, b := range buckets {
			n += 1 << b
		}
		return n
	}
	assert.Equal(t, side(Input, CacheRead, CacheWrite5m, CacheWrite1h, InputAudio, InputImage), u.Prompt())
	assert.Equal(t, side(Output, Reasoning, OutputAudio, OutputImage), u.Completion())
	assert.Zero(t, u.Prompt()&u.Completion(), "no bucket is on both sides")
}

func TestNegativeCountsBecomeZero(t *testing.T) {
	t.Parallel()
	u := Usage{Input: -5, Output: 7, Requests: -1}
	u.Clamp()
	assert.Equal(t, Usage{Output: 7}, u)
}

func TestEveryBucketHasANameOfItsOwn(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for b := range NumBuckets {
		require.NotEmpty(t, b.String())
		require.False(t, seen[b.String()], b.String())
		seen[b.String()] = true
		back, ok := ParseBucket(b.String())
		require.True(t, ok)
		assert.Equal(t, b, back)
	}
	for _, bad := range []string{"", "Input", "tokens"} {
		_, ok := ParseBucket(bad)
		assert.False(t, ok, bad)
	}
}

func TestErrorsKeepTheirCauseForTheLogOnly(t *testing.T) {
	t.Parallel()
	cause := io.ErrUnexpectedEOF
	e := Wrap(CodeUnavailable, cause, "The store is %s.", "away")
	require.ErrorIs(t, e, cause)
	assert.Equal(t, "The store is away.", e.Message)
	assert.Equal(t, "The store is away.: unexpected EOF", e.Error())
	assert.Equal(t, "plain", Errorf(CodeInternal, "plain").Error())

	in := Invalid("model", "No %s.", "model")
	assert.Equal(t, Error{Code: CodeInvalid, Param: "model", Message: "No model."}, *in)
}

func TestForeignErrorsTellNothingOfTheInside(t *testing.T) {
	t.Parallel()
	foreign := errors.New("dial tcp 10.0.0.7: " + hidden)
	e := AsError(foreign)
	assert.Equal(t, CodeInternal, e.Code)
	assert.NotContains(t, e.Message, "10.0.0.7")
	require.ErrorIs(t, e, foreign)

	own := Invalid("x", "bad")
	assert.Same(t, own, AsError(fmt.Errorf("deep: %w", fmt.Errorf("deeper: %w", own))))
	assert.Equal(t, CodeInvalid, CodeOf(fmt.Errorf("deep: %w", own)))
	assert.Equal(t, CodeInternal, CodeOf(http.ErrAbortHandler))
	assert.Empty(t, CodeOf(nil))
}

func TestRolesAndCallTypes(t *testing.T) {
	t.Parallel()
	for role, admin := range map[Role]bool{RoleOwner: true, RoleAdmin: true, RoleMember: false, RoleGuest: false} {
		assert.True(t, role.Valid(), role)
		assert.Equal(t, admin, role.Administers(), role)
	}
	for _, bad := range []Role{"", "root", "Owner", "owner "} {
		assert.False(t, bad.Valid(), bad)
		assert.False(t, bad.Administers(), bad)
	}
	for _, ok := range []CallType{TypeChat, TypeEmbedding, TypeImage, TypeAudio, TypeVideo} {
		assert.True(t, ok.Valid(), ok)
	}
	assert.False(t, CallType("chat").Valid())
}
