package admission

import (
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/routing"
	"github.com/aigne-hub/aigne-hub/shared/task"
)

// Replay is a kept answer that a call is answered with.
type Replay struct {
	Target  *routing.Target // where it came from; its present rate prices it
	Usage   hub.Usage       // of the answer
	Percent int64           // of that price, 0 to 100
}

// price is what the answer costs now: the whole of what the call is charged, so
// it is held and settled as it is.
func (p *Replay) price(kind hub.CallType) (money.Credits, error) {
	if p.Percent == 0 {
		return 0, nil
	}
	u := p.Usage
	countRequest(p.Target, &u)
	full, _, err := charge(p.Target, kind, task.Variant{}, &u)
	if err != nil {
		return 0, hub.Wrap(hub.CodeInternal, err, "A kept answer of %s cannot be priced.", p.Target.Name())
	}
	return full.Percent(p.Percent), nil
}
