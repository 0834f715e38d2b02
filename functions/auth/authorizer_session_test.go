package auth

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
)

func TestTheAuthorizerKnowsSessionsAndNoPageOfAnotherSiteGetsThroughByOne(t *testing.T) {
	t.Parallel()
	sessions := func(r *http.Request) (hub.Caller, error) {
		for _, c := range r.CookiesNamed("__Host-aigne_hub_session") {
			if c.Value == "good" {
				return hub.Caller{UserID: "u1", Role: hub.RoleMember, Session: true}, nil
			}
		}
		return hub.Caller{}, nil
	}
	const (
		good     = `__Host-aigne_hub_session=good`
		whole    = `"arn:aws:execute-api:r:1:a/s/*"`
		readOnly = `"arn:aws:execute-api:r:1:a/s/GET/*","arn:aws:execute-api:r:1:a/s/HEAD/*","arn:aws:execute-api:r:1:a/s/OPTIONS/*"`
	)
	event := func(version, method, sources, cookie, headers string) string {
		if headers != "" {
			headers = "," + headers
		}
		return `{"type":"REQUEST","version":"` + version + `","routeArn":"arn:aws:execute-api:r:1:a/s/x","methodArn":"arn:aws:execute-api:r:1:a/s/x","identitySource":` + sources +
			`,"httpMethod":"` + method + `","requestContext":{"http":{"method":"` + method + `"}},"cookies":["theme=dark","` + cookie + `"],"headers":{"host":"hub.example.com"` + headers + `}}`
	}
	const own = `"x-aigne-hub-csrf":"1","origin":"https://hub.example.com","sec-fetch-site":"same-origin"`
	for name, tt := range map[string]struct {
		event  string
		policy bool
		want   string // resources of a policy, yes or no
	}{
		"a session":                               {event("2.0", "GET", `null`, good, ""), false, "yes"},
		"another cookie":                          {event("2.0", "GET", `null`, "__Host-aigne_hub_session=bad", ""), false, "no"},
		"a change from the hub's page":            {event("2.0", "POST", `null`, good, own), false, "yes"},
		"a change by a form":                      {event("2.0", "POST", `null`, good, ""), false, "no"},
		"a change from another site":              {event("2.0", "DELETE", `null`, good, `"x-aigne-hub-csrf":"1","sec-fetch-site":"cross-site"`), false, "no"},
		"a method that is not known":              {event("2.0", "", `null`, good, ""), false, "no"},
		"with a bad key":                          {event("2.0", "GET", `null`, good, `"authorization":"Bearer sk-hub-bad"`), false, "no"},
		"kept in the simple form":                 {event("2.0", "GET", `["`+good+`"]`, good, own), false, "no"},
		"kept as a policy":                        {event("2.0", "POST", `["`+good+`"]`, good, own), true, readOnly},
		"kept under something else":               {event("2.0", "GET", `["Basic x"]`, good, own), true, "no"},
		"a policy that is not kept":               {event("2.0", "POST", `null`, good, own), true, whole},
		"a policy for a form":                     {event("2.0", "POST", `null`, good, ""), true, "no"},
		"a REST API, which does not say it keeps": {event("", "POST", `null`, "x=y", own+`,"Cookie":"a=b; `+good+`"`), false, readOnly},
		"payload 1.0":                             {event("1.0", "GET", `"`+good+`"`, "x=y", ""), false, readOnly},
		"a key wins":                              {event("2.0", "POST", `null`, good, `"authorization":"Bearer `+goodKey+`"`), false, "yes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			z := authorizer{caller: keys, session: sessions, policy: tt.policy, browser: httpkit.Browser{PublicURL: "https://hub.example.com"}}
			out, err := z.answer(t.Context(), json.RawMessage(tt.event))
			require.NoError(t, err)
			text, err := json.Marshal(out)
			require.NoError(t, err)
			assert.NotContains(t, string(text), "good")
			switch tt.want {
			case "yes":
				assert.Contains(t, string(text), `"isAuthorized":true`)
			case "no":
				assert.NotRegexp(t, `"isAuthorized":true|"Allow"`, string(text))
			default:
				assert.Contains(t, string(text), `"Effect":"Allow","Resource":[`+tt.want+`]`)
				assert.Contains(t, string(text), `"session":"true"`)
			}
		})
	}
}
