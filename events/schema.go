package events

import "strconv"

// AppendSchema appends the JSON Schema (2020-12) of what a producer may send, generated from the
// catalogue. It cannot say everything that Decode checks: screening, depth and size are not in it.
func AppendSchema(dst []byte) []byte {
	w := objectWriter{dst: append(dst, '{')}
	w.text("$schema", "https://json-schema.org/draft/2020-12/schema")
	w.text("$id", "urn:custody:event:v1")
	w.text("title", "Custody event, version 1, as a producer sends it")
	w.text("type", "object")
	w.shape(envelope)
	w.key("allOf")
	w.dst = append(w.dst, '[')
	for i, k := range sendable() {
		if i > 0 {
			w.dst = append(w.dst, ',')
		}
		w.dst = appendKindSchema(w.dst, k)
	}
	w.dst = append(w.dst, ']')
	w.object("$defs", func(defs *objectWriter) {
		for _, s := range definitions() {
			defs.object(s.ref, func(def *objectWriter) { def.spec(s) })
		}
	})
	return w.end()
}

// sendable lists the kinds that a producer may send.
func sendable() (kinds []Kind) {
	for _, k := range Kinds() {
		if !k.ByLedger() {
			kinds = append(kinds, k)
		}
	}
	return kinds
}

// definitions lists the specs that have a name, in an order in which none comes before what it uses.
func definitions() []*spec {
	return []*spec{code, reference, identifier, country, instant, date, basis, a9, transferTool, subjectRole,
		subjects, actor, recipient, location, transfer, bulk, subjectsUnknown}
}

// appendKindSchema appends: if the type is this kind's, then the data have its shape.
func appendKindSchema(dst []byte, k Kind) []byte {
	w := objectWriter{dst: append(dst, '{')}
	w.object("if", func(w *objectWriter) {
		w.object("properties", func(w *objectWriter) {
			w.object("type", func(w *objectWriter) { w.text("const", k.Type()) })
		})
	})
	w.object("then", func(w *objectWriter) {
		w.object("properties", func(w *objectWriter) {
			w.object("data", func(w *objectWriter) {
				w.text("type", "object")
				w.shape(catalogue.row(k).data)
			})
		})
	})
	return w.end()
}

// object writes a member that is an object.
func (w *objectWriter) object(name string, fill func(*objectWriter)) {
	w.key(name)
	inner := objectWriter{dst: append(w.dst, '{')}
	fill(&inner)
	w.dst = inner.end()
}

// shape writes what an object of the shape must be.
func (w *objectWriter) shape(s *shape) {
	w.list("required", s.requiredNames())
	w.object("properties", func(w *objectWriter) {
		for _, f := range s.fields {
			w.object(f.name, func(w *objectWriter) { w.use(f.spec) })
		}
	})
	w.boolean("additionalProperties", false)
	if c := s.when; c != nil {
		when, then := s.fields[c.when].name, s.fields[c.then].name
		w.object("if", func(w *objectWriter) {
			w.object("properties", func(w *objectWriter) {
				w.object(when, func(w *objectWriter) { w.list("enum", c.words) })
			})
			w.list("required", []string{when})
		})
		w.object("then", func(w *objectWriter) { w.list("required", []string{then}) })
	}
	if len(s.either) > 0 {
		w.key("anyOf")
		w.dst = s.appendChoice(w.dst)
	}
}

// requiredNames lists the required fields; the subjects stand before the actor.
func (s *shape) requiredNames() []string {
	names := []string{}
	for i, f := range s.fields {
		switch {
		case !f.required:
		case f.name == "subjects":
			names = append([]string{f.name}, names...)
		default:
			names = append(names, s.fields[i].name)
		}
	}
	return names
}

func (s *shape) appendChoice(dst []byte) []byte {
	dst = append(dst, '[')
	for i, mask := range s.either {
		if i > 0 {
			dst = append(dst, ',')
		}
		var names []string
		for bit, f := range s.fields {
			if mask&(1<<bit) != 0 {
				names = append(names, f.name)
			}
		}
		w := objectWriter{dst: append(dst, '{')}
		w.list("required", names)
		dst = w.end()
	}
	return append(dst, ']')
}

// use writes a spec, or where it is defined.
func (w *objectWriter) use(s *spec) {
	if s.ref != "" {
		w.text("$ref", "#/$defs/"+s.ref)
		return
	}
	w.spec(s)
}

func (w *objectWriter) spec(s *spec) {
	switch s.form {
	case wordForm, patternForm:
		w.text("type", "string")
		w.text("pattern", s.pattern)
	case textForm:
		w.text("type", "string")
		w.limit("minLength", s.min)
		w.limit("maxLength", s.max)
	case timeForm:
		w.text("type", "string")
		w.text("format", "date-time")
		w.limit("maxLength", s.max)
	case dateForm:
		w.text("type", "string")
		w.text("format", "date")
	case enumForm:
		w.vocabulary(s.words)
	case kindForm:
		var types []string
		for _, k := range sendable() {
			types = append(types, k.Type())
		}
		w.list("enum", types)
	case boolForm:
		w.text("type", "boolean")
	case intForm:
		w.text("type", "integer")
		w.integer("minimum", s.min)
		w.integer("maximum", s.max)
	case listForm:
		w.text("type", "array")
		w.object("items", func(w *objectWriter) { w.use(s.items) })
		w.integer("minItems", s.min)
		w.integer("maxItems", s.max)
		w.boolean("uniqueItems", true)
	case objectForm:
		w.text("type", "object")
		w.shape(s.shape)
	case documentForm, dataForm:
		w.text("type", "object")
	}
	w.text("description", s.note)
}

// vocabulary writes a closed vocabulary; one word alone is a constant.
func (w *objectWriter) vocabulary(words []string) {
	if len(words) == 1 {
		w.text("const", words[0])
		return
	}
	w.list("enum", words)
}

// list writes a list of texts, an empty one too.
func (w *objectWriter) list(name string, list []string) {
	if len(list) == 0 {
		w.key(name)
		w.dst = append(w.dst, '[', ']')
		return
	}
	w.texts(name, list)
}

func (w *objectWriter) integer(name string, n int64) {
	w.key(name)
	w.dst = strconv.AppendInt(w.dst, n, 10)
}

// limit writes a limit that says something.
func (w *objectWriter) limit(name string, n int64) {
	if n != 0 {
		w.integer(name, n)
	}
}
