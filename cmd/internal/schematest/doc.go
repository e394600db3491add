// Package schematest holds the strict decoder against an independent JSON Schema validator: for any
// event both give the same verdict, and the place the decoder names is one the validator names too.
// It has tests only, and lives here so that a program that emits events does not depend on the
// validator.
package schematest
