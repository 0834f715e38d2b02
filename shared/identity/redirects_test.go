package identity_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/aigne-hub/aigne-hub/shared/identity"
)

func TestBrowsersAreSentBackToSafeAddressesOnly(t *testing.T) {
	t.Parallel()
	for address, fit := range map[string]bool{
		"https://app.example.com/done":            true,
		"https://app.example.com:8443/done?a=b":   true,
		"http://127.0.0.1/cb":                     true,
		"http://[::1]:8080/cb":                    true,
		"http://localhost:1/":                     true,
		"com.example.app:/done":                   true,
		"":                                        false,
		"/done":                                   false,
		"//evil.example/":                         false,
		"http://app.example.com/done":             false,
		"http://127.0.0.1.evil.example/":          false,
		"http://[::ffff:127.0.0.1]/":              false,
		"http://10.0.0.1/":                        false,
		"https://":                                false,
		"https://user@app.example.com/":           false,
		"https://app.example.com/#x":              false,
		"https://app.example.com/#":               false,
		"https://*.example.com/":                  false,
		"https://app.example.com/ x":              false,
		"https://app.example.com\\@evil.example/": false,
		"https://app.example.com/\r\nLocation: x": false,
		"https://пример.example/":                 false,
		"javascript:alert(1)":                     false,
		"data:text/html,x":                        false,
		"app:/done":                               false,
		"com.example.app://host/done":             false,
		"com.example.app:done":                    false,
		"https://app.example.com/" + string(make([]byte, 600)): false,
	} {
		assert.Equal(t, fit, identity.CheckRedirect(address) == nil, "%q", address)
	}
}

func TestOnlyThePortOnTheUsersMachineIsFree(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		registered, given string
		same              bool
	}{
		{"https://a.example/cb", "https://a.example/cb", true},
		{"https://a.example/cb", "https://a.example:8443/cb", false},
		{"https://a.example/cb", "https://a.example/cb/", false},
		{"http://127.0.0.1/cb", "http://127.0.0.1:51004/cb", true},
		{"http://127.0.0.1:1/cb", "http://127.0.0.1/cb", true},
		{"http://127.0.0.1:1/cb?x=1", "http://127.0.0.1:2/cb?x=1", true},
		{"http://[::1]/cb", "http://[::1]:9/cb", true},
		{"http://localhost/cb", "http://localhost:9/cb", true},
		{"http://127.0.0.1/cb", "http://127.0.0.1:2/cb?x=1", false},
		{"http://127.0.0.1/cb", "http://127.0.0.1:2/other", false},
		{"http://127.0.0.1/cb", "http://localhost:2/cb", false},
		{"http://127.0.0.1/cb", "https://127.0.0.1:2/cb", false},
		{"http://127.0.0.1/cb", "http://127.0.0.1:2@evil.example/cb", false},
		{"http://127.0.0.1/cb", "http://evil.example/cb", false},
		{"http://127.0.0.1/cb", "http://127.0.0.1:/cb", false},
		{"com.example.app:/cb", "com.example.app:/cb", true},
		{"com.example.app:/cb", "com.example.app:/cb2", false},
	} {
		assert.Equal(t, tt.same, identity.SameRedirect(tt.registered, tt.given), "%s %s", tt.registered, tt.given)
	}
	assert.True(t, identity.Assured("https://a.example/"))
	for _, address := range []string{"http://127.0.0.1/", "https://localhost/", "com.example.app:/cb"} {
		assert.False(t, identity.Assured(address), address)
	}
}
