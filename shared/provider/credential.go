package provider

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// The types of stored credentials.
const (
	typeAPIKey  = "api_key"
	typeKeyPair = "access_key_pair"
	typeCustom  = "custom"
)

const paramCredential = "credential"

// AccessKeys is a credential that signs requests (SigV4).
type AccessKeys struct {
	ID     string     `json:"access_key_id"`
	Secret hub.Secret `json:"secret_access_key"`
	Token  hub.Secret `json:"session_token"` // of temporary keys; "" for others
}

// Encode makes the credential that ParseAccessKeys reads.
func (k AccessKeys) Encode() hub.Secret {
	b, _ := json.Marshal(map[string]string{"access_key_id": k.ID, "secret_access_key": k.Secret.Reveal(), "session_token": k.Token.Reveal()}) // strings only
	return hub.Secret(b)
}

// ParseAccessKeys reads a credential of the form {"access_key_id":…,
// "secret_access_key":…, "session_token":…}.
func ParseAccessKeys(secret hub.Secret) (AccessKeys, bool) {
	var k AccessKeys
	err := json.Unmarshal([]byte(secret.Reveal()), &k)
	return k, err == nil && k.ID != "" && k.Secret != ""
}

// bedrockKey reports whether a text is an API key of Amazon Bedrock: a long-term
// or a short-term one ("API keys" in the Bedrock user guide).
func bedrockKey(key string) bool {
	return strings.HasPrefix(key, "ABSK") || strings.HasPrefix(key, "bedrock-api-key-")
}

// ServiceAccount is a Google service account's key, as the console gives it out.
type ServiceAccount struct {
	Type     string     `json:"type"`
	Project  string     `json:"project_id"`
	KeyID    string     `json:"private_key_id"`
	PEM      hub.Secret `json:"private_key"`
	Email    string     `json:"client_email"`
	TokenURI string     `json:"token_uri"`
}

// ParseServiceAccount reads a service account's JSON key.
func ParseServiceAccount(secret hub.Secret) (ServiceAccount, bool) {
	var a ServiceAccount
	err := json.Unmarshal([]byte(secret.Reveal()), &a)
	return a, err == nil && a.Type == "service_account" && a.PEM != "" && a.Email != "" && a.TokenURI != ""
}

// Key returns the account's RSA key.
func (a ServiceAccount) Key() (*rsa.PrivateKey, error) {
	block, _ := pem.Decode([]byte(a.PEM.Reveal()))
	if block == nil {
		return nil, Unusable("The service account's private key is not in PEM form.")
	}
	if key, err := x509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
		if rsaKey, ok := key.(*rsa.PrivateKey); ok {
			return rsaKey, nil
		}
	}
	key, err := x509.ParsePKCS1PrivateKey(block.Bytes)
	if err != nil {
		return nil, Unusable("The service account's private key is no RSA key.")
	}
	return key, nil
}

// CheckCredential checks a credential's form for its kind and returns its type.
// Errors are hub.CodeInvalid with Param "credential" and never repeat it.
func CheckCredential(k Kind, secret hub.Secret) (string, error) {
	switch k.Auth {
	case SigV4:
		if bedrockKey(secret.Reveal()) {
			return typeAPIKey, nil
		}
		if _, ok := ParseAccessKeys(secret); !ok {
			return "", hub.Invalid(paramCredential,
				`Credentials of kind %s are JSON, {"access_key_id":…,"secret_access_key":…} with "session_token" for temporary keys, or an API key of Amazon Bedrock.`, k.ID)
		}
		return typeKeyPair, nil
	case GoogleAccount:
		a, ok := ParseServiceAccount(secret)
		if !ok {
			return "", hub.Invalid(paramCredential, "Credentials of kind %s are the JSON key of a Google service account.", k.ID)
		}
		if _, err := a.Key(); err != nil {
			return "", hub.Invalid(paramCredential, "%s", hub.AsError(err).Message)
		}
		return typeCustom, nil
	}
	return typeAPIKey, nil
}

// Hidden lists the texts of a credential that must not be shown: the whole, and
// for JSON each secret in it, also line by line.
func Hidden(secret hub.Secret) []string {
	const least = 6 // shorter ones are no secrets and stand in ordinary words
	whole := strings.TrimSpace(secret.Reveal())
	texts := []string{whole}
	var fields map[string]any
	if strings.HasPrefix(whole, "{") && json.Unmarshal([]byte(whole), &fields) == nil {
		for _, name := range []string{"private_key", "secret_access_key", "session_token", "access_key_id", "private_key_id"} {
			text, _ := fields[name].(string)
			texts = append(texts, text)
			if strings.Contains(text, "\n") {
				texts = append(texts, strings.Split(text, "\n")...)
			}
		}
	}
	kept := texts[:0]
	for _, text := range texts {
		mark := strings.HasPrefix(text, "-----") && !strings.Contains(text, "\n") // of any PEM file
		if len(text) >= least && !mark {
			kept = append(kept, text)
		}
	}
	return kept
}
