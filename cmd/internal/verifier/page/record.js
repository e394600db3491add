// Records: what an outsider may have of one event.

// kinds are the names of the kinds, from number 1 on; numbers are never reused.
const kinds = (
  'data.collected data.accessed data.used data.altered data.derived data.shared data.transferred data.hosted data.restricted ' +
  'data.unrestricted data.deleted data.anonymised data.exported data.contacted subject.notice-given subject.consent-given ' +
  'subject.consent-withdrawn subject.objection-raised subject.objection-decided subject.suppression-changed subject.case-changed ' +
  'subject.identifiers-linked subject.identifiers-unlinked subject.request-received subject.request-acknowledged ' +
  'subject.request-identity-requested subject.request-identity-confirmed subject.request-extended subject.request-answered ' +
  'subject.request-refused subject.request-withdrawn subject.recipient-notified governance.party-registered ' +
  'governance.agreement-signed governance.agreement-ended governance.processor-assessed governance.subprocessor-changed ' +
  'governance.transfer-tool-registered governance.retention-set governance.retention-reviewed governance.hold-placed ' +
  'governance.hold-released governance.policy-published governance.authorisation-granted governance.authorisation-revoked ' +
  'governance.confidentiality-bound governance.activity-registered governance.system-registered governance.assessment-recorded ' +
  'governance.control-attested governance.cookie-recorded governance.authority-requested governance.review-recorded breach.suspected ' +
  'breach.confirmed breach.dismissed breach.risk-assessed breach.notified-authority breach.notified-controller ' +
  'breach.notified-subjects breach.closed ledger.heartbeat ledger.corrected ledger.refused ledger.queried ledger.identity-revealed ' +
  'ledger.erasure-opened ledger.erasure-cancelled ledger.key-shredded ledger.gap-found ledger.committed ledger.key-announced'
).split(' ');
const committed = 71;
const coarse = 255; // governance.authority-requested and every breach

const flagNames = ['T0', 'T1', 'T2', 'T3', 'T4', 'T5', 'U',
  'collected', 'used', 'shared', 'deleted', 'special', 'no-basis', 'correction', 'late', 'bulk'];
const lateFlag = 14;
const classBits = 0x7f; // flags 0 to 6: one at most
const outsideBits = 0x7e; // those that may have a region

const recordSize = 54;
const dayMillis = 86400000;
const noDay = 0xffff;

// readRecord gives the fields of a record: 54 bytes.
function readRecord(b) {
  return {
    version: b[0],
    kind: b[1],
    flags: uint(b, 2, 4),
    region: b[6] === 0 && b[7] === 0 ? '' : String.fromCharCode(b[6], b[7]),
    time: uint(b, 8, 6),
    producer: uint(b, 14, 2),
    seq: uint(b, 16, 6),
    digest: b.subarray(22, 54),
  };
}

function dayOf(millis) { return Math.floor(millis / dayMillis); }

// soundRecord tells whether a record does not contradict itself.
function soundRecord(r) {
  const classes = r.flags & classBits;
  return r.version === 1 && r.flags < 0x10000 && (classes & (classes - 1)) === 0 &&
    (r.region === '' || ((classes & outsideBits) !== 0 && /^[A-Z]{2}$/.test(r.region))) &&
    dayOf(r.time) < noDay && r.producer !== 0;
}

function flagList(bits) { return flagNames.filter((_, i) => bits & 1 << i); }

function kindName(n) { return n === coarse ? '' : kinds[n - 1] || ''; }

// instant reads a date-time of RFC 3339 as milliseconds since 1970; what is below a millisecond is cut off.
function instant(s) {
  const m = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):(\d\d))$/.exec(s);
  if (!m) return null;
  const [year, month, day, hour, minute, second] = m.slice(1, 7).map(Number);
  const at = new Date(0);
  at.setUTCFullYear(year, month - 1, day);
  if (at.getUTCMonth() !== month - 1 || at.getUTCDate() !== day || hour > 23 || minute > 59 || second > 60) return null;
  const east = m[8] ? (m[8] === '-' ? -1 : 1) * (Number(m[9]) * 60 + Number(m[10])) : 0;
  const millis = Number(((m[7] || '') + '000').slice(0, 3));
  return at.getTime() + ((hour * 60 + minute - east) * 60 + second) * 1000 + millis;
}

// Which flag a kind has by its name.
const flagOfKind = new Map([
  ['data.collected', 7], ['data.accessed', 8], ['data.used', 8], ['data.altered', 8], ['data.derived', 8], ['data.exported', 8],
  ['data.contacted', 8], ['data.shared', 9], ['data.transferred', 9], ['data.hosted', 9], ['data.deleted', 10],
  ['data.anonymised', 10], ['ledger.corrected', 13],
]);

// recordOf makes the record of a stored event, but for the producer number, which the whole stream decides.
function recordOf(stored) {
  const e = readJSON(stored);
  const at = (...path) => path.reduce((v, name) => v instanceof Map ? v.get(name) : undefined, e);
  const text = (...path) => { const v = at(...path); return typeof v === 'string' ? v : ''; };
  const name = (/^eu\.custody\.([a-z.-]+)\.v1$/.exec(text('type')) || [])[1];
  const number = kinds.indexOf(name) + 1, family = name && name.split('.')[0];
  const time = instant(text('time')), recorded = instant(text('recordedtime'));
  const region = text('data', 'ledger', 'region');
  need(at('custodyformat') === '1' && number > 0 && time !== null && recorded !== null && at('data', 'ledger') instanceof Map, 'event-form');
  need(time >= 0 && dayOf(time) < noDay && /^([A-Z]{2})?$/.test(region), 'event-form');
  const seq = /^[0-9]+$/.test(text('producerseq')) ? Number(text('producerseq')) : 0;
  return {
    version: 1,
    kind: family === 'breach' || name === 'governance.authority-requested' ? coarse : number,
    flags: flagsOf(name, family, at, recorded - time > dayMillis),
    region, time,
    seq: seq < 2 ** 48 ? seq : 0,
    digest: sha256(stored),
  };
}

function flagsOf(name, family, at, late) {
  const transfer = at('data', 'ledger', 'class');
  let bits = 0;
  const set = (i, holds) => { if (holds) bits |= 1 << i; };
  flagNames.slice(0, 7).forEach((c, i) => set(i, c === (transfer === 'T1f' ? 'T1' : transfer)));
  if (flagOfKind.has(name)) set(flagOfKind.get(name), true);
  set(11, at('data', 'ledger', 'special') === true);
  set(12, family === 'data' && at('data', 'basis') === undefined);
  set(lateFlag, late);
  set(15, at('data', 'bulk') !== undefined);
  return bits;
}

// misdescribed tells whether a record says otherwise than its event, as far as this page can read the event.
function misdescribed(record, stored) {
  try {
    return !sameRecord(record, recordOf(stored));
  } catch (e) {
    return false;
  }
}

// sameRecord tells whether a record is that of its event, the producer number aside.
function sameRecord(r, of) {
  return ['version', 'kind', 'flags', 'region', 'time', 'seq'].every((f) => r[f] === of[f]) && equal(r.digest, of.digest);
}
