package fakeprovider

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// bedrock is InvokeModel of the models that make pictures, each with its vendor's
// body (docs.aws.amazon.com/bedrock/latest/userguide/model-parameters.html).
func (m *Media) bedrock(w http.ResponseWriter, r *http.Request, rec *Request) {
	parts := strings.Split(r.URL.EscapedPath(), "/")
	if r.Method != http.MethodPost || len(parts) != 4 || parts[1] != "model" || parts[3] != "invoke" {
		m.say(w, http.StatusNotFound, "UnknownOperationException", "")
		return
	}
	model, err := url.PathUnescape(parts[2])
	switch {
	case err != nil:
		m.say(w, http.StatusBadRequest, "ValidationException", "The provided model identifier is invalid.")
	case strings.Contains(model, "nova-canvas"), strings.Contains(model, "titan-image"):
		m.amazonPicture(w, rec)
	case strings.Contains(model, "stability."):
		m.stabilityPicture(w, rec)
	default:
		m.say(w, http.StatusBadRequest, "ValidationException", "The provided model identifier is invalid.")
	}
}

// amazonTasks are the members of each taskType's own parameters.
var amazonTasks = map[string]struct {
	params string
	known  []string
	must   string // "" for a task that works from no picture
}{
	"TEXT_IMAGE":      {"textToImageParams", []string{"text", "negativeText", "style"}, ""},
	"IMAGE_VARIATION": {"imageVariationParams", []string{"text", "negativeText", "images", "similarityStrength"}, "images"},
	"INPAINTING":      {"inPaintingParams", []string{"text", "negativeText", "image", "maskImage", "maskPrompt"}, "image"},
}

func (m *Media) amazonPicture(w http.ResponseWriter, rec *Request) {
	kind, known := amazonTasks[word(rec.JSON, "taskType")]
	params, config := member(rec.JSON, kind.params), member(rec.JSON, "imageGenerationConfig")
	bad := func(message string) { m.say(w, http.StatusBadRequest, "ValidationException", message) }
	switch {
	case !known:
		bad("Malformed input request: #/taskType is not a valid enum value")
	case !m.only(w, rec.JSON, "taskType", kind.params, "imageGenerationConfig"), !m.only(w, params, kind.known...),
		!m.only(w, config, "numberOfImages", "width", "height", "quality", "seed", "cfgScale"):
	case kind.must != "" && !pictures(params[kind.must]):
		bad("Malformed input request: " + kind.must + " holds no picture")
	case config["quality"] != nil && !slices.Contains([]string{"standard", "premium"}, word(config, "quality")):
		bad("Malformed input request: #/imageGenerationConfig/quality is not a valid enum value")
	case count(config, "numberOfImages") < 1 || count(config, "numberOfImages") > 5:
		bad("Malformed input request: numberOfImages is not between 1 and 5")
	case strings.Contains(word(params, "text"), "forbidden"):
		bad("This request has been blocked by our content filters.")
	default:
		images := make([]string, count(config, "numberOfImages"))
		for i := range images {
			images[i] = picture64()
		}
		m.send(w, http.StatusOK, map[string]any{"images": images, "error": nil})
	}
}

// pictures reports whether a member is a picture in base64, or a list of such.
func pictures(v any) bool {
	list, many := v.([]any)
	if !many {
		list = []any{v}
	}
	for _, one := range list {
		data, err := base64.StdEncoding.DecodeString(text(one))
		if err != nil || len(data) == 0 {
			return false
		}
	}
	return len(list) > 0
}

func (m *Media) stabilityPicture(w http.ResponseWriter, rec *Request) {
	mode := word(rec.JSON, "mode")
	switch {
	case !m.only(w, rec.JSON, "prompt", "negative_prompt", "mode", "image", "strength", "aspect_ratio", "seed", "output_format"):
	case word(rec.JSON, "prompt") == "", (mode == "image-to-image") != pictures(rec.JSON["image"]),
		mode == "image-to-image" && (rec.JSON["strength"] == nil || rec.JSON["aspect_ratio"] != nil):
		m.say(w, http.StatusBadRequest, "ValidationException", "Malformed input request, please reformat your input and try again.")
	case strings.Contains(word(rec.JSON, "prompt"), "forbidden"):
		m.send(w, http.StatusOK, map[string]any{"seeds": []int{7}, "finish_reasons": []any{"Filter reason: prompt"}, "images": []any{}})
	default:
		m.send(w, http.StatusOK, map[string]any{"seeds": []int{7}, "finish_reasons": []any{nil}, "images": []any{picture64()}})
	}
}
