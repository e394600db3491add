// Package rows is how views keep rows in buckets of their files: so that one that is not what was written is noticed when
// it is read, and where it matters, one that is not there.
//
//   - [Seal] puts behind a value its checksum, over bucket, key and value. It is for rows whose keys are known to be there.
//   - A [Table] is a bucket whose checksums also cover the key of the row before. So whoever reads a row, or finds that
//     there is none, knows that nothing has gone, come or moved between it and the row before it; and the bucket's sequence
//     covers the last key. It is for rows that are looked for, or listed.
//   - [Bucket] finds a bucket, or notices that it has gone.
//
// Checksums are CRC-32C, and have no key. They find every change within 32 bits that follow each other, of a value or a key,
// and all but one in four billion of other changes, when the row is read; a row that nobody reads is not checked. Not
// found is what was written with care; a sealed value, a whole table or a whole file as an earlier flush left it; and that
// sealed rows have gone, unless who reads them knows that they should be there. Where pages lie, [projections.Open] checks.
// All errors of this package that are not bbolt's wrap [projections.ErrDamaged].
package rows
