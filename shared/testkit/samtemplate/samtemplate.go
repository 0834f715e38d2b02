// Package samtemplate reads template.yaml for the tests that compare it with the code
// and with what AWS accepts. It is for tests only.
package samtemplate

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// Read reads template.yaml as JSON values, with CloudFormation's short tags in their
// long form.
func Read(t testing.TB) map[string]any {
	t.Helper()
	_, here, _, ok := runtime.Caller(0)
	require.True(t, ok)
	b, err := os.ReadFile(filepath.Join(filepath.Dir(here), "..", "..", "..", "template.yaml"))
	require.NoError(t, err)
	var doc yaml.Node
	require.NoError(t, yaml.Unmarshal(b, &doc))
	v, err := plain(&doc)
	require.NoError(t, err)
	return v.(map[string]any)
}

// Dig follows keys; a missing one gives an empty map.
func Dig(m map[string]any, keys ...string) map[string]any {
	for _, k := range keys {
		m, _ = m[k].(map[string]any)
	}
	return m
}

// plain turns a YAML node into JSON values. CloudFormation's short tags (!Ref X) become
// their long form ({"Ref": "X"}), a key that stands twice is an error.
func plain(n *yaml.Node) (any, error) {
	if n.Kind == yaml.DocumentNode {
		return plain(n.Content[0])
	}
	if strings.HasPrefix(n.Tag, "!") && !strings.HasPrefix(n.Tag, "!!") {
		return function(n)
	}
	switch n.Kind {
	case yaml.MappingNode:
		m := map[string]any{}
		for i := 0; i < len(n.Content); i += 2 {
			k := n.Content[i].Value
			if _, twice := m[k]; twice {
				return nil, fmt.Errorf("line %d: %s stands twice", n.Content[i].Line, k)
			}
			v, err := plain(n.Content[i+1])
			if err != nil {
				return nil, err
			}
			m[k] = v
		}
		return m, nil
	case yaml.SequenceNode:
		list := make([]any, len(n.Content))
		for i, c := range n.Content {
			v, err := plain(c)
			if err != nil {
				return nil, err
			}
			list[i] = v
		}
		return list, nil
	}
	var v any
	if err := n.Decode(&v); err != nil {
		return nil, err
	}
	if i, ok := v.(int); ok {
		return float64(i), nil
	}
	return v, nil
}

// function expands a short tag.
func function(n *yaml.Node) (any, error) {
	name, bare := n.Tag[1:], *n
	bare.Tag = ""
	v, err := plain(&bare)
	if err != nil {
		return nil, err
	}
	if s, ok := v.(string); ok && name == "GetAtt" {
		resource, attribute, _ := strings.Cut(s, ".")
		v = []any{resource, attribute}
	}
	if name != "Ref" && name != "Condition" {
		name = "Fn::" + name
	}
	return map[string]any{name: v}, nil
}
