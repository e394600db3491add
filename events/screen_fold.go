package events

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// unescape undoes percent-encoding, however many times over ("%2540" is "@"). What is no encoding
// stays as it is. The result need not be UTF-8.
func unescape(s string) string {
	i := strings.IndexByte(s, '%')
	if i < 0 {
		return s
	}
	b := append(make([]byte, 0, len(s)), s[:i]...)
	for i < len(s) {
		if s[i] != '%' {
			b = append(b, s[i])
			i++
			continue
		}
		i++
		for strings.HasPrefix(s[i:], "25") {
			i += 2
		}
		c, ok := hexByte(s[i:])
		if !ok {
			b = append(b, '%')
			continue
		}
		b = append(b, c)
		i += 2
	}
	return string(b)
}

// hexByte reads two hexadecimal digits at the start of s.
func hexByte(s string) (c byte, ok bool) {
	if len(s) < 2 {
		return 0, false
	}
	high, ok1 := hexDigit(s[0])
	low, ok2 := hexDigit(s[1])
	return high<<4 | low, ok1 && ok2
}

func hexDigit(c byte) (v byte, ok bool) {
	switch {
	case isDigit(c):
		return c - '0', true
	case c|0x20-'a' < 6:
		return c | 0x20 - 'a' + 10, true
	}
	return 0, false
}

const (
	dropped   rune = -1 // leaves nothing behind
	invisible rune = -2 // refused
)

// fold writes s so that the screening, which reads ASCII, sees what a reader sees. visible is false
// when s holds something that no reader sees.
func fold(s string) (folded string, visible bool) {
	for i, r := range s {
		if foldRune(r) != r {
			return foldFrom(s, i)
		}
	}
	return s, true
}

func foldFrom(s string, i int) (folded string, visible bool) {
	b := append(make([]byte, 0, len(s)), s[:i]...)
	for _, r := range s[i:] {
		switch r = foldRune(r); r {
		case invisible:
			return "", false
		case dropped:
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return string(b), true
}

// foldRune gives the ASCII character that r is a form of: decimal digits of every script, full-width
// forms, spaces, dashes, dots and slashes. Marks, variation selectors and joiners, which belong to the
// character before them, are dropped. Letters stay.
func foldRune(r rune) rune {
	switch {
	case r == '\t', r == '\n', r == '\r', r == '\u2028', r == '\u2029':
		return ' '
	case r < ' ', r >= 0x7f && r < 0xa0:
		return invisible
	case r < 0x7f, r > 0xb7 && r < 0x300: // ASCII; Latin letters
		return r
	case r >= '！' && r <= '～': // the full-width forms of '!' to '~'
		return r - '！' + '!'
	}
	switch r {
	case '\u00b7', '\u2022', '\u2024', '\u2027', '\u3002', '\u30fb', '\ufe52', '\uff61':
		return '.'
	case '\u2212':
		return '-'
	case '\u2044', '\u2215':
		return '/'
	case '\ufe62':
		return '+'
	case '\ufe6b':
		return '@'
	case '\u200c', '\u200d':
		return dropped
	}
	switch {
	case unicode.IsDigit(r):
		return digitOf(r)
	case unicode.Is(unicode.Zs, r):
		return ' '
	case unicode.Is(unicode.Pd, r):
		return '-'
	case unicode.In(r, unicode.Mn, unicode.Me):
		return dropped // variation selectors are among them
	case unicode.Is(unicode.Prepended_Concatenation_Mark, r):
		return r
	case unicode.In(r, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point):
		return invisible
	}
	return r
}

// digitOf gives the ASCII form of a decimal digit. Unicode lays every script's digits out in tens, in
// order, so counting back over digits to the start of their stretch tells which one it is.
func digitOf(r rune) rune {
	first := r
	for unicode.IsDigit(first - 1) {
		first--
	}
	return '0' + (r-first)%10
}
