package anthropic

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/dialect/dialecttest"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

const (
	webCitation  = `{"type":"web_search_result_location","url":"https://tides.example/","title":"Tides","encrypted_index":"RW5j","cited_text":"High at nine."}`
	pageCitation = `{"type":"page_location","cited_text":"Low at three.","document_index":0,"document_title":"a.pdf","start_page_number":1,"end_page_number":2}`
)

func cited(t *testing.T) *chat.Response {
	t.Helper()
	res, err := Client{}.Decode([]byte(`{"id":"msg_1","type":"message","role":"assistant","model":"m","stop_reason":"end_turn","content":[
		{"type":"text","text":"Né: "},
		{"type":"server_tool_use","id":"srvtoolu_1","name":"web_search","input":{"query":"tide"}},
		{"type":"text","text":"high","citations":[`+webCitation+`]},
		{"type":"text","text":", low.","citations":[`+pageCitation+`]}],
		"usage":{"input_tokens":1,"output_tokens":2,"server_tool_use":{"web_search_requests":1}}}`), noQuirks)
	require.NoError(t, err)
	return res
}

func TestCitationsAreToldInOpenAIsWords(t *testing.T) {
	t.Parallel()
	res := cited(t)
	assert.Equal(t, int64(1), res.Usage[hub.WebSearches])
	require.Len(t, res.Choices[0].Parts, 1)
	p := res.Choices[0].Parts[0]
	assert.Equal(t, "Né: high, low.", p.Text)
	all := chat.Annotations(p.Annotations)
	require.Len(t, all, 2)
	assert.Equal(t, &chat.URLCitation{StartIndex: 4, EndIndex: 8, URL: "https://tides.example/", Title: "Tides", Content: "High at nine."}, all[0].URL)
	assert.Equal(t, "page_location", all[1].Type)
	assert.JSONEq(t, `[{"type":"url_citation","url_citation":{"start_index":4,"end_index":8,"url":"https://tides.example/","title":"Tides","content":"High at nine."}}]`,
		string(chat.ShownAnnotations(p.Annotations, "url_citation")), "callers of other languages see what they know")
}

func TestCitationsComeBackToTheirOwnLanguageWholeAndStreamed(t *testing.T) {
	t.Parallel()
	res := cited(t)
	whole, err := Server{}.Whole(see(t, asking), res, dialect.Closing{Usage: res.Usage})
	require.NoError(t, err)
	again, err := Client{}.Decode(whole, noQuirks)
	require.NoError(t, err)
	var own []string
	for _, a := range chat.Annotations(again.Choices[0].Parts[0].Annotations) {
		own = append(own, string(a.Own))
	}
	assert.Equal(t, []string{webCitation, pageCitation}, own)

	streamed := readStrictly(t, stream(t, dialect.Closing{Usage: res.Usage}, dialecttest.NewGenerator(dialecttest.Can{}, 1).Events(res)...))
	assert.Equal(t, again.Choices[0].Parts, streamed.Choices[0].Parts)
}

func TestCitationDeltasAreReadWhereverTheyStand(t *testing.T) {
	t.Parallel()
	var frames [][]byte
	for _, data := range []string{
		`{"type":"content_block_start","index":0,"content_block":{"type":"text","text":"","citations":[]}}`,
		`{"type":"content_block_delta","index":0,"delta":{"type":"citations_delta","citation":` + webCitation + `}}`,
		`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"high"}}`,
		`{"type":"content_block_stop","index":0}`,
	} {
		frames = append(frames, wire.AppendFrame(nil, "x", []byte(data)))
	}
	got, err := dialecttest.Collect(Client{}.Decoder(noQuirks), frames)
	require.NoError(t, err)
	all := chat.Annotations(got.Response.Choices[0].Parts[0].Annotations)
	require.Len(t, all, 1)
	assert.Equal(t, int64(4), all[0].URL.EndIndex)
}

func TestCitationsOfOtherVendorsStayOutOfConversationsWithClaude(t *testing.T) {
	t.Parallel()
	foreign := json.RawMessage(`[{"type":"url_citation","url_citation":{"start_index":0,"end_index":1,"url":"https://x.example","title":"X"}}]`)
	res := &chat.Response{Choices: []chat.Choice{{Parts: []chat.Part{{Kind: chat.Text, Text: "x", Annotations: foreign}}}}}
	whole, err := Server{}.Whole(see(t, asking), res, dialect.Closing{})
	require.NoError(t, err)
	var answer struct{ Content json.RawMessage }
	require.NoError(t, json.Unmarshal(whole, &answer))
	assert.Contains(t, string(answer.Content), `"url":"https://x.example"`, "the caller sees them")

	v := see(t, `{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"q"},{"role":"assistant","content":`+string(answer.Content)+`},{"role":"user","content":"r"}]}`)
	native, err := Client{}.Splice(v, dialect.Target{Model: "claude"})
	require.NoError(t, err)
	assert.Contains(t, string(native.Body), `{"role":"assistant","content":[{"type":"text","text":"x"}]}`)
	req, err := Server{}.Decode(v)
	require.NoError(t, err)
	translated, err := Client{}.Encode(req, dialect.Target{Model: "claude", MaxOutput: 9})
	require.NoError(t, err)
	assert.NotContains(t, string(translated.Body), "citations")
}

func TestWebSearchOptionsBecomeTheTool(t *testing.T) {
	t.Parallel()
	req := &chat.Request{Model: "m", Messages: []chat.Message{{Role: chat.User, Parts: []chat.Part{{Text: "tide?"}}}}, Extra: map[string]json.RawMessage{
		"web_search_options": json.RawMessage(`{"search_context_size":"low","user_location":{"type":"approximate","approximate":{"country":"FR"}}}`),
	}}
	enc, err := Client{}.Encode(req, dialect.Target{Model: "claude", MaxOutput: 9})
	require.NoError(t, err)
	assert.Equal(t, []string{"web_search_options.search_context_size"}, enc.Dropped)
	assert.Contains(t, string(enc.Body), `"tools":[{"name":"web_search","type":"web_search_20250305","user_location":{"country":"FR","type":"approximate"}}]`)
}
