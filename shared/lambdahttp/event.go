package lambdahttp

import (
	"encoding/json"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// errEvent is deliberately short: an event may hold a caller's credentials.
var errEvent = hub.Errorf(hub.CodeInvalid, "The function cannot read this event. It takes Function URL, API Gateway, load balancer and schedule events.")

type kind int

const (
	kindOther kind = iota
	kindFunctionURL
	kindV2  // API Gateway HTTP API, payload 2.0
	kindV1  // API Gateway REST API, or HTTP API with payload 1.0
	kindALB // load balancer target
	kindJob
)

func (k kind) http() bool { return k >= kindFunctionURL && k <= kindALB }

// envelope is the little of an event that tells its kind. Sources: the "Lambda
// proxy integration" pages of the API Gateway developer guide, "Using Lambda
// functions as targets" of the load balancer guide, "Function URL request payload"
// of the Lambda developer guide and "EventBridge event structure".
type envelope struct {
	HTTPMethod     string `json:"httpMethod"`
	Type           string `json:"type"` // REQUEST or TOKEN: an authorizer's event
	RequestContext struct {
		DomainName string    `json:"domainName"`
		ELB        *struct{} `json:"elb"`
		HTTP       *struct{} `json:"http"`
	} `json:"requestContext"`
	Job        string          `json:"job"`
	DetailType string          `json:"detail-type"`
	Detail     json.RawMessage `json:"detail"`
	Input      json.RawMessage `json:"input"`
}

func peek(raw json.RawMessage) (envelope, error) {
	var e envelope
	return e, decode(raw, &e)
}

func decode(raw json.RawMessage, to any) error {
	if json.Unmarshal(raw, to) != nil {
		return errEvent
	}
	return nil
}

func (e envelope) kind() kind {
	switch {
	case e.Type == "REQUEST" || e.Type == "TOKEN":
		return kindOther
	case e.RequestContext.ELB != nil:
		return kindALB
	case e.RequestContext.HTTP != nil && strings.Contains(e.RequestContext.DomainName, ".lambda-url."):
		return kindFunctionURL
	case e.RequestContext.HTTP != nil:
		return kindV2
	case e.HTTPMethod != "":
		return kindV1
	case e.Job != "" || e.DetailType == "Scheduled Event":
		return kindJob
	}
	return kindOther
}

// job is the name of the job a schedule event asks for: its own "job", which is what
// a target with a constant input gets, else that of "detail" or "input". "" if none.
func (e envelope) job() string {
	if e.Job != "" {
		return e.Job
	}
	for _, raw := range []json.RawMessage{e.Detail, e.Input} {
		var inner struct {
			Job string `json:"job"`
		}
		if json.Unmarshal(raw, &inner) == nil && inner.Job != "" {
			return inner.Job
		}
	}
	return ""
}
