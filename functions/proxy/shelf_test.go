package proxy

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/admission"
	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect/openai"
	"github.com/aigne-hub/aigne-hub/shared/dialect/responses"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/routing"
	"github.com/aigne-hub/aigne-hub/shared/upstream"
	"github.com/aigne-hub/aigne-hub/shared/vault"
)

func TestAnAnswerThatCannotBeStoredIsNoSuccess(t *testing.T) {
	t.Parallel()
	server := responses.NewServer(nil, openai.Server{}.Error)
	v := view(t, `{"model":"m","input":"x"}`)
	sealing := errors.New("no key")
	x := &exchange{
		lifetime: lifetime{
			h:      &handler{Deps: Deps{ResponsesTTL: time.Hour, Vault: func(context.Context) (*vault.Keyring, error) { return nil, sealing }}},
			ticket: &admission.Ticket{CallID: "c"}, upstream: t.Context(),
		},
		way:  way{keep: true},
		view: v, server: server,
	}
	a := &upstream.Answer{Target: &routing.Target{Provider: &routing.Provider{Name: "p"}, Model: "m"}}

	x.lane = &translation{server: server, view: v, encoder: server.Stream(v)}
	o := admission.Outcome{Status: hub.StatusSuccess}
	fault := x.keepStream(a, &o)
	require.NotNil(t, fault)
	assert.Equal(t, hub.CodeUnavailable, fault.Code)
	assert.ErrorIs(t, fault, sealing)
	assert.Equal(t, hub.StatusFailed, o.Status)

	x.lane = &translation{server: server, view: v, res: &chat.Response{Choices: []chat.Choice{{Parts: []chat.Part{{Text: "x"}}}}}}
	o = admission.Outcome{Status: hub.StatusSuccess}
	require.NotNil(t, x.keepWhole(a, &o).fault)
	assert.Equal(t, hub.StatusFailed, o.Status)
	assert.Empty(t, o.Also)

	x.way.keep = false
	assert.Nil(t, x.keepWhole(a, &o).fault, "nothing was asked to be stored")
}

func TestAConversationTooLargeToStoreIsRefusedBeforeItCosts(t *testing.T) {
	t.Parallel()
	x := &exchange{way: way{keep: true}, view: view(t, `{"input":"`+string(make10MB())+`"}`)}
	assert.Equal(t, hub.CodeInvalid, hub.CodeOf(x.tooLarge()))
	x.way.keep = false
	assert.NoError(t, x.tooLarge())
}

func make10MB() []byte {
	b := make([]byte, 10<<20)
	for i := range b {
		b[i] = 'a'
	}
	return b
}
