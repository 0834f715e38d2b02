package boot

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// settingConfig names the file that the others may stand in.
const settingConfig = prefix + "CONFIG"

// Key is what a setting is called in a configuration file and among the
// preferences of a Blocklet: the variable's name without what all have in common.
func (s Setting) Key() string { return strings.ToLower(strings.TrimPrefix(s.Name, prefix)) }

// configFile is what a configuration file says.
type configFile struct {
	path   string
	values map[string]fileValue // by the variables' names
}

type fileValue struct {
	text string
	line int
}

// at is where a value stands, as editors take it.
func (f configFile) at(line int) string { return fmt.Sprintf("%s:%d", f.path, line) }

// maxConfigFile is far more than all settings take, in bytes.
const maxConfigFile = 1 << 20

// readConfigFile reads a YAML file, a mapping of keys to values; one error for each
// fault, with the key in Param and the file's line in the text. No error repeats a value.
func readConfigFile(path string, settings []Setting) (configFile, []error) {
	f := configFile{path: path, values: map[string]fileValue{}}
	blame := func(format string, args ...any) (configFile, []error) {
		return f, []error{hub.Invalid(settingConfig, "%s: "+format, append([]any{path}, args...)...)}
	}
	file, err := os.Open(path) //nolint:gosec // the operator's own file
	if err != nil {
		return blame("the configuration file cannot be read: %v", errors.Unwrap(err))
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxConfigFile+1))
	switch {
	case err != nil:
		return blame("the configuration file cannot be read: %v", errors.Unwrap(err))
	case len(text) > maxConfigFile:
		return blame("the configuration file is larger than 1 MiB")
	}
	var doc, more yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(text))
	if err = dec.Decode(&doc); errors.Is(err, io.EOF) {
		return f, nil // nothing, or comments only
	} else if err != nil {
		return blame("%s", strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if !errors.Is(dec.Decode(&more), io.EOF) {
		return blame("must hold one document")
	}
	top := doc.Content[0]
	if top.Kind == yaml.ScalarNode && top.Tag == "!!null" {
		return f, nil
	}
	if top.Kind != yaml.MappingNode {
		return blame("must be a list of settings such as billing: on")
	}
	return f, f.fill(top, settings)
}

// fill takes the pairs of the file's mapping.
func (f *configFile) fill(top *yaml.Node, settings []Setting) (faults []error) {
	byKey := make(map[string]Setting, len(settings))
	for _, s := range settings {
		if s.Name != settingConfig {
			byKey[s.Key()] = s
		}
	}
	blame := func(key *yaml.Node, format string, args ...any) {
		faults = append(faults, hub.Invalid(key.Value, "%s: %s "+format, append([]any{f.at(key.Line), key.Value}, args...)...))
	}
	for i := 0; i+1 < len(top.Content); i += 2 {
		key, value := top.Content[i], top.Content[i+1]
		s, known := byKey[key.Value]
		if !known {
			hint := ""
			if near := nearest(settings, prefix+strings.ToUpper(strings.ReplaceAll(key.Value, "-", "_"))); near != "" && near != settingConfig {
				hint = "; did you mean " + Setting{Name: near}.Key() + "?"
			}
			blame(key, "is not a setting%s", hint)
			continue
		}
		if before, twice := f.values[s.Name]; twice {
			blame(key, "stands in line %d already", before.line)
			continue
		}
		text, err := fileText(s, value)
		if err != nil {
			blame(key, "%v", err)
			continue
		}
		f.values[s.Name] = fileValue{strings.TrimSpace(text), key.Line}
	}
	return faults
}

// asJSON marks a setting whose value is a JSON document.
const asJSON = "json"

// fileText is a value as the setting's variable would have it. Scalars are taken as
// they are written: on stays on.
func fileText(s Setting, n *yaml.Node) (string, error) {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	switch {
	case n.Kind == yaml.ScalarNode && n.Tag == "!!null":
		return "", nil
	case n.Kind == yaml.ScalarNode:
		return n.Value, nil
	case s.List == asJSON:
		var v any
		if err := n.Decode(&v); err != nil {
			return "", errors.New("cannot be read")
		}
		b, err := json.Marshal(v)
		if err != nil {
			return "", errors.New("cannot be read")
		}
		return string(b), nil
	case n.Kind == yaml.SequenceNode && s.List != "":
		parts := make([]string, 0, len(n.Content))
		for _, c := range n.Content {
			if c.Kind != yaml.ScalarNode || strings.Contains(c.Value, s.List) {
				return "", fmt.Errorf("must list plain values without %q", s.List)
			}
			parts = append(parts, c.Value)
		}
		return strings.Join(parts, s.List), nil
	case s.List != "":
		return "", errors.New("must be one value or a list of values")
	}
	return "", errors.New("must be one value")
}
