package ask

import "context"

// Pursue is [Desk.Erasure] for whoever carries erasures out. It shows nobody to
// anybody, and is not recorded.
func (d *Desk) Pursue(ctx context.Context, position uint64) (ErasureDetail, error) {
	s := &sitting{Desk: d}
	var err error
	if s.asOf, err = d.knownAt(ctx, ""); err != nil {
		return ErasureDetail{}, err
	}
	o, err := s.opening(ctx, position)
	if err != nil {
		return ErasureDetail{}, err
	}
	if err := s.waitForErasure(ctx); err != nil {
		return ErasureDetail{}, err
	}
	out := ErasureDetail{AsOf: s.asOf}
	if out.Erasure, err = s.erasure(ctx, &o); err != nil || out.State != erasureOpen {
		return out, err
	}
	pursuit, _, err := s.pursue(ctx, &o)
	out.Pursuit = &pursuit
	return out, err
}
