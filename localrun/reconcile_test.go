package main

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/store"
)

// importView is what an import prints.
type importView struct {
	store.BillImport
	CallsCorrected int64 `json:"calls_corrected"`
	CallsUnknown   int64 `json:"calls_unknown"`
}

func TestABillIsReconciledFromTheCommandLine(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	_, key := h.withProvider()
	h.ok("rate", "set", "--provider", "openai", "--model", "gpt-fake", "--input", "2", "--output", "10", "--cost-input", "1", "--cost-output", "5")
	s := h.serve()
	status, header, body, err := s.call(t.Context(), key, hello)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, status, body)
	id := header.Get("X-Aigne-Hub-Call-Id")
	day := time.Now().UTC().Format(time.DateOnly) // of the call, but for a test that runs over midnight

	file := filepath.Join(t.TempDir(), "bill.csv")
	require.NoError(t, os.WriteFile(file, []byte("Tag,model,key,cost,Id\n"+day+",gpt-fake,theirs,0.000050,"+id+"\n"), 0o600))
	args := []string{"reconcile", "import", file, "--provider", "openai", "--format", "csv", "--map", "date=Tag,call=Id", "--calls"}
	in := decode[importView](h, args...)
	assert.Equal(t, []int64{1, 1, 1, 0}, []int64{in.Lines, in.Added, in.CallsCorrected, in.CallsUnknown})
	in = decode[importView](h, args...)
	assert.Equal(t, []int64{1, 0, 0}, []int64{in.Unchanged, in.Added, in.CallsCorrected}, "the same file again")
	assert.Empty(t, in.ID)

	assert.Contains(t, h.ok("reconcile", "report", "--min-cost", "0"), "unknown_key")
	h.ok("reconcile", "map", "--provider", "openai", "--key", "theirs", "--credential", "default")
	assert.Contains(t, h.ok("reconcile", "report", "--min-cost", "0"), "0 beyond 1 %")
	assert.Contains(t, h.ok("reconcile", "report", "--all"), "0.00005/0.00005")
	assert.Contains(t, h.ok("reconcile", "calls", "--provider", "openai", "--day", day), id)
	assert.Contains(t, h.ok("reconcile", "imports"), "csv")
	assert.Contains(t, h.ok("why", id), "cost 0.00005 USD (bill)")

	o := h.run("date,model,cost\nsoon,m,1\n", "reconcile", "import", "-", "--provider", "openai", "--format", "csv")
	assert.Equal(t, 2, o.code)
	assert.Contains(t, o.stderr, "line 2: date")
	assert.Equal(t, 2, h.run("", "reconcile", "import", file, "--provider", "openai", "--format", "xml").code)
	assert.Equal(t, 2, h.run("", "reconcile", "report", "--from", "yesterday").code)
	assert.Contains(t, h.ok("notification", "low-balance", "2.5"), "2.5 credits")
	assert.Contains(t, h.ok("notification", "low-balance"), "2.5 credits")
}
