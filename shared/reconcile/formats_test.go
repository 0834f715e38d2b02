package reconcile

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

func shown(l line) string {
	n := func(v *int64) string {
		if v == nil {
			return "-"
		}
		return fmt.Sprint(*v)
	}
	return strings.Join([]string{l.at.UTC().Format("01-02T15:04"), l.model, l.key, n(l.requests), n(l.input), n(l.read), n(l.write), n(l.output), n(l.cost)}, " ")
}

func readAll(in io.Reader, f Format, o Options) ([]string, error) {
	r, err := open(f, in, o)
	if err != nil {
		return nil, err
	}
	var out []string
	for {
		l, err := r.next()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return out, err
		}
		out = append(out, shown(l))
	}
}

func TestExportsAreReadInTheirOwnMeaning(t *testing.T) {
	t.Parallel()
	mapping, err := ParseColumns("date=Day, model=Model,key=Key,input=Prompt,cached=Cached,output=Out,cost=Cost")
	require.NoError(t, err)
	for file, c := range map[string]struct {
		format Format
		want   []string // time, model, key, requests, input, cache read, cache write, output, cost
	}{
		"openai-usage.csv": {OpenAIUsage, []string{
			"11-05T00:00 gpt-4o-2024-08-06 key_first 10 53440 5760 - 10646 -",
			"11-05T00:00 gpt-4o-2024-08-06 key_first 1 800 0 - 200 -",
			"11-06T00:00 gpt-5-2025-08-07 key_second 2 5783 0 - 16000 -",
			"11-07T00:00   0 0 0 - 0 -"}},
		"openai-usage.json": {OpenAIUsage, []string{
			"11-05T00:00 gpt-4o-2024-08-06 key_first 5 200 800 - 500 -",
			"11-05T00:00 text-embedding-3-small key_first 2 16 - - - -",
			"11-05T23:00 gpt-4o-2024-08-06 key_first 1 10 0 - 5 -",
			"11-06T00:00   1 7 - - 3 -"}},
		"openai-costs.json": {OpenAICosts, []string{
			"11-05T00:00 gpt-4o-2024-08-06  - - - - - 60000000",
			"11-05T00:00 gpt-4o-2024-08-06  - - - - - 10646000",
			"11-05T00:00   - - - - - 561771250"}},
		"openai-costs.tsv": {OpenAICosts, []string{"11-05T00:00   - - - - - 895874000", "11-06T00:00   - - - - - -"}},
		"anthropic-usage.csv": {AnthropicUsage, []string{
			"11-05T00:00 claude-sonnet-4-20250514 main key - 46981 7000 16000 16932 -",
			"11-05T00:00 claude-sonnet-4-20250514 main key - 19 0 0 1 -"}},
		"anthropic-usage.json": {AnthropicUsage, []string{"11-05T00:00 claude-sonnet-4-20250514 apikey_01 - 1500 200 1500 500 -"}},
		"anthropic-cost.json": {AnthropicCost, []string{
			"11-05T00:00 claude-sonnet-4-20250514  - - - - - 1237891200",
			"11-05T00:00   - - - - - 100000000"}},
		"anthropic-cost.csv": {AnthropicCost, []string{
			"11-05T00:00 Claude Sonnet 4 main key - - - - - 1500000000", "11-05T00:00 Claude Sonnet 4 main key - - - - - 500000000"}},
		"mapped.csv": {CSV, []string{"11-05T23:30 m-1 k - 800 200 - 50 250000000", "11-05T23:30 m-1 k - 10 0 - 5 -50000000"}},
	} {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			in, err := os.Open(filepath.Join("testdata", file))
			require.NoError(t, err)
			defer in.Close()
			o := Options{}
			if c.format == CSV {
				o.Columns = mapping
			}
			got, err := readAll(in, c.format, o)
			require.NoError(t, err)
			assert.Equal(t, c.want, got)
		})
	}
}

func TestFilesThatCannotBeTrustedAreRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		format Format
		text   string
		want   string
	}{
		"an empty file":          {CSV, " \n", "empty"},
		"an unknown format":      {"xml", "x", "must be one of"},
		"columns that are not":   {OpenAIUsage, "a,b\n1,2\n", "no column start_time, model, input_tokens; it has a, b"},
		"a count that is none":   {OpenAIUsage, "start_time,model,input_tokens\n1762300800,m,12x\n", "line 2: input_tokens is no whole number"},
		"half a token":           {OpenAIUsage, "start_time,model,input_tokens\n1762300800,m,1.5\n", "line 2"},
		"a negative count":       {OpenAIUsage, "start_time,model,input_tokens\n1762300800,m,-1\n", "line 2"},
		"no date":                {CSV, "date,model,cost\nsoon,m,1\n", "line 2: date"},
		"an amount that is none": {CSV, "date,model,cost\n2025-11-05,m,1/3\n", "line 2: cost is no amount"},
		"a huge exponent":        {CSV, "date,model,cost\n2025-11-05,m,1e999999999\n", "line 2: cost is no amount"},
		"another currency":       {OpenAICosts, "start_time,amount_value,amount_currency\n1762300800,1,eur\n", "line 2: the amount is in eur"},
		"a page too few":         {OpenAIUsage, `{"data":[],"has_more":true}`, "fetch all pages"},
		"a file cut off":         {OpenAIUsage, `{"data":[{"start_time":1762300800,"results":[{"inp`, "cannot be read"},
		"cut off between":        {OpenAIUsage, `{"data":[{"start_time":1762300800,"results":[]}`, "cut off|cannot be read"},
		"another report":         {OpenAIUsage, `{"data":[{"start_time":1762300800,"results":[{"amount":{"value":1}}]}]}`, "no result of openai-usage"},
		"weeks":                  {OpenAIUsage, `{"data":[{"start_time":1762300800,"end_time":1762905600,"results":[]}]}`, "more than a day"},
		"no time":                {AnthropicUsage, `{"data":[{"results":[]}]}`, "no time at which it begins"},
		"JSON as a table":        {CSV, `{"a":1}`, "JSON"},
		"a list of nothing":      {OpenAIUsage, `[]`, "no page"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := readAll(strings.NewReader(c.text), c.format, Options{})
			var e *hub.Error
			require.ErrorAs(t, err, &e)
			assert.Regexp(t, c.want, e.Message)
		})
	}
	_, err := readAll(strings.NewReader("date,model\n"), CSV, Options{Columns: map[Column]string{colCost: "Cost"}})
	require.ErrorContains(t, err, "no column Cost")
	_, err = ParseColumns("colour=Red")
	require.ErrorContains(t, err, "date, model")
}

func TestModelsAreTheSameWhateverTheyAreCalled(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ billed, want string }{
		{"gpt-4o-2024-08-06", "gpt-4o"},
		{"gpt-4o", "gpt-4o"},
		{"gpt-4o-mini-2024-07-18", "gpt-4o-mini"},
		{"Claude Sonnet 3.5", "claude-3-5-sonnet-latest"},
		{"claude-sonnet-4-20250514", "anthropic/claude-sonnet-4"},
		{"o3", ""},
		{"twin-20250101", ""},
	} {
		called := []string{"gpt-4o", "gpt-4o-mini", "claude-3-5-sonnet-latest", "anthropic/claude-sonnet-4", "twin", "twin-latest"}
		assert.Equal(t, c.want, modelOf(c.billed, called), c.billed)
	}
	assert.Equal(t, "gpt-4o-2024-05-13", modelOf("gpt-4o-2024-05-13", []string{"gpt-4o", "gpt-4o-2024-05-13"}), "the same name first")
}

func TestADayIsAsLongAsItsZoneSays(t *testing.T) {
	t.Parallel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	from, until := dayOf(time.Date(2025, 10, 26, 12, 0, 0, 0, time.UTC), berlin)
	assert.Equal(t, 25*time.Hour, until.Sub(from))
}

func FuzzExports(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.*")
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, format := range Formats() {
			_, err := readAll(strings.NewReader(string(text)), format, Options{})
			var e *hub.Error
			if err != nil && !errors.As(err, &e) {
				t.Fatalf("%s: %v", format, err)
			}
		}
	})
}
