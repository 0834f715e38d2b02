package provider

import (
	"maps"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/task"
)

// media says which kinds make pictures and films, and in which language each is
// asked. Ollama's server has none; Anthropic and DeepSeek serve none.
var media = map[string]map[task.Kind]dialect.Name{
	OpenAI:           {task.ImageGeneration: dialect.OpenAI, task.ImageEdit: dialect.OpenAI, task.Video: dialect.OpenAI},
	Azure:            {task.ImageGeneration: dialect.OpenAI, task.ImageEdit: dialect.OpenAI, task.Video: dialect.OpenAI},
	AIGNEHub:         {task.ImageGeneration: dialect.OpenAI, task.ImageEdit: dialect.OpenAI, task.Video: dialect.OpenAI},
	OpenAICompatible: {task.ImageGeneration: dialect.OpenAI, task.ImageEdit: dialect.OpenAI, task.Video: dialect.OpenAI},
	Google:           {task.ImageGeneration: dialect.GeminiMedia, task.ImageEdit: dialect.GeminiMedia, task.Video: dialect.GeminiMedia},
	XAI:              {task.ImageGeneration: dialect.XAIMedia, task.ImageEdit: dialect.XAIMedia, task.Video: dialect.XAIMedia},
	Doubao:           {task.ImageGeneration: dialect.Ark, task.ImageEdit: dialect.Ark, task.Video: dialect.Ark},
	OpenRouter:       {task.ImageGeneration: dialect.ChatImages, task.ImageEdit: dialect.ChatImages},
	Poe:              {task.ImageGeneration: dialect.ChatImages, task.ImageEdit: dialect.ChatImages},
	Ideogram:         {task.ImageGeneration: dialect.Ideogram, task.ImageEdit: dialect.Ideogram},
	Bedrock:          {task.ImageGeneration: dialect.BedrockImages, task.ImageEdit: dialect.BedrockImages},
}

// withMedia adds them to a kind's own work.
func (k Kind) withMedia() Kind {
	tasks := maps.Clone(k.Tasks)
	if tasks == nil && len(media[k.ID]) > 0 {
		tasks = map[task.Kind]dialect.Name{}
	}
	maps.Copy(tasks, media[k.ID])
	k.Tasks = tasks
	return k
}
