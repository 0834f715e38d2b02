package functions_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/calls"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/reconcile"
)

// bill imports a table as an admin and returns what came of it.
func (w *world) bill(query, body string) (int, reconcile.Imported) {
	w.t.Helper()
	r := httptest.NewRequestWithContext(w.t.Context(), "POST", "/api/billing/reconcile/imports?"+query, strings.NewReader(body))
	r.Header.Set("Content-Type", "text/csv")
	r.Header.Set("Authorization", "Bearer "+w.keys["admin"].Reveal())
	res := httptest.NewRecorder()
	w.fn["billing"].ServeHTTP(res, r)
	if res.Code == http.StatusCreated { // otherwise nothing was new
		w.changed("billing", "admin", r, res)
	}
	var v reconcile.Imported
	if res.Code < 300 {
		require.NoError(w.t, json.Unmarshal(res.Body.Bytes(), &v), res.Body.String())
	} else {
		v.Format = res.Body.String()
	}
	return res.Code, v
}

func (w *world) report(query string) reconcile.Report {
	w.t.Helper()
	res := w.do("billing", "admin", "GET", "/api/billing/reconcile?"+query, "")
	require.Equal(w.t, 200, res.Code, res.Body.String())
	var v reconcile.Report
	require.NoError(w.t, json.Unmarshal(res.Body.Bytes(), &v))
	return v
}

func drifts(r reconcile.Report) (out []string) {
	n := func(v *int64) any {
		if v == nil {
			return "-"
		}
		return *v
	}
	for _, d := range r.Drifts {
		billed, recorded := "-", "-"
		if d.Billed.CostUSD != nil {
			billed = d.Billed.CostUSD.String()
		}
		if d.Recorded.CostUSD != nil {
			recorded = d.Recorded.CostUSD.String()
		}
		out = append(out, fmt.Sprintf("%s|%s|%v/%v in %v/%v out %v/%v $%s/%s %v", d.Model, d.Credential, n(d.Billed.Requests), n(d.Recorded.Requests),
			n(d.Billed.Input), n(d.Recorded.Input), n(d.Billed.Output), n(d.Recorded.Output), billed, recorded, d.Reasons))
	}
	return out
}

