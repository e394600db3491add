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
	o, out, err := s.detail(ctx, position)
	if err != nil || out.State != erasureOpen {
		return out, err
	}
	pursuit, _, err := s.pursue(ctx, &o)
	out.Pursuit = &pursuit
	return out, err
}

// detail reads an erasure, but for how far it is.
func (s *sitting) detail(ctx context.Context, position uint64) (o opening, out ErasureDetail, err error) {
	if o, err = s.opening(ctx, position); err != nil {
		return o, out, err
	}
	if err := s.waitForErasure(ctx); err != nil {
		return o, out, err
	}
	out.AsOf = s.asOf
	out.Erasure, err = s.erasure(ctx, &o)
	return o, out, err
}
