package upstream

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/provider"
	"github.com/aigne-hub/aigne-hub/shared/routing"
)

// BaseURL is where requests to a provider with a credential go below. It differs
// from the provider's own where the credential names a project.
func BaseURL(p *routing.Provider, secret hub.Secret) (string, error) {
	account, _ := provider.ParseServiceAccount(secret) // others have no project
	return provider.ProjectURL(p.BaseURL, account.Project)
}

// baseFor is where requests in a language go below, with a credential.
func baseFor(p *routing.Provider, secret hub.Secret, name dialect.Name) (string, error) {
	base, err := BaseURL(p, secret)
	if err != nil {
		return "", err
	}
	base, _ = p.Kind.BaseFor(name, base) // routing has left out what cannot be reached
	return base, nil
}

// Authorize takes a caller's credentials off a request and puts the operator's
// on it: a header, a signature over the request and its body, or a token that is
// asked for first and kept. Nothing of the request may change afterwards. Errors
// are *hub.Error with a class and hold no secret.
func (c *Client) Authorize(ctx context.Context, p *routing.Provider, r *http.Request, body []byte, secret hub.Secret) error {
	switch p.Kind.Auth {
	case provider.SigV4:
		if keys, ok := provider.ParseAccessKeys(secret); ok {
			provider.Strip(r)
			return c.sign(ctx, p, r, body, keys)
		}
	case provider.GoogleAccount:
		provider.Strip(r)
		token, err := c.tokens.token(ctx, p, secret)
		if err != nil {
			return err
		}
		r.Header.Set("Authorization", "Bearer "+token)
		return nil
	}
	return provider.Authorize(p.Kind, r, secret)
}

// service is the name by which Bedrock's signatures are scoped, at its runtime
// and at its control plane.
const service = "bedrock"

func (c *Client) sign(ctx context.Context, p *routing.Provider, r *http.Request, body []byte, keys provider.AccessKeys) error {
	region := p.Region
	if region == "" {
		region = regionOf(p.BaseURL)
	}
	if region == "" {
		return provider.Unusable("The provider has no region, and requests to it cannot be signed without.")
	}
	sum := sha256.Sum256(body)
	credentials := aws.Credentials{AccessKeyID: keys.ID, SecretAccessKey: keys.Secret.Reveal(), SessionToken: keys.Token.Reveal()}
	if err := v4.NewSigner().SignHTTP(ctx, credentials, r, hex.EncodeToString(sum[:]), service, region, c.now()); err != nil {
		return provider.Unusable("The request to the provider could not be signed.")
	}
	return nil
}

// regionOf reads the region out of an address of Amazon's, "" for others.
func regionOf(base string) string {
	u, err := url.Parse(base)
	if err != nil {
		return ""
	}
	labels := strings.Split(u.Hostname(), ".")
	if len(labels) < 4 || !strings.HasPrefix(labels[0], "bedrock") || labels[2] != "amazonaws" {
		return ""
	}
	return labels[1]
}
