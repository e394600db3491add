package events

// mostDigits is one more than the longest number looked for has: 00 and the 15 digits of E.164.
const mostDigits = 18

// number is a run of digits in groups, read from one place of a text.
type number struct {
	digits [mostDigits]byte // their values
	n      int              // how many were read
	cuts   uint32           // bit k: separators stand before digit k
	spaces uint32           // bit k: a space is among them
	whole  bool             // nothing alphanumeric follows the last digit
}

// readNumber reads the digits at s[i:] and the separators between them, at most three together.
func readNumber(s string, i int) (d number) {
	for i < len(s) && d.n < mostDigits {
		if isDigit(s[i]) {
			d.digits[d.n] = s[i] - '0'
			d.n++
			i++
			continue
		}
		next, spaced := skipSeparators(s, i)
		if d.n == 0 || next == i || next == len(s) || !isDigit(s[next]) {
			break
		}
		d.cuts |= 1 << d.n
		if spaced {
			d.spaces |= 1 << d.n
		}
		i = next
	}
	d.whole = i == len(s) || !isAlnum(s[i])
	return d
}

func skipSeparators(s string, i int) (next int, spaced bool) {
	for next = i; next < len(s) && next < i+3; next++ {
		switch s[next] {
		case ' ':
			spaced = true
		case '.', '-', '/', '_', '(', ')':
		default:
			return next, spaced
		}
	}
	return next, spaced
}

// screenNumber says what the number that starts at s[i], the first of its run of letters and digits,
// looks like.
func screenNumber(s string, i int) string {
	d := readNumber(s, i)
	switch {
	case d.isNational():
		return aNational
	case d.isMobile(), d.isDialled():
		return aPhone
	case startsChain(s, i) && (d.isGrouped(9) || d.isGrouped(10)):
		return aPhone
	}
	return ""
}

// startsChain reports that s[i] does not continue a chain of numbers such as a date or a version.
func startsChain(s string, i int) bool {
	if i < 2 || !isDigit(s[i-2]) {
		return true
	}
	switch s[i-1] {
	case '.', '-', '/', '_':
		return false
	}
	return true
}

// ends reports that a group of digits ends after the first k.
func (d *number) ends(k int) bool {
	return d.n == k && d.whole || d.n > k && d.cut(k)
}

// stands reports that the number ends after the first k, not merely a group of a longer chain.
func (d *number) stands(k int) bool {
	return d.n == k && d.whole || d.n > k && d.spaces>>k&1 != 0
}

func (d *number) cut(k int) bool { return d.cuts>>k&1 != 0 }

// within gives the cuts inside the first k digits.
func (d *number) within(k int) uint32 { return d.cuts & (1<<k - 1) }

func (d *number) value(from, to int) (v int) {
	for _, digit := range d.digits[from:to] {
		v = 10*v + int(digit)
	}
	return v
}

// isNational tells a Belgian national register number (Royal Decree of 3 April 1984, Art. 1 to 4) or a
// BIS number: YYMMDD, a serial number, and 97 minus the rest of those nine digits divided by 97; for
// births from 2000 a 2 is put before the nine. The month of a BIS number is raised by 20 or 40; month
// and day are 0 when the birth date is not known. Separators may stand where YY.MM.DD-XXX.CC has them.
func (d *number) isNational() bool {
	if d.n < 11 || !d.ends(11) {
		return false
	}
	const date, serial, check = 1<<2 | 1<<4, 1 << 6, 1 << 9
	cuts := d.within(11)
	switch cuts &^ check {
	case 0:
		if cuts != 0 {
			return false
		}
	case serial, serial | date:
	default:
		return false
	}
	month, day := d.value(2, 4), d.value(4, 6)
	if month > 52 || month%20 > 12 || day > 31 || d.value(6, 9) == 0 {
		return false
	}
	birth, rest := d.value(0, 9), d.value(9, 11)
	return rest == 97-birth%97 || rest == 97-(2_000_000_000+birth)%97
}

// isMobile tells a Belgian mobile number written without separators: 04, 5 to 9, seven more.
func (d *number) isMobile() bool {
	return d.n >= 10 && d.ends(10) && d.within(10) == 0 &&
		d.digits[0] == 0 && d.digits[1] == 4 && d.digits[2] >= 5
}

// isInternational tells what may follow a '+': 8 to 15 digits in any groups (ITU-T E.164).
func (d number) isInternational() bool {
	if d.digits[0] == 0 {
		return false
	}
	for k := 8; k <= 15; k++ {
		if d.ends(k) {
			return true
		}
	}
	return false
}

// isDialled tells a number that begins with 00 and a country code, 12 digits at least: zeros are also
// what short numbers are filled up with. Without separators only codes 3x and 4x count (Europe).
func (d *number) isDialled() bool {
	if d.n < 12 || d.digits[0] != 0 || d.digits[1] != 0 || d.digits[2] == 0 || d.cut(1) {
		return false
	}
	const early = 1<<3 | 1<<4 | 1<<5 | 1<<6 | 1<<7 // a cut after the country code, or soon after
	for k := 12; k <= 17; k++ {
		europe := d.within(k) == 0 && k <= 15 && (d.digits[2] == 3 || d.digits[2] == 4)
		if europe && d.ends(k) || d.within(k)&early != 0 && d.stands(k) {
			return true
		}
	}
	return false
}

// isGrouped tells a Belgian (9 digits; mobile 10), French or Dutch (10) number with its separators, by
// the sizes of its groups. Dates have other ones.
func (d *number) isGrouped(k int) bool {
	if d.n < k || d.digits[0] != 0 || d.digits[1] == 0 || !d.stands(k) {
		return false
	}
	switch d.groups(k) {
	case 2_3_2_2, 2_7, 2_3_4, 3_2_2_2, 3_3_3, 3_6: // 9
		return true
	case 2_2_2_2_2, 2_8, 2_4_4, 3_7, 3_3_4, 3_3_2_2, 4_2_2_2, 4_3_3, 4_6: // 10
		return true
	}
	return false
}

// groups writes the sizes of the groups of the first k digits as one decimal number.
func (d *number) groups(k int) (sizes int) {
	size := 0
	for i := range k {
		if i > 0 && d.cut(i) {
			sizes, size = 10*sizes+size, 0
		}
		size++
	}
	return 10*sizes + size
}
