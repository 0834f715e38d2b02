package notify

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// receiver is a webhook's other end, as strict as Standard Webhooks asks for: it
// checks the signature by its own code, refuses old and future stamps, and takes
// each id once.
type receiver struct {
	*httptest.Server
	t      *testing.T
	secret string
	now    func() time.Time

	mu      sync.Mutex
	answers []int // statuses to answer first; then 204
	wait    time.Duration
	took    map[string]int // events by id
	tries   int
	last    payload
}

func newReceiver(t *testing.T, now func() time.Time) *receiver {
	t.Helper()
	r := &receiver{t: t, now: now, took: map[string]int{}}
	r.Server = httptest.NewServer(r)
	t.Cleanup(r.Close)
	return r
}

// answer scripts what comes next.
func (r *receiver) answer(wait time.Duration, statuses ...int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.wait, r.answers = wait, statuses
}

func (r *receiver) seen() (tries int, took map[string]int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := map[string]int{}
	for id, n := range r.took {
		out[id] = n
	}
	return r.tries, out
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	body, err := io.ReadAll(q.Body)
	if err != nil {
		return
	}
	r.mu.Lock()
	wait := r.wait
	r.tries++
	r.mu.Unlock()
	select {
	case <-q.Context().Done():
		return
	case <-time.After(wait):
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.answers) > 0 {
		status := r.answers[0]
		r.answers = r.answers[1:]
		if status >= 300 {
			if status < 400 {
				w.Header().Set("Location", "/elsewhere")
			}
			w.WriteHeader(status)
			return
		}
	}
	id, stamp := q.Header.Get("webhook-id"), q.Header.Get("webhook-timestamp")
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	const tolerance = 5 * time.Minute
	if age := r.now().Sub(time.Unix(seconds, 0)); err != nil || age > tolerance || age < -tolerance {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(r.secret, "whsec_"))
	assert.NoError(r.t, err)
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + stamp + "." + string(body)))
	good := false
	for one := range strings.SplitSeq(q.Header.Get("webhook-signature"), " ") {
		sum, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(one, "v1,"))
		good = good || (err == nil && hmac.Equal(sum, mac.Sum(nil)))
	}
	if !good || q.Method != http.MethodPost || q.Header.Get("Content-Type") != "application/json" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	r.took[id]++
	assert.NoError(r.t, json.Unmarshal(body, &r.last))
	assert.Equal(r.t, id, r.last.ID)
	w.WriteHeader(http.StatusNoContent)
}
