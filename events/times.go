package events

import "time"

// isDate reports that s is a full-date of RFC 3339 that exists.
func isDate[T string | []byte](s T) bool {
	_, _, _, ok := parseDate(s)
	return ok
}

func parseDate[T string | []byte](s T) (year, month, day int, ok bool) {
	if len(s) != 10 || s[4] != '-' || s[7] != '-' {
		return 0, 0, 0, false
	}
	century, a := twoDigits(s, 0)
	year, b := twoDigits(s, 2)
	month, c := twoDigits(s, 5)
	day, d := twoDigits(s, 8)
	year += century * 100
	ok = a && b && c && d && month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month)
	return year, month, day, ok
}

func daysIn(year, month int) int {
	switch month {
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

// parseInstant reads a date-time of RFC 3339, of at most 35 bytes. A leap second, which may only be
// the last of a UTC day, is the first second of the next; digits beyond nanoseconds are dropped.
func parseInstant[T string | []byte](s T) (time.Time, bool) {
	if len(s) < 20 || len(s) > 35 || s[10]|0x20 != 't' || s[13] != ':' || s[16] != ':' {
		return time.Time{}, false
	}
	year, month, day, ok := parseDate(s[:10])
	hour, a := twoDigits(s, 11)
	minute, b := twoDigits(s, 14)
	second, c := twoDigits(s, 17)
	if !ok || !a || !b || !c || hour > 23 || minute > 59 || second > 60 {
		return time.Time{}, false
	}
	nanos, i, ok := parseFraction(s, 19)
	if !ok {
		return time.Time{}, false
	}
	offset, ok := parseOffset(s[i:])
	if !ok {
		return time.Time{}, false
	}
	if second == 60 && (hour*60+minute-offset+2*24*60)%(24*60) != 24*60-1 {
		return time.Time{}, false
	}
	return time.Date(year, time.Month(month), day, hour, minute-offset, second, nanos, time.UTC), true
}

// parseFraction reads an optional fraction of a second from index i on and gives the index after it.
func parseFraction[T string | []byte](s T, i int) (nanos, end int, ok bool) {
	if s[i] != '.' {
		return 0, i, true
	}
	from, scale := i+1, 100_000_000
	for i = from; i < len(s) && '0' <= s[i] && s[i] <= '9'; i++ {
		nanos += int(s[i]-'0') * scale
		scale /= 10
	}
	return nanos, i, i > from
}

// parseOffset reads Z or the minutes east of UTC.
func parseOffset[T string | []byte](s T) (minutes int, ok bool) {
	if len(s) == 1 && s[0]|0x20 == 'z' {
		return 0, true
	}
	if len(s) != 6 || s[3] != ':' || s[0] != '+' && s[0] != '-' {
		return 0, false
	}
	h, a := twoDigits(s, 1)
	m, b := twoDigits(s, 4)
	if !a || !b || h > 23 || m > 59 {
		return 0, false
	}
	if s[0] == '-' {
		return -(h*60 + m), true
	}
	return h*60 + m, true
}

func twoDigits[T string | []byte](s T, i int) (int, bool) {
	a, b := s[i]-'0', s[i+1]-'0'
	return int(a)*10 + int(b), a <= 9 && b <= 9
}
