package movein

import (
	"context"
	"crypto/sha256"
	"math/big"
	"path/filepath"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// Page is how many calls are read at once.
const Page = 500

// History is a table of calls or of usage that is read page by page.
type History struct {
	Name  string // of the file and table: the mark of progress goes by it
	Calls bool   // else usage that was not yet reported
	db    *foreign
	hub   *AIGNEHub
}

// Histories lists what there is to read, oldest first: the calls of archives and
// of the database itself.
func (a *AIGNEHub) Histories() []History {
	var all []History
	for _, db := range append(append([]*foreign{}, a.archives...), a.main) {
		all = append(all, History{Name: filepath.Base(db.path) + "/ModelCalls", Calls: true, db: db, hub: a})
	}
	return all
}

// Unreported is usage that the old hub had not told Payment Kit.
func (a *AIGNEHub) Unreported() History {
	return History{Name: filepath.Base(a.main.path) + "/Usages", db: a.main, hub: a}
}

// CountUnreported counts the rows of Unreported and sums their credits, as text.
func (a *AIGNEHub) CountUnreported(ctx context.Context) (rows int64, credits string, err error) {
	ok, err := a.main.has(ctx, "Usages", "usageReportStatus", "usedCredits", "userDid")
	if err != nil || !ok {
		return 0, "0", err
	}
	sum := new(big.Rat)
	err = a.main.each(ctx, "Usages", []string{"usedCredits"}, "WHERE "+unreported, nil, func(r record) error {
		if d, ok := r.decimal("usedCredits", moneyDigits); ok {
			rows++
			sum.Add(sum, d)
		}
		return nil
	})
	credits, _ = plain(sum, moneyDigits)
	return rows, credits, err
}

var (
	callColumns = []string{
		"id", "providerId", "model", "type", "totalUsage", "usageMetrics", "credits", "status", "duration", "errorReason",
		"appDid", "userDid", "requestId", "metadata", "callTime", "createdAt", "traceId", "ttfb", "providerTtfb",
	}
	usageColumns = []string{
		"id", "promptTokens", "completionTokens", "cacheCreationInputTokens", "cacheReadInputTokens", "numberOfImageGeneration",
		"mediaDuration", "model", "appId", "type", "usedCredits", "userDid", "createdAt",
	}
)

// unreported are rows that no report holds. Those that a crash left as counted may
// have been reported or not.
const unreported = "(usageReportStatus IS NULL OR usageReportStatus = 'counted') AND usedCredits > 0 AND userDid <> ''"

// Read gives the next page after the row with the id after ("": from the first),
// and the id of its last row. No rows: that was all. left are rows that cannot be
// taken over.
func (h *History) Read(ctx context.Context, after string) (calls []store.PastCall, last string, left int, err error) {
	table, columns, where := "Usages", usageColumns, unreported+" AND "
	if h.Calls {
		table, columns, where = "ModelCalls", callColumns, ""
	}
	if !h.Calls {
		if ok, err := h.db.has(ctx, table, "usageReportStatus", "usedCredits", "userDid"); err != nil || !ok {
			return nil, "", 0, err
		}
	}
	err = h.db.each(ctx, table, columns, "WHERE "+where+"id > ?1 ORDER BY id LIMIT ?2", []any{after, Page}, func(r record) error {
		last = r.text("id")
		c, ok := h.call(r)
		if !ok {
			left++
			return nil
		}
		calls = append(calls, c)
		return nil
	})
	return calls, last, left, err
}

// NobodyDID stands for the user of calls that name none.
const NobodyDID = "nobody"

func (h *History) call(r record) (store.PastCall, bool) {
	at := r.moment("createdAt")
	if seconds := r.integer("callTime"); seconds > 0 {
		at = time.Unix(seconds, 0).UTC()
	}
	if at.IsZero() || at.Year() < 2000 || at.Year() > 9999 {
		return store.PastCall{}, false
	}
	c := store.PastCall{
		ID: pastID(at, "aigne-hub\x00"+map[bool]string{true: "call", false: "usage"}[h.Calls]+"\x00"+r.text("id")), CreatedAt: at.UnixMilli(), FinishedAt: at.UnixMilli(),
		User: bareDID(r.text("userDid")), App: clipped(r.text("appDid")+r.text("appId"), 200), Type: callType(r.text("type")), Model: r.text("model"),
		Status: hub.StatusSuccess,
	}
	if c.User == "" {
		c.User = NobodyDID
	}
	if !h.Calls {
		return h.usage(c, r)
	}
	c.Provider, c.Requested = h.hub.names[r.text("providerId")], r.text("model")
	if c.Provider != "" {
		c.Requested = c.Provider + "/" + c.Model
	}
	c.RequestID, c.TraceID = clipped(r.text("requestId"), 100), clipped(r.text("traceId"), 100)
	switch r.text("status") {
	case "failed":
		c.Status, c.Error = hub.StatusFailed, clipped(r.text("errorReason"), 1000)
	case "processing":
		c.Status = hub.StatusInterrupted
	}
	if ms := scaled(r, "duration", 1000); ms != nil {
		c.DurationMS, c.FinishedAt = ms, c.CreatedAt+*ms
	}
	c.TTFBMS, c.ProviderTTFBMS = scaled(r, "ttfb", 1), scaled(r, "providerTtfb", 1)
	c.Usage = metrics(r, c.Type)
	var ok bool
	c.Credits, ok = credits(r, "credits", 8)
	return c, ok
}

// usage is usage that is to be reported here: the call that it belongs to is in
// the history by itself, so this one shows no tokens and costs nothing.
func (h *History) usage(c store.PastCall, r record) (store.PastCall, bool) {
	c.Requested = c.Model
	if name, model, ok := strings.Cut(c.Model, "/"); ok {
		c.Provider, c.Model = name, model
	}
	c.Reported.Tokens = map[string]int64{}
	for column, bucket := range map[string]hub.Bucket{
		"promptTokens": hub.Input, "completionTokens": hub.Output, "cacheCreationInputTokens": hub.CacheWrite5m, "cacheReadInputTokens": hub.CacheRead,
		"numberOfImageGeneration": hub.Images, "mediaDuration": hub.Seconds,
	} {
		if n := r.integer(column); n > 0 {
			c.Reported.Tokens[bucket.String()] = n
		}
	}
	var ok bool
	c.Reported.Credits, ok = credits(r, "usedCredits", moneyDigits)
	c.Reported.Pending = true
	return c, ok && c.Reported.Credits > 0
}

// credits are an amount; columns of floats are rounded to the scale they had.
func credits(r record, column string, digits int) (money.Credits, bool) {
	if r.null(column) {
		return 0, true
	}
	d, ok := r.decimal(column, digits)
	if !ok || d.Sign() < 0 {
		return 0, false
	}
	text, _ := plain(d, moneyDigits)
	amount, err := money.ParseCredits(text)
	return amount, err == nil
}

func callType(text string) hub.CallType {
	if kind := hub.CallType(text); kind.Valid() {
		return kind
	}
	return hub.TypeChat // "custom", and what Usages calls by other names
}

// scaled is a decimal times a factor as a whole number; nil: there is none.
func scaled(r record, column string, factor int64) *int64 {
	d, ok := r.decimal(column, 3)
	if !ok || d.Sign() < 0 {
		return nil
	}
	n := rounded(d.Mul(d, big.NewRat(factor, 1)), 0)
	if !n.Num().IsInt64() {
		return nil
	}
	ms := n.Num().Int64()
	return &ms
}

// metrics are a call's units as the old hub counted them.
func metrics(r record, kind hub.CallType) (u hub.Usage) {
	text := r.text("usageMetrics") // without them the total remains
	total := max(r.integer("totalUsage"), 0)
	count := func(field string) int64 {
		n := jsonDecimal(text, field)
		if n == nil || n.Sign() < 0 {
			return 0
		}
		if n = rounded(n, 0); !n.Num().IsInt64() {
			return 0
		}
		return n.Num().Int64()
	}
	u[hub.Input], u[hub.Output] = count("inputTokens"), count("outputTokens")
	u[hub.CacheWrite5m], u[hub.CacheRead] = count("cacheCreationInputTokens"), count("cacheReadInputTokens")
	switch kind {
	case hub.TypeImage:
		if u[hub.Images] = count("numberOfImageGeneration"); u[hub.Images] == 0 {
			u[hub.Images] = total
		}
	case hub.TypeVideo:
		u[hub.Seconds] = total
	default:
		if u.IsZero() {
			u[hub.Input] = total
		}
	}
	return u
}

// pastID is the id of a call of another system: of its time, so that it lies among
// others where it belongs, and always the same.
func pastID(at time.Time, name string) string {
	var id ulid.ULID
	_ = id.SetTime(ulid.Timestamp(at)) // fails beyond the year 10889
	sum := sha256.Sum256([]byte(name))
	_ = id.SetEntropy(sum[:10]) // fails for another length
	return id.String()
}
