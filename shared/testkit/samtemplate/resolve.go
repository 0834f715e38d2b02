package samtemplate

import (
	"maps"
	"slices"
)

// Resource is a resource of CloudFormation as SAM makes it, as far as the template
// says what is in it.
type Resource struct {
	ID         string         `json:"id"`
	Type       string         `json:"type"`
	Properties map[string]any `json:"properties"`
}

// Resources are the template's resources once every condition holds, or none does.
// What SAM makes of a function is split into what CloudFormation knows: the function,
// its URL, its alias and its schedules.
func Resources(template map[string]any, conditions bool) []Resource {
	var out []Resource
	globals := Dig(template, "Globals", "Function")
	all := Dig(template, "Resources")
	for _, id := range slices.Sorted(maps.Keys(all)) {
		r := Dig(all, id)
		properties, _ := resolve(r["Properties"], conditions).(map[string]any)
		kind, _ := r["Type"].(string)
		switch kind {
		case "AWS::Serverless::Function":
			out = append(out, parts(id, resolve(globals, conditions).(map[string]any), properties)...)
		case "AWS::Serverless::HttpApi":
			out = append(out, Resource{id, "AWS::ApiGatewayV2::Stage", with(properties, map[string]any{"ApiId": "id", "StageName": "$default"})})
		default:
			out = append(out, Resource{id, kind, properties})
		}
	}
	return out
}

// parts is what a function of SAM consists of.
func parts(id string, globals, own map[string]any) []Resource {
	fn := with(globals, own)
	var out []Resource
	if url, ok := fn["FunctionUrlConfig"].(map[string]any); ok {
		out = append(out, Resource{id + ".FunctionUrlConfig", "AWS::Lambda::Url", with(url, map[string]any{"TargetFunctionArn": id})})
	}
	if fn["AutoPublishAlias"] != nil {
		alias := map[string]any{"FunctionName": id, "FunctionVersion": "1", "Name": fn["AutoPublishAlias"]}
		if p, ok := fn["ProvisionedConcurrencyConfig"].(map[string]any); ok {
			alias["ProvisionedConcurrencyConfig"] = p
		}
		out = append(out, Resource{id + ".AutoPublishAlias", "AWS::Lambda::Alias", alias})
	}
	for name, e := range Dig(fn, "Events") {
		event := e.(map[string]any)
		if event["Type"] != "ScheduleV2" {
			continue
		}
		schedule := maps.Clone(Dig(event, "Properties"))
		target := map[string]any{"Arn": id, "RoleArn": "role"}
		for _, p := range []string{"Input", "RetryPolicy"} {
			if v, ok := schedule[p]; ok {
				target[p] = v
				delete(schedule, p)
			}
		}
		schedule["Target"], schedule["FlexibleTimeWindow"] = target, map[string]any{"Mode": "OFF"}
		out = append(out, Resource{id + "." + name, "AWS::Scheduler::Schedule", schedule})
	}
	for _, p := range []string{"Events", "Policies", "FunctionUrlConfig", "AutoPublishAlias", "AutoPublishAliasAllProperties", "ProvisionedConcurrencyConfig", "CodeUri"} {
		delete(fn, p)
	}
	fn["Code"], fn["Role"] = map[string]any{"ZipFile": "code"}, "role"
	return append(out, Resource{id, "AWS::Lambda::Function", fn})
}

// with is a map with more entries, of which those of maps are put together.
func with(m, more map[string]any) map[string]any {
	out := maps.Clone(m)
	for k, v := range more {
		inner, is := v.(map[string]any)
		before, was := out[k].(map[string]any)
		if is && was {
			v = with(before, inner)
		}
		out[k] = v
	}
	return out
}

// none is the value of a property that is not there.
type none struct{}

// resolve takes the branch of every Fn::If and leaves out what has no value.
func resolve(v any, conditions bool) any {
	switch v := v.(type) {
	case map[string]any:
		if branches, ok := v["Fn::If"].([]any); ok && len(v) == 1 {
			if conditions {
				return resolve(branches[1], conditions)
			}
			return resolve(branches[2], conditions)
		}
		if v["Ref"] == "AWS::NoValue" {
			return none{}
		}
		out := map[string]any{}
		for k, x := range v {
			if x = resolve(x, conditions); x != (any)(none{}) {
				out[k] = x
			}
		}
		return out
	case []any:
		out := []any{}
		for _, x := range v {
			if x = resolve(x, conditions); x != (any)(none{}) {
				out = append(out, x)
			}
		}
		return out
	}
	return v
}
