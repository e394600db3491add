package report

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"strconv"
)

// A document is a certificate on its way onto paper.
type document struct {
	*sheet
	c *Certificate
	n int // sections so far
}

// PDF writes c as a PDF of A4 pages in a language, identifiers in clear: a
// disclosure. What it says of itself (title, subject, creator) names no person;
// its dates are that of issue. A certificate that is not valid wraps ErrInvalid,
// an unknown language ErrLang, and nothing is written. If w fails, it may have
// had part of it; writing again gives the same bytes.
func (c *Certificate) PDF(w io.Writer, lang Lang) error {
	t, err := textsOf(lang)
	if err != nil {
		return err
	}
	b, err := c.pdf(t, lang)
	if err != nil {
		return err
	}
	if _, err := w.Write(b); err != nil {
		return fmt.Errorf("writing the certificate: %w", err)
	}
	return nil
}

func (c *Certificate) pdf(t *texts, lang Lang) ([]byte, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	glyph, err := newRepertoire()
	if err != nil {
		return nil, err
	}
	f := frame{title: t.say(c.titleName()), about: c.about(t), dry: c.Kind == DryRun}
	f.total = c.draw(t, glyph, f).pdf.PageCount() // what is on a page does not depend on how many there are
	s := c.draw(t, glyph, f)
	c.describe(s, t, lang)
	if t.missing != "" {
		return nil, fmt.Errorf("making the PDF: %s has no text for %s", lang, t.missing)
	}
	var b bytes.Buffer
	if err := s.pdf.Output(&b); err != nil {
		return nil, fmt.Errorf("making the PDF: %w", err)
	}
	return b.Bytes(), nil
}

// titleName is the name of the title's text.
func (c *Certificate) titleName() string {
	switch {
	case c.Kind == DryRun && c.Retention != nil:
		return "title.dry-run.retention"
	case c.Kind == DryRun:
		return "title.dry-run.erasure"
	}
	return "title." + string(c.Kind)
}

// about says which ledger and erasure it is.
func (c *Certificate) about(t *texts) string {
	if c.Erasure != nil && c.Erasure.Position > 0 {
		return t.say("subject.erasure", c.Ledger.Name, position(c.Erasure.Position))
	}
	return t.say("subject.ledger", c.Ledger.Name)
}

// describe gives the file what it says of itself.
func (c *Certificate) describe(s *sheet, t *texts, lang Lang) {
	title, about := s.frame.title, s.frame.about
	s.pdf.SetTitle(title, true)
	s.pdf.SetSubject(about, true)
	s.pdf.SetCreator("Custody", true)
	s.pdf.SetProducer("Custody", true)
	s.pdf.SetLang(string(lang))
	s.pdf.SetCreationDate(c.Issued.UTC())
	s.pdf.SetModificationDate(c.Issued.UTC())
	s.pdf.SetDisplayMode("fullwidth", "continuous")
	s.pdf.SetXmpMetadata(xmp(title, about, string(lang), c.Issued))
}

// xmp is the same in the form of ISO 16684-1.
func xmp(title, about, lang string, issued Instant) []byte {
	var b bytes.Buffer
	text := func(in string) string {
		b.Reset()
		xml.EscapeText(&b, []byte(in)) // never fails on a buffer
		return b.String()
	}
	title, about = text(title), text(about)
	at := issued.UTC().Format("2006-01-02T15:04:05Z")
	return []byte(`<?xpacket begin="` + "\ufeff" + `" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""
 xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:pdf="http://ns.adobe.com/pdf/1.3/">
<dc:format>application/pdf</dc:format>
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">` + title + `</rdf:li></rdf:Alt></dc:title>
<dc:description><rdf:Alt><rdf:li xml:lang="x-default">` + about + `</rdf:li></rdf:Alt></dc:description>
<dc:language><rdf:Bag><rdf:li>` + lang + `</rdf:li></rdf:Bag></dc:language>
<xmp:CreatorTool>Custody</xmp:CreatorTool><pdf:Producer>Custody</pdf:Producer>
<xmp:CreateDate>` + at + `</xmp:CreateDate><xmp:ModifyDate>` + at + `</xmp:ModifyDate>
</rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="r"?>`)
}

// draw writes all pages.
func (c *Certificate) draw(t *texts, glyph *repertoire, f frame) *sheet {
	d := &document{sheet: newSheet(t, glyph, f), c: c}
	d.opening()
	d.short()
	d.decision()
	if c.Identifiers != nil {
		d.identifiers()
	}
	d.destroyed()
	d.stays()
	d.remains()
	d.due()
	d.evidence()
	if c.Shredding != nil {
		d.signature()
	}
	return d.sheet
}

// begin begins the next section.
func (d *document) begin(name string) {
	d.n++
	d.section(strconv.Itoa(d.n), d.texts.say(name))
}
