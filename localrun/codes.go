package main

import (
	"encoding/csv"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/selling"
)

func codeSpecs() []spec {
	return []spec{
		{
			name: "create", usage: "make redeem codes", run: codesCreate, needs: []string{"amount"},
			about: "Prints the codes, one a line. They are kept sealed, so that export can show them again.",
			flags: []cli.Flag{
				text("amount", "credits of each code, a decimal with at most nine decimals"),
				&cli.Int64Flag{Name: "count", Usage: "how many codes, at most 10000", Value: 1},
				text("batch", "`NAME` of them all together; made from the time unless given"),
				text("prefix", "`TEXT` that begins each code, at most 12 letters and digits"),
				number("max-uses", "by how many different users each can be redeemed (default: 1)"),
				text("expires", "`WHEN` the codes end: a time (RFC 3339) or how long from now (720h)"),
				number("life-days", "days after redeeming when the rest of the credits lapses (default: never)"),
				text("kind", "promotional (default) or purchased"),
				number("priority", "of the grant, lower is spent first (default: 50)"),
			},
		},
		{
			name: "list", usage: "list redeem codes, without their texts", run: codesList,
			about: "Oldest first; go on with --after ID.",
			flags: []cli.Flag{
				text("batch", "only this batch"), text("state", "only active, used, expired or disabled ones"),
				number("limit", "at most so many; 50 when not given"), text("after", "go on behind the code with this `ID`"),
			},
		},
		{
			name: "disable", usage: "end a redeem code, or a whole batch", run: codesDisable, arg: "id",
			about: "Credits that were redeemed stay. Needs --id or --batch.",
			flags: []cli.Flag{text("id", "the code's `ID`"), text("batch", "the batch's `NAME`")},
		},
		{
			name: "export", usage: "print a batch with its codes as CSV", run: codesExport, needs: []string{"batch"}, arg: "batch",
			flags: []cli.Flag{text("batch", "the batch's `NAME`")},
		},
	}
}

// codeView is a redeem code as it is shown; its text only where it is made or
// exported.
type codeView struct {
	ID        string        `json:"id"`
	Code      string        `json:"code,omitempty"`
	Hint      string        `json:"hint"`
	Batch     string        `json:"batch"`
	Amount    money.Credits `json:"amount"`
	Kind      string        `json:"kind"`
	Priority  int64         `json:"priority"`
	LifeDays  int64         `json:"life_days"` // 0: for ever
	MaxUses   int64         `json:"max_uses"`
	Uses      int64         `json:"uses"`
	State     string        `json:"state"`
	ExpiresAt *time.Time    `json:"expires_at"`
	CreatedAt time.Time     `json:"created_at"`
}

func viewCode(c selling.Code) codeView {
	return codeView{ID: c.ID, Code: c.Text.Reveal(), Hint: c.Hint, Batch: c.Batch, Amount: c.Amount, Kind: c.Kind, Priority: c.Priority, LifeDays: c.LifeDays(),
		MaxUses: c.MaxUses, Uses: c.Uses, State: c.State(time.Now()), ExpiresAt: c.ExpiresAt, CreatedAt: c.CreatedAt}
}

func viewCodes(codes []selling.Code) []codeView {
	views := make([]codeView, len(codes))
	for i, c := range codes {
		views[i] = viewCode(c)
	}
	return views
}

