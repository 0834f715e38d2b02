package wire_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"

	"github.com/aigne-hub/aigne-hub/shared/wire"
)

func TestMembersAndElementsAreFoundWithoutBuildingThem(t *testing.T) {
	t.Parallel()
	b := []byte(` { "a" : {"x":[1,"}"]} ,"b":[ 1 ,"two\"]", {"c":3} ],"n":null,"t":true,"\u0065":5, "s":"q\n" } `)
	for name, want := range map[string]string{"a": `{"x":[1,"}"]}`, "b": `[ 1 ,"two\"]", {"c":3} ]`, "n": "null", "t": "true", "s": `"q\n"`, "x": "", "e": ""} {
		assert.Equal(t, want, string(wire.Member(b, name)), name)
	}
	var keys, elements []string
	wire.EachMember(b, func(key string, _ []byte) bool {
		keys = append(keys, key)
		return key != "e"
	})
	assert.Equal(t, []string{"a", "b", "n", "t", "e"}, keys, "escapes in keys are read, and f ends it")
	wire.EachElement(wire.Member(b, "b"), func(v []byte) bool {
		elements = append(elements, string(v))
		return true
	})
	assert.Equal(t, []string{"1", `"two\"]"`, `{"c":3}`}, elements)
}

func TestTextIsReadAsTheStandardLibraryReadsIt(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{`""`, `"a"`, `"é\n\t\"\\\/"`, `"\u0041\u00e9\u20ac\ud83d\ude00"`, `"a\u0000b"`, `null`, `7`, `["x"]`, `"`, ``} {
		var want string
		if json.Unmarshal([]byte(raw), &want) != nil {
			want = ""
		}
		assert.Equal(t, want, wire.Text([]byte(raw)), raw)
		assert.EqualValues(t, len(want), wire.TextLen([]byte(raw)), raw)
	}
}

func FuzzPeek(f *testing.F) {
	for _, seed := range []string{`{"a":[1,{"b":"\""}],"c":"\u00e9"}`, `[1,2`, `{"a":}`, `{"a" "b"}`, `[,]`, `"\`, strings.Repeat("[", 50)} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		wire.Text(b)
		if wire.TextLen(b) < 0 {
			t.Fatal("a text has no negative length")
		}
		wire.EachElement(b, func([]byte) bool { return true })
		var want map[string]json.RawMessage
		valid := utf8.Valid(b) && json.Unmarshal(b, &want) == nil
		last := map[string]string{}
		wire.EachMember(b, func(key string, v []byte) bool {
			last[key] = string(v)
			return true
		})
		for key, v := range want {
			if valid && last[key] != string(v) {
				t.Fatalf("%q: %q, not %q", key, last[key], v)
			}
		}
	})
}
