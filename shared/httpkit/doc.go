package httpkit

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
)

// Doc says what a route takes and gives, for people and for /openapi.json. Request
// and Response are values whose types are what counts; their contents are not
// looked at, but for those of Object and OneOf. A field of a struct that may be null
// although it is no pointer has the tag openapi:"null".
type Doc struct {
	Summary  string
	Query    []Param
	Request  any    // body; nil: none
	Takes    string // media types of a body that is not the JSON of Request, by comma
	Optional bool   // the body may be left out
	Response any    // answer as JSON; nil: none
	Gives    string // media types of an answer that is not the JSON of Response, by comma
	Status   int    // of success; 0: 200, 204 where nothing is answered
	Also     []int  // other statuses with the same answer
	Vendor   string // address of the document that describes body and answer in place of types
}

// Param is a parameter in the query.
type Param struct {
	Name     string
	Doc      string
	Number   bool // a whole number
	Required bool
	Enum     []string // the values there are; none: any
}

// NoBody is what routes take that change something and read no body.
const NoBody = "none"

// Object is an answer that no type of its own describes: a value by field, each of
// which is always there.
type Object map[string]any

// OneOf is an answer that has one of several forms.
type OneOf []any

// Query is a parameter in the query; enum lists the values there are.
func Query(name, doc string, enum ...string) Param {
	return Param{Name: name, Doc: doc, Enum: enum}
}

// Pages are the parameters of a list that has pages, see ParsePaging.
func Pages(more ...Param) []Param {
	return append([]Param{{Name: "page", Doc: "From 1.", Number: true}, {Name: "pageSize", Doc: "1 to 100; 20 unless given.", Number: true}}, more...)
}

// Cursors are the parameters of a list that goes on by cursor, see ParsePaging.
func Cursors(more ...Param) []Param {
	return append([]Param{{Name: "cursor", Doc: "The next_cursor of the answer before."}, {Name: "pageSize", Doc: "1 to 100; 20 unless given.", Number: true}}, more...)
}

// Success is the status of an answer that is no error.
func (d Doc) Success() int {
	switch {
	case d.Status != 0:
		return d.Status
	case d.Response == nil && d.Gives == "" && d.Vendor == "":
		return http.StatusNoContent
	}
	return http.StatusOK
}

// Describe puts docs, by method and pattern, to their routes. Like Mux it panics on
// what only a fault of the program can be: a description of no route.
func Describe(routes []Route, docs map[string]Doc) []Route {
	left := maps.Clone(docs)
	for i, rt := range routes {
		if d, ok := docs[rt.name()]; ok {
			routes[i].Doc = d
			delete(left, rt.name())
		}
	}
	if len(left) > 0 {
		panic(fmt.Sprintf("httpkit: descriptions of routes that there are not: %q", slices.Sorted(maps.Keys(left))))
	}
	return routes
}

// Name is the route's method and pattern.
func (rt Route) Name() string { return rt.name() }
