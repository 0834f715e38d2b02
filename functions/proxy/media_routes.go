package proxy

import (
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/dialect/aignemedia"
	"github.com/aigne-hub/aigne-hub/shared/dialect/arkmedia"
	"github.com/aigne-hub/aigne-hub/shared/dialect/bedrockimages"
	"github.com/aigne-hub/aigne-hub/shared/dialect/chatimages"
	"github.com/aigne-hub/aigne-hub/shared/dialect/geminimedia"
	"github.com/aigne-hub/aigne-hub/shared/dialect/ideogram"
	"github.com/aigne-hub/aigne-hub/shared/dialect/openaitasks"
	"github.com/aigne-hub/aigne-hub/shared/dialect/xaimedia"
	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/task"
)

// imageClients are the client sides of pictures, beside OpenAI's own.
func imageClients(now hub.Now) map[dialect.Name]dialect.TaskClient {
	return map[dialect.Name]dialect.TaskClient{
		dialect.GeminiMedia:   geminimedia.Client{Now: now},
		dialect.XAIMedia:      xaimedia.Client{Now: now},
		dialect.Ark:           arkmedia.Client{Now: now},
		dialect.ChatImages:    chatimages.Client{Now: now},
		dialect.Ideogram:      ideogram.Client{Now: now},
		dialect.BedrockImages: bedrockimages.Client{Now: now},
	}
}

// mediaRoutes are the routes of pictures, films and kept files.
func (h *handler) mediaRoutes() []httpkit.Route {
	videos := openaitasks.Videos{Now: h.Now}
	user := func(method, pattern string, as httpkit.CallerHandler) httpkit.Route {
		return httpkit.Route{Method: method, Pattern: pattern, Who: httpkit.AnyUser, Scope: hub.ScopeInference, Data: httpkit.Own, As: as, ErrorBody: videos.Error}
	}
	return []httpkit.Route{
		h.workRoute("/v1/images/generations", openaitasks.Images{Now: h.Now, Of: task.ImageGeneration}),
		h.workRoute("/v1/images/edits", openaitasks.Images{Now: h.Now, Of: task.ImageEdit}),
		h.workRoute("/v1/images/variations", openaitasks.Images{Now: h.Now, Of: task.ImageEdit, Variation: true}),
		h.workRoute("/api/v2/image", aignemedia.Images{Now: h.Now}),
		h.workRoute("/api/v2/image/generations", aignemedia.RestImages{Now: h.Now}),
		h.workRoute("/api/v1/image/generations", aignemedia.RestImages{Now: h.Now}),
		user("POST", "/v1/videos", h.createVideo(videos)),
		user("GET", "/v1/videos", h.listVideos),
		user("GET", "/v1/videos/{id}", h.getVideo),
		user("DELETE", "/v1/videos/{id}", h.deleteVideo),
		user("GET", "/v1/videos/{id}/content", h.videoContent),
		{Method: "POST", Pattern: "/api/v2/video", Who: httpkit.AnyUser, Scope: hub.ScopeInference, Data: httpkit.Own, As: h.aigneVideo(aignemedia.Videos{Now: h.Now}), ErrorBody: aignemedia.Videos{Now: h.Now}.Error},
		{Method: "GET", Pattern: mediaPath + "{name}", Who: httpkit.Anonymous, Handler: h.media, Data: httpkit.Common},
		{Method: "DELETE", Pattern: mediaPath + "{name}", Who: httpkit.AnyUser, Scope: hub.ScopeInference, Data: httpkit.Own, As: h.deleteMedia},
	}
}