func TestABillIsSetAgainstWhatWasRecorded(t *testing.T) {
	t.Parallel()
	w := open(t, "AIGNE_HUB_BILLING=on")
	w.priced()
	w.grant("member@example.com", "1")
	id := w.call("member")
	w.call("member")
	call, err := w.app.Store.CallByID(t.Context(), id)
	require.NoError(t, err)
	day := call.CreatedAt.Format(time.DateOnly)
	const heading = "date,model,key,requests,input,cached,output,cost\n"
	const query = "provider=alpha&format=csv"

	// Twice 1,000 + 20 of prompt, 100 of output; 0.00152 and a failed try of 0.001 each.
	good := heading + day + ",m,hush,1,1020,20,100,0.00152\n" + day + ",m,hush,1,1020,20,100,0.00152\n"
	status, in := w.bill(query, good)
	require.Equal(t, 201, status)
	assert.Equal(t, []int64{2, 2, 0, 0}, []int64{in.Lines, in.Added, in.Replaced, in.Unchanged})
	r := w.report("provider=alpha")
	assert.Equal(t, []string{
		"m|hush|2/2 in 2000/2000 out 200/200 $0.00304/0.00304 []",
		"m|spent|-/0 in -/0 out -/0 $-/0.002 [not_billed]",
	}, drifts(r), "the failed tries used another key, which the bill does not have")
	assert.Equal(t, 1, r.Over)

	status, in = w.bill(query, good)
	require.Equal(t, 200, status)
	assert.Empty(t, in.ID, "the same file again leaves no trace")
	assert.EqualValues(t, 2, in.Unchanged)

	status, in = w.bill(query, heading+day+",m-2024-08-06,key_7,3,1530,30,150,1\n")
	require.Equal(t, 201, status)
	assert.Equal(t, []int64{2, 0}, []int64{in.Added, in.Replaced})
	r = w.report("")
	require.Len(t, r.Drifts, 3)
	assert.Equal(t, "m||3/0 in 1500/0 out 150/0 $1/0 [unknown_key requests input cache_read output cost]", drifts(r)[0])
	assert.Equal(t, []string{"key_7"}, r.Drifts[0].Keys, drifts(r))
	assert.False(t, r.Drifts[0].Attributed)
	assert.Equal(t, "1", r.Total.Unattached.String(), "rows of nobody are named and counted")

	w.golden("billing", []apiCase{{"a key is somebody's", "admin", "PUT /api/billing/reconcile/keys", `{"provider":"alpha","key":"key_7","credential":"hush"}`, 204, ""}})
	r = w.report("over=true")
	assert.Equal(t, []string{
		"m|hush|5/2 in 3500/2000 out 350/200 $1.00304/0.00304 [requests input cache_read output cost]",
		"m|spent|-/0 in -/0 out -/0 $-/0.002 [not_billed]",
	}, drifts(r))
	assert.Equal(t, []string{"m", "m-2024-08-06"}, r.Drifts[0].Models)
	assert.Equal(t, "0.998", r.Total.DriftUSD.String())

	status, in = w.bill(query, heading+day+",m-2024-08-06,key_7,0,0,0,0,0.5\n")
	require.Equal(t, 201, status)
	assert.EqualValues(t, 2, in.Replaced, "a corrected export replaces the same day, model and key")
	assert.Equal(t, "0.50304", w.report("").Total.BilledUSD.String())

	status, in = w.bill(query, heading+day+",m,hush,1,5,0,5,9\n"+day+",m,hush,x,5,0,5,9\n")
	require.Equal(t, 400, status)
	assert.Contains(t, in.Format, "line 3: requests")
	assert.Equal(t, "0.50304", w.report("").Total.BilledUSD.String(), "of a file with a fault nothing counts")

	res := w.do("billing", "admin", "GET", "/api/billing/reconcile/calls?provider=alpha&day="+day+"&model=m&credential=hush&pageSize=1", "")
	require.Equal(t, 200, res.Code, res.Body.String())
	ids, next := idsOf(t, res)
	assert.Equal(t, []string{id}, ids)
	ids, next = idsOf(t, w.do("billing", "admin", "GET", "/api/billing/reconcile/calls?provider=alpha&day="+day+"&pageSize=1&cursor="+next, ""))
	assert.Len(t, ids, 1)
	assert.NotEqual(t, id, ids[0])
	assert.Empty(t, next)
	var imports struct{ Data []any }
	require.NoError(t, json.Unmarshal(w.do("billing", "admin", "GET", "/api/billing/reconcile/imports", "").Body.Bytes(), &imports))
	assert.Len(t, imports.Data, 3)
	var acts []string
	require.NoError(t, w.app.Store.Tx(t.Context(), readAudit("admin@example.com", &acts)))
	assert.Equal(t, []string{"bill.import", "bill.import", "bill.key", "bill.import"}, acts)
}

func TestABillWithoutKeysIsComparedAsAWhole(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.priced()
	id := w.call("member")
	call, err := w.app.Store.CallByID(t.Context(), id)
	require.NoError(t, err)
	from := call.CreatedAt.Truncate(24 * time.Hour).Unix()
	status, _ := w.bill("provider=alpha&format=openai-costs", fmt.Sprintf("start_time,end_time,amount_value,amount_currency,line_item\n"+
		"%d,%d,0.002,usd,\"m, input\"\n%d,%d,0.0015,usd,\"m, output\"\n%d,%d,,,\n", from, from+86400, from, from+86400, from+86400, from+172800))
	require.Equal(t, 201, status)
	r := w.report("min_cost=0")
	assert.Equal(t, []string{"m||-/- in -/- out -/- $0.0035/0.00252 [cost]"}, drifts(r), "all credentials and failed tries together")
	assert.Empty(t, w.report("min_cost=0.01&over=true").Drifts)
	assert.Empty(t, w.report("min_cost=0&tolerance=50&over=true").Drifts)
}

