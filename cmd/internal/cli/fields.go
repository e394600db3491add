package cli

import (
	"strconv"
	"strings"
)

// assignment is key=value as given; the value may identify a person.
type assignment struct{ key, value string }

func assignments(arguments []string) ([]assignment, error) {
	var list []assignment
	for i, argument := range arguments {
		key, value, ok := strings.Cut(argument, "=")
		if !ok || key == "" || value == "" {
			return nil, misuse("argument %d after the kind is not of the form key=value", i+1)
		}
		list = append(list, assignment{key, value})
	}
	return list, nil
}

// set puts a value at its place in an object of this schema, as the JSON type
// that the schema wants there.
func (c *contract) set(schema *node, object map[string]any, f assignment) error {
	path := strings.Split(f.key, ".")
	for {
		name := path[0]
		child := c.resolve(c.resolve(schema).Properties[name])
		if child == nil {
			err := misuse("%s: this kind has no such field", f.key)
			known := c.resolve(schema).fields()
			if near := nearest(name, known); near != "" {
				return advise(err, "did you mean %s?", near)
			}
			return advise(err, "there are %s", strings.Join(known, ", "))
		}
		path = path[1:]
		item := c.resolve(child.Items)
		switch {
		case item != nil && item.Properties != nil:
			next, rest, err := element(object, name, path, f.key)
			if err != nil {
				return err
			}
			schema, object, path = item, next, rest
		case child.Properties != nil:
			next, _ := object[name].(map[string]any)
			if next == nil {
				next = map[string]any{}
				object[name] = next
			}
			schema, object = child, next
		case len(path) > 0:
			return misuse("%s: there is nothing inside %s", f.key, name)
		case item != nil:
			return extend(object, name, item, f)
		default:
			return assign(object, name, child, f)
		}
		if len(path) == 0 {
			return misuse("%s: give what is inside it, such as %s.%s=...", f.key, f.key, c.resolve(schema).fields()[0])
		}
	}
}

// maxElements bounds the index in a key such as subjects.1.id.
const maxElements = 5000

// element finds, or begins, the object of a list that a path speaks of: a number
// from 0, or the first if it does not begin with a number.
func element(object map[string]any, name string, path []string, key string) (map[string]any, []string, error) {
	i := 0
	if len(path) > 0 {
		if n, err := strconv.Atoi(path[0]); err == nil {
			i, path = n, path[1:]
		}
	}
	list, _ := object[name].([]any)
	if i < 0 || i > len(list) || i >= maxElements {
		return nil, nil, misuse("%s: the elements of a list are given from 0 on, none left out", key)
	}
	if i == len(list) {
		list = append(list, map[string]any{})
		object[name] = list
	}
	return list[i].(map[string]any), path, nil
}

// extend adds values, separated by commas, to a list.
func extend(object map[string]any, name string, item *node, f assignment) error {
	list, _ := object[name].([]any)
	for text := range strings.SplitSeq(f.value, ",") {
		value, err := scalar(item, text, f.key)
		if err != nil {
			return err
		}
		list = append(list, value)
	}
	object[name] = list
	return nil
}

func assign(object map[string]any, name string, schema *node, f assignment) error {
	if _, twice := object[name]; twice {
		return misuse("%s is given twice", f.key)
	}
	value, err := scalar(schema, f.value, f.key)
	if err != nil {
		return err
	}
	object[name] = value
	return nil
}

// scalar reads one value as the type that the schema wants. Whether it is among
// those allowed is judged with the whole event.
func scalar(schema *node, text, key string) (any, error) {
	switch schema.Type {
	case "boolean":
		if text != "true" && text != "false" {
			return nil, misuse("%s is true or false", key)
		}
		return text == "true", nil
	case "integer":
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return nil, misuse("%s is a whole number", key)
		}
		return n, nil
	}
	return text, nil
}
