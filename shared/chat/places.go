package chat

import "fmt"

// Refusals name what is wrong as the caller wrote it. Conversations change their
// shape when they are decoded: system prompts become messages, results of tools
// part from what stands beside them. So a server side notes where a message, a
// part or a tool stood, in Names, where that is not what its index says.

// MessageAt is the caller's path of message i.
func (r *Request) MessageAt(i int) string { return r.placed("messages", i) }

// ToolAt is the caller's path of tool i.
func (r *Request) ToolAt(i int) string { return r.placed("tools", i) }

// PartAt is the caller's path of part j of message i. Calls stand beside the
// content, as OpenAI has it, unless the names of both are the same.
func (r *Request) PartAt(i, j int) string {
	if at, ok := r.Names[partKey(i, j)]; ok {
		return at
	}
	list := r.ParamName("content")
	if calls := r.ParamName("tool_calls"); calls != list && r.kind(i, j) == ToolCallPart {
		list = calls
		for k := j - 1; k >= 0; k-- {
			if r.kind(i, k) != ToolCallPart {
				j--
			}
		}
	}
	return fmt.Sprintf("%s.%s[%d]", r.MessageAt(i), list, j)
}

func (r *Request) kind(i, j int) PartKind {
	if i < len(r.Messages) && j < len(r.Messages[i].Parts) {
		return r.Messages[i].Parts[j].Kind
	}
	return Text // not there yet
}

// PlaceMessage notes the caller's path of message i.
func (r *Request) PlaceMessage(i int, at string) { r.place("messages", i, at) }

// PlaceTool notes the caller's path of tool i.
func (r *Request) PlaceTool(i int, at string) { r.place("tools", i, at) }

// PlacePart notes the caller's path of part j of message i.
func (r *Request) PlacePart(i, j int, at string) {
	if r.PartAt(i, j) != at {
		r.name(partKey(i, j), at)
	}
}

func partKey(i, j int) string { return fmt.Sprintf("messages[%d].content[%d]", i, j) }

func (r *Request) placed(canonical string, i int) string {
	if at, ok := r.Names[fmt.Sprintf("%s[%d]", canonical, i)]; ok {
		return at
	}
	return fmt.Sprintf("%s[%d]", r.ParamName(canonical), i)
}

func (r *Request) place(canonical string, i int, at string) {
	if r.placed(canonical, i) != at {
		r.name(fmt.Sprintf("%s[%d]", canonical, i), at)
	}
}

func (r *Request) name(canonical, at string) {
	if r.Names == nil {
		r.Names = map[string]string{}
	}
	r.Names[canonical] = at
}
