package scale

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/oklog/ulid/v2"
)

// model is one that is called, and what its calls are like.
type model struct {
	provider, name, kind string
	input, output        int64 // credits per token, in nano
	costIn, costOut      int64
	tokensIn, tokensOut  float64 // medians
	perToken             float64 // milliseconds
	share                float64
	plan, rate           string
}

var catalogue = []model{ //nolint:gochecknoglobals // a table
	{"openai", "gpt-4o-mini", "chatCompletion", 200, 800, 150, 600, 900, 260, 8, 22, "", ""},
	{"anthropic", "claude-sonnet-4", "chatCompletion", 4000, 20000, 3000, 15000, 3200, 480, 14, 15, "", ""},
	{"openai", "gpt-4o", "chatCompletion", 3300, 13300, 2500, 10000, 1400, 320, 12, 11, "", ""},
	{"google", "gemini-2.5-flash", "chatCompletion", 400, 3300, 300, 2500, 1800, 350, 5, 11, "", ""},
	{"openai", "text-embedding-3-small", "embedding", 27, 0, 20, 0, 420, 0, 0, 10, "", ""},
	{"deepseek", "deepseek-chat", "chatCompletion", 360, 1460, 270, 1100, 1100, 400, 18, 7, "", ""},
	{"anthropic", "claude-haiku-4", "chatCompletion", 1300, 6600, 1000, 5000, 1500, 240, 7, 6, "", ""},
	{"openrouter", "llama-3.3-70b", "chatCompletion", 160, 520, 120, 390, 800, 230, 16, 4, "", ""},
	{"google", "gemini-2.5-pro", "chatCompletion", 1650, 13300, 1250, 10000, 4200, 900, 9, 4, "", ""},
	{"azure", "gpt-4o", "chatCompletion", 3300, 13300, 2500, 10000, 1300, 300, 13, 3, "", ""},
	{"openai", "gpt-4.1", "chatCompletion", 2660, 10600, 2000, 8000, 2600, 420, 11, 3, "", ""},
	{"openai", "o4-mini", "chatCompletion", 1460, 5860, 1100, 4400, 1200, 1500, 6, 2, "", ""},
	{"openai", "gpt-image-1", "imageGeneration", 6600, 53000, 5000, 40000, 60, 1056, 14, 1, "", ""},
	{"openai", "gpt-4o-mini-tts", "audioGeneration", 800, 16000, 600, 12000, 120, 380, 4, 1, "", ""},
}

// people are who calls: few call much, many call little.
type people struct {
	users   []person
	pick    []float64 // running sum of the users' shares
	models  []float64 // of the models'
	created time.Time
}

type person struct {
	id, account, email string
	keys               []string
	apps               []string
	spent              int64 // nano-credits
}

const (
	apps = 40
	// zipf is how unequal users are: the first calls some hundred times as much as
	// the thousandth.
	zipf = 0.9
)

func newPeople(r *rand.Rand, users int, created time.Time) *people {
	p := &people{created: created}
	sum := 0.0
	names := make([]string, apps)
	for i := range names {
		names[i] = fmt.Sprintf("app-%02d", i)
	}
	for i := range users {
		u := person{id: id(r, created), account: id(r, created), email: fmt.Sprintf("user%05d@example.com", i)}
		for range 1 + r.IntN(3) {
			u.keys = append(u.keys, id(r, created))
		}
		for range 1 + r.IntN(3) {
			u.apps = append(u.apps, names[r.IntN(apps)])
		}
		p.users = append(p.users, u)
		sum += math.Pow(float64(i+1), -zipf)
		p.pick = append(p.pick, sum)
	}
	sum = 0
	for i := range catalogue {
		sum += catalogue[i].share
		p.models = append(p.models, sum)
	}
	return p
}

// choose finds where a random number falls in a running sum.
func choose(r *rand.Rand, sums []float64) int {
	x := r.Float64() * sums[len(sums)-1]
	low, high := 0, len(sums)-1
	for low < high {
		mid := (low + high) / 2
		if sums[mid] < x {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low
}

// id is a ULID of a time.
func id(r *rand.Rand, at time.Time) string {
	var u ulid.ULID
	_ = u.SetTime(ulid.Timestamp(at)) // fails in the year 10889
	for i := 6; i < len(u); i++ {
		u[i] = byte(r.UintN(256))
	}
	return u.String()
}

// around is a random number whose logarithm is normally distributed.
func around(r *rand.Rand, median, spread float64) int64 {
	return int64(median * math.Exp(r.NormFloat64()*spread))
}

// busyness is how much of a day's calls falls into an hour (UTC), and of a week's
// on a day.
func busyness(at time.Time) float64 {
	day := 1.0
	if wd := at.Weekday(); wd == time.Saturday || wd == time.Sunday {
		day = 0.45
	}
	return day * (1.05 - math.Cos(float64(at.Hour()-3)/24*2*math.Pi))
}

// hours says how many calls each hour of a span has. They add up to n; the last
// day has about three times as many as the first.
func hours(n int, from, until time.Time) (out []int) {
	var weights []float64
	sum := 0.0
	span := until.Sub(from)
	for at := from; at.Before(until); at = at.Add(time.Hour) {
		const growth = 2
		w := busyness(at) * (1 + growth*float64(at.Sub(from))/float64(span))
		weights = append(weights, w)
		sum += w
	}
	carry := 0.0
	for _, w := range weights {
		exact := w/sum*float64(n) + carry
		whole := int(exact)
		carry = exact - float64(whole)
		out = append(out, whole)
	}
	total := 0
	for _, k := range out {
		total += k
	}
	out[len(out)-1] += n - total
	return out
}
