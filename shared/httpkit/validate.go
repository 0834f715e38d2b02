package httpkit

import (
	"errors"
	"reflect"
	"strings"
	"sync"

	"github.com/go-playground/validator/v10"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// rules is made once, when first needed: it caches what it learns of each type,
// and a cold start should not pay for it.
var rules = sync.OnceValue(func() *validator.Validate {
	v := validator.New(validator.WithRequiredStructEnabled())
	v.RegisterTagNameFunc(jsonName)
	return v
})

// Validate checks the validate tags of a struct. Its error names every field at
// fault by its JSON path, the first one in Param.
func Validate(v any) error { return validateStruct(v) }

func validateStruct(v any) error {
	t := reflect.TypeOf(v)
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == nil || t.Kind() != reflect.Struct {
		return nil
	}
	err := rules().Struct(v)
	if err == nil {
		return nil
	}
	var faults validator.ValidationErrors
	if !errors.As(err, &faults) {
		return hub.Wrap(hub.CodeInternal, err, "The request could not be checked.")
	}
	messages := make([]string, len(faults))
	for i, f := range faults {
		messages[i] = fieldPath(f, t) + " " + wanted(f)
	}
	return hub.Invalid(fieldPath(faults[0], t), "%s.", strings.Join(messages, "; "))
}

// fieldPath strips the Go type's name, which validator puts first.
func fieldPath(f validator.FieldError, t reflect.Type) string {
	return strings.TrimPrefix(f.Namespace(), t.Name()+".")
}

// wanted says what a field must be.
func wanted(f validator.FieldError) string {
	switch f.Tag() {
	case "required", "required_if", "required_unless", "required_with", "required_without", "required_with_all", "required_without_all":
		return "is required"
	case "excluded_if", "excluded_unless", "excluded_with", "excluded_without":
		return "must be left out here"
	case "min", "gte":
		return "must " + amount(f, "at least ")
	case "max", "lte":
		return "must " + amount(f, "at most ")
	case "gt":
		return "must " + amount(f, "more than ")
	case "lt":
		return "must " + amount(f, "less than ")
	case "len":
		return "must " + amount(f, "exactly ")
	case "oneof", "oneofci":
		return "must be one of " + strings.Join(strings.Fields(f.Param()), ", ")
	case "unique":
		return "must not hold the same entry twice"
	}
	if what, ok := tagWords[f.Tag()]; ok {
		return "must be " + what
	}
	rule := f.Tag()
	if f.Param() != "" {
		rule += "=" + f.Param()
	}
	return "does not fulfil the rule " + rule
}

// tagWords says what a value must be for the tags that need no parameter.
var tagWords = map[string]string{
	"email": "an e-mail address", "url": "a URL", "http_url": "an http or https URL", "uri": "a URI",
	"ip": "an IP address", "cidr": "an address range such as 10.0.0.0/8", "hostname_port": "host:port",
	"ulid": "an id", "uuid": "a UUID", "alphanum": "letters and digits only", "ascii": "plain ASCII",
	"printascii": "printable ASCII", "numeric": "a number", "number": "digits only", "boolean": "true or false",
	"base64": "base64", "json": "JSON", "lowercase": "lower case", "timezone": "a time zone such as Asia/Tokyo",
	"hostname": "a host name", "fqdn": "a full domain name", "e164": "a phone number such as +12025550123",
}

// amount tells of a length for strings and lists and of a value for numbers.
func amount(f validator.FieldError, bound string) string {
	unit, one := "", ""
	switch f.Kind() {
	case reflect.String:
		unit, one = "characters", "character"
	case reflect.Slice, reflect.Array, reflect.Map:
		unit, one = "entries", "entry"
	default:
		return "be " + bound + f.Param()
	}
	if f.Param() == "1" {
		unit = one
	}
	return "have " + bound + f.Param() + " " + unit
}
