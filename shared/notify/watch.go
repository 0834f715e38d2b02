package notify

import (
	"context"
	"fmt"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// lasting is how long a target has to be down, or up again, before anybody is
// told: what mends itself in a moment is no news.
const lasting = 30 * time.Second

// Watch tells operators of targets that went down or came back. Each change is
// told once, however many processes saw it: its id is made from the target and
// the moment. Of a target that never answered only those hear to whom it matters:
// it may be a name that a caller made up.
func (p *Post) Watch(ctx context.Context, matters func(store.ModelStatus) bool) error {
	const batch = 100
	changed, err := p.Store.UntoldStatuses(ctx, lasting, batch)
	if err != nil {
		return err
	}
	for _, m := range changed {
		if m.Answered || matters(m) {
			if err := p.Tell(ctx, turned(m)); err != nil {
				return err
			}
		}
		if err := p.Store.TellStatus(ctx, m); err != nil {
			return err
		}
	}
	return nil
}

func turned(m store.ModelStatus) Event {
	name := m.Provider + "/" + m.Model
	e := Event{Kind: TargetUp, Severity: Info, Title: name + " answers again.",
		Data: map[string]any{"provider": m.Provider, "model": m.Model, "type": string(m.Type), "since": m.ChangedAt.Format(time.RFC3339)}}
	if !m.Available {
		e.Kind, e.Severity = TargetDown, Failure
		e.Title = fmt.Sprintf("%s does not answer (%s).", name, words(m.Category))
		e.Data["error"], e.Data["reason"] = m.Category, m.Error
	}
	e.ID = fmt.Sprintf("%s:%s:%s:%d", e.Kind, name, m.Type, m.ChangedAt.UnixMilli())
	return e
}

// words says an error category in words.
func words(category string) string {
	switch hub.Code(category) {
	case hub.CodeTimeout:
		return "no answer in time"
	case hub.CodeRateLimited:
		return "it limits the hub's calls"
	case hub.CodeProviderCredential:
		return "it refuses the hub's credentials"
	}
	return "it fails"
}
