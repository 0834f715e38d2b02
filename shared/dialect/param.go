package dialect

import (
	"encoding/json"
	"errors"
	"math"
	"strconv"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

// The functions below read a parameter of a request from its raw JSON, which is
// there and not null. Errors name it as the caller did.

// ReadParam decodes a parameter; form says what it must be.
func ReadParam(name string, raw json.RawMessage, into any, form string) error {
	if err := json.Unmarshal(raw, into); err != nil {
		return hub.Invalid(name, "%s must be %s.", name, form)
	}
	return nil
}

// TextParam reads a string.
func TextParam(name string, raw json.RawMessage) (string, error) {
	if raw[0] != '"' {
		return "", hub.Invalid(name, "%s must be a string.", name)
	}
	return wire.Text(raw), nil
}

// BoolParam reads true or false.
func BoolParam(name string, raw json.RawMessage) (*bool, error) {
	b := string(raw) == "true"
	if !b && string(raw) != "false" {
		return nil, hub.Invalid(name, "%s must be true or false.", name)
	}
	return &b, nil
}

// NumberParam reads a number.
func NumberParam(name string, raw json.RawMessage) (*float64, error) {
	f, err := strconv.ParseFloat(string(raw), 64)
	if err != nil {
		return nil, hub.Invalid(name, "%s must be a number.", name)
	}
	return &f, nil
}

// IntegerParam reads a whole number.
func IntegerParam(name string, raw json.RawMessage) (*int64, error) {
	n, ok := Whole(raw)
	if !ok {
		return nil, hub.Invalid(name, "%s must be a whole number.", name)
	}
	return &n, nil
}

// Whole reads a raw number that has no fraction, 1e3 and 5.0 included.
func Whole(raw []byte) (int64, bool) {
	if n, err := strconv.ParseInt(string(raw), 10, 64); err == nil {
		return n, true
	}
	f, err := strconv.ParseFloat(string(raw), 64)
	if err != nil || f != math.Trunc(f) || math.Abs(f) > 1<<53 {
		return 0, false
	}
	return int64(f), true
}

// Flag reads a member that is true or false; absent and null are false.
func Flag(o *wire.Object, name string) (bool, error) {
	raw, _ := o.Get(name)
	switch string(raw) {
	case "true":
		return true, nil
	case "false", "null", "":
		return false, nil
	}
	return false, hub.Invalid(name, "%s must be true or false.", name)
}

// BadBody is the error for a body that wire.Parse refused.
func BadBody(err error) error {
	var syntax *wire.SyntaxError
	if errors.As(err, &syntax) && syntax.Key != "" {
		return hub.Invalid(syntax.Key, "The request body names %q twice.", syntax.Key)
	}
	return hub.Invalid("", "The request body is not a JSON object: %v.", err)
}
