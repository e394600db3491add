// Package verifier is the page that verifies proofs and bundles in a browser (docs/FORMAT.md, "Evidence").
//
// It is a second implementation of the format, in plain JavaScript, written from the text and not from
// package evidence: where the two disagree, one of them or the text is wrong. It is one HTML file that
// loads nothing, works from file://, and is forbidden by its own policy to reach any network. Whoever
// receives a bundle needs no program but a browser.
//
// The parts are in the folder page; [Page] puts them together, always to the same bytes.
package verifier

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"strings"
)

//go:embed page
var parts embed.FS

// scripts are the parts of the one script, in order.
func scripts() []string {
	return []string{"bytes", "sha256", "json", "record", "note", "question", "tree", "annotated",
		"proof", "fault", "statement", "bundle", "verify", "verdict", "texts", "show", "showbundle", "page"}
}

// Page is the file verify.html.
func Page() []byte {
	script, style := "\n'use strict';\n(() => {\n", "\n"+part("style.css")
	for _, name := range scripts() {
		script += "\n" + part(name+".js")
	}
	script += "})();\n"
	return []byte(strings.NewReplacer("{{policy}}", policy(script, style), "{{style}}", style, "{{script}}", script).Replace(part("page.html")))
}

// Digest is the SHA-256 of [Page], which is published with each release.
func Digest() [32]byte { return sha256.Sum256(Page()) }

// policy lets the browser run this script and use this style, and nothing else: no network, no form, no frame.
func policy(script, style string) string {
	return fmt.Sprintf("default-src 'none'; script-src %s; style-src %s; base-uri 'none'; form-action 'none'", source(script), source(style))
}

// source names an inline script or style by its hash (CSP level 2, "hash-source").
func source(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// part is an embedded file, which is there.
func part(name string) string {
	b, err := parts.ReadFile("page/" + name)
	if err != nil {
		panic(err)
	}
	return string(b)
}
