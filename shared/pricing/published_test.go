package pricing_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/dialect/anthropic"
	"github.com/aigne-hub/aigne-hub/shared/dialect/bedrock"
	"github.com/aigne-hub/aigne-hub/shared/dialect/gemini"
	"github.com/aigne-hub/aigne-hub/shared/dialect/openai"
	"github.com/aigne-hub/aigne-hub/shared/dialect/openaitasks"
	"github.com/aigne-hub/aigne-hub/shared/dialect/responses"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/pricing"
	"github.com/aigne-hub/aigne-hub/shared/provider"
	"github.com/aigne-hub/aigne-hub/shared/task"
)

// published is an example of what a call costs, after what its vendor publishes:
// a sum, or a list of prices and a usage report.
type published struct {
	Source  string           `json:"source"` // where it is published
	Read    string           `json:"read"`   // when it was read there
	Says    string           `json:"says"`   // what, in our words
	Kind    string           `json:"kind"`
	Model   string           `json:"model"`
	At      time.Time        `json:"at"`      // of the call
	Wire    string           `json:"wire"`    // the answer's language
	Service string           `json:"service"` // "" for the usual one
	Answer  json.RawMessage  `json:"answer"`
	Usage   map[string]int64 `json:"usage"`
	USD     string           `json:"usd"`
}

// tasks are the languages of work beside chat.
var tasks = map[string]*task.Request{
	"openai-images": {Kind: task.ImageGeneration, Image: &task.Image{}}, "openai-embeddings": {Kind: task.Embedding},
	"openai-transcriptions": {Kind: task.Transcription, Listen: &task.Listen{Format: "json"}},
}

// used reads an answer as the proxy does.
func (p *published) used(t *testing.T) (hub.Usage, task.Variant) {
	t.Helper()
	if req := tasks[p.Wire]; req != nil {
		res, err := openaitasks.Client{}.Decode(req, dialect.TaskAnswer{Body: p.Answer}, dialect.Target{})
		require.NoError(t, err)
		return res.Usage, res.Variant
	}
	client := map[string]dialect.Client{"openai-chat": openai.Client{}, "responses": responses.Client{}, "anthropic": anthropic.Client{},
		"gemini": gemini.Client{}, "bedrock": bedrock.Client{}}[p.Wire]
	require.NotNil(t, client, p.Wire)
	kind, ok := provider.Find(p.Kind)
	require.True(t, ok)
	m := client.Meter(nil, kind.Quirks)
	require.NoError(t, m.Whole(p.Answer))
	require.True(t, m.Report().Known)
	return m.Report().Usage, task.Variant{}
}

func TestPublishedExamplesCostWhatTheirVendorsSay(t *testing.T) {
	t.Parallel()
	catalogue := pricing.OpenCatalogue(time.Now)
	files, err := filepath.Glob("testdata/published/*.json")
	require.NoError(t, err)
	require.Greater(t, len(files), 25)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			var p published
			require.NoError(t, json.Unmarshal(text, &p))
			require.NotEmpty(t, p.Source)
			require.NotEmpty(t, p.Read)

			usage, variant := p.used(t)
			want := hub.Usage{}
			for name, n := range p.Usage {
				b, ok := hub.ParseBucket(name)
				require.True(t, ok, name)
				want[b] = n
			}
			require.Equal(t, want, usage, "buckets that do not overlap")

			m, ok := catalogue.LookupAt(p.Kind, p.Model, p.At)
			require.True(t, ok)
			cost := m.Cost
			if p.Service != "" {
				variant.Quality = p.Service
				require.NotEqual(t, cost.For("", ""), cost.For(p.Service, ""), "the catalogue knows the service")
			}
			usd, err := money.ParseCredits(p.USD)
			require.NoError(t, err)
			assert.Equal(t, usd.String(), charge(t, cost, usage, variant).String(), p.Says)

			// Sold at a margin, the call costs the user that much more, to the nano-credit.
			rates, err := pricing.FromCost(cost, "100", "0.5")
			require.NoError(t, err)
			assert.Equal(t, (4 * usd).String(), charge(t, rates, usage, variant).String())
			found, err := pricing.Shortages(&rates, &cost, "0.5")
			require.NoError(t, err)
			assert.Empty(t, found)
		})
	}
}

// charge prices a usage as a settlement does.
func charge(t *testing.T, prices pricing.Prices, usage hub.Usage, v task.Variant) money.Credits {
	t.Helper()
	of := prices.For(v.Quality, v.Size)
	amount, err := of.Charge(of.Measured(usage))
	require.NoError(t, err)
	return amount
}