func codesCreate(j *job) error {
	amount, err := money.ParseCredits(j.text("amount"))
	if err != nil {
		return hub.Invalid("amount", "--amount must be a decimal such as 12.5 with at most nine decimals, not %q", j.text("amount"))
	}
	expires, err := j.moment("expires")
	if err != nil {
		return err
	}
	days := j.c.Int64("life-days")
	if days < 0 || days > int64(selling.MaxLifeDays) {
		return hub.Invalid("life-days", "--life-days must be 0 to %d", selling.MaxLifeDays)
	}
	count := j.c.Int64("count")
	if count < 1 || count > selling.MaxCodes {
		return hub.Invalid("count", "--count must be 1 to %d", selling.MaxCodes)
	}
	return j.withHub(func(a *boot.App) error {
		codes, err := a.Desk.CreateCodes(j.ctx, actor, selling.NewCodes{Count: int(count), Amount: amount, Batch: j.text("batch"), Prefix: j.text("prefix"),
			Kind: j.text("kind"), Priority: j.c.Int64("priority"), Life: time.Duration(days) * 24 * time.Hour, MaxUses: j.c.Int64("max-uses"), ExpiresAt: expires})
		if err != nil {
			return err
		}
		var lines strings.Builder
		for _, c := range codes {
			lines.WriteString(c.Text.Reveal() + "\n")
		}
		return j.show(viewCodes(codes), lines.String())
	})
}

func codesList(j *job) error {
	limit := int64(50)
	if j.c.IsSet("limit") {
		if limit = j.c.Int64("limit"); limit < 1 || limit > mostRows {
			return hub.Invalid("limit", "--limit must be 1 to %d", mostRows)
		}
	}
	switch j.text("state") {
	case "", "active", "used", "expired", "disabled":
	default:
		return hub.Invalid("state", "--state must be active, used, expired or disabled, not %q", j.text("state"))
	}
	return j.withHub(func(a *boot.App) error {
		found, err := a.Store.RedeemCodes(j.ctx, j.text("batch"), j.text("state"), j.text("after"), int(limit))
		if err != nil {
			return err
		}
		views, rows := make([]codeView, len(found)), make([][]string, len(found))
		for i, row := range found {
			v := viewCode(selling.Code{RedeemCode: row})
			views[i] = v
			rows[i] = []string{v.ID, "…" + v.Hint, v.Batch, v.Amount.String(), fmt.Sprintf("%d/%d", v.Uses, v.MaxUses), v.State, timeOrDash(v.ExpiresAt)}
		}
		return j.show(views, table("ID CODE BATCH AMOUNT USES STATE EXPIRES", rows))
	})
}

func codesDisable(j *job) error {
	id, batch := j.text("id"), j.text("batch")
	if (id == "") == (batch == "") {
		return hub.Invalid("id", "disable needs --id or --batch")
	}
	return j.withHub(func(a *boot.App) (err error) {
		n := int64(1)
		if batch != "" {
			n, err = a.Desk.DisableBatch(j.ctx, actor, batch)
		} else {
			err = a.Desk.DisableCode(j.ctx, actor, id)
		}
		if err != nil {
			return err
		}
		return j.show(map[string]int64{"disabled": n}, fmt.Sprintf("Disabled %d redeem code(s).\n", n))
	})
}

func codesExport(j *job) error {
	return j.withHub(func(a *boot.App) error {
		const some = 1000
		var all []selling.Code
		for after := ""; ; after = all[len(all)-1].ID {
			codes, err := a.Desk.ExportCodes(j.ctx, actor, j.text("batch"), after, some)
			if err != nil {
				return err
			}
			if all = append(all, codes...); len(codes) < some {
				break
			}
		}
		var b strings.Builder
		out := csv.NewWriter(&b)
		rows := [][]string{{"code", "amount", "kind", "max_uses", "uses", "state", "expires_at", "batch", "id", "created_at"}}
		for _, v := range viewCodes(all) {
			expires := ""
			if v.ExpiresAt != nil {
				expires = v.ExpiresAt.Format(time.RFC3339)
			}
			rows = append(rows, selling.SafeCells(v.Code, v.Amount.String(), v.Kind, strconv.FormatInt(v.MaxUses, 10), strconv.FormatInt(v.Uses, 10), v.State,
				expires, v.Batch, v.ID, v.CreatedAt.Format(time.RFC3339)))
		}
		if err := out.WriteAll(rows); err != nil {
			return err
		}
		return j.show(viewCodes(all), b.String())
	})
}
