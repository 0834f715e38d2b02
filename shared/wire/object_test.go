package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func parse(t testing.TB, body string) *Object {
	t.Helper()
	o, err := Parse([]byte(body))
	require.NoError(t, err, body)
	return o
}

func nested(depth int) string {
	return `{"a":` + strings.Repeat("[", depth-1) + strings.Repeat("]", depth-1) + `}`
}

func TestObjectsAreTakenAsTheyCome(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		`{}`, " \t\r\n{ \n } \n", `{"a":1}`, `{"":""}`, `{"a":{"a":{"a":1}},"b":[{"x":1},{"x":1}]}`,
		`{"n":[0,-0,0.5,-1e9,1E+9,1e-9,123456789012345678901234567890]}`, `{"s":"\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00"}`,
		`{"lone surrogate":"\ud800"}`, "{\"raw\":\"é😀\u2028\x7f\"}", "{\"bad utf-8\":\"\xff\xfe\"}", `{"t":true,"f":false,"n":null}`,
		`{"model":"a","Model":"b"}`, nested(MaxDepth),
	} {
		require.True(t, json.Valid([]byte(body)), body)
		o := parse(t, body)
		assert.Equal(t, body, string(o.Raw()))
		assert.Equal(t, body, string(o.Bytes()), "without edits the bytes are the same")
	}
}

func TestWhatIsNoObjectIsRefused(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		"", " ", "null", "[]", `"{}"`, "1", "{", "}", "{}}", "{}{}", "{} x", "\ufeff{}", `{"a"}`, `{"a":}`, `{"a":1,}`, `{,}`, `{"a" 1}`, `{a:1}`,
		`{'a':1}`, `{"a":1 "b":2}`, `{"a":[1,]}`, `{"a":[1 2]}`, `{"a":[}`, `{"a":{]}`, `{"a":01}`, `{"a":+1}`, `{"a":.5}`, `{"a":1.}`, `{"a":1e}`, `{"a":-}`,
		`{"a":tru}`, `{"a":True}`, `{"a":NaN}`, `{"a":"\x"}`, `{"a":"\u12"}`, `{"a":"\u12g4"}`, "{\"a\":\"\n\"}", "{\"a\":\"\x00\"}", "{\"a\":1\x00}", `{"a":"`, `{"a":"\`,
		`{"a":"b\"}`, `{"\u12":1}`, `{"a":1} //`, "{\"a\"\v:1}", `{"a":1`, `{"a":[1`, `{"a":{"b":1`,
	} {
		require.False(t, json.Valid([]byte(body)) && strings.HasPrefix(body, "{"), body)
		_, err := Parse([]byte(body))
		var syntax *SyntaxError
		require.ErrorAs(t, err, &syntax, body)
		assert.NotEmpty(t, syntax.Error())
		assert.LessOrEqual(t, syntax.Offset, len(body))
	}
}

func TestDepthIsLimited(t *testing.T) {
	t.Parallel()
	for _, depth := range []int{MaxDepth + 1, 5_000_000} {
		_, err := Parse([]byte(nested(depth)))
		require.Error(t, err)
		_, err = Parse([]byte(strings.Repeat(`{"a":`, depth) + "1" + strings.Repeat("}", depth)))
		require.Error(t, err)
	}
	parse(t, strings.Repeat(`{"a":`, MaxDepth)+"1"+strings.Repeat("}", MaxDepth))
}

func TestRepeatedKeysAreRefusedHoweverTheyAreSpelled(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		`{"model":"a","model":"b"}`, `{"model":"a","x":1,"m\u006fdel":"b"}`, `{"\u006Dodel":1,"\u006dodel":2}`, `{"é":1,"\u00e9":2}`, `{"":1,"":2}`,
		"{\"\xff\":1,\"\xfe\":2}",
	} {
		_, err := Parse([]byte(body))
		var syntax *SyntaxError
		require.ErrorAs(t, err, &syntax, body)
		assert.Equal(t, "key appears twice", syntax.Reason, body)
		assert.NotZero(t, syntax.Offset)
	}
	parse(t, `{"a":{"x":1,"x":2}}`) // only the top level decides what is called
}

func TestManyKeysTakeLinearTime(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteByte('{')
	const keys = 500_000
	for i := range keys {
		fmt.Fprintf(&b, `"k%d":0,`, i)
	}
	o := parse(t, b.String()+`"model":"m"}`)
	assert.Len(t, o.Keys(), keys+1)
	_, err := Parse([]byte(b.String() + `"k77":1}`))
	require.ErrorContains(t, err, "k77")
}

