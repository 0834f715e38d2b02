package main

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/testkit/fakeprovider"
)

// playMarkdown is an answer with everything that a page must show, and what it
// must not run or load.
const playMarkdown = "## Tides\n\nThe **moon** pulls the sea, see [the tables](https://tides.example/tables).\n\n" +
	"| Harbour | High water |\n|---|---|\n| Brest | 05:12 |\n| Cuxhaven | 11:48 |\n\n" +
	"```js\nconst tide = (t) => Math.sin((2 * Math.PI * t) / 12.42);\n```\n\n1. Ebb\n2. Flow\n\n" +
	"<img src=\"https://tides.example/x.png\" onerror=\"alert(1)\">\n\n![a chart](https://tides.example/chart.png)\n"

// startTalkers starts the providers of the playground's day: one whose models
// think, break off, are busy and are broken, and one of pictures and films.
func startTalkers(t *testing.T) (talker *fakeprovider.Provider, media *fakeprovider.Media) {
	t.Helper()
	talker = fakeprovider.Start(t, fakeprovider.OpenAI, fakeprovider.Options{Models: []string{"gpt-fake", "gpt-fake-mini", "gpt-fake-dear"}})
	talker.Always("gpt-thinks", fakeprovider.Answer{Reasoning: "The caller asks about tides. They follow the moon.", Text: playMarkdown, Frames: 40})
	talker.Always("gpt-long", fakeprovider.Answer{Text: strings.Repeat(playMarkdown+"\n", 20), Frames: 1000})
	talker.Always("gpt-breaks", fakeprovider.Answer{Text: "This answer breaks off in its middle.", Break: fakeprovider.Cut})
	talker.Always("gpt-busy", fakeprovider.Answer{Status: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {"17"}}})
	talker.Always("gpt-down", fakeprovider.Answer{Status: http.StatusInternalServerError})
	return talker, fakeprovider.StartMedia(t, fakeprovider.OpenAIMedia, fakeprovider.MediaOptions{Polls: 1})
}

// requireStopped demands that the answer which the playground's day stopped has
// ended at the provider, because its caller left.
func requireStopped(t *testing.T, talker *fakeprovider.Provider) {
	t.Helper()
	require.Eventually(t, func() bool { return talker.InFlight() == 0 }, 10*time.Second, 50*time.Millisecond, "a stopped answer goes on at the provider")
	left := 0
	for _, r := range talker.Requests() {
		if r.Left {
			left++
			assert.Contains(t, string(r.Body), "please stall")
		}
	}
	assert.Positive(t, left, "no provider saw that its caller left")
}
