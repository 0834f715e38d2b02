package main

import (
	"flag"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var updateGolden = flag.Bool("update", false, "rewrite the golden files")

var volatileWords = []struct {
	find *regexp.Regexp
	put  string
}{
	{regexp.MustCompile(`[0-9A-HJKMNP-TV-Z]{26}`), "ID"},
	{regexp.MustCompile(`20\d\d-\d\d-\d\dT[0-9:.]+Z`), "TIME"},
	{regexp.MustCompile(`\d+ ms\b`), "N ms"},
	{regexp.MustCompile(`(\S) {2,}`), "$1  "}, // columns are as wide as what takes long
	{regexp.MustCompile(`at most \d+ tokens`), "at most N tokens"},
	{regexp.MustCompile(`request \S+`), "request R"},
}

func TestWhyTellsPeopleHowACallCameToItsCharge(t *testing.T) {
	t.Parallel()
	h := newHub(t, "AIGNE_HUB_BILLING=on")
	_, key := h.withProvider()
	h.ok("rate", "set", "--provider", "openai", "--model", "gpt-fake", "--input", "2", "--output", "10", "--cost-input", "1", "--cost-output", "5")
	h.ok("credits", "grant", "--user", "member@example.com", "--amount", "1")
	s := h.serve()
	status, header, body, err := s.call(t.Context(), key, hello)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, status, body)
	id := header.Get("X-Aigne-Hub-Call-Id")

	got := h.ok("why", id)
	for _, v := range volatileWords {
		got = v.find.ReplaceAllString(got, v.put)
	}
	golden := filepath.Join("testdata", "why.txt")
	if *updateGolden {
		require.NoError(t, os.WriteFile(golden, []byte(got), 0o600))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	assert.Equal(t, string(want), got)

	v := decode[struct {
		callView
		Explanation map[string]any `json:"explanation"`
	}](h, "why", "--call", id)
	assert.Equal(t, id, v.ID)
	assert.Equal(t, v.Credits.String(), v.Explanation["charged"])
	assert.Equal(t, 3, h.run("", "why", "01ARZ3NDEKTSV4RRFFQ69G5FAV").code)
	assert.Equal(t, 2, h.run("", "why").code)
}