func TestValuesAreReadRaw(t *testing.T) {
	t.Parallel()
	o := parse(t, ` { "m\u006fdel" : "g\u0070t" , "é":"ü","stream": true ,"off":false,"n":null,"o":{ "x" : 1 },"num":1.50,"one":"x" } `)
	assert.Equal(t, []string{"model", "é", "stream", "off", "n", "o", "num", "one"}, o.Keys())
	for key, want := range map[string]string{"model": `"g\u0070t"`, "o": `{ "x" : 1 }`, "num": "1.50", "stream": "true", "n": "null"} {
		got, ok := o.Get(key)
		require.True(t, ok, key)
		assert.Equal(t, want, string(got))
	}
	s, ok := o.String("model")
	assert.True(t, ok)
	assert.Equal(t, "gpt", s)
	s, _ = o.String("é")
	assert.Equal(t, "ü", s)
	for _, key := range []string{"o", "num", "n", "absent"} {
		_, ok := o.String(key)
		assert.False(t, ok, key)
	}
	assert.True(t, o.Bool("stream"))
	for _, key := range []string{"off", "n", "model", "absent"} {
		assert.False(t, o.Bool(key), key)
	}
	assert.True(t, o.Has("off"))
	assert.False(t, o.Has("n"))
	assert.False(t, o.Has("absent"))
}

func TestEditsTouchNothingElse(t *testing.T) {
	t.Parallel()
	const body = " {\n  \"model\" : \"a\" ,\t\"x\":1.0,\r\n \"last\":[ ] \n} \n"
	for _, tt := range []struct {
		name string
		edit func(o *Object)
		want string
	}{
		{"replace the first", func(o *Object) { o.Set("model", []byte(`"b"`)) }, " {\n  \"model\" : \"b\" ,\t\"x\":1.0,\r\n \"last\":[ ] \n} \n"},
		{"replace all, in no order", func(o *Object) { o.Set("last", []byte("0")); o.Set("model", []byte("1")); o.Set("x", []byte("2")) },
			" {\n  \"model\" : 1 ,\t\"x\":2,\r\n \"last\":0 \n} \n"},
		{"add", func(o *Object) { o.Set("a\"b", []byte("1")); o.Set("c", []byte("2")) }, " {\n  \"model\" : \"a\" ,\t\"x\":1.0,\r\n \"last\":[ ] \n,\"a\\\"b\":1,\"c\":2} \n"},
		{"delete the first", func(o *Object) { o.Delete("model") }, " {\n  \"x\":1.0,\r\n \"last\":[ ] \n} \n"},
		{"delete one within", func(o *Object) { o.Delete("x") }, " {\n  \"model\" : \"a\" ,\t\"last\":[ ] \n} \n"},
		{"delete the last", func(o *Object) { o.Delete("last") }, " {\n  \"model\" : \"a\" ,\t\"x\":1.0 \n} \n"},
		{"delete all", func(o *Object) { o.Delete("x"); o.Delete("last"); o.Delete("model") }, " {\n   \n} \n"},
		{"delete all and add", func(o *Object) { o.Delete("model"); o.Delete("x"); o.Delete("last"); o.Set("n", []byte("1")) }, " {\n   \n\"n\":1} \n"},
		{"delete what is not there", func(o *Object) { o.Delete("absent") }, body},
		{"change, then delete", func(o *Object) { o.Set("x", []byte("2")); o.Delete("x") }, " {\n  \"model\" : \"a\" ,\t\"last\":[ ] \n} \n"},
		{"delete, then set anew", func(o *Object) { o.Delete("x"); o.Set("x", []byte("2")) }, " {\n  \"model\" : \"a\" ,\t\"last\":[ ] \n,\"x\":2} \n"},
		{"set twice, the later counts", func(o *Object) { o.Set("x", []byte("2")); o.Set("x", []byte("3")) }, " {\n  \"model\" : \"a\" ,\t\"x\":3,\r\n \"last\":[ ] \n} \n"},
		{"add twice, the later counts", func(o *Object) { o.Set("n", []byte("2")); o.Set("n", []byte("3")) }, " {\n  \"model\" : \"a\" ,\t\"x\":1.0,\r\n \"last\":[ ] \n,\"n\":3} \n"},
		{"add, then delete", func(o *Object) { o.Set("n", []byte("2")); o.Delete("n") }, body},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := parse(t, body)
			tt.edit(o)
			assert.Equal(t, tt.want, string(o.Bytes()))
			assert.Equal(t, tt.want, string(o.Bytes()), "writing twice gives the same")
			assert.True(t, bytes.Equal([]byte(body), o.Raw()), "the body itself is never changed")
			parse(t, string(o.Bytes()))
		})
	}
}

func TestAnEmptyObjectCanBeFilled(t *testing.T) {
	t.Parallel()
	o := parse(t, " { } ")
	o.Set("a", []byte("1"))
	assert.Equal(t, ` { "a":1} `, string(o.Bytes()))
}

func TestEditsAfterWritingAreMadeToo(t *testing.T) {
	t.Parallel()
	o := parse(t, `{"model":"a"}`)
	for _, v := range []string{`"b"`, `"longer than before"`, `""`} {
		o.Set("model", []byte(v))
		o.Set("new", []byte(v))
		assert.Equal(t, `{"model":`+v+`,"new":`+v+`}`, string(o.Bytes()))
	}
}

