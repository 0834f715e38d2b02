package httpkit_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
)

type limits struct {
	RPM   int      `json:"rpm" validate:"gte=0,lte=1000"`
	Price *float64 `json:"price"`
}

type form struct {
	Email  string         `json:"email" validate:"required,email"`
	Role   string         `json:"role" validate:"omitempty,oneof=admin member"`
	Name   string         `json:"name" validate:"omitempty,min=2,max=5"`
	Tags   []string       `json:"tags" validate:"max=1,dive,min=1"`
	Limits *limits        `json:"limits"`
	Rows   []limits       `json:"rows" validate:"dive"`
	Amount *money.Credits `json:"amount" validate:"omitempty,gt=0"`
	When   *time.Time     `json:"when"`
	On     bool           `json:"on"`
	Skip   string         `json:"-"`
}

func TestDecodeNamesTheFieldAtFault(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, body, param, says string
	}{
		{"empty", "", "", "empty"},
		{"blank", " \n", "", "empty"},
		{"null", "null", "", "null"},
		{"cut off", `{"email":"a@b.co"`, "", "cut-off"},
		{"no JSON", `email=a`, "", "not valid JSON at byte 1"},
		{"an array", `[]`, "", "must be an object, not an array"},
		{"data after the value", `{"email":"a@b.co"}{}`, "", "more data"},
		{"garbage after the value", `{"email":"a@b.co"} x`, "", "more data"},
		{"an unknown field", `{"email":"a@b.co","emial":1}`, "emial", `no field "emial"`},
		{"a hidden field", `{"email":"a@b.co","Skip":"x"}`, "Skip", "no field"},
		{"an unknown inner field", `{"email":"a@b.co","limits":{"tpm":1}}`, "tpm", `no field "tpm"`},
		{"a string for a number", `{"limits":{"rpm":"9"}}`, "limits.rpm", "limits.rpm must be a whole number, not a string"},
		{"a fraction for a whole number", `{"limits":{"rpm":1.5}}`, "limits.rpm", "whole number within"},
		{"a number out of range", `{"limits":{"rpm":99999999999999999999}}`, "limits.rpm", "whole number within"},
		{"a string for a fraction", `{"limits":{"price":"1"}}`, "limits.price", "must be a number, not a string"},
		{"a number for a string", `{"email":7}`, "email", "must be a string, not a number"},
		{"a bool for a list", `{"tags":true}`, "tags", "must be an array, not true or false"},
		{"a list for a bool", `{"on":[]}`, "on", "must be true or false, not an array"},
		{"a string for an object", `{"limits":"x"}`, "limits", "must be an object, not a string"},
		{"a number for an amount", `{"amount":5}`, "amount", "must be a string, not a number"},
		{"text that is no amount", `{"email":"a@b.co","amount":"five"}`, "amount", "not a decimal number"},
		{"text that is no time", `{"email":"a@b.co","when":"noon"}`, "when", "when: "},
		{"a required field left out", `{}`, "email", "email is required"},
		{"not an address", `{"email":"x"}`, "email", "email must be an e-mail address"},
		{"not one of", `{"email":"a@b.co","role":"king"}`, "role", "role must be one of admin, member"},
		{"too short", `{"email":"a@b.co","name":"x"}`, "name", "name must have at least 2 characters"},
		{"too long", `{"email":"a@b.co","name":"xxxxxx"}`, "name", "at most 5 characters"},
		{"too many", `{"email":"a@b.co","tags":["a","b"]}`, "tags", "tags must have at most 1 entry"},
		{"a bad entry", `{"email":"a@b.co","tags":[""]}`, "tags[0]", "tags[0] must have at least 1 character."},
		{"a bad inner value", `{"email":"a@b.co","rows":[{"rpm":1},{"rpm":1001}]}`, "rows[1].rpm", "rows[1].rpm must be at most 1000"},
		{"a bad amount", `{"email":"a@b.co","amount":"0"}`, "amount", "amount must be more than 0"},
		{"two faults at once", `{"role":"king"}`, "email", "email is required; role must be one of"},
		{"a bomb", `{"rows":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + "}", "", "nests deeper than 64"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := httpkit.Decode[form](post(tt.body))
			require.Error(t, err)
			e := hub.AsError(err)
			assert.Equal(t, hub.CodeInvalid, e.Code)
			assert.Equal(t, tt.param, e.Param)
			assert.Contains(t, e.Message, tt.says)
			assert.NotContains(t, e.Message, "httpkit_test")
			assert.NotContains(t, e.Message, "money.")
		})
	}
}

func TestDecodeReadsAGoodBody(t *testing.T) {
	t.Parallel()
	f, err := httpkit.Decode[form](post(` {"email":"a@b.co","amount":"0.5","tags":["[{\"]"],"limits":{"rpm":3}} `))
	require.NoError(t, err)
	assert.Equal(t, "a@b.co", f.Email)
	assert.Equal(t, money.Credit/2, *f.Amount)
	assert.Equal(t, 3, f.Limits.RPM)

	list, err := httpkit.Decode[[]int](post(`[1,2]`))
	require.NoError(t, err)
	assert.Equal(t, []int{1, 2}, list)
	_, err = httpkit.Decode[[]money.Rate](post(`["1","x"]`))
	assert.Equal(t, "[1]", hub.AsError(err).Param)
	_, err = httpkit.Decode[struct {
		A string `json:"a" validate:"required"`
	}](post(`{}`))
	assert.Equal(t, "a", hub.AsError(err).Param, "a type without a name")
}

func TestDecodeRefusesOtherMedia(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, header, value string
		want                hub.Code
	}{
		{"a form", "Content-Type", "application/x-www-form-urlencoded", hub.CodeUnsupportedMedia},
		{"plain text", "Content-Type", "text/plain", hub.CodeUnsupportedMedia},
		{"no type", "Content-Type", "", hub.CodeUnsupportedMedia},
		{"a broken type", "Content-Type", "application/json; =", hub.CodeUnsupportedMedia},
		{"compression", "Content-Encoding", "gzip", hub.CodeUnsupportedMedia},
		{"a charset", "Content-Type", "application/json; charset=utf-8", ""},
		{"a JSON type", "Content-Type", "application/merge-patch+json", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := post(`{"email":"a@b.co"}`)
			r.Header.Set(tt.header, tt.value)
			_, err := httpkit.Decode[form](r)
			assert.Equal(t, tt.want, hub.CodeOf(err))
		})
	}
}

func TestBodiesAreBounded(t *testing.T) {
	t.Parallel()
	big := `{"email":"` + strings.Repeat("a", 1<<20) + `"}`
	_, err := httpkit.Decode[form](post(big))
	assert.Equal(t, hub.CodeTooLarge, hub.CodeOf(err))
	assert.Contains(t, err.Error(), "1048576 bytes")

	r := post("")
	r.Body, r.ContentLength = io.NopCloser(strings.NewReader(big)), -1
	_, err = httpkit.DecodeLimit[form](r, 50)
	assert.Equal(t, hub.CodeTooLarge, hub.CodeOf(err))

	r = post("")
	r.Body, r.ContentLength = io.NopCloser(iotest.ErrReader(errors.New("reset"))), -1
	_, err = httpkit.ReadBody(r, 50)
	assert.Equal(t, hub.CodeInvalid, hub.CodeOf(err))

	b, err := httpkit.ReadBody(post("12345"), 5)
	require.NoError(t, err)
	assert.Equal(t, "12345", string(b))
}

func TestValidateSpeaksOfEveryRule(t *testing.T) {
	t.Parallel()
	v := struct {
		A int    `json:"a" validate:"min=3"`
		B int    `json:"b" validate:"lt=0"`
		C string `json:"c" validate:"len=2"`
		D []int  `json:"d" validate:"unique"`
		E string `json:"e" validate:"excluded_with=C"`
		F string `json:"f" validate:"startswith=x"`
		G string `json:"g" validate:"cidr"`
		H string `validate:"required"`
	}{C: "x", D: []int{1, 1}, E: "x", F: "y", G: "z"}
	err := httpkit.Validate(v)
	require.Error(t, err)
	assert.Equal(t, "a must be at least 3; b must be less than 0; c must have exactly 2 characters; "+
		"d must not hold the same entry twice; e must be left out here; f does not fulfil the rule startswith=x; "+
		"g must be an address range such as 10.0.0.0/8; H is required.", err.Error())
	require.NoError(t, httpkit.Validate(nil))
	require.NoError(t, httpkit.Validate(7))
}

func TestPagingIsBounded(t *testing.T) {
	t.Parallel()
	cursor := httpkit.EncodeCursor("1750000000000", "01ABC")
	tests := []struct {
		query string
		want  httpkit.Paging
		param string
	}{
		{"", httpkit.Paging{Page: 1, Size: 20}, ""},
		{"page=3&pageSize=100", httpkit.Paging{Page: 3, Size: 100}, ""},
		{"cursor=" + cursor + "&pageSize=5", httpkit.Paging{Page: 1, Size: 5, Cursor: cursor}, ""},
		{"pageSize=101", httpkit.Paging{}, "pageSize"},
		{"pageSize=0", httpkit.Paging{}, "pageSize"},
		{"pageSize=-1", httpkit.Paging{}, "pageSize"},
		{"pageSize=ten", httpkit.Paging{}, "pageSize"},
		{"page=0", httpkit.Paging{}, "page"},
		{"page=10001", httpkit.Paging{}, "page"},
		{"page=99999999999999999999", httpkit.Paging{}, "page"},
		{"page=2&cursor=x", httpkit.Paging{}, "page"},
		{"cursor=" + strings.Repeat("x", 2000), httpkit.Paging{}, "cursor"},
	}
	for _, tt := range tests {
		got, err := httpkit.ParsePaging(httptest.NewRequest(http.MethodGet, "/?"+tt.query, nil))
		if tt.param != "" {
			require.Error(t, err, tt.query)
			assert.Equal(t, tt.param, hub.AsError(err).Param, tt.query)
			continue
		}
		require.NoError(t, err, tt.query)
		assert.Equal(t, tt.want, got, tt.query)
	}
	assert.Equal(t, 200, httpkit.Paging{Page: 3, Size: 100}.Offset())
}

func TestACursorGivesItsKeysBack(t *testing.T) {
	t.Parallel()
	keys, err := httpkit.DecodeCursor(httpkit.EncodeCursor("a\"b", "", "日"), 3)
	require.NoError(t, err)
	assert.Equal(t, []string{"a\"b", "", "日"}, keys)
	for _, bad := range []string{"", "%%%", "AAAA", httpkit.EncodeCursor("a"), httpkit.EncodeCursor("a", "b", "c", "d")} {
		_, err := httpkit.DecodeCursor(bad, 3)
		assert.Equal(t, "cursor", hub.AsError(err).Param, "%q", bad)
	}
}

func TestOnlyATrustedPeerMaySayWhoTheClientIs(t *testing.T) {
	t.Parallel()
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	tests := []struct {
		name, peer string
		forwarded  []string
		want       string
	}{
		{"no header", "203.0.113.9:4", nil, "203.0.113.9"},
		{"a peer that is not trusted", "203.0.113.9:4", []string{"1.1.1.1"}, "203.0.113.9"},
		{"a trusted peer", "10.0.0.1:4", []string{"198.51.100.7"}, "198.51.100.7"},
		{"what the client typed is not believed", "10.0.0.1:4", []string{"1.1.1.1, 198.51.100.7"}, "198.51.100.7"},
		{"a chain of trusted proxies", "10.0.0.1:4", []string{"1.1.1.1, 198.51.100.7, 10.0.0.3", "10.0.0.2"}, "198.51.100.7"},
		{"all are trusted", "10.0.0.1:4", []string{"10.0.0.9, 10.0.0.8"}, "10.0.0.9"},
		{"garbage ends the chain", "10.0.0.1:4", []string{"1.1.1.1, unknown, 10.0.0.2"}, "10.0.0.2"},
		{"an empty header", "10.0.0.1:4", []string{""}, "10.0.0.1"},
		{"ports in the header", "[fd00::1]:4", []string{"[2001:db8::7]:99"}, "2001:db8::7"},
		{"a bare IPv6 in brackets", "fd00::1", []string{"[2001:db8::7]"}, "2001:db8::7"},
		{"IPv4 in IPv6", "[::ffff:10.0.0.1]:4", []string{"::ffff:198.51.100.7"}, "198.51.100.7"},
		{"a zone is dropped", "[fe80::1%eth0]:4", nil, "fe80::1"},
		{"a peer without port", "198.51.100.7", nil, "198.51.100.7"},
		{"an unknown peer", "@", []string{"1.1.1.1"}, "invalid IP"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.RemoteAddr = tt.peer
			r.Header["X-Forwarded-For"] = tt.forwarded
			assert.Equal(t, tt.want, httpkit.ClientIP(r, trusted).String())
		})
	}
}
