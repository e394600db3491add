package events

import "strconv"

// AppendJSON appends the event as CloudEvents JSON: every field in the catalogue's order, no white
// space, so that equal events give equal bytes. The bytes hold whatever the event holds.
func (e *Event) AppendJSON(dst []byte) []byte { return e.AppendRewritten(dst, nil) }

func appendOptional(dst []byte, key, s string) []byte {
	if s == "" {
		return dst
	}
	return appendString(append(dst, key...), s)
}

// appendMembers appends an object but for its closing brace.
func appendMembers(dst []byte, o Object) []byte { return Replace(nil).members(dst, o) }

// AppendJSON appends the value as JSON, in the one way it is spelt. Every call is a disclosure of what
// the value holds.
func (v Value) AppendJSON(dst []byte) []byte { return appendValue(dst, v) }

func appendValue(dst []byte, v Value) []byte {
	switch v.form {
	case textValue:
		return appendString(dst, v.Text())
	case documentValue:
		return append(dst, v.Text()...)
	case intValue:
		return strconv.AppendInt(dst, v.Int(), 10)
	case boolValue:
		return strconv.AppendBool(dst, v.Bool())
	case objectValue:
		return append(appendMembers(dst, v.Object()), '}')
	}
	dst = append(dst, '[')
	for i, e := range v.List() {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendValue(dst, e)
	}
	return append(dst, ']')
}

// appendString appends a JSON string that escapes what must be escaped, each in its shortest way,
// and nothing else.
func appendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	from := 0
	for i := 0; i < len(s); i++ {
		if plain[s[i]] {
			continue
		}
		dst = append(dst, s[from:i]...)
		dst = appendEscape(dst, s[i])
		from = i + 1
	}
	return append(append(dst, s[from:]...), '"')
}

func appendEscape(dst []byte, b byte) []byte {
	switch b {
	case '"', '\\':
		return append(dst, '\\', b)
	case '\b':
		return append(dst, `\b`...)
	case '\f':
		return append(dst, `\f`...)
	case '\n':
		return append(dst, `\n`...)
	case '\r':
		return append(dst, `\r`...)
	case '\t':
		return append(dst, `\t`...)
	}
	const digits = "0123456789abcdef"
	return append(dst, '\\', 'u', '0', '0', digits[b>>4], digits[b&15])
}
