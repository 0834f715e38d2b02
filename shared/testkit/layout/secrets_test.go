package layout_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// plainSecrets are the fields that a name takes for secrets, and that are plain
// text all the same, with the reason.
var plainSecrets = map[string]string{
	"localrun/greeting.go greeting.SetupToken":              "shown to the operator, once",
	"localrun/oauth_client.go madeClient.Secret":            "shown to the operator, once",
	"functions/admin/oauth.go madeClient.Secret":            "shown to the operator, once",
	"localrun/webhook.go webhookView.Secret":                "shown to the operator, once",
	"shared/provider/credential.go ServiceAccount.TokenURI": "an address",
	"shared/boot/config.go Config.SecretsPath":              "where secrets are kept",
	"shared/store/users.go User.PasswordHash":               "User has a Format, a LogValue and no JSON of its own that shows it",
	"shared/dialect/gemini/logprobs.go tokenLogprob.Token":  "a piece of text",
	"shared/dialect/gemini/logprobs.go openAILogprob.Token": "a piece of text",
}

// notSecret are ends of names that speak of a secret and are none: what counts
// it, names it, hides it.
var notSecret = regexp.MustCompile(`(?i)(tokens|id|name|hint|hash|sealed|type|count|key_?id|tokenuri|cost|limit|field)$`)

// TestSecretsHaveATypeThatCannotBePrinted: a field whose name says that it holds
// a secret is a hub.Secret, not text that the next log line shows. Credential
// alone is the name of one in most places, and its value is called secret.
func TestSecretsHaveATypeThatCannotBePrinted(t *testing.T) {
	t.Parallel()
	secret := regexp.MustCompile(`(?i)(secret|passw|passphrase|api_?key|master_?key|private_?key|bearer|cookie|token|^pem$)`)
	used := map[string]bool{}
	fields := 0
	for _, p := range packages(t) {
		from := strings.TrimPrefix(p.ImportPath, module)
		if strings.HasPrefix(from, "shared/testkit") {
			continue
		}
		for _, name := range p.GoFiles {
			f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, name), nil, 0)
			require.NoError(t, err)
			ast.Inspect(f, func(n ast.Node) bool {
				spec, ok := n.(*ast.TypeSpec)
				if !ok {
					return true
				}
				s, ok := spec.Type.(*ast.StructType)
				if !ok {
					return true
				}
				for _, field := range s.Fields.List {
					for _, id := range field.Names {
						fields++
						if !secret.MatchString(id.Name) || !isText(field.Type) {
							continue
						}
						where := fmt.Sprintf("%s/%s %s.%s", from, name, spec.Name.Name, id.Name)
						used[where] = true
						assert.True(t, plainSecrets[where] != "" || notSecret.MatchString(id.Name), "%s must be a hub.Secret, or be named in plainSecrets with a reason", where)
					}
				}
				return true
			})
		}
	}
	require.Greater(t, fields, 1000, "the finder finds")
	for where := range plainSecrets {
		assert.True(t, used[where], "%s is no longer there", where)
	}
}

// isText reports whether a field's type is text that prints as it is.
func isText(e ast.Expr) bool {
	switch v := e.(type) {
	case *ast.Ident:
		return v.Name == "string"
	case *ast.ArrayType:
		id, ok := v.Elt.(*ast.Ident)
		return ok && (id.Name == "string" || id.Name == "byte")
	case *ast.StarExpr:
		return isText(v.X)
	}
	return false
}
