package main

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRatesAreChangedReviewedAndRemoved(t *testing.T) {
	t.Parallel()
	h := newHub(t, "OPENAI_API_KEY=sk-x")
	h.ok("rate", "set", "gpt-4o", "--provider", "openai", "--input", "1", "--output", "20", "--tier", "200000:input=6", "--tier", "200000:output=9", "--reason", "launch")
	v := decode[[]rateView](h, "rate", "list")[0]
	require.Len(t, v.Prices.Tiers, 1)
	assert.Equal(t, map[string]string{"input": "6", "output": "9"}, v.Prices.Tiers[0].Base)

	found := decode[[]findingView](h, "rate", "check")
	require.Len(t, found, 1)
	assert.Equal(t, "below_cost", found[0].Kind)
	o := h.run("", "rate", "check", "--fail")
	assert.Equal(t, 1, o.code)

	dry := decode[struct {
		DryRun  bool           `json:"dry_run"`
		Changed int            `json:"changed"`
		Rates   []repricedView `json:"rates"`
	}](h, "rate", "reprice", "20", "--dry-run")
	assert.Equal(t, 1, dry.Changed)
	assert.Equal(t, "3", dry.Rates[0].New.Base["input"])
	assert.Equal(t, int64(1), decode[[]rateView](h, "rate", "list")[0].Version, "a dry run changes nothing")
	h.ok("rate", "reprice", "20", "--reason", "new year", "--credit-price", "0.5")
	v = decode[[]rateView](h, "rate", "list")[0]
	assert.Equal(t, []string{"6", "20"}, []string{v.Prices.Base["input"], v.Margin}, "half a dollar a credit")
	assert.Equal(t, "Every price covers its cost.\n", h.ok("rate", "check", "--credit-price", "0.5"))

	h.ok("rate", "deprecate", "gpt-4o", "--provider", "openai", "--refuse-from", "2099-01-01T00:00:00Z", "--reason", "use another")
	assert.Contains(t, h.ok("rate", "list"), "refused from 2099-01-01T00:00:00Z")
	h.ok("rate", "restore", "gpt-4o", "--provider", "openai")
	h.ok("rate", "set", "gpt-4o", "--provider", "openai", "--input", "9", "--output", "9", "--from", time.Now().Add(time.Hour).Format(time.RFC3339))
	plans := decode[[]planView](h, "rate", "plans")
	require.Len(t, plans, 1)
	h.ok("rate", "plans", "--drop", plans[0].ID)

	h.ok("alias", "set", "smart", "--to", "openai/gpt-4o")
	o = h.run("", "rate", "remove", "gpt-4o", "--provider", "openai")
	assert.Equal(t, 1, o.code)
	assert.Contains(t, o.stderr, "smart, rule 1")
	h.ok("rate", "remove", "gpt-4o", "--provider", "openai", "--force", "--reason", "gone")
	history := decode[[]versionView](h, "rate", "history", "--provider", "openai", "--model", "gpt-4o")
	var changes []string
	for _, c := range history {
		changes = append(changes, c.Change+" "+c.Reason)
	}
	assert.Equal(t, []string{"remove gone", "restore ", "deprecate use another", "reprice new year", "set launch"}, changes)
	for _, c := range []struct {
		code int
		args []string
	}{
		{3, []string{"rate", "remove", "x", "--provider", "openai"}}, {2, []string{"rate", "reprice", "--margin", "1/2"}}, {2, []string{"rate", "check", "--tolerance", "1e9"}},
		{2, []string{"rate", "history", "--model", "x"}}, {2, []string{"rate", "set", "m", "--provider", "p", "--input", "1", "--output", "1", "--tier", "input=1"}},
		{2, []string{"rate", "set", "m", "--provider", "p", "--input", "1", "--output", "1", "--from", "tomorrow"}}, {3, []string{"rate", "plans", "--drop", "x"}},
	} {
		assert.Equal(t, c.code, h.run("", c.args...).code, c.args)
	}
}

