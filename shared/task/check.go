package task

import (
	"slices"
	"sort"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// Unsupported refuses a parameter that a target cannot express, by the caller's
// name for it.
func (r *Request) Unsupported(canonical string) *hub.Error {
	name := r.ParamName(canonical)
	return hub.Invalid(name, "%s is not supported by this model's provider.", name)
}

// Only refuses the first parameter said that is neither supported nor known to
// every target (the prompt, the number, the form of the answer). "user" only
// labels a request and cannot change its answer: where it is not supported it is
// dropped, and returned. "auto" is what targets do anyway and counts as not said.
func (r *Request) Only(supported ...string) (dropped []string, err error) {
	for _, name := range r.said() {
		if !slices.Contains(supported, name) {
			return nil, r.Unsupported(name)
		}
	}
	extra := make([]string, 0, len(r.Extra))
	for name := range r.Extra {
		extra = append(extra, name)
	}
	sort.Strings(extra)
	for _, name := range extra {
		if !slices.Contains(supported, name) {
			return nil, r.Unsupported(name)
		}
	}
	if r.User != "" && !slices.Contains(supported, "user") {
		dropped = append(dropped, r.ParamName("user"))
	}
	return dropped, nil
}

type said struct {
	name string
	yes  bool
}

// said lists the parameters of a picture or a film that have a value, in a fixed
// order.
func (r *Request) said() []string {
	word := func(s string) bool { return s != "" && s != "auto" }
	all := []said{{"stream", r.Stream}}
	if i := r.Image; i != nil {
		all = append(all, []said{
			{"image", len(i.Inputs) > 0}, {"mask", i.Mask != nil}, {"size", word(i.Size)}, {"aspect_ratio", word(i.AspectRatio)},
			{"quality", word(i.Quality)}, {"style", word(i.Style)}, {"background", word(i.Background)}, {"moderation", word(i.Moderation)},
			{"output_format", word(i.OutputFormat)}, {"output_compression", i.Compression != nil}, {"seed", i.Seed != nil},
			{"negative_prompt", i.Negative != ""}, {"partial_images", i.PartialImages != nil && *i.PartialImages > 0},
			{"input_fidelity", word(i.InputFidelity)}, {"safety_level", i.SafetyLevel != ""}, {"person_generation", i.PersonsAllowed != ""},
			{"strength", i.Strength != nil}, {"variation", i.Variation},
		}...)
	}
	if f := r.Film; f != nil {
		all = append(all, []said{
			{"size", word(f.Size)}, {"seconds", f.Seconds > 0}, {"aspect_ratio", word(f.AspectRatio)}, {"resolution", word(f.Resolution)},
			{"input_reference", f.First != nil}, {"last_frame", f.Last != nil}, {"reference_images", len(f.References) > 0},
			{"negative_prompt", f.Negative != ""}, {"seed", f.Seed != nil}, {"person_generation", f.Persons != ""},
			{"camera_fixed", f.Camera != nil}, {"generate_audio", f.Sound != nil},
		}...)
	}
	var names []string
	for _, s := range all {
		if s.yes {
			names = append(names, s.name)
		}
	}
	return names
}