func TestClonesDoNotShareEdits(t *testing.T) {
	t.Parallel()
	o := parse(t, `{"a":1,"b":2,"c":3}`)
	first := o.Clone()
	first.Delete("a")
	first.Set("b", []byte("0"))
	second := first.Clone()
	assert.JSONEq(t, `{"a":1,"b":2,"c":3}`, string(second.Bytes()), "a clone begins without edits")
	assert.Equal(t, []string{"a", "b", "c"}, second.Keys())
	second.Set("a", []byte("9"))
	second.Set("d", []byte("4"))
	assert.JSONEq(t, `{"a":9,"b":2,"c":3,"d":4}`, string(second.Bytes()))
	assert.JSONEq(t, `{"b":0,"c":3}`, string(first.Bytes()))
	assert.JSONEq(t, `{"a":1,"b":2,"c":3}`, string(o.Bytes()))
}

// edits makes the same edits to a map as are made to an Object.
func edits(t testing.TB, body []byte, rnd *rand.Rand, n int) {
	o, err := Parse(body)
	require.NoError(t, err)
	var want map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(body, &want))
	keys := append(o.Keys(), "new", "a\"\\\n", "é")
	for range n {
		key := keys[rnd.IntN(len(keys))]
		if rnd.IntN(2) == 0 {
			o.Delete(key)
			delete(want, key)
			continue
		}
		value := json.RawMessage(fmt.Sprintf(`{"v":%d}`, rnd.IntN(1000)))
		o.Set(key, value)
		want[key] = value
	}
	text, err := json.Marshal(want)
	require.NoError(t, err)
	require.True(t, json.Valid(o.Bytes()), "%s", o.Bytes())
	require.JSONEq(t, string(text), string(o.Bytes()))
	_, err = Parse(o.Bytes())
	require.NoError(t, err, "no key comes twice")
}

func TestAnyEditsGiveTheEditedMap(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(3, 4))
	bodies := []string{`{}`, ` {"a" : 1} `, `{"a":1,"b":[1,{"c":2}],"m\u006fdel":"x" , "d":null}`, "{\n\"a\":1\n,\n\"b\":2\n}"}
	for range 5000 {
		edits(t, []byte(bodies[rnd.IntN(len(bodies))]), rnd, rnd.IntN(8))
	}
}

func FuzzObject(f *testing.F) {
	for _, s := range []string{
		`{}`, `{"a":1,"b":[true,null],"c":{"d":"\u00e9"}}`, " {\"a\"\t:\r\n-1.5e+3 } ", `{"a":1,"\u0061":2}`, `{"a":"\ud800"}`, "{\"\xff\":1}", `{"a":01}`, `[`, nested(MaxDepth + 1),
	} {
		f.Add([]byte(s), uint64(len(s)))
	}
	f.Fuzz(func(t *testing.T, body []byte, seed uint64) {
		o, err := Parse(body)
		var all map[string]json.RawMessage
		valid := json.Unmarshal(body, &all) == nil && all != nil
		if err != nil {
			if !valid {
				return
			}
			keys, deepest := shape(t, body)
			require.True(t, keys > len(all) || deepest > MaxDepth, "refused for no reason: %v", err)
			return
		}
		require.True(t, valid)
		require.Len(t, o.Keys(), len(all))
		for _, key := range o.Keys() {
			got, ok := o.Get(key)
			require.True(t, ok)
			require.Equal(t, string(all[key]), string(got))
		}
		edits(t, body, rand.New(rand.NewPCG(seed, 0)), int(seed%6))
	})
}

// shape counts the top-level keys, repeats included, and the nesting.
func shape(t *testing.T, body []byte) (keys, deepest int) {
	dec := json.NewDecoder(strings.NewReader(string(body)))
	depth, isKey := 0, false
	for {
		tok, err := dec.Token()
		if err != nil {
			return keys, deepest
		}
		switch tok {
		case json.Delim('{'), json.Delim('['):
			depth++
			deepest = max(deepest, depth)
			isKey = depth == 1
			continue
		case json.Delim('}'), json.Delim(']'):
			depth--
			isKey = depth == 1
			continue
		}
		if depth == 1 {
			if isKey {
				keys++
			}
			isKey = !isKey
		}
	}
}

func conversation(size int) []byte {
	var b strings.Builder
	b.WriteString(`{"model":"gpt","stream":true,"messages":[`)
	for b.Len() < size-300 {
		b.WriteString(`{"role":"user","content":"The quick \"brown\" fox jumps over the lazy dog, again and again, until the page is full and nobody reads on.\n"},`)
	}
	b.WriteString(`{"role":"user","content":"end"}],"temperature":0.5}`)
	return []byte(b.String())
}

func BenchmarkParse(b *testing.B) {
	for _, size := range []int{10 << 10, 256 << 10} {
		body := conversation(size)
		b.Run(fmt.Sprintf("%dKB", size>>10), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				if _, err := Parse(body); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
