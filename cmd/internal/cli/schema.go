package cli

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/imalink/custody/events"
)

const schemaLong = `Prints the JSON Schema (2020-12) of the events a producer may send, generated
from the catalogue that the server itself judges by. It works without a server.

The server is stricter in what a schema cannot say: repeated keys, personal data
in clear, times that do not exist. custody lint checks those too.`

func (s *session) schemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of events",
		Long:  schemaLong,
		Example: `  custody schema --out event.schema.json
  custody schema | jq '.properties.type.enum'`,
		Args: arguments(0, 0),
		RunE: func(*cobra.Command, []string) error { return s.schema() },
	}
}

func (s *session) schema() error {
	if s.format == "csv" {
		return misuse("a JSON Schema is no CSV: leave --output out")
	}
	a, err := s.answer()
	if err != nil {
		return err
	}
	schema := events.AppendSchema(nil)
	if a.format != "ndjson" {
		var indented bytes.Buffer
		if err := json.Indent(&indented, schema, "", "  "); err != nil {
			return a.close(fmt.Errorf("writing the schema: %w", err))
		}
		schema = indented.Bytes()
	}
	a.Write(append(schema, '\n'))
	return a.close(nil)
}