func TestACatalogueFromAFileIsReviewedAndPutInForce(t *testing.T) {
	t.Parallel()
	h := newHub(t, "OPENAI_API_KEY=sk-x")
	file := filepath.Join(t.TempDir(), "prices.json.gz")
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := z.Write([]byte(`{"format":1,"sources":[{"name":"mine","version":"1","licence":"MIT","url":"u","holds":"h"}],"providers":[{"id":"openai","kind":"openai","facts":{},"entries":[
		{"id":"gpt-4o","match":{"equals":"gpt-4o"},"prices":[{"cost":{"input":"0.000003","output":"0.00001"}}]},
		{"id":"gpt-new","match":{"equals":"gpt-new"},"prices":[{"cost":{"input":"0.000001","output":"0.000002"}}]}]}]}`))
	require.NoError(t, err)
	require.NoError(t, z.Close())
	require.NoError(t, os.WriteFile(file, b.Bytes(), 0o600))
	h.ok("rate", "set", "gpt-4o", "--provider", "openai", "--input", "5", "--output", "20")

	type diff struct {
		Digest    string         `json:"digest"`
		DryRun    bool           `json:"dry_run"`
		InForce   bool           `json:"in_force"`
		Proposals []proposalView `json:"proposals"`
		Applied   []proposalView `json:"applied"`
	}
	d := decode[diff](h, "catalogue", "diff", file)
	assert.False(t, d.InForce)
	require.Len(t, d.Proposals, 2)
	o := h.run("", "catalogue", "apply", "--file", file)
	assert.Equal(t, 2, o.code, "a new model needs a margin: %s", o.stderr)
	dry := decode[diff](h, "catalogue", "apply", "--file", file, "--margin", "50", "--dry-run")
	assert.Len(t, dry.Applied, 2)
	assert.Len(t, decode[[]rateView](h, "rate", "list"), 1)
	h.ok("catalogue", "apply", "--file", file, "--skip-new", "--reason", "November")
	list := decode[[]rateView](h, "rate", "list")
	require.Len(t, list, 1)
	assert.Equal(t, []string{"5", "3", "catalogue"}, []string{list[0].Prices.Base["input"], list[0].Cost.Base["input"], list[0].CostSource}, "the price is the operator's, the cost the catalogue's")
	assert.Contains(t, h.ok("catalogue", "sources"), "mine")
	assert.Contains(t, h.ok("catalogue", "show", "openai/gpt-new"), "input 1, output 2")
	assert.Equal(t, 3, h.run("", "catalogue", "show", "openai/o3").code)
	h.ok("catalogue", "dismiss", "--only", "openai/gpt-new", "--reason", "not for us")
	assert.Contains(t, h.ok("catalogue", "diff", file), "Nothing differs.")
	assert.Contains(t, h.ok("catalogue", "history", "--state", "dismissed"), "not for us")
	assert.Contains(t, h.ok("catalogue", "history"), "November")

	// Back to the catalogue that came with this version.
	h.ok("catalogue", "apply", "--skip-new")
	assert.Contains(t, h.ok("catalogue", "show", "openai/o3"), "input")
	assert.Equal(t, 2, h.run("no gzip", "catalogue", "diff", "-").code)
	assert.Equal(t, 3, h.run("", "catalogue", "dismiss", "--only", "a/b").code)
}

func TestTiersAndVariantsOfCostsSurviveTheFile(t *testing.T) {
	t.Parallel()
	h := newHub(t, "AIGNE_HUB_CREDIT_PRICE=0.03")
	h.ok("rate", "set", "m", "--provider", "p", "--input", "1", "--output", "2", "--tier", "200000:input=3", "--cost", "input=0.5", "--cost-tier", "200000:input=0.7")
	h.ok("rate", "set", "i", "--provider", "p", "--type", "imageGeneration", "--per-unit", "images:hd=0.08", "--cost", "images:hd=40000")
	file := filepath.Join(t.TempDir(), "hub.yaml")
	h.ok("export", file)
	other := newHub(t, "AIGNE_HUB_CREDIT_PRICE=0.03")
	other.ok("apply", file)
	a, b := decode[[]rateView](h, "rate", "list"), decode[[]rateView](other, "rate", "list")
	require.Len(t, b, 2)
	for i := range a {
		assert.Equal(t, a[i].Prices, b[i].Prices)
		assert.Equal(t, a[i].Cost, b[i].Cost)
	}
	assert.Contains(t, other.ok("apply", file, "--dry-run"), "0 created, 0 changed, 2 unchanged")
}