func TestABillCorrectsTheCostOfCallsAndNobodysCharge(t *testing.T) {
	t.Parallel()
	w := open(t, "AIGNE_HUB_BILLING=on")
	w.priced()
	w.grant("member@example.com", "1")
	id, same := w.call("member"), w.call("member")
	call, err := w.app.Store.CallByID(t.Context(), id)
	require.NoError(t, err)
	file := "call,date,model,cost\n" + id + "," + call.CreatedAt.Format(time.RFC3339) + ",m,0.002\n" + id + "," + call.CreatedAt.Format(time.RFC3339) + ",m,0.0005\n" +
		same + "," + call.CreatedAt.Format(time.RFC3339) + ",m,0.00152\n01ARZ3NDEKTSV4RRFFQ69G5FAV," + call.CreatedAt.Format(time.RFC3339) + ",m,1\n"
	status, in := w.bill("provider=alpha&format=csv&calls=true", file)
	require.Equal(t, 201, status)
	assert.Equal(t, []int64{1, 1}, []int64{in.CallsCorrected, in.CallsUnknown})

	after, err := w.app.Store.CallByID(t.Context(), id)
	require.NoError(t, err)
	assert.Equal(t, hub.UsageReconciled, after.Source)
	assert.Equal(t, "0.0025", after.Cost.String())
	assert.Equal(t, call.Credits, after.Credits, "what the user was charged stays")
	e := w.explanation(id)
	assert.Equal(t, []string{calls.Reconciled}, codes(e))
	assert.Equal(t, "bill", e.Operator.CostFrom)
	assert.Equal(t, "-0.00046", e.Operator.MarginUSD.String())
	require.Len(t, e.Operator.Bills, 1)
	assert.Equal(t, "0.00152", e.Operator.Bills[0].CostBefore.String())
	untouched, err := w.app.Store.CallByID(t.Context(), same)
	require.NoError(t, err)
	assert.Equal(t, hub.UsageReported, untouched.Source, "a bill that agrees changes nothing")

	status, in = w.bill("provider=alpha&format=csv&calls=true", file)
	assert.Equal(t, 200, status)
	assert.Zero(t, in.CallsCorrected)
	found, err := w.app.Book.Verify(t.Context())
	require.NoError(t, err)
	assert.Empty(t, found.Violations)
}

func TestABillMayNameRequestsInPlaceOfCalls(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.priced()
	id, twin := w.call("member"), w.call("member")
	require.NoError(t, w.app.Store.Exec(t.Context(), "UPDATE model_calls SET request_id = 'mine' WHERE id = ?1", id))
	call, err := w.app.Store.CallByID(t.Context(), id)
	require.NoError(t, err)
	other := w.call("other")
	at := call.CreatedAt.Format(time.RFC3339)
	status, in := w.bill("provider=alpha&format=csv&calls=true", "request,date,model,cost\nmine,"+at+",m,0.5\nmine,"+at+",m,0.25\nreq-1,"+at+",m,1\nnobody,"+at+",m,1\n")
	require.Equal(t, 201, status)
	assert.Equal(t, []int64{1, 2}, []int64{in.CallsCorrected, in.CallsUnknown}, "of two calls with one request id none is meant")
	call, err = w.app.Store.CallByID(t.Context(), id)
	require.NoError(t, err)
	assert.Equal(t, "0.75", call.Cost.String())
	for _, id := range []string{twin, other} {
		call, err := w.app.Store.CallByID(t.Context(), id)
		require.NoError(t, err)
		assert.Equal(t, hub.UsageReported, call.Source)
	}
}
